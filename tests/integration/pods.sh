#!/bin/bash
# pods.sh - several containers in one sandbox: what is theirs (pid 1, /proc, host
# name, exit status, signals, pause, cgroup) and what they share (volumes,
# localhost, namespaces that are joined); which of them outlives which.
# usage: pods.sh; LAUNCHER=... selects the launcher; needs root and the Debian tree.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/lib.sh"
[ -e "$TREE/.complete" ] || debian_tree
tag=pods$$
. "$top/tests/integration/pod-lib.sh"

mkdir -p "$SCRATCH/vol"
volume='{"destination": "/mnt", "type": "bind", "source": "'$SCRATCH/vol'", "options": ["rbind", "rw"]}'

# --- a pod of three ---------------------------------------------------------------
container pause sandbox "$tag-pause" "$own" sleep 1000
mounts="[$volume]"
container a container "$tag-pause" "$own" sh -c 'echo $$ $(hostname) $(ls -d /proc/[0-9]* | wc -l); trap "exit 7" TERM; sleep 1000 & wait'
container b container "$tag-pause" "$own" sh -c 'echo $$; exec sleep 1000'
until_true '[ -s "$SCRATCH/a.out" ] && [ -s "$SCRATCH/b.out" ]'
has "pid 1, own host name" "$(output a)" "1 a "
is "pid 1 in each" "$(output b)" 1
is "one sentry" "$(pgrep -f "redoubt-sentry $tag" | wc -l)" 1
is "a gofer each, and its keeper" "$(pgrep -f "redoubt-gofer $tag" | wc -l)" 6
is "one controld" "$(pgrep -f "redoubt-controld $tag" | wc -l)" 1
is "state" "$(status_of "$tag-pause") $(status_of "$tag-a") $(status_of "$tag-b")" "running running running"
is "list" "$(run list -q | tr '\n' ' ')" "$tag-a $tag-b $tag-pause "
is "the pid file names the stand-in" "$(cat "$SCRATCH/a.pid") redoubt-contain" "$(pid_of "$tag-a") $(cat /proc/"$(pid_of "$tag-a")"/comm)"
# engines take its namespaces for the container's, and set them up
namespaces_of() { for n in mnt net ipc uts; do readlink "/proc/$1/ns/$n"; done; }
is "the stand-in is in none of the host's namespaces" "$(comm -12 <(namespaces_of "$(pid_of "$tag-a")" | sort) <(namespaces_of self | sort))" ""
ps_of() { run ps "$tag-$1" | awk 'NR > 1 { print $2, $8, $9 }' | xargs; }
until_true '[ "$(ps_of b)" = "1 sleep 1000" ]' # b.out is written before the shell becomes it
is "ps" "$(ps_of b)" "1 sleep 1000"
is "exec" "$(run exec "$tag-b" sh -c 'ls -d /proc/[0-9]* | head -1; hostname' | tr '\n' ' ')" "/proc/1 b "
run exec "$tag-b" sh -c 'exit 5'
is "exec: exit status" $? 5
is "exec joins the container's namespaces" "$(run exec "$tag-a" readlink /proc/self/ns/pid)" "$(run exec "$tag-a" readlink /proc/1/ns/pid)"
[ "$(run exec "$tag-a" readlink /proc/1/ns/ipc)" != "$(run exec "$tag-b" readlink /proc/1/ns/ipc)" ]
is "own IPC namespaces" $? 0

# --- volumes: one file system ------------------------------------------------------
run exec "$tag-a" sh -c 'echo from a >/mnt/file'
is "a file written by one is the other's at once" "$(run exec "$tag-b" cat /mnt/file)" "from a"
is "and the host's" "$(cat "$SCRATCH/vol/file")" "from a"
run exec -d "$tag-a" sh -c 'exec 9>/mnt/lock; flock 9; touch /mnt/held; sleep 1000'
until_true '[ -e "$SCRATCH/vol/held" ]'
run exec "$tag-b" flock -n /mnt/lock true
is "a lock of one is seen by the other" $? 1
run exec "$tag-a" mkfifo /mnt/fifo
run exec "$tag-a" sh -c 'echo through a fifo >/mnt/fifo' &
is "a fifo joins them" "$(run exec "$tag-b" cat /mnt/fifo)" "through a fifo"
wait $!
cat >"$SCRATCH/vol/server.py" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX) if sys.argv[1] == "unix" else socket.socket()
s.bind("/mnt/sock" if sys.argv[1] == "unix" else ("127.0.0.1", 8081))
s.listen(); open("/mnt/ready-" + sys.argv[1], "w"); c, _ = s.accept(); c.sendall(b"hello"); c.close()
PY
cat >"$SCRATCH/vol/client.py" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX) if sys.argv[1] == "unix" else socket.socket()
s.connect("/mnt/sock" if sys.argv[1] == "unix" else ("127.0.0.1", 8081)); print(s.recv(10).decode())
PY
for kind in unix inet; do
	run exec "$tag-a" python3 /mnt/server.py $kind &
	until_true "[ -e '$SCRATCH/vol/ready-$kind' ]"
	is "a $kind socket joins them" "$(run exec "$tag-b" python3 /mnt/client.py $kind)" hello
	wait $!
done

# --- signals, pause, ends -----------------------------------------------------------
count() { run exec "$tag-$1" sh -c 'wc -c </mnt/'"$2"; }
run exec -d "$tag-a" sh -c 'while :; do printf x >>/mnt/beat-a; sleep 0.02; done'
run exec -d "$tag-b" sh -c 'while :; do printf x >>/mnt/beat-b; sleep 0.02; done'
until_true '[ -s "$SCRATCH/vol/beat-a" ] && [ -s "$SCRATCH/vol/beat-b" ]'
for c in a b; do run pause "$tag-$c" </dev/null & done
wait
is "two paused at once" "$(status_of "$tag-a") $(status_of "$tag-b") $(status_of "$tag-pause")" "paused paused running"
for c in a b; do run resume "$tag-$c" </dev/null & done
wait
is "and let go on" "$(status_of "$tag-a") $(status_of "$tag-b")" "running running"
quiet pause "$tag-a"
is "pause" "$(status_of "$tag-a") $(status_of "$tag-b")" "paused running"
a1=$(stat -c %s "$SCRATCH/vol/beat-a") b1=$(stat -c %s "$SCRATCH/vol/beat-b")
sleep 0.3
is "the paused one stands" "$(stat -c %s "$SCRATCH/vol/beat-a")" "$a1"
until_true '[ "$(stat -c %s "$SCRATCH/vol/beat-b")" -gt "$b1" ]'
is "the other goes on" $? 0
quiet resume "$tag-a"
until_true '[ "$(stat -c %s "$SCRATCH/vol/beat-a")" -gt "$a1" ]'
is "resume" $? 0
quiet delete "$tag-a"
has "a running one is not deleted" "$(cat "$SCRATCH/err")" "is running"
python3 - "$LAUNCHER" "$STATE" "$tag-a" "$(cat "$SCRATCH/a.pid")" >"$SCRATCH/watch" 2>&1 <<'PY' &
import os, select, sys
fd = os.pidfd_open(int(sys.argv[4])); print("watched", flush=True); select.select([fd], [], [], 20); print("ended")
PY
until_true 'grep -q watched "$SCRATCH/watch"'
quiet kill "$tag-a" TERM
run wait "$tag-a"
is "kill, wait: the program's exit status" $? 7
wait $!
is "its stand-in ends with it" "$(xargs <"$SCRATCH/watch")" "watched ended"
is "its end is its own" "$(status_of "$tag-a") $(status_of "$tag-b") $(status_of "$tag-pause")" "stopped running running"
has "processes of others live" "$(run ps "$tag-b")" beat-b
quiet delete "$tag-a"
is "delete" "$? $(ls "$STATE" | tr '\n' ' ')" "0 $tag-b $tag-pause "

# a was the first to mount the volume: its gofer serves it as long as somebody needs it
run exec "$tag-b" sh -c 'echo still there >/mnt/later && cat /mnt/later /mnt/file' >"$SCRATCH/out" 2>"$SCRATCH/err"
is "a volume outlives the container that brought it" "$(tr '\n' ' ' <"$SCRATCH/out")" "still there from a "
is "with its gofer" "$(pgrep -f "redoubt-gofer $tag-a" | wc -l)" 2
container a container "$tag-pause" "$own" sh -c 'cat /mnt/later; exec sleep 1000'
until_true '[ -s "$SCRATCH/a.out" ]'
is "an id can be used again" "$(output a)" "still there"
quiet kill --all "$tag-b" KILL
run wait "$tag-b"
is "kill --all" $? 137
quiet delete "$tag-b"
kill -KILL "$(cat "$SCRATCH/a.pid")"
until_true '[ "$(status_of "$tag-a")" = stopped ]'
is "a killed stand-in takes its container along" "$(run ps "$tag-a" 2>/dev/null | grep -c sleep) $(status_of "$tag-pause")" "0 running"
quiet delete "$tag-a"
until_true '[ "$(pgrep -f "redoubt-gofer $tag-a" | wc -l) $(pgrep -f "redoubt-gofer $tag" | wc -l)" = "0 2" ]'
is "gofers end with the last of their users" "$(pgrep -f "redoubt-gofer $tag" | wc -l)" 2

# --- run, failures, created ones ------------------------------------------------------
bundle r container "$tag-pause" "$own" sh -c 'echo out; cat /mnt/file; exit 3'
run run --bundle "$SCRATCH/b-r" "$tag-r" >"$SCRATCH/out" 2>"$SCRATCH/err"
is "run, attached" "$? $(tr '\n' ' ' <"$SCRATCH/out")" "3 out from a "
bundle r container "$tag-pause" "$own" /no/such/program
quiet run --bundle "$SCRATCH/b-r" "$tag-r"
is "a program that is not there" "$? $(grep -c 'no such file' "$SCRATCH/err") $(ls "$STATE")" "1 1 $tag-pause"
bundle r container "$tag-none" "$own" true
quiet run --bundle "$SCRATCH/b-r" "$tag-r"
has "a sandbox that is not there" "$(cat "$SCRATCH/err")" "sandbox '$tag-none', which the annotations name, does not exist"
bundle r container "$tag-pause" "$own" sleep 1000
quiet create --bundle "$SCRATCH/b-r" "$tag-r"
is "created" "$(status_of "$tag-r")" created
quiet create --bundle "$SCRATCH/b-r" "$tag-r"
has "an id that is taken" "$(cat "$SCRATCH/err")" "is taken"
quiet kill "$tag-r" KILL
until_true '[ "$(status_of "$tag-r")" = stopped ]'
is "one that never started is killed" "$(status_of "$tag-r")" stopped
quiet delete "$tag-r"
quiet create --bundle "$SCRATCH/b-r" "$tag-r"
quiet delete "$tag-r"
is "one that never started is deleted" "$? $(status_of "$tag-r")" "0 "
quiet create --bundle "$SCRATCH/b-r" "$tag-r"
quiet start "$tag-r"
quiet delete --force "$tag-r"
is "delete --force" "$? $(ls "$STATE")" "0 $tag-pause"

# --- joined namespaces ------------------------------------------------------------------
P=/proc/$(pid_of "$tag-pause")/ns
mounts=
container j - - "pid network=$P/net ipc=$P/ipc uts=$P/uts" sleep 1000
is "by namespace paths alone, as podman names them" "$(pgrep -f "redoubt-sentry $tag" | wc -l)" 1
is "its pid namespace is its own" "$(run exec "$tag-j" sh -c 'cat /proc/1/comm; hostname' | tr '\n' ' ')" "sleep pause "
is "the IPC namespace is joined" "$(run exec "$tag-j" readlink /proc/1/ns/ipc)" "$(run exec "$tag-pause" readlink /proc/1/ns/ipc)"
run exec "$tag-j" ipcmk -Q >/dev/null
is "its queues are shared" "$(run exec "$tag-pause" ipcs -q | grep -c '^0x')" 1
container k container "$tag-pause" "pid=$P/pid network=$P/net ipc uts" sh -c 'echo $$; trap "" TERM; sleep 1000'
until_true '[ -s "$SCRATCH/k.out" ]'
until_true '[ "$(run exec "$tag-k" sh -c "cat /proc/[0-9]*/comm" 2>/dev/null | grep -c "^sleep$")" = 3 ]' # k's shell has its child, too
[ "$(output k)" -gt 1 ]
is "a shared pid namespace: not pid 1" $? 0
is "sees the sandbox's processes" "$(run exec "$tag-k" cat /proc/1/cmdline | tr '\0' ' ')" "sleep 1000 "
is "and is seen there" "$(run exec "$tag-pause" sh -c 'cat /proc/[0-9]*/comm' | grep -c '^sh$')" 2
is "ps tells its own only" "$(run ps "$tag-k" | awk 'NR > 1' | grep -c 'sleep 1000')" 2
quiet kill --all "$tag-k" KILL
run wait "$tag-k"
is "its end" "$? $(status_of "$tag-pause")" "137 running"

# --- hints ---------------------------------------------------------------------------------
for c in k j; do quiet delete --force "$tag-$c"; done
quiet delete --force "$tag-pause"
gone "the first pod"
rm -rf "$SCRATCH/vol"; mkdir -p "$SCRATCH/vol"
annotations='{"dev.gvisor.spec.mount.v.source": "'$SCRATCH/vol'", "dev.gvisor.spec.mount.v.type": "tmpfs", "dev.gvisor.spec.mount.v.share": "pod"}'
container pause sandbox "$tag-pause" "$own" sleep 1000
annotations=
mounts="[$volume]"
cgroup=/redoubt-$tag/a
container a container "$tag-pause" "$own" sh -c 'echo in memory >/mnt/f; exec sleep 1000'
cgroup=
container b container "$tag-pause" "$own" sleep 1000
until_true 'run exec "$tag-b" test -s /mnt/f 2>/dev/null'
is "a hint: a volume in memory, shared" "$(run exec "$tag-b" cat /mnt/f)" "in memory"
is "it never reaches the host" "$(ls "$SCRATCH/vol")" ""
is "a file system of its own kind" "$(run exec "$tag-b" stat -f -c %T /mnt)" tmpfs
if grep -q "redoubt-$tag/a" "/proc/$(cat "$SCRATCH/a.pid")/cgroup" 2>/dev/null; then
	ok "the stand-in is in the container's cgroup"
	is "the gofer is not" "$(grep -c "redoubt-$tag/a" "/proc/$(pgrep -of "redoubt-gofer $tag-a")/cgroup")" 0
else
	skip "the stand-in is in the container's cgroup" "no cgroup could be made"
fi

# --- flags by annotation ---------------------------------------------------------------------
mounts=
annotations='{"dev.gvisor.flag.debug": "true"}'
bundle r - - "$own" true
annotations=
quiet run --bundle "$SCRATCH/b-r" "$tag-r"
has "a flag that is not allowed" "$(cat "$SCRATCH/err")" "the operator does not allow it (--allow-flag debug)"
quiet --allow-flag debug --log "$SCRATCH/log" run --bundle "$SCRATCH/b-r" "$tag-r"
is "one that is" "$? $(grep -c 'sentry.*debug' "$SCRATCH/log" | sed 's/^[1-9].*/some/')" "0 some"

# --- the sandbox's end ------------------------------------------------------------------------
quiet delete --force "$tag-pause"
is "deleting the first" "$?" 0
until_true '[ "$(processes)" = 0 ]'
is "ends all" "$(status_of "$tag-a") $(status_of "$tag-b") $(processes)" "stopped stopped 0"
quiet delete "$tag-a"
is "what is left is deleted" "$?" 0
quiet delete "$tag-b"
container pause sandbox "$tag-pause" "$own" sh -c 'until [ -e /tmp/go ]; do sleep 0.05; done; exit 4'
container a container "$tag-pause" "$own" sleep 1000
quiet exec "$tag-pause" touch /tmp/go
run wait "$tag-pause"
is "the first one's end" $? 4
until_true '[ "$(status_of "$tag-a")" = stopped ]'
is "is the sandbox's" "$(status_of "$tag-a")" stopped
for c in a pause; do quiet delete "$tag-$c"; done
gone "the last pod"
finish
