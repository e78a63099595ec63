#!/bin/bash
# containerd.sh - containerd with its own runc shim and the launcher in runc's
# place, as `ctr` drives it; what can be compared is compared with runc.
# usage: containerd.sh [LAUNCHER]; needs containerd and busybox (skipped without).
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"
. "$top/tests/integration/engines.sh"
need_engine containerd containerd ctr busybox
trap 'stop_daemons; cleanup' EXIT

id=ctr$$
run() { # ID ARGS... : attached, by the runtime $runtime
	timeout -k 1 60 ctr run --rm --snapshotter native --runc-binary "$runtime" "$@"
}
task() { timeout -k 1 60 ctr task "$@"; }
ours() { runtime=$LAUNCHER run "$@"; }
theirs() { runtime=$reference run "$@"; }

make_image && start_containerd && ctr image import --snapshotter native "$SCRATCH/image.tar" >/dev/null || { not_ok "set-up"; finish; exit 1; }
reference=$(command -v runc)
runtime=$reference
[ -n "$reference" ] && run "$IMAGE" "$id" true >"$SCRATCH/out" 2>"$SCRATCH/err" || reference=

# --- run -----------------------------------------------------------------------------------
both "run" "$IMAGE" "$id" echo hello
both "exit status" "$IMAGE" "$id" sh -c 'exit 7'
both "environment, directory" --env A=b --cwd /tmp "$IMAGE" "$id" sh -c 'echo $A; pwd'
both "capabilities" --cap-drop CAP_CHOWN "$IMAGE" "$id" grep Cap /proc/self/status
both "read-only" --read-only "$IMAGE" "$id" touch /x
mkdir "$SCRATCH/volume"
echo data >"$SCRATCH/volume/file"
both "a bound directory, read-only" --mount "type=bind,src=$SCRATCH/volume,dst=/v,options=rbind:ro" "$IMAGE" "$id" sh -c 'cat /v/file; touch /v/x'
both "a bound directory" --mount "type=bind,src=$SCRATCH/volume,dst=/v,options=rbind:rw" "$IMAGE" "$id" sh -c 'echo more >>/v/file; cat /v/file; echo data >/v/file'
both "the host's network" --net-host "$IMAGE" "$id" true
runtime=$LAUNCHER
run "$IMAGE" "$id" nothing >"$SCRATCH/out" 2>"$SCRATCH/err"
is "no such program" "$? $(cat "$SCRATCH/err")" "1 ctr: failed to create shim task: OCI runtime create failed: exec: \"nothing\": executable file not found in \$PATH: unknown"
run "$IMAGE" "$id" /etc/noexec >"$SCRATCH/out" 2>"$SCRATCH/err"
is "no permission" "$? $(grep -c 'permission denied' "$SCRATCH/err")" "1 1"
run --memory-limit 67108864 --cpus 1 "$IMAGE" "$id" sh -c 'free -m | sed -n "2s/Mem: *\([0-9]*\).*/\1/p"; nproc' >"$SCRATCH/out" 2>"$SCRATCH/err"
is "limits are the guest's" "$? $(tr '\n' ' ' <"$SCRATCH/out")" "0 64 1 "
k=0
ctr events >"$SCRATCH/events" 2>&1 &
events=$!
until_true 'ctr namespaces label "$CONTAINERD_NAMESPACE" "began=$((k += 1))" && grep -q /namespaces/ "$SCRATCH/events"' # it listens
run --memory-limit 67108864 "$IMAGE" "$id" sh -c 'tail /dev/zero' >"$SCRATCH/out" 2>"$SCRATCH/err"
is "more than its memory" $? 137
until_true 'grep -q /tasks/oom "$SCRATCH/events"'
is "... is an event of containerd's" "$(grep -c "/tasks/oom.*$id" "$SCRATCH/events")" 1
kill $events
is "run --tty" "$(in_terminal -- ctr run --rm --tty --snapshotter native --runc-binary "$LAUNCHER" "$IMAGE" "$id" sh -c 'tty; exit 4' 2>&1)" "/dev/pts/0 4"

# --- a task's life ----------------------------------------------------------------------------
status() { task ls | awk -v id="$id" '$1 == id { print $3 }'; }
start() { timeout 60 ctr run -d --snapshotter native --runc-binary "$LAUNCHER" "$@" >"$SCRATCH/out" 2>"$SCRATCH/err"; }
start "$IMAGE" "$id" sh -c 'trap "exit 5" TERM; while :; do sleep 0.1; done'
is "run -d" "$? $(status)" "0 RUNNING"
pid=$(task ls | awk -v id="$id" '$1 == id { print $2 }')
is "its pid is the sentry's" "$(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -d' ' -f1,2)" "redoubt-sentry $id"
is "task exec" "$(task exec --exec-id e1 "$id" sh -c 'echo in; exit 4'; echo $?)" "in
4"
task exec --exec-id e2 "$id" nothing >"$SCRATCH/out" 2>"$SCRATCH/err"
is "task exec, no such program" "$? $(cat "$SCRATCH/err")" "1 ctr: OCI runtime exec failed: exec: \"nothing\": executable file not found in \$PATH: unknown"
task exec --detach --exec-id e3 "$id" sleep 1000 >"$SCRATCH/out" 2>"$SCRATCH/err"
is "task exec --detach, task ps" "$(task ps "$id" | sed -E "s/^$pid /FIRST /; s/^[0-9]+ /PID /; s/ +/ /g; s/,XXX_.*//")" "PID INFO
FIRST -
PID &ProcessDetails{ExecID:e3"
task kill -s KILL --exec-id e3 "$id"
k=0
until_true 'left=$(task exec --exec-id "k$((k += 1))" "$id" sh -c "ps -o args | grep -c \"[s]leep 1000\""); [ "$left" = 0 ]'
is "task kill of an exec" "$left" 0
is "task metrics" "$(task metrics --format json "$id" 2>"$SCRATCH/err" | $PYTHON -c 'import json, sys; d = json.load(sys.stdin); print(d["pids"]["current"] > 0, (d["memory"].get("usage") or d["memory"]) != {})')" "True True"
task pause "$id"
is "task pause" "$(status)" PAUSED
task resume "$id"
is "task resume" "$(status)" RUNNING
task checkpoint "$id" >"$SCRATCH/out" 2>"$SCRATCH/err"
is "task checkpoint is refused" "$? $(grep -o 'not supported yet' "$SCRATCH/err") $(status)" "1 not supported yet RUNNING"
task kill -s TERM "$id"
until_true '[ "$(status)" = STOPPED ]'
is "task kill" "$(status)" STOPPED
task delete "$id" >"$SCRATCH/out" 2>"$SCRATCH/err"
is "task delete: the exit status" "$(grep -o 'code [0-9]*' "$SCRATCH/err")" "code 5"
ctr container delete "$id"
start "$IMAGE" "$id" sleep 1000
task rm --force "$id" >"$SCRATCH/out" 2>"$SCRATCH/err"
is "task rm --force" "$(grep -o 'code [0-9]*' "$SCRATCH/err") $(status)" "code 137 "
ctr container delete "$id"
start "$IMAGE" "$id" sh -c 'sleep 1000 & sleep 1000'
task kill --all -s KILL "$id"
until_true '[ "$(status)" = STOPPED ]'
is "task kill --all" "$(status)" STOPPED
task rm "$id" >"$SCRATCH/out" 2>"$SCRATCH/err"
ctr container delete "$id"

# --- what goes wrong on the way -------------------------------------------------------------------
start "$IMAGE" "$id" sleep 1000
kill -KILL "$(task ls | awk -v id="$id" '$1 == id { print $2 }')"
until_true '[ "$(status)" = STOPPED ]'
is "the sentry is killed" "$(status)" STOPPED
task rm "$id" >"$SCRATCH/out" 2>"$SCRATCH/err"
is "... and its exit status" "$(grep -o 'code [0-9]*' "$SCRATCH/err")" "code 137"
ctr container delete "$id"
start "$IMAGE" "$id" sleep 1000
pkill -KILL -f "containerd-shim-runc-v2 .*-id $id"
until_true '[ -z "$(status)" ]'
is "the shim is killed: containerd clears up" "$(status)" ""
ctr container delete "$id"
nothing_left "nothing is left" "$id"
finish
