#!/bin/bash
# mounts.sh - mounts that the launcher makes on the host for a container: overlays,
# whose upper directory the host's own overlay file system must be able to read, and
# binds with mapped ids.  What runc and crun can do of it is compared with them.
# usage: mounts.sh [LAUNCHER]; needs root, the tree of scripts/common.sh, python3.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/alone.sh"
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"
grep -q overlay /proc/filesystems || { skip mounts "this kernel has no overlay file system"; finish; exit; }
flags= # of the launcher's
# shellcheck disable=SC2086
run() { timeout -k 1 60 "$LAUNCHER" --root "$STATE" $flags run --bundle "$b" "mounts-$$"; }
w=$SCRATCH/w b=$SCRATCH/b
mkdir -p "$b" "$STATE"
mount -t tmpfs tmpfs "$SCRATCH/b" # somewhere below /tmp that ids can be mapped on, and an upper can lie
mkdir "$b/w" && w=$b/w

# bundle CHANGE COMMAND : a config.json; m(DESTINATION, TYPE, SOURCE, OPTIONS, MORE) adds a mount
bundle() {
	spec "$b" false /bin/sh -c "$2"
	W=$w python3 - "$b/config.json" "$1" <<'PY'
import json, os, sys
path, change = sys.argv[1:]
c = json.load(open(path))
W = os.environ["W"]
c["root"]["readonly"] = True
def m(destination, type, source, options, **more):
    c["mounts"].append({"destination": destination, "type": type, "source": source, "options": options.split(), **more})
def userns(*maps):
    c["linux"]["namespaces"].append({"type": "user"})
    c["linux"]["uidMappings"] = c["linux"]["gidMappings"] = ids(*maps)
def ids(*maps):
    return [{"containerID": a, "hostID": h, "size": n} for a, h, n in maps]
exec(change)
json.dump(c, open(path, "w"))
PY
}
# told NAME CHANGE COMMAND WANTED : what the command prints, in one line
told() {
	bundle "$2" "$3"
	quiet
	is "$1" "$(tr '\n' ' ' <"$SCRATCH/out")" "$4"
}
# refused NAME CHANGE WORDS
refused() {
	bundle "$2" true
	quiet
	is "$1" "$? $(grep -cF -- "$3" "$SCRATCH/err") $(wc -l <"$SCRATCH/err")" "1 1 1"
}

# --- overlays ------------------------------------------------------------------------------
layers() {
	rm -rf "$w"
	mkdir -p "$w/low1" "$w/low2/dir/sub" "$w/up" "$w/work" "$w/see"
	echo one >"$w/low1/one"
	echo two >"$w/low2/two"
	echo hidden >"$w/low2/one"
	echo x >"$w/low2/dir/x"
	ln "$w/low2/two" "$w/low2/dir/linked"
}
overlay="m('/mnt', 'overlay', 'overlay', 'lowerdir=%s/low1:%s/low2 upperdir=%s/up workdir=%s/work' % (W, W, W, W))"
change='cd /mnt; cat one two; rm one; echo more >>two; mv dir/x y; rm -r dir; mkdir dir; echo n >dir/new; ln -s two link; ls -a dir; cat two'
layers
told "overlay: two layers and an upper" "$overlay" "$change" "one two . .. new two more "
mount -t overlay -o "lowerdir=$w/low1:$w/low2,upperdir=$w/up,workdir=$w/work" overlay "$w/see"
is "overlay: the host's reads what was written" "$(cd "$w/see" && find . | sort | tr '\n' ' '; cat two y dir/new | tr '\n' ' ')" ". ./dir ./dir/new ./link ./two ./y two more x n "
umount "$w/see"
is "overlay: a whiteout" "$(stat -c '%F %t %T' "$w/up/one")" "character special file 0 0"
is "overlay: the lower layers are as they were" "$(cat "$w/low1/one" "$w/low2/two" "$w/low2/dir/x" | tr '\n' ' ')" "one two x "
told "overlay: a second container finds it so" "$overlay" 'cd /mnt; ls; cat dir/new' "dir link two y n "
(cd "$w/up" && find . -printf '%p %y %s\n' | sort) >"$SCRATCH/ours"
if command -v runc >/dev/null; then
	layers
	bundle "$overlay" "$change"
	timeout 60 runc --root "$SCRATCH/runc" run --bundle "$b" "mounts-$$" >/dev/null 2>"$SCRATCH/err"
	is "overlay: the upper is as runc leaves it" "$(cd "$w/up" && find . -printf '%p %y %s\n' | sort)" "$(cat "$SCRATCH/ours")"
fi
layers
told "overlay: without an upper it is read-only" "m('/mnt', 'overlay', 'o', 'lowerdir=%s/low1:%s/low2' % (W, W))" \
	'cd /mnt; cat one two; echo x 2>/dev/null >x || echo refused; grep " /mnt " /proc/mounts | cut -d" " -f4 | cut -d, -f1' "one two refused ro "
told "overlay: userxattr, volatile, index=off, metacopy=off" \
	"m('/mnt', 'overlay', 'o', 'lowerdir=%s/low2 upperdir=%s/up workdir=%s/work userxattr volatile index=off metacopy=off' % (W, W, W))" 'cd /mnt; rm -r dir; mkdir dir; ls' "dir one two "
is "overlay: userxattr: opaque by user.overlay" "$(getfattr -n user.overlay.opaque --only-values "$w/up/dir" 2>/dev/null || python3 -c "import os; print(os.getxattr('$w/up/dir', 'user.overlay.opaque').decode())")" y
layers
chown -R 100000:100000 "$w/up"
told "overlay: a container with a user namespace" "userns((0, 100000, 65536)); $overlay" 'cd /mnt; echo mine >mine; chown 5:6 mine; stat -c "%u %g" mine one' "5 6 65534 65534 "
is "overlay: its ids on the host" "$(stat -c '%u %g' "$w/up/mine")" "100005 100006"
refused "overlay: no lowerdir" "m('/mnt', 'overlay', 'o', 'upperdir=%s/up workdir=%s/work' % (W, W))" "mounts[5]: lowerdir: is missing"
refused "overlay: no such layer" "m('/mnt', 'overlay', 'o', 'lowerdir=%s/none' % W)" "mounts[5]: lowerdir: No such file or directory"
refused "overlay: a relative path" "m('/mnt', 'overlay', 'o', 'lowerdir=low1')" "mounts[5]: lowerdir: 'low1' is not an absolute path"
refused "overlay: an unknown option" "m('/mnt', 'overlay', 'o', 'lowerdir=%s/low1 frob' % W)" "mounts[5].options[1]: unknown option 'frob' of an overlay mount"
refused "overlay: a wrong value" "m('/mnt', 'overlay', 'o', 'lowerdir=%s/low1 index=perhaps' % W)" "index"

# --- --overlay2: what the container changes is in memory --------------------------------------
layers
mkdir -p "$w/root"
for d in proc dev tmp bin; do mkdir "$w/root/$d"; done
gcc -static -O1 -o "$w/root/bin/ocicheck" "$top/tests/integration/ocicheck.c"
echo old >"$w/root/file"
own="c['root'] = {'path': W + '/root'}; m('/low', 'bind', W + '/low1', 'rbind'); m('/single', 'bind', W + '/low2/two', 'bind'); c['process']['args'] = ['/bin/ocicheck'] + \
'write / create /new write /low create /low/new content /low/one content /single'.split()"
touch "$w/root/single"
mkdir "$w/root/low"
left() { (cd "$w" && find root low1 -type f | sort | tr '\n' ' '); }
before=$(left)
told_flags() { # NAME FLAGS WHAT-IS-LEFT
	flags=$2
	bundle "$own" true
	quiet
	is "$1" "$(grep -cE '^(write|create) .* ok$|= one$|= two$' "$SCRATCH/out") $(left)" "$3"
	rm -f "$w/root/new" "$w/low1/new"
}
told_flags "overlay2: without it all is kept" "" "6 low1/new ${before/root\/single/root\/new root\/single}"
told_flags "overlay2: root:memory" --overlay2=root:memory "6 low1/new $before"
told_flags "overlay2: all:memory" --overlay2=all:memory "6 $before"
told_flags "overlay2: none" --overlay2=none "6 low1/new ${before/root\/single/root\/new root\/single}"
flags=--overlay2=root:memory,size=1m
told "overlay2: a size" "c['root'] = {'path': '$TREE'}" 'head -c 512k /dev/zero >/a && head -c 1m /dev/zero >/b || echo full; rm /a /b' "full "
for v in root:self root:dir=/tmp root:memory,depth=1 some:memory root; do
	flags=--overlay2=$v
	refused "overlay2: $v" "pass" "--overlay2: '$v'"
done
flags=
refused "overlay2: an annotation the operator does not allow" "c['annotations'] = {'dev.gvisor.flag.overlay2': 'all:memory'}" "--allow-flag overlay2"
own="$own; c['annotations'] = {'dev.gvisor.flag.overlay2': 'all:memory'}"
told_flags "overlay2: by annotation" "--allow-flag overlay2" "6 $before"
flags=

# --- mapped ids ----------------------------------------------------------------------------
layers
mkdir "$w/src"
echo a >"$w/src/a"
echo b >"$w/src/b"
chown 5:6 "$w/src/b"
own="m('/mnt', 'bind', W + '/src', 'rbind', uidMappings=ids((0, 1000, 10)), gidMappings=ids((0, 2000, 10)))"
see='stat -c "%n %u %g" /mnt/*'
if ! echo >"$w/see/f" || ! (bundle "$own" "$see"; quiet); then
	skip "mapped ids" "$(tail -1 "$SCRATCH/err")"
	finish
	exit
fi
told "ids: uidMappings and gidMappings" "$own" "$see; chown 1003:2004 /mnt/b; stat -c '%u %g' /mnt/b; touch /mnt/new 2>/dev/null || echo no id" \
	"/mnt/a 1000 2000 /mnt/b 1005 2006 1003 2004 no id "
is "ids: on the file system they are the others" "$(stat -c '%u %g' "$w/src/b")" "3 4"
chown 5:6 "$w/src/b"
told "ids: idmap takes the container's user namespace" "userns((0, 100000, 65536)); m('/mnt', 'bind', W + '/src', 'rbind idmap')" "$see; touch /mnt/new; stat -c '%u %g' /mnt/new" \
	"/mnt/a 0 0 /mnt/b 5 6 0 0 "
is "ids: what its root makes is root's on the file system" "$(stat -c '%u %g' "$w/src/new")" "0 0"
rm "$w/src/new"
told "ids: without idmap nobody's" "userns((0, 100000, 65536)); m('/mnt', 'bind', W + '/src', 'rbind')" "$see" "/mnt/a 65534 65534 /mnt/b 65534 65534 "
told "ids: crun's idmap=" "userns((0, 100000, 65536)); m('/mnt', 'bind', W + '/src', 'rbind idmap=uids=@0-1-10;gids=@0-2-10')" "$see" "/mnt/a 1 2 /mnt/b 6 8 "
told "ids: a single file, read-only" "userns((0, 100000, 65536)); m('/mnt/b', 'bind', W + '/src/b', 'bind idmap ro')" "$see; cat /mnt/b; echo x 2>/dev/null >/mnt/b || echo refused" \
	"/mnt/b 5 6 b refused "
mkdir "$w/src/sub" && mount -t tmpfs tmpfs "$w/src/sub" && echo >"$w/src/sub/f"
told "ids: idmap leaves what is mounted below" "userns((0, 100000, 65536)); m('/mnt', 'bind', W + '/src', 'rbind idmap')" "stat -c '%u' /mnt/a /mnt/sub/f" "0 65534 "
told "ids: ridmap does not" "userns((0, 100000, 65536)); m('/mnt', 'bind', W + '/src', 'rbind ridmap')" "stat -c '%u' /mnt/a /mnt/sub/f" "0 0 "
umount "$w/src/sub"
refused "ids: idmap without any map" "m('/mnt', 'bind', W + '/src', 'rbind idmap')" "mounts[5].options: idmap without a map"
refused "ids: one kind only" "m('/mnt', 'bind', W + '/src', 'rbind', uidMappings=ids((0, 1000, 10)))" "mounts[5].gidMappings: is missing"
refused "ids: not of a tmpfs" "m('/mnt', 'tmpfs', 'tmpfs', 'idmap')" "mounts[5]: mapped ids are for a bind mount"
refused "ids: a file system that has none" "m('/mnt', 'bind', '/proc', 'rbind', uidMappings=ids((0, 1000, 10)), gidMappings=ids((0, 1000, 10)))" "does not map the ids of this mount"
refused "ids: ranges that overlap" "m('/mnt', 'bind', W + '/src', 'rbind', uidMappings=ids((0, 1000, 10), (5, 2000, 10)), gidMappings=ids((0, 1000, 10)))" "mounts[5]: "
is "nothing of it is left mounted" "$(grep -c "$w" /proc/self/mounts) $(ls "$STATE")" "0 "
umount "$b"
finish
