# engines.sh - what the tests of container engines share; sourced behind lib.sh.
#
# Daemons are started by hand, with all of their files below $SCRATCH but for
# what they have in /run/containerd whatever they are told; an image is made
# of busybox.  need_engine ends the test, skipped, where something is missing.

PYTHON=/usr/bin/python3 # Debian's: it is the one that has python3-grpcio
IMAGE=docker.io/library/redoubt-test:1
PAUSE=docker.io/library/redoubt-pause:1
daemons=
had_run=$([ -d /run/containerd ] && echo yes)

is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got '$2', wanted '$3'" "$(tail -5 "$SCRATCH/err" 2>/dev/null)"; fi; }

need_engine() { # NAME COMMAND...
	name=$1
	shift
	for c in "$@" busybox; do
		command -v "$c" >/dev/null || { skip "$name" "$c is not installed"; finish; exit; }
	done
	[ "$(id -u)" = 0 ] || { skip "$name" "needs root"; finish; exit; }
	# a sandbox is found below here even when its engine has forgotten it
	exec </dev/null
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
	for _ in $(seq 100); do
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

# start_containerd : at $SCRATCH/containerd.sock, with a CRI runtime "redoubt"
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
	start_daemon "$CONTAINERD_ADDRESS" containerd --config "$SCRATCH/containerd.toml"
}

# nothing_left NAME GLOB : no state, no process, no cgroup of a container named so
nothing_left() {
	for _ in $(seq 20); do
		left=$(find /run/containerd -mindepth 3 -name "$2" 2>/dev/null; find /sys/fs/cgroup -type d -name "$2" 2>/dev/null; pgrep -f "redoubt-[a-z]* $2" 2>/dev/null)
		[ -z "$left" ] && break
		sleep 0.1
	done
	is "$1" "$left" ""
}
