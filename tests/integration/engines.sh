# engines.sh - what the tests of container engines share; sourced behind lib.sh.
#
# Daemons are started by hand, with all of their files below $SCRATCH but for
# what they have in /run/containerd whatever they are told; an image is made
# of busybox, or of programs of the tree (program_tree).  need_engine ends the
# test, skipped, where something is missing.
#
# A script that compares (both) has two functions, ours and theirs, which run a
# container by the launcher and by $reference; that is empty where none works.

PYTHON=/usr/bin/python3 # Debian's: it is the one that has python3-grpcio
IMAGE=docker.io/library/redoubt-test:1
PAUSE=docker.io/library/redoubt-pause:1
daemons=
had_run=$([ -d /run/containerd ] && echo yes)

# without_unified SCRIPT ARGS... : again, in a mount namespace that has only the cgroups of v1: crun refuses hybrid ones
without_unified() {
	[ -d /sys/fs/cgroup/unified ] && [ "$(id -u)" = 0 ] && [ -z "${REDOUBT_NO_UNIFIED-}" ] || return 0
	export REDOUBT_NO_UNIFIED=1
	rm -rf "$SCRATCH"
	exec unshare -m --propagation private sh -c 'umount /sys/fs/cgroup/unified; exec "$@"' sh "$@"
}

need_engine() { # NAME COMMAND...
	name=$1
	shift
	for c in "$@"; do
		command -v "$c" >/dev/null || { skip "$name" "$c is not installed"; finish; exit; }
	done
	[ "$(id -u)" = 0 ] || { skip "$name" "needs root"; finish; exit; }
	# a sandbox is found below here even when its engine has forgotten it
	exec </dev/null
}

# both NAME ARGS... : prints and exits alike
both() {
	name=$1
	shift
	ours "$@" </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err"
	got="$? $(cat "$SCRATCH/out")"
	[ -n "$reference" ] || { skip "$name" "there is nothing to compare with"; return; }
	theirs "$@" </dev/null >"$SCRATCH/native" 2>"$SCRATCH/native.err"
	is "$name" "$got" "$? $(cat "$SCRATCH/native")"
}

# alike NAME FUNCTION : a series of commands `q ...` of podman prints the same under both runtimes; pod RUNTIME ... is the script's
alike() {
	for R in "$reference" "$LAUNCHER"; do
		[ "$R" = "$LAUNCHER" ] && out=inside || out=native
		$2 >"$SCRATCH/$out" 2>"$SCRATCH/$out.err" </dev/null
		q pod rm -af -t 0 >/dev/null 2>&1
		q rm -af -t 0 >/dev/null 2>&1
	done
	if [ -s "$SCRATCH/native" ] && cmp -s "$SCRATCH/native" "$SCRATCH/inside"; then
		ok "$1"
	else
		not_ok "$1" "$(diff "$SCRATCH/native" "$SCRATCH/inside" | head -12)" "$(tail -3 "$SCRATCH/inside.err")"
	fi
}
q() { pod "$R" "$@"; }

# in_terminal [KEYS|resize]... -- COMMAND... : its output and exit status; keys are typed once it has printed "ready"
in_terminal() {
	$PYTHON - "$@" <<'PY'
import fcntl, os, pty, signal, struct, sys, termios, time
signal.alarm(60)
cut = sys.argv.index("--")
keys, command = sys.argv[1:cut], sys.argv[cut + 1:]
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    os.execvp(command[0], command)
out = b""
try:
    for k in keys:
        while b"ready" not in out: out += os.read(fd, 4096)
        time.sleep(0.3)
        if k == "resize":
            fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 90, 0, 0))
            continue
        os.write(fd, k.encode().decode("unicode_escape").encode())
    while data := os.read(fd, 4096): out += data
except OSError: pass
print(out.decode().replace("\r", "").strip(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
}

# program_tree DIR PROGRAM... : a root with these programs of the tree, and their libraries
program_tree() {
	to=$1
	shift
	mkdir -p "$to/usr/bin" "$to/usr/lib64" "$to/etc" "$to/tmp" "$to/root" "$to/proc" "$to/dev" "$to/sys"
	chmod 1777 "$to/tmp"
	for d in bin lib64; do ln -s "usr/$d" "$to/$d"; done
	for f; do
		cp -L "$TREE/usr/bin/$f" "$to/usr/bin/" 2>/dev/null || cp -L "$TREE/bin/$f" "$to/usr/bin/"
		for l in $(ldd "$to/usr/bin/$f" 2>/dev/null | grep -o '/lib[^ ]*'); do
			mkdir -p "$to/usr$(dirname "$l")"
			cp -L "$TREE$l" "$to/usr$l"
		done
	done
	[ -e "$to/usr/lib" ] && ln -s usr/lib "$to/lib"
	printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n' >"$to/etc/passwd"
	echo root:x:0: >"$to/etc/group"
}

# make_image : $SCRATCH/image.tar, busybox and a few files
make_image() {
	tree=$SCRATCH/image
	mkdir -p "$tree/bin" "$tree/tmp" "$tree/etc" "$tree/root" "$tree/proc" "$tree/sys" "$tree/dev"
	chmod 1777 "$tree/tmp"
	cp "$(command -v busybox)" "$tree/bin/busybox"
	chroot "$tree" /bin/busybox --install -s /bin || return
	printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n' >"$tree/etc/passwd"
	printf 'root:x:0:\nuser:x:1000:\n' >"$tree/etc/group"
	printf '#!/bin/busybox sleep\n' >"$tree/etc/noexec"
	$PYTHON "$top/tests/integration/image.py" "$SCRATCH/image.tar" "$IMAGE" "$tree" /bin/sh
}

# make_pause : $SCRATCH/pause.tar, a program that does nothing, as a pod's first container is
make_pause() {
	mkdir -p "$SCRATCH/pause"
	printf '#include <unistd.h>\nint main(void) { for (;;) pause(); }\n' |
		cc -static -Os -o "$SCRATCH/pause/pause" -x c - && $PYTHON "$top/tests/integration/image.py" "$SCRATCH/pause.tar" "$PAUSE" "$SCRATCH/pause" /pause
}

# start_daemon SOCKET COMMAND... : and waits until it can be connected to
start_daemon() {
	socket=$1
	shift
	setsid "$@" >"$SCRATCH/${1##*/}.log" 2>&1 </dev/null &
	daemons="$! $daemons"
	for _ in $(seq 600); do
		[ -S "$socket" ] && $PYTHON -c "import socket, sys; socket.socket(socket.AF_UNIX).connect('$socket')" 2>/dev/null && return
		sleep 0.1
	done
	not_ok "${1##*/} starts" "$(tail -5 "$SCRATCH/${1##*/}.log")"
	return 1
}

# stop_daemons : the newest first
stop_daemons() {
	for d in $daemons; do
		kill "$d" 2>/dev/null
		wait "$d" 2>/dev/null
	done
	daemons=
	awk -v s="$SCRATCH/" 'index($2, s) == 1 { print $2 }' /proc/mounts | sort -r | while read -r m; do umount -l "$m"; done
	find /sys/fs/cgroup -depth -type d \( -name redoubt-test -o -path "*/redoubt-test/buildkit" -o -name redoubt-cri \) -exec rmdir {} \; 2>/dev/null
	rmdir /run/containerd/runc/redoubt-test /run/containerd/runc/k8s.io /run/docker/plugins /run/docker 2>/dev/null
	[ -n "$had_run" ] || rm -rf /run/containerd
}

# start_containerd [PREFIX...] : at $SCRATCH/containerd.sock, with the CRI runtime "redoubt"; behind PREFIX, a command that starts it
start_containerd() {
	export CONTAINERD_ADDRESS=$SCRATCH/containerd.sock CONTAINERD_NAMESPACE=redoubt-test # which names the cgroups too
	cat >"$SCRATCH/containerd.toml" <<T
version = 2
root = "$SCRATCH/containerd"
state = "$SCRATCH/containerd-state"
[grpc]
  address = "$CONTAINERD_ADDRESS"
[plugins."io.containerd.internal.v1.opt"]
  path = "$SCRATCH/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$PAUSE"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$SCRATCH/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    default_runtime_name = "redoubt"
T
	"$LAUNCHER" install --engine containerd --config "$SCRATCH/containerd.toml" >"$SCRATCH/out" || return
	start_daemon "$CONTAINERD_ADDRESS" "$@" containerd --config "$SCRATCH/containerd.toml"
}

# nothing_left NAME GLOB : no state, no process, no cgroup of a container named so
nothing_left() {
	for _ in $(seq 300); do
		left=$(find /run/containerd -mindepth 3 -name "$2" 2>/dev/null; find /sys/fs/cgroup -type d -name "$2" 2>/dev/null; pgrep -f "redoubt-[a-z]* $2" 2>/dev/null)
		[ -z "$left" ] && break
		sleep 0.1
	done
	is "$1" "$left" ""
}
