#!/bin/bash
# podman.sh - podman, root, with the launcher as its runtime, on an image that
# is imported from a few programs of the tree; what can be compared is compared
# with crun or runc.
# usage: podman.sh [LAUNCHER]; needs podman (skipped without: apt-get install
# podman crun brings 90 MB and a minute, which is not for every run of CI).
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"
command -v podman >/dev/null || { skip podman "podman is not installed"; finish; exit; }
[ "$(id -u)" = 0 ] || { skip podman "needs root"; finish; exit; }

pod() { timeout -k 1 60 podman --root "$SCRATCH/store" --runroot "$SCRATCH/run" --storage-driver vfs --cgroup-manager cgroupfs --events-backend file --runtime "$@"; }
p() { pod "$LAUNCHER" "$@"; }
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got '$2', wanted '$3'" "$(cat "$SCRATCH/err" 2>/dev/null)"; fi; }
both() { # NAME ARGS... : run --rm prints and exits alike under crun
	name=$1
	shift
	pod "$reference" run --rm --network none $limits "$@" </dev/null >"$SCRATCH/native" 2>"$SCRATCH/native.err"
	ns=$?
	p run --rm --network none $limits "$@" </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err"
	is "$name" "$? $(cat "$SCRATCH/out")" "$ns $(cat "$SCRATCH/native")"
}
clean() {
	p rm -af -t 0 >/dev/null 2>&1
	p rmi -af >/dev/null 2>&1
}
trap 'clean; cleanup' EXIT

# --- the image: a few programs with their libraries ---------------------------------------
tree=$SCRATCH/image
mkdir -p "$tree/usr/bin" "$tree/usr/lib64" "$tree/etc" "$tree/tmp" "$tree/root"
for d in bin lib64; do ln -s "usr/$d" "$tree/$d"; done
for f in sh cat echo id env sleep ls touch hostname pwd nproc stty tty grep head kill mkdir rm true; do
	cp -L "$TREE/usr/bin/$f" "$tree/usr/bin/" 2>/dev/null || cp -L "$TREE/bin/$f" "$tree/usr/bin/"
	for l in $(ldd "$tree/usr/bin/$f" 2>/dev/null | grep -o '/lib[^ ]*'); do
		mkdir -p "$tree/usr$(dirname "$l")"
		cp -L "$TREE$l" "$tree/usr$l"
	done
done
[ -e "$tree/usr/lib" ] && ln -s usr/lib "$tree/lib"
echo root:x:0:0:root:/root:/bin/sh >"$tree/etc/passwd"
echo user:x:1000:1000::/tmp:/bin/sh >>"$tree/etc/passwd"
echo root:x:0: >"$tree/etc/group"
tar -C "$tree" -cf "$SCRATCH/image.tar" .
p import "$SCRATCH/image.tar" localhost/redoubt-test:1 >"$SCRATCH/out" 2>"$SCRATCH/err" || { not_ok "import" "$(cat "$SCRATCH/err")"; finish; exit 1; }
i=localhost/redoubt-test:1

# --- compared with crun, or runc (crun refuses hybrid cgroups) ---------------------------------
limits="--ulimit nofile=1024:1024 --ulimit nproc=1000:1000" # what a test without CAP_SYS_RESOURCE may set
reference=
for r in crun runc; do
	command -v $r >/dev/null && pod $r run --rm --network none $limits $i true </dev/null >/dev/null 2>"$SCRATCH/err" && reference=$r && break
done
[ -n "$reference" ] || { reference=$LAUNCHER; skip "comparison" "neither crun nor runc works here: $(tail -1 "$SCRATCH/err")"; }
both "run" $i echo hello
both "exit status" $i sh -c 'exit 7'
both "killed" $i sh -c 'kill -9 $$'
both "ids" --user 1000:1000 $i id
both "a user by name" --user user $i id -u
both "env, workdir, hostname" --env A=b --workdir /tmp --hostname box $i sh -c 'echo $A; pwd; hostname'
both "capabilities" --cap-drop ALL --cap-add CHOWN $i grep Cap /proc/self/status
both "default capabilities" $i grep Cap /proc/self/status
both "read-only" --read-only $i sh -c 'touch /x; echo $?; touch /tmp/x; echo $?'
both "tmpfs" --read-only --tmpfs /scratch $i sh -c 'echo x >/scratch/x && cat /scratch/x'
mkdir "$SCRATCH/volume"
echo data >"$SCRATCH/volume/file"
both "a bound directory, read-only" -v "$SCRATCH/volume:/v:ro" $i sh -c 'cat /v/file; echo no >/v/file; echo $?'
both "a bound directory" -v "$SCRATCH/volume:/v" $i sh -c 'echo more >>/v/file; cat /v/file; echo data >/v/file'
both "no such program" $i /nothing
both "no permission" $i /etc/passwd
both "processors" --cpuset-cpus 0 $i nproc
echo in | pod "$LAUNCHER" run --rm -i --network none $i cat >"$SCRATCH/out" 2>"$SCRATCH/err"
is "run -i" "$(cat "$SCRATCH/out")" in
python3 - podman --root "$SCRATCH/store" --runroot "$SCRATCH/run" --storage-driver vfs --cgroup-manager cgroupfs --runtime "$LAUNCHER" run --rm -it --network none $i sh -c 'tty; exit 4' >"$SCRATCH/out" 2>&1 <<'PY'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
out = b""
try:
    while d := os.read(fd, 4096): out += d
except OSError: pass
print(out.decode().strip(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
is "run -it" "$(cat "$SCRATCH/out")" "/dev/pts/0 4"

# --- a container's life -------------------------------------------------------------------------
p run -d --name c --network none --memory 200m --pids-limit 100 $i sh -c 'echo out; echo err >&2; trap "echo bye; exit 3" TERM; while :; do sleep 0.1; done' >"$SCRATCH/out" 2>"$SCRATCH/err"
is "run -d" $? 0
sleep 0.5
status() { p inspect c --format '{{.State.Status}} {{.State.ExitCode}}'; }
is "inspect" "$(status)" "running 0"
is "logs" "$(p logs c 2>&1 | tr '\n' ' ')" "out err "
is "ps" "$(p ps --format '{{.Names}}')" c
is "exec" "$(p exec c sh -c 'echo in; exit 5'; echo $?)" "in
5"
p exec -d c sh -c 'echo x >/tmp/y'
sleep 0.5
is "exec -d" "$(p exec c cat /tmp/y)" x
is "exec, a user" "$(p exec --user 1000 --workdir /tmp --env B=c c sh -c 'id -u; pwd; echo $B' | tr '\n' ' ')" "1000 /tmp c "
is "stats" "$(p stats --no-stream --format '{{.Name}}' c)" c
p pause c >/dev/null
is "pause" "$(status)" "paused 0"
p unpause c >/dev/null
is "unpause" "$(status)" "running 0"
p stop -t 10 c >/dev/null
is "stop" "$(status)" "exited 3"
is "wait" "$(p wait c)" 3
is "logs, the end" "$(p logs c 2>/dev/null | tail -1)" bye
p start c >/dev/null
is "start again" "$(status)" "running 0"
p restart -t 5 c >/dev/null
is "restart" "$(status)" "running 0"
p kill c >/dev/null
is "kill" "$(p wait c)" 137
is "rm" "$(p rm c)" c
p run -d --name c --network none $i sleep 1000 >/dev/null
p rm -f -t 0 c >/dev/null
is "rm -f" "$(p ps -aq)" ""
is "no state is left" "$(ls /run/redoubt 2>/dev/null)" ""
is "no cgroup is left" "$(find /sys/fs/cgroup -name 'libpod-*' 2>/dev/null | grep -v conmon)" ""
finish
