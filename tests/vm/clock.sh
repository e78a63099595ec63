#!/bin/bash
# clock.sh - a host whose clock the vDSO cannot read (no usable TSC, as on some
# virtual machines): every clock read is then a real call, which each component's
# filter must permit.  Runs in the machine of scripts/vm, whose clock it changes.
# limit: 300
. "$top/tests/integration/lib.sh"
source=/sys/devices/system/clocksource/clocksource0
was=$(cat $source/current_clocksource)
for s in hpet acpi_pm; do grep -qw $s $source/available_clocksource && echo $s >$source/current_clocksource && break; done
[ "$(cat $source/current_clocksource)" = "$s" ] && ok "the clock is $s" || not_ok "the clock is $s" "$(cat $source/available_clocksource)"
for platform in ptrace systrap; do
	mkdir -p "$SCRATCH/$platform"
	spec "$SCRATCH/$platform" false /bin/sh -c 'date +%s; sleep 5; date +%s; ls -l /usr/bin >/dev/null; exit 3'
	now=$(date +%s)
	timeout 60 "$LAUNCHER" --root "$STATE" --platform $platform run -d --bundle "$SCRATCH/$platform" clock-$platform </dev/null >"$SCRATCH/out" 2>&1
	[ $? -eq 0 ] && ok "$platform: starts" || not_ok "$platform: starts" "$(cat "$SCRATCH/out")"
	# libevent compares its clocks every few seconds: controld and the gofer are asked then too
	timeout 60 "$LAUNCHER" --root "$STATE" exec clock-$platform sh -c 'sleep 2; ls -l /etc >/dev/null; exit 5' </dev/null >"$SCRATCH/exec" 2>&1
	[ $? -eq 5 ] && ok "$platform: exec" || not_ok "$platform: exec" "$(cat "$SCRATCH/exec")"
	timeout 60 "$LAUNCHER" --root "$STATE" wait clock-$platform >"$SCRATCH/wait" 2>&1
	[ $? -eq 3 ] && ok "$platform: ends as it should" || not_ok "$platform: ends as it should" "$(cat "$SCRATCH/wait" "$SCRATCH/out")"
	read -r a b <<<"$(grep -E '^[0-9]+$' "$SCRATCH/out" | tr '\n' ' ')"
	[ $((a - now)) -le 30 ] && [ $((b - a)) -ge 5 ] && [ $((b - a)) -le 20 ] && ok "$platform: time passes as outside" ||
		not_ok "$platform: time passes as outside" "$now outside; inside $a $b"
	"$LAUNCHER" --root "$STATE" delete --force clock-$platform >/dev/null 2>&1
done
echo "$was" >$source/current_clocksource
finish
