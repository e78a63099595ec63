#!/bin/bash
# debug.sh - looking into a live sandbox: what controld's methods tell of it, and
# the commands that ask them.
# usage: debug.sh [LAUNCHER]; needs the tree of scripts/common.sh, python3.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"

run() { timeout -k 1 60 "$LAUNCHER" --root "$STATE" "$@"; }
quiet() { run "$@" </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err"; }
has() { if [[ "$2" == *"$3"* ]]; then ok "$1"; else not_ok "$1" "wanted '$3' in:" "$(head -20 <<<"$2")" "$(cat "$SCRATCH/err" 2>/dev/null)"; fi; }
id=debug-$$ b=$SCRATCH/b
mkdir -p "$b"
spec "$b" false /usr/bin/python3 -c '
import os, threading, time
os.write(1, b"up\n")
threading.Thread(target=time.sleep, args=(10000,), daemon=True).start()
while True:
    for i in range(300): os.stat("/etc/passwd")
    time.sleep(0.001)'
quiet --log "$SCRATCH/sandbox.log" run -d -b "$b" "$id"
is "a container that works" $? 0

# --- where the sentry is -------------------------------------------------------------------
quiet debug --stacks "$id"
is "debug --stacks" $? 0
has "the event thread, by name" "$(cat "$SCRATCH/out")" "threads_sample"
has "up to where it began" "$(cat "$SCRATCH/out")" " main+"
for i in 1 2 3 4 5 6 7 8 9 10; do grep -q ' in clock_nanosleep(' "$SCRATCH/out" && break; sleep 0.3; quiet debug --stacks "$id"; done
has "a task in its call" "$(cat "$SCRATCH/out")" "(python3) in clock_nanosleep(0x"
is "each of its tasks" "$(grep -c '^thread .*, task: task [0-9]* (python3)' "$SCRATCH/out")" 2
quiet debug --profile-cpu "$SCRATCH/cpu" --duration 1500ms "$id"
is "debug --profile-cpu" $? 0
is "lines are folded chains" "$(grep -cvE '^[^;]+(;[^; ]+)+ [0-9]+$' "$SCRATCH/cpu")" 0
has "which name what it does" "$(cat "$SCRATCH/cpu")" ";host_main;task_run;"
quiet debug --profile-block "$SCRATCH/block" --duration 300ms "$id"
has "debug --profile-block: a thread that sleeps" "$(cat "$SCRATCH/block")" ";sys_clock_nanosleep;"
quiet debug --profile-mutex "$SCRATCH/mutex" --duration 200ms "$id"
is "debug --profile-mutex: only waits for locks" "$? $(grep -cv 'lock_wait' "$SCRATCH/mutex")" "0 0"
(run debug --profile-cpu "$SCRATCH/first" --duration 3s "$id" >/dev/null 2>&1) &
sleep 0.5
quiet debug --profile-cpu "$SCRATCH/second" --duration 1s "$id"
has "one profile at a time" "$(cat "$SCRATCH/err")" "another is being made"
wait
quiet debug --profile-cpu "$SCRATCH/cpu" --duration 0 "$id"
has "a profile of no time" "$(cat "$SCRATCH/err")" "--duration: must not be 0"
quiet debug --profile-cpu "$SCRATCH/cpu" --duration 11m "$id"
has "of too much" "$(cat "$SCRATCH/err")" "--duration: '11m' is not a time"
quiet exec "$id" /bin/true
is "the programs go on" $? 0
quiet delete --force "$id"
quiet --platform ptrace run -d -b "$b" "$id"
quiet debug --profile-cpu "$SCRATCH/cpu" --duration 1s "$id"
has "a profile on ptrace" "$(cat "$SCRATCH/cpu")" ";task_run;pt_run;"
quiet exec "$id" /bin/true
is "the programs go on there too" $? 0
quiet delete --force "$id"
finish
