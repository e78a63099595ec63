#!/bin/bash
# hundred.sh - 100 sandboxes made at once, as fast as the machine can: all start,
# answer state, end with their own status and are deleted; how long each step
# took, how much memory they held together, and that nothing is left.
# usage: hundred.sh [COUNT]    (100)
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/alone.sh"
. "$top/tests/integration/lib.sh"
count=${1:-100}
run() { timeout -k 5 200 "$LAUNCHER" --root "$STATE" "$@" </dev/null; }
mkdir -p "$STATE" "$SCRATCH/b" "$SCRATCH/out"
# ends with a status of its own
spec "$SCRATCH/b" false /bin/sh -c 'trap "exit 7" TERM; echo up; while :; do sleep 1000 & wait; done'
: >"$SCRATCH/after"
run run -d --bundle "$SCRATCH/b" first >"$SCRATCH/first" 2>&1 || { not_ok "a container to begin with" "$(cat "$SCRATCH/first")"; finish; exit; }
run delete --force first
snapshot >"$SCRATCH/before"
available() { awk '/^MemAvailable:/ { print $2 }' /proc/meminfo; }
free_before=$(available)
# the least that was free at any time, in $SCRATCH/least: the shell's own means, so that it costs little
mkfifo "$SCRATCH/tick"
{
	least=$free_before
	while [ -p "$SCRATCH/tick" ]; do
		while read -r key value _; do
			[ "$key" = MemAvailable: ] && [ "$value" -lt "$least" ] && least=$value && echo "$least" >"$SCRATCH/least"
		done </proc/meminfo
		read -rt 0.1 <>"$SCRATCH/tick"
	done
} &
sampler=$!

# all NAME COMMAND... : of every sandbox at once (@ stands for the id); each must exit with $want
all() {
	name=$1
	shift
	began=$(date +%s%N) bad=0 asked=()
	for i in $(seq "$count"); do
		{
			run "${@//@/p$i}" >"$SCRATCH/out/$i" 2>&1
			echo $? >"$SCRATCH/out/$i.status"
		} &
		asked+=($!)
	done
	wait "${asked[@]}"
	ms=$((($(date +%s%N) - began) / 1000000))
	for i in $(seq "$count"); do [ "$(cat "$SCRATCH/out/$i.status")" = "${want:-0}" ] || { bad=$((bad + 1)); worst=$i; }; done
	[ $bad -eq 0 ] && ok "$name: all $count, $ms ms" || not_ok "$name" "$bad of $count failed" "status $(cat "$SCRATCH/out/$worst.status"): $(tail -2 "$SCRATCH/out/$worst")"
}
all create create --bundle "$SCRATCH/b" @
all start start @
all state state @
n=$(grep -l '"status": "running"' "$SCRATCH/out"/* | wc -l)
[ "$n" -eq "$count" ] && ok "state says running of all" || not_ok "state says running of all" "of $n"
n=$(run list | grep -c ' running ')
[ "$n" -eq "$count" ] && ok "list has them all" || not_ok "list has them all" "$n"
all exec exec @ /bin/true
held=$((free_before - $(available)))
pss=$(awk '/^Pss:/ { s += $2 } END { print s + 0 }' /proc/[0-9]*/smaps_rollup 2>/dev/null)
echo "# $count sandboxes at once: $((pss / count)) KiB each (PSS of all processes: $pss KiB; host memory taken: $held KiB)"
# an instrumented build holds shadow memory too
if [ -n "${REDOUBT_REPORTS-}" ]; then
	skip "less than 16 MiB each" "instrumented: $((pss / count)) KiB"
else
	[ "$pss" -lt $((count * 16384)) ] && ok "less than 16 MiB each" || not_ok "memory" "$pss KiB"
fi
all kill kill @ TERM
want=7 all wait wait @
all delete delete @
rm "$SCRATCH/tick"
wait $sampler
echo "# the most that was taken of the host's memory at any time: $((free_before - $(cat "$SCRATCH/least"))) KiB"
rm -rf "$SCRATCH/out"
left_behind "$count at once" "$SCRATCH/before"
finish
