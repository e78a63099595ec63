# lib.sh - what the integration tests share; sourced with $top set.
#
# A case is "name|shell command".  It runs natively (chroot into the tree, own
# pid, mount, ipc, uts and net namespaces, the same mounts as a bundle has) and
# in a sandbox, and both must print the same and exit alike.

. "$top/scripts/common.sh"
LAUNCHER=${LAUNCHER:-$top/launcher/launcher}
SCRATCH=$(mktemp -d /tmp/redoubt-it.XXXXXX)
STATE=$SCRATCH/state
passed=0 failed=0 skipped=0
LIMIT=${LIMIT:-120}

cleanup() {
	for d in "$STATE"/*/; do
		[ -d "$d" ] && "$LAUNCHER" --root "$STATE" delete --force "$(basename "$d")" >/dev/null 2>&1
	done
	rm -rf "$SCRATCH"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

ok() { passed=$((passed + 1)); echo "ok $1"; }
not_ok() { failed=$((failed + 1)); echo "not ok $1"; shift; for l; do printf '#   %s\n' "$l"; done; }
skip() { skipped=$((skipped + 1)); echo "ok $1 # skip $2"; }
# is NAME GOT WANTED : a failure shows the last of $SCRATCH/err too
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got '$2', wanted '$3'" "$(tail -5 "$SCRATCH/err" 2>/dev/null)"; fi; }
# quiet ARGS... : the script's own run, with what it prints in $SCRATCH/out and $SCRATCH/err
quiet() { run "$@" </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err"; }
finish() { echo "$passed passed, $failed failed, $skipped skipped"; [ "$failed" -eq 0 ]; }

# until_true COMMAND : for half a minute at most, which only a failure takes
until_true() {
	until_end=$(($(date +%s) + 30))
	until eval "$1"; do
		[ "$(date +%s)" -lt $until_end ] || return 1
		sleep 0.05
	done
}

# alive PID : that process runs: one look, as a zombie that is reaped between two would be alive again
alive() { grep -qs '^State:.[^ZX]' "/proc/$1/status"; }

# until_asked PID : the launcher below that process has asked its sandbox, and waits for the answer
until_asked() {
	until_true "asked $1"
}
asked() {
	asking=$1
	while below=$(pgrep -oP "$asking"); do asking=$below; done
	[ "/proc/$asking/exe" -ef "$LAUNCHER" ] && grep -q '^State:.S' "/proc/$asking/status" && readlink "/proc/$asking/fd"/* | grep -q '^socket:'
}

# spec DIR TERMINAL ARGS... : writes DIR/config.json running ARGS in the tree
spec() {
	dir=$1 terminal=$2
	shift 2
	python3 - "$dir" "$terminal" "$TREE" "$@" <<'PY'
import json, sys
d, terminal, tree, args = sys.argv[1], sys.argv[2] == "true", sys.argv[3], sys.argv[4:]
caps = ["CAP_" + c for c in "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE".split()]
json.dump({
    "ociVersion": "1.0.2", "hostname": "box", "root": {"path": tree, "readonly": False},
    "process": {"terminal": terminal, "user": {"uid": 0, "gid": 0}, "args": args, "cwd": "/",
                "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "LC_ALL=C", "TERM=xterm"],
                "capabilities": {k: caps for k in ("bounding", "effective", "permitted")}},
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance", "ptmxmode=0666"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "nodev", "mode=1777"]},
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "mode=1777"]},
    ],
    "linux": {"namespaces": [{"type": t} for t in ("pid", "network", "ipc", "uts", "mount")]},
}, open(d + "/config.json", "w"))
PY
}

# inside OUT COMMAND : runs a shell command in a sandbox on the tree; status in $?
inside() {
	out=$1
	n=$((${n:-0} + 1))
	mkdir -p "$SCRATCH/bundle$n"
	spec "$SCRATCH/bundle$n" false /bin/bash -c "$2"
	timeout -k 5 "$LIMIT" "$LAUNCHER" --root "$STATE" run --bundle "$SCRATCH/bundle$n" "it$$-$n" >"$out" 2>"$out.err" </dev/null
}

# devices of its own, where it may make them: what a program does to the mode of one is not done to the machine's
NATIVE='r=$1; mount -t proc proc $r/proc; mount -t tmpfs -o mode=755 tmpfs $r/dev; mkdir $r/dev/pts $r/dev/shm
while read -r d minor; do mknod -m 666 $r/dev/$d c 1 $minor 2>/dev/null || { touch $r/dev/$d; mount --bind /dev/$d $r/dev/$d; }; done <<D
null 3
zero 5
full 7
random 8
urandom 9
D
mknod -m 666 $r/dev/tty c 5 0 2>/dev/null || { touch $r/dev/tty; mount --bind /dev/tty $r/dev/tty; }
mount -t devpts -o newinstance,ptmxmode=0666 devpts $r/dev/pts; ln -s pts/ptmx $r/dev/ptmx; ln -s /proc/self/fd $r/dev/fd
ln -s fd/0 $r/dev/stdin; ln -s fd/1 $r/dev/stdout; ln -s fd/2 $r/dev/stderr; mount -t tmpfs -o mode=1777 tmpfs $r/dev/shm
mount -t tmpfs -o mode=1777 tmpfs $r/tmp; hostname box; exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C TERM=xterm chroot $r /bin/bash -c "$2"'

# native OUT COMMAND : the same without a sandbox
native() {
	timeout -k 5 "$LIMIT" unshare -mpfiun --kill-child sh -c "$NATIVE" native "$TREE" "$2" >"$1" 2>"$1.err" </dev/null
}

# same NAME COMMAND [FILTER] : both must agree, after FILTER (a sed script)
same() {
	name=$1
	native "$SCRATCH/native" "$2"
	ns=$?
	inside "$SCRATCH/inside" "$2"
	is=$?
	if [ -n "${3-}" ]; then
		for f in native inside; do sed -i -E "$3" "$SCRATCH/$f"; done
	fi
	if [ $ns -ne $is ]; then
		not_ok "$name" "exit status $is, natively $ns" "stdout: $(tail -c 200 "$SCRATCH/inside")" "stderr: $(tail -c 300 "$SCRATCH/inside.err")"
	elif ! cmp -s "$SCRATCH/native" "$SCRATCH/inside"; then
		not_ok "$name" "output differs (< native, > inside):" "$(diff "$SCRATCH/native" "$SCRATCH/inside" | head -8)" "stderr: $(tail -c 300 "$SCRATCH/inside.err")"
	else
		ok "$name"
	fi
}
