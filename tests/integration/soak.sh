#!/bin/bash
# soak.sh - many containers, one after another and at once, leave nothing; what
# an idle one costs: memory (PSS), wake-ups; how long starting takes.
# usage: soak.sh [COUNT]    (200)
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/alone.sh"
. "$top/tests/integration/lib.sh"
count=${1:-200}
run() { timeout -k 5 120 "$LAUNCHER" --root "$STATE" "$@" </dev/null; }
mkdir -p "$STATE" "$SCRATCH/true" "$SCRATCH/echo" "$SCRATCH/sleep"
spec "$SCRATCH/true" false /bin/true
spec "$SCRATCH/echo" false /bin/sh -c 'echo out of $(hostname); for i in 1 2 3; do (exit $i); done; ls / >/tmp/x; exec sleep 0.2'
spec "$SCRATCH/sleep" false /bin/sleep 1000
: >"$SCRATCH/before" >"$SCRATCH/after" >"$SCRATCH/log" >"$SCRATCH/times"

# spread FILE : least, median, largest of the numbers in a file
spread() { sort -n "$1" | awk '{ v[NR] = $1 } END { printf "least %.1f, median %.1f, most %.1f", v[1], v[int((NR + 1) / 2)], v[NR] }'; }
pids_of() { # CONTAINER : controld, gofer, sentry and its stubs
	python3 - "$STATE/$1/state.json" <<'PY'
import json, subprocess, sys
s = json.load(open(sys.argv[1]))
pids = [s[k]["pid"] for k in ("controld", "gofer", "sentry")]
print(*pids, *subprocess.run(["pgrep", "-P", str(pids[2])], capture_output=True, text=True).stdout.split())
PY
}
pss() { for p in "$@"; do awk '/^Pss:/ { print $2 }' "/proc/$p/smaps_rollup"; done | awk '{ s += $1 } END { print s + 0 }'; }
switches() { for p in "$@"; do cat /proc/"$p"/task/*/status; done | awk '/ctxt_switches/ { s += $2 } END { print s }'; }

# --- one after another ---------------------------------------------------------------
run run --bundle "$SCRATCH/true" first >"$SCRATCH/log" 2>&1 || { not_ok "a container to begin with" "status $?" "$(cat "$SCRATCH/log")"; finish; exit; }
snapshot >"$SCRATCH/before"
bad=0
for i in $(seq "$count"); do
	t=$(date +%s%N)
	run run --bundle "$SCRATCH/true" "one$i" >>"$SCRATCH/log" 2>&1 || bad=$((bad + 1))
	echo $((($(date +%s%N) - t) / 10000)) | sed 's/..$/.&/' >>"$SCRATCH/times"
done
[ $bad -eq 0 ] && ok "$count containers one after another" || not_ok "$count containers one after another" "$bad failed" "$(tail -3 "$SCRATCH/log")"
[ -s "$SCRATCH/log" ] && not_ok "$count containers say nothing" "$(sort "$SCRATCH/log" | uniq -c | sort -rn | head -3)" || ok "$count containers say nothing"
left_behind "$count containers one after another" "$SCRATCH/before"
echo "# /bin/true, created, run and removed (ms): $(spread "$SCRATCH/times"); target 40 on an idle machine"

# --- at once --------------------------------------------------------------------------
for i in $(seq 20); do run run --bundle "$SCRATCH/echo" "att$i" >"$SCRATCH/att$i" 2>&1 & done
bad=0
for i in $(seq 20); do wait -n || bad=$((bad + 1)); done
same=$(cat "$SCRATCH"/att[0-9]* | sort -u)
[ $bad -eq 0 ] && [ "$same" = "out of box" ] && ok "20 attached at once" || not_ok "20 attached at once" "$bad failed" "$(echo "$same" | head -4)"
rm -f "$SCRATCH"/att[0-9]*
left_behind "20 attached at once" "$SCRATCH/before"
for i in $(seq 20); do run run -d --bundle "$SCRATCH/sleep" "at$i" >>"$SCRATCH/log" 2>&1 & done
bad=0
for i in $(seq 20); do wait -n || bad=$((bad + 1)); done
n=$(run list | grep -c running)
[ $bad -eq 0 ] && [ "$n" -eq 20 ] && ok "20 detached at once run" || not_ok "20 detached at once run" "$bad failed, $n run" "$(tail -3 "$SCRATCH/log")"
all=$(for i in $(seq 20); do pids_of "at$i"; done)
# shellcheck disable=SC2086
echo "# 20 idle sandboxes together: PSS $(pss $all) KiB"
for i in $(seq 20); do run delete --force "at$i" >>"$SCRATCH/log" 2>&1 & done
for i in $(seq 20); do wait -n || not_ok "delete --force of one of 20" "$(tail -1 "$SCRATCH/log")"; done
left_behind "20 detached at once" "$SCRATCH/before"

# --- an idle one ------------------------------------------------------------------------
run run -d --bundle "$SCRATCH/sleep" idle >>"$SCRATCH/log" 2>&1
# a moment in which nothing of it has run
rests() {
	# shellcheck disable=SC2086
	until_true 'pids=$(pids_of idle); a=$(switches $pids); sleep 2; [ "$(switches $pids)" -eq "$a" ]'
}
rests
echo "# an idle sandbox (PSS, KiB):"
for p in $pids; do echo "#   $(pss "$p") $(tr '\0' ' ' <"/proc/$p/cmdline" | cut -d' ' -f1) $(readlink "/proc/$p/exe" | sed 's, .*,,; s,.*/,,')"; done
# shellcheck disable=SC2086
sum=$(pss $pids)
# an instrumented build's shadow memory and quarantine say nothing of ours
within() { # NAME LIMIT VALUE TEXT
	if [ -n "${REDOUBT_REPORTS-}" ]; then
		skip "$1" "instrumented: $3 KiB"
	elif [ "$3" -le "$2" ]; then
		ok "$1: $3 KiB"
	else
		not_ok "$1" "$4"
	fi
}
within "an idle sandbox holds at most 8192 KiB" 8192 "$sum" "$sum"
for _ in 1 2 3; do # what wakes by itself does so each time
	# shellcheck disable=SC2086
	a=$(switches $pids)
	sleep 10
	# shellcheck disable=SC2086
	b=$(switches $pids)
	[ $((b - a)) -gt 3 ] || break
done
[ $((b - a)) -le 3 ] && ok "an idle sandbox wakes $((b - a)) times in 10 s" || not_ok "an idle sandbox does not wake" "$((b - a)) context switches in 10 s" \
	"$(for p in $pids; do for t in /proc/"$p"/task/*; do awk -v n="$(cat "$t/comm") ${t##*/}" '/ctxt/ { s += $2 } END { print n, s }' "$t/status"; done; done)"
echo "# peak of the sentry: $(awk '/VmHWM/ { print $2 }' "/proc/$(echo "$pids" | cut -d' ' -f3)/status") KiB"
for i in $(seq 50); do run exec idle /bin/true || not_ok "exec $i in an idle sandbox"; done >>"$SCRATCH/log" 2>&1
before=$(echo "$pids" | wc -w)
sleep 3 # a component at rest has given its text back again
rests
now=$(pss $(pids_of idle))
within "after 50 times exec it holds as much" $((sum + 1024)) "$now" "$sum, then $now KiB"
n=$(pids_of idle | wc -w)
# systrap keeps up to four ready, once there has been a second process
[ "$n" -le $((before + 4)) ] && ok "and no more stubs but ready ones" ||
	not_ok "and no more stubs but ready ones" "$n processes, $before before"
run delete --force idle
left_behind "an idle sandbox" "$SCRATCH/before"
finish
