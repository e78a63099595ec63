#!/bin/bash
# overlays.sh - container engines inside a sandbox, with overlays for their images and containers:
# podman (import, mount, diff, commit, build, run) and containerd's snapshots.  Nothing comes from outside: the
# image is a few programs of this machine, on a tmpfs, as no overlay's upper directory lies on an overlay.
# usage: overlays.sh [LAUNCHER]; what is not installed is skipped.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$(realpath "$1")
. "$top/tests/integration/lib.sh"
. "$top/tests/integration/engines.sh"

# in_do NAME SCRIPT WANTED : what a script prints in a sandbox of the host's root
in_do() {
	timeout -k 5 "$LIMIT" "$LAUNCHER" --root "$STATE" do -- bash -c "$2" >"$SCRATCH/out" 2>"$SCRATCH/err" </dev/null
	is "$1" "$(cat "$SCRATCH/out")" "$3"
}

# mount -t overlay by hand, on the overlay that the sandbox's own root is
in_do "by hand" 'mkdir /root/ovl && cd /root/ovl && mkdir u w m && mount -t overlay o -o lowerdir=/usr/bin:/usr/sbin,upperdir=u,workdir=w m &&
	cp m/true m/new && m/new && rm m/ls && rm -r m/cat && ls -A u && umount m && ls -A w/work' 'cat
ls
new'

need_engine overlays podman crun
prepare='exec 2>&1; mount -t tmpfs t /tmp; mount -t cgroup2 c /sys/fs/cgroup; cd /tmp; mkdir -p img/usr/bin img/dir img/tmp
for p in sh ls cat rm mkdir touch; do cp "$(command -v $p)" img/usr/bin/ && ldd img/usr/bin/$p | grep -o "/[^ ]*" | while read -r l; do mkdir -p "img${l%/*}"; cp -L "$l" "img$l"; done; done
ln -s usr/bin img/bin; echo one >img/dir/file; tar -C img -cf img.tar .
p() { podman --root /tmp/store --runroot /tmp/run --storage-driver overlay --cgroup-manager cgroupfs --events-backend file --runtime crun --log-level error "$@"; }
p import -q img.tar localhost/test:1 >/dev/null || exit
'
in_do "podman: its driver is native" "$prepare"'p info | grep -E "Native Overlay Diff|graphDriverName|Backing"' '  graphDriverName: overlay
    Backing Filesystem: tmpfs
    Native Overlay Diff: "true"'
# (a name that is the beginning of an image's number would be the image's to podman diff)
in_do "podman: mount, diff, commit" "$prepare"'p create -q --name first localhost/test:1 ls >/dev/null; m=$(p mount first); rm -r $m/dir $m/usr/bin/cat; mkdir $m/dir; echo two >$m/dir/new
p umount first >/dev/null; p diff first | sort; p commit -q first localhost/test:2 >/dev/null; p create -q --name second localhost/test:2 ls >/dev/null; m=$(p mount second); (cd $m; ls dir usr/bin)
p umount second >/dev/null; p rm first second >/dev/null; p rmi -a >/dev/null; ls store/overlay; grep -c "^overlay /tmp" /proc/mounts' 'A /dir/new
C /usr
C /usr/bin
D /dir
D /usr/bin/cat
dir:
new

usr/bin:
ls
mkdir
rm
sh
touch
l
0'
in_do "podman: build and run" "$prepare"'printf "FROM localhost/test:1\nRUN rm -r /dir; mkdir /dir; touch /dir/built; echo x >/gone\nRUN rm /gone\n" >Dockerfile
p build -q --isolation chroot --network host -t localhost/test:2 . >/dev/null
p run --rm --cgroups disabled --network none localhost/test:2 sh -c "ls /dir; ls /gone; echo x >/dir/more; ls /dir"; p rmi -af >/dev/null; ls store/overlay' "built
ls: cannot access '/gone': No such file or directory
built
more
l"

if command -v containerd >/dev/null && command -v ctr >/dev/null; then
	in_do "containerd: its snapshots" 'exec 2>/dev/null; mount -t tmpfs t /tmp; cd /tmp
	containerd --root /tmp/root --state /tmp/state --address /tmp/sock >/tmp/log &
	for n in $(seq 300); do ctr --address /tmp/sock version >/dev/null && break; sleep 0.1; done
	c() { ctr --address /tmp/sock snapshots --snapshotter overlayfs "$@"; }
	mkdir m; c prepare one >/dev/null && sh -c "$(c mounts /tmp/m one)" && echo one >m/file && mkdir m/dir && touch m/dir/x && umount m && c commit done one
	c prepare two done >/dev/null && sh -c "$(c mounts /tmp/m two)" && grep -o "^overlay /tmp/m overlay rw" /proc/mounts && rm -r m/dir && mkdir m/dir && cat m/file && ls -A m/dir && umount m
	kill %1; wait' 'overlay /tmp/m overlay rw
one'
else
	skip "containerd: its snapshots" "containerd is not installed"
fi
finish
