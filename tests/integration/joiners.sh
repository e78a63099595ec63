#!/bin/bash
# joiners.sh - what processes of the host find that join the mount namespace of
# the one that stands for a container: its files, what lies in memory, which they change
# as its root could, and its /proc, read-only; as long as it lives, also when the
# sentry hangs, controld is killed, or there is no FUSE.
# usage: joiners.sh [LAUNCHER]; needs root, and the tree of scripts/common.sh.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"
[ "$(id -u)" = 0 ] || { skip joiners "needs root"; finish; exit; }
[ -c /dev/fuse ] || { skip joiners "there is no /dev/fuse"; finish; exit; }

run() { timeout -k 1 120 "$LAUNCHER" --root "$STATE" "$@"; }
part() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]]["pid"])' "$STATE/$id/state.json" "$1" 2>/dev/null; }
join() { timeout -k 1 60 nsenter -t "$pid" -m "$@" 2>"$SCRATCH/err"; }
id=joiners-$$
mkdir "$SCRATCH/b"
spec "$SCRATCH/b" false /bin/sh -c 'sleep 1000 & exec sleep 2000'
quiet run --detach --bundle "$SCRATCH/b" "$id"
is "run --detach" $? 0
pid=$(part sentry)
until_true '[ "$(join cat /proc/1/comm /proc/2/comm | xargs)" = "sleep sleep" ]' # the shell and its child have become these

# --- what there is -------------------------------------------------------------------------
is "its files" "$(join cat /etc/debian_version)" "$(cat "$TREE/etc/debian_version")"
is "its processes" "$(join sh -c 'echo /proc/[0-9]*') $(join cat /proc/2/cmdline | tr '\0' ' ')" "/proc/1 /proc/2 sleep 1000 "
is "a file's beginning and end" "$(join head -1 /proc/1/status) $(join tail -1 /proc/1/status | cut -d: -f1)" "Name:	sleep nonvoluntary_ctxt_switches"
is "links" "$(join readlink /proc/1/exe /proc/1/root /proc/mounts | tr '\n' ' ')" "/usr/bin/sleep / self/mounts "
is "no self: who joins is no program there" "$(join cat /proc/self/stat; echo $?)" 1
is "read-only" "$(join sh -c 'echo x >/proc/1/comm; mkdir /proc/x; rm /proc/uptime; kill -0 $$; echo $?') $(grep -c 'Read-only' "$SCRATCH/err")" "0 3"
is "memory is not shown" "$(join cat /proc/1/mem /proc/1/pagemap; echo $?) $(grep -c 'Permission denied' "$SCRATCH/err")" "1 2"
run exec "$id" sh -c 'sleep 3000 & echo $!' >"$SCRATCH/new" </dev/null
until_true '[ "$(join head -c 5 "/proc/$(cat "$SCRATCH/new")/cmdline")" = sleep ]'
is "a new process" "$(join cat "/proc/$(cat "$SCRATCH/new")/cmdline" | tr '\0' ' ')" "sleep 3000 "
run exec "$id" kill -9 "$(cat "$SCRATCH/new")" </dev/null
until_true 'join grep -q "State:.Z" "/proc/$(cat "$SCRATCH/new")/status"'
is "... that has ended, which nobody waits for" "$(join grep State "/proc/$(cat "$SCRATCH/new")/status") $(join readlink "/proc/$(cat "$SCRATCH/new")/exe"; echo $?)" "State:	Z (zombie) 1"
is "all can be read" "$(join find /proc /proc/1 /proc/2/task/2 -maxdepth 1 -type f ! -name mem ! -name pagemap ! -name clear_refs -exec cat {} + | wc -c | awk '{ print ($1 > 10000) }') $(cat "$SCRATCH/err")" "1 "
for _ in $(seq 20); do join cat /proc/1/status /proc/1/maps /proc/stat >/dev/null & done
wait
is "twenty at once" "$(join head -1 /proc/1/status)" "Name:	sleep"

# --- what lies in memory --------------------------------------------------------------------------
inside() { run exec "$id" sh -c "$1" </dev/null 2>&1; }
join sh -c 'cd /tmp && umask 0 && mkdir -m 1770 d && echo one >d/f && echo two >>d/f && ln d/f d/g && ln -s d/f l && mkfifo p && chown -h 5:6 l d/f && mv d e'
is "files are made" "$? $(inside 'cd /tmp; ls; cat e/g; stat -c "%n %a %u:%g %h" e e/f l p; readlink l' | tr '\n' ' ')" "0 e l p one two e 1770 0:0 2 e/f 666 5:6 2 l 777 5:6 1 p 666 0:0 1 d/f "
inside 'cd /tmp; echo three >>e/f; rm l; mknod dev c 1 3; mkdir many; for i in $(seq 300); do echo $i >many/$i; done' >/dev/null
is "what programs do is seen" "$(join sh -c 'cd /tmp; cat e/f; ls; cat many/* | sort -n | tail -1; ls many | wc -l' | tr '\n' ' ')" "one two three e many p 300 300 "
is "no device is shown, or made" "$(join sh -c 'cat /tmp/dev; mknod /tmp/null c 1 3; echo $?') $(grep -c 'No such file\|not permitted' "$SCRATCH/err")" "1 2"
is "a large file" "$(join sh -c 'yes | head -c 5000000 >/tmp/y && truncate -s 4999999 /tmp/y && cp /tmp/y /tmp/z && cmp /tmp/y /tmp/z && stat -c %s /tmp/z') $(inside 'yes | head -c 4999999 | cmp - /tmp/z')" "4999999 "
is "an open file has another name" "$(join sh -c 'cd /tmp; exec 3>x; echo a >&3; mv x e/y; echo b >&3; cat e/y' | tr '\n' ' ')" "a b "
is "what cannot be" "$(join sh -c 'cd /tmp; rmdir e; mv many e/f; cat nothing; ln e x; mkdir e; > e; echo $?') $(grep -c 'not empty\|Not a directory\|non-directory\|No such\|not allowed\|exists\|s a directory' "$SCRATCH/err")" "2 6"
is "all of it goes" "$(join sh -c 'rm -rf /tmp/e /tmp/m* /tmp/[p-z]; ls /tmp') $(inside 'ls /tmp')" " dev"
is "one within another" "$(join sh -c 'echo shm >/dev/shm/x; cat /dev/shm/x') $(inside 'cat /dev/shm/x')" "shm shm"

# --- what goes wrong --------------------------------------------------------------------------
kill -STOP "$pid"
join cat /proc/1/status >/dev/null
is "a sentry that hangs: the reader gets an error" "$? $(grep -c 'timed out' "$SCRATCH/err")" "1 1"
for _ in 1 2 3 4 5; do # the machine may stall; who waits for the answer's deadline does so each time
	before=$(date +%s%N)
	timeout 0.5 nsenter -t "$pid" -m cat /proc/1/status >/dev/null 2>&1
	st=$? late=$((($(date +%s%N) - before) / 2500000000))
	[ $late = 0 ] && break
done
is "... and one that is killed goes at once" "$st $late" "124 0"
kill -CONT "$pid"
is "... which goes on" "$(join head -1 /proc/1/status)" "Name:	sleep"
kill -9 "$(part controld)"
until_true '! join cat /proc/1/status >/dev/null'
is "controld is killed" "$(grep -c 'not connected\|aborted' "$SCRATCH/err")" 1
quiet exec "$id" true
is "... another shows it again" "$? $(join head -1 /proc/1/status)" "0 Name:	sleep"
is "... and what lies in memory" "$(join sh -c 'echo again >/tmp/again; cat /dev/shm/x') $(run exec "$id" cat /tmp/again </dev/null)" "shm again"

# one that is among the files when the container ends
timeout 30 nsenter -t "$pid" -m sh -c 'echo in; while [ -e /proc/1/stat ]; do sleep 0.1; done; echo gone; cat /proc/1/stat || echo none' >"$SCRATCH/inside" 2>/dev/null &
reader=$!
until_true '[ -s "$SCRATCH/inside" ]'
quiet delete --force "$id"
is "delete --force" $? 0
wait $reader
is "who is still there finds nothing" "$(tr '\n' ' ' <"$SCRATCH/inside")" "in gone none "

# --- without FUSE -------------------------------------------------------------------------------
unshare -m --propagation private sh -c 'mount --bind /dev/null /dev/fuse; shift; "$@"' sh x \
	timeout -k 1 120 "$LAUNCHER" --root "$STATE" --debug --log "$SCRATCH/log" run --detach --bundle "$SCRATCH/b" "$id" </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err"
is "without /dev/fuse" "$? $(grep -c '/proc is not shown' "$SCRATCH/log")" "0 1"
pid=$(part sentry)
is "... its files are there, its /proc is empty, and so is what lies in memory" "$(join cat /etc/debian_version) $(join ls /proc /tmp | tr -d "\n"; join sh -c ">/tmp/x" || echo no)" "$(cat "$TREE/etc/debian_version") /proc:/tmp:no"
quiet delete --force "$id"
st=$?
until_true '! pgrep -f "redoubt-[a-z]* $id" >/dev/null'
is "nothing is left" "$st $(ls "$STATE") $(pgrep -f "redoubt-[a-z]* $id")" "0  "
finish
