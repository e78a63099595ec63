#!/bin/bash
# pause.sh - pause and resume: nothing runs while paused, everything goes on
# afterwards; what may and may not be asked of a paused container.
# usage: pause.sh [LAUNCHER]; needs the tree of scripts/common.sh.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"

run() { timeout -k 1 60 "$LAUNCHER" --root "$STATE" "$@"; }
status_of() { run state "$1" 2>/dev/null | sed -n 's/.*"status": "\(.*\)".*/\1/p'; }
id=pause-$$
# its files are looked at from outside: a bind would do, its output does as well
start() { # NAME COMMAND
	mkdir -p "$SCRATCH/$1"
	spec "$SCRATCH/$1" false /bin/bash -c "$2"
	run run --detach --bundle "$SCRATCH/$1" "$1" </dev/null >"$SCRATCH/$1/out" 2>"$SCRATCH/err"
}
ticks() { stat -c %s "$SCRATCH/$1/out"; }
grows() { a=$(ticks "$1"); sleep 0.4; b=$(ticks "$1"); if [ "$b" -gt "$a" ]; then echo yes; else echo no; fi; }

# one that computes without calls, one that sleeps and writes, a thread waiting on a pipe
start "$id" 'while :; do echo x; for i in {1..2000}; do :; done; done & while :; do echo y; sleep 0.02; done & sleep 1000 | cat & wait'
until_true '[ "$(ticks "$id")" -gt 0 ]'
goes_on() { a=$(ticks "$id"); until_true '[ "$(ticks "$id")" -gt "$a" ]' && echo yes; }
is "runs" "$(goes_on)" yes
quiet pause "$id"
is "pause" $? 0
is "paused: state" "$(status_of "$id")" paused
is "paused: list" "$(run list -f json | python3 -c 'import json,sys; print([c["status"] for c in json.load(sys.stdin)])')" "['paused']"
is "paused: nothing runs" "$(grows "$id")" no
sentry=$(run state "$id" | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')
cpu() { awk '{print $14 + $15}' "/proc/$sentry/stat"; }
a=$(cpu); sleep 0.5; b=$(cpu)
is "paused: the sentry is idle" "$([ $((b - a)) -le 2 ] && echo yes)" yes
quiet pause "$id"
is "pause twice is refused" $? 1
is "... and says so" "$(grep -c "is paused" "$SCRATCH/err")" 1
quiet exec "$id" /bin/true
is "exec while paused is refused" $? 255
quiet ps "$id"
is "ps while paused" $? 0
quiet kill "$id" USR2
is "kill while paused" $? 0
is "a signal stays pending" "$(status_of "$id")" paused
quiet delete "$id"
is "delete while paused is refused" $? 1
quiet resume "$id"
is "resume" $? 0
quiet resume "$id"
is "resume twice is refused" $? 1
is "... and says so" "$(grep -c "must be paused" "$SCRATCH/err")" 1

for i in 1 2 3 4 5 6 7 8; do quiet pause "$id" && quiet resume "$id" || break; done
is "many times" $i 8
is "runs again" "$(goes_on)" yes
quiet exec "$id" /bin/true
is "exec again" $? 0

quiet pause "$id"
quiet kill "$id" KILL
is "KILL while paused" $? 0
timeout 60 "$LAUNCHER" --root "$STATE" wait "$id" 2>"$SCRATCH/err"
is "KILL ends a paused container" $? 137
quiet delete "$id"
is "delete" $? 0

start "$id-b" 'trap "echo got; exit 9" TERM; echo ready; while :; do sleep 0.01; done'
until_true '[ "$(ticks "$id-b")" -gt 0 ]'
quiet pause "$id-b"
quiet kill "$id-b" TERM
sleep 0.2
is "a handler waits for resume" "$(cat "$SCRATCH/$id-b/out")" "ready"
quiet resume "$id-b"
timeout 60 "$LAUNCHER" --root "$STATE" wait "$id-b" 2>"$SCRATCH/err"
is "the handler has run" "$? $(tail -1 "$SCRATCH/$id-b/out")" "9 got"
quiet delete "$id-b"

# tasks that compute for a moment, then sleep long in a call: one may be on its
# way from the one to the other when it is paused
start "$id-d" "exec python3 -c 'import os, time
for i in range(100):
	if not os.fork(): break
	time.sleep(0.01)
while True:
	end = time.monotonic() + 0.0005
	while time.monotonic() < end: pass
	time.sleep(8)'"
for i in $(seq 250); do quiet pause "$id-d" && quiet resume "$id-d" || break; done
is "pause of tasks on their way into a call" $i 250
quiet delete --force "$id-d"

start "$id-c" 'while :; do :; done'
quiet pause "$id-c"
quiet delete --force "$id-c"
is "delete --force of a paused one" $? 0
is "nothing is left" "$(ls "$STATE")" ""
quiet pause nobody
is "pause of nobody" $? 1
finish
