#!/bin/bash
# pod-faults.sh - controld killed under a sandbox of several containers: another
# takes its place and knows them all: their states, how their processes ended
# or end, who waits for them; programs and stand-ins notice nothing.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/lib.sh"
[ -e "$TREE/.complete" ] || debian_tree
tag=podf$$
. "$top/tests/integration/pod-lib.sh"
part() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]]["pid"])' "$STATE/$tag-pause/state.json" "$1" 2>/dev/null; }
kill_controld() {
	old=$(part controld)
	kill -KILL "$old"
	until_true "! alive $old"
}
states() { for c in pause a b; do status_of "$tag-$c"; done | tr '\n' ' '; }
RANDOM=${SEED:-$(date +%s)}
echo "# SEED=$RANDOM"
mkdir -p "$SCRATCH/vol"
mounts='[{"destination": "/mnt", "type": "bind", "source": "'$SCRATCH/vol'", "options": ["rbind", "rw"]}]'
container pause sandbox "$tag-pause" "$own" sleep 1000
container a container "$tag-pause" "$own" sh -c 'trap "exit 7" TERM; while [ ! -e /mnt/end-a ]; do sleep 0.02; done; exit 5'
container b container "$tag-pause" "$own" sh -c 'trap "exit 8" TERM; while :; do printf x >>/mnt/beat-b; sleep 0.02; done'
until_true '[ -s "$SCRATCH/vol/beat-b" ]'
is "a pod" "$(states)" "running running running "
stand_a=$(cat "$SCRATCH/a.pid") stand_b=$(cat "$SCRATCH/b.pid") sentry=$(part sentry)

# --- over and over, at random instants of what others ask -----------------------------------
run exec "$tag-b" sh -c 'sleep 4; exit 9' >"$SCRATCH/out" 2>&1 &
attached=$!
for i in $(seq 10); do
	for c in a b; do run exec "$tag-$c" true >"$SCRATCH/busy-$c" 2>&1 & done
	sleep "0.0$((RANDOM % 90 + 10))"
	kill_controld
	[ "$(states)" = "running running running " ] || not_ok "time $i: all run" "$(states)"
	run exec "$tag-a" true || not_ok "time $i: exec by way of another"
	[ "$(run list -q | tr '\n' ' ')" = "$tag-a $tag-b $tag-pause " ] || not_ok "time $i: list" "$(run list)"
done
ok "controld killed 10 times"
wait $attached
is "an attached exec of a container lived through it" $? 9
alive "$sentry" && alive "$stand_a" && alive "$stand_b" && ok "sentry and stand-ins live" || not_ok "sentry and stand-ins live"
n=$(stat -c %s "$SCRATCH/vol/beat-b")
until_true '[ "$(stat -c %s "$SCRATCH/vol/beat-b")" -gt "$n" ]' && ok "the programs run" || not_ok "the programs run"

# --- a launcher killed while it makes a container, that the sentry has already ------------------
mkfifo "$SCRATCH/vol/go"
bundle d container "$tag-pause" "$own" sleep 1000
python3 - "$SCRATCH/b-d/config.json" "$SCRATCH/vol" "/redoubt-$tag" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
d["hooks"] = {"prestart": [{"path": "/bin/sh", "args": ["sh", "-c", "cd %s; : >hooked; read x <go" % sys.argv[2]]}]}
d["linux"]["cgroupsPath"] = sys.argv[3]
json.dump(d, open(sys.argv[1], "w"))
PY
"$LAUNCHER" --root "$STATE" create --bundle "$SCRATCH/b-d" "$tag-d" </dev/null >"$SCRATCH/d.out" 2>&1 &
maker=$!
until_true '[ -e "$SCRATCH/vol/hooked" ]' || not_ok "a hook begins" "$(output d)"
is "being made" "$(status_of "$tag-d")" creating
kill -KILL $maker
wait $maker 2>/dev/null
is "its maker killed, it is stopped" "$(status_of "$tag-d")" stopped
echo >"$SCRATCH/vol/go" # the hook's end
cgroups() { find /sys/fs/cgroup -maxdepth 2 -type d -name "redoubt-$tag"; }
for g in $(cgroups); do mkdir "$g/below"; done
quiet delete "$tag-d"
is "delete, of a cgroup below its own too" "$? $(cgroups)" "0 "

# --- what is asked after that -----------------------------------------------------------------
quiet pause "$tag-b"
kill_controld
is "paused before, and known to be" "$(states)" "running running paused "
quiet resume "$tag-b"
is "resume" "$? $(status_of "$tag-b")" "0 running"
kill_controld
container c container "$tag-pause" "$own" sh -c 'exit 3'
run wait "$tag-c"
is "a container that comes after it" $? 3
kill_controld
run wait "$tag-c"
is "its end is remembered" $? 3
run delete "$tag-c" || not_ok "delete"
run wait "$tag-b" &
waiter=$!
until_asked $waiter
kill_controld
run kill "$tag-b" TERM || not_ok "kill"
wait $waiter
is "who waited is answered by another" $? 8
until_true "! alive $stand_b" && ok "the stand-in has ended" || not_ok "the stand-in has ended"

# a container ends while there is no controld; its stand-in may be the one to start another
kill_controld
touch "$SCRATCH/vol/end-a"
until_true "! alive $stand_a" && ok "ended without a controld: the stand-in has ended" || not_ok "ended without a controld: the stand-in has ended"
is "its state" "$(states)" "running stopped stopped "
run wait "$tag-a"
is "its status" $? 5
kill_controld
for c in a b; do run delete "$tag-$c" || not_ok "delete $c"; done
is "deleted" "$(run list -q)" "$tag-pause"
kill_controld
run delete --force "$tag-pause" || not_ok "delete the pod"
gone "the pod"
finish
