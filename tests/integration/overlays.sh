#!/bin/bash
# overlays.sh - container engines inside a sandbox, with overlays for their images and containers:
# podman (import, mount, diff, commit, build, run) and containerd's snapshots; containers with control groups of
# their own, under crun and runc; Docker, with its bridge.  Nothing comes from outside: the image is a few programs
# of this machine, on a tmpfs, as no overlay's upper directory lies on an overlay.
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

# a group that has groups with limits below has no processes: they go into one of their own first, as in Docker's image for this
groups='mkdir /sys/fs/cgroup/init; echo 0 >/sys/fs/cgroup/init/cgroup.procs; echo "+cpu +memory +pids" >/sys/fs/cgroup/cgroup.subtree_control || exit
'
for runtime in crun runc; do
	command -v $runtime >/dev/null || { skip "podman: control groups, $runtime" "$runtime is not installed"; continue; }
	in_do "podman: control groups, $runtime" "$prepare$groups"'r() { p --runtime '$runtime' "$@"; }
r run --rm --network none --pids-limit 33 --cpus 0.5 localhost/test:1 cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max
r run -d --network none --name first localhost/test:1 sh -c "while [ ! -e /done ]; do cat /dev/zero | head -c 1; done >/dev/null" >/dev/null
r exec first sh -c "echo x >/dev/null && echo here"; r pause first >/dev/null; r inspect -f "{{.State.Status}}" first; r unpause first >/dev/null; r stop -t 0 first >/dev/null; r rm first >/dev/null
printf "FROM localhost/test:1\nRUN touch /built\n" >Dockerfile; r build -q --network host -t localhost/test:2 . >/dev/null && r run --rm --network none localhost/test:2 ls /built
ls -d /sys/fs/cgroup/libpod_parent/libpod-[0-9a-f]* 2>/dev/null' "33
50000 100000
here
paused
/built"
done

if command -v dockerd >/dev/null && [ -x /usr/bin/docker ] && command -v containerd >/dev/null && command -v runc >/dev/null && command -v busybox >/dev/null; then
	in_do "Docker: run, build, its bridge, a published port" "$prepare$groups"'mkdir img/sbin; cp "$(command -v busybox)" img/sbin/; tar -C img -cf img.tar .
mount -t tmpfs t /run; d() { timeout 60 /usr/bin/docker -H unix:///tmp/d.sock "$@"; }
dockerd -H unix:///tmp/d.sock --iptables=false --data-root /tmp/docker --exec-root /tmp/exec --pidfile /tmp/pid >/tmp/log 2>&1 &
for n in $(seq 300); do d version >/dev/null 2>&1 && break; sleep 0.1; done
d import img.tar test:1 >/dev/null && d run --rm --network none --cpus 1 --pids-limit 44 test:1 cat /sys/fs/cgroup/pids.max
mkdir empty; printf "FROM test:1\nRUN mkdir /www && echo page >/www/index.html\nCMD [\"busybox\", \"httpd\", \"-f\", \"-h\", \"/www\"]\n" >empty/Dockerfile
d build -q --network host -t test:2 empty >/dev/null && d run -d --name web -p 8080:80 test:2 >/dev/null; a=$(d inspect -f "{{.NetworkSettings.IPAddress}}" web)
for n in $(seq 100); do d run --rm test:1 busybox wget -q -O - http://$a/ 2>/dev/null && break; done; busybox wget -q -O - http://127.0.0.1:8080/
d exec web busybox hostname -i; d pause web >/dev/null; d inspect -f "{{.State.Status}}" web; d unpause web >/dev/null; d rm -f web >/dev/null
kill $(cat /tmp/pid); wait; [ -S /tmp/d.sock ] || echo gone' "44
page
page
172.17.0.2
paused
gone"
else
	skip "Docker: run, build, its bridge, a published port" "docker.io or busybox is not installed"
fi

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
