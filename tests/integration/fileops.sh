#!/bin/bash
# fileops.sh [SEED...] - file operations at random (fileops.c), on Linux and inside, in
# memory, in the container's own root, in a directory bound from the host (both by the
# gofer), in one whose changes are kept in memory and in the host's root as do has it: line by line the same answers.
# The seeds are fixed, so that what passes once passes always; others may be named.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/lib.sh"
run() { timeout -k 1 "$LIMIT" "$LAUNCHER" --root "$STATE" "$@"; }
count=2000
[ $# -gt 0 ] || set -- 1 2 3
root=$SCRATCH/root memory=$SCRATCH/memory
mkdir -p "$root"/{proc,tmp,bound} "$memory" "$STATE"
chmod 755 "$SCRATCH"
trap 'umount "$memory" 2>/dev/null; cleanup' EXIT
gcc -D_GNU_SOURCE -std=gnu17 -O1 -Wall -Wextra -Werror -static -o "$root/fileops" "$top"/tests/integration/fileops*.c || { echo "0 passed, 1 failed"; exit 1; }
mount -t tmpfs -o mode=777 tmpfs "$memory" || { echo "0 passed, 1 failed"; exit 1; }

# natively DIRECTORY SEED OUT ATTRIBUTES : with no more capabilities than inside
bounds=-all,+chown,+dac_override,+fsetid,+fowner,+mknod,+setgid,+setuid,+kill,+net_raw,+net_bind_service,+sys_chroot,+setpcap,+setfcap,+audit_write
natively() {
	setpriv --bounding-set=$bounds "$root/fileops" "$1" "$2" $count "$4" >"$3" 2>&1 || echo "status $?" >>"$3"
}
# compare NAME DIRECTORY SEED WANTED ATTRIBUTES [OPTION...] : DIRECTORY is inside's
compare() {
	local name=$1 dir=$2 seed=$3 wanted=$4 attributes=$5
	shift 5
	spec "$SCRATCH" false /fileops "$dir" "$seed" $count "$attributes"
	python3 - "$SCRATCH/config.json" "$root" "$SCRATCH/bound" <<'PY'
import json, sys
p, root, bound = sys.argv[1:]
c = json.load(open(p))
c["root"]["path"] = root
c["mounts"].append({"destination": "/bound", "type": "bind", "source": bound, "options": ["rbind", "rw"]})
json.dump(c, open(p, "w"))
PY
	run "$@" run --bundle "$SCRATCH" "fileops$$" </dev/null >"$SCRATCH/inside" 2>"$SCRATCH/err" || echo "status $?" >>"$SCRATCH/inside"
	agree "$name" "$seed" "$wanted"
}
agree() { # NAME SEED WANTED
	local name=$1 seed=$2 wanted=$3
	if cmp -s "$wanted" "$SCRATCH/inside"; then
		ok "$name, seed $seed"
	else
		not_ok "$name, seed $seed: (< native, > inside)" "$(diff "$wanted" "$SCRATCH/inside" | head -8)" "$(tail -3 "$SCRATCH/err")"
	fi
}

for seed; do
	mkdir -p "$memory/d" "$SCRATCH/disk" "$SCRATCH/bound" "$root/own"
	natively "$memory/d" "$seed" "$SCRATCH/in-memory" ht
	natively "$SCRATCH/disk" "$seed" "$SCRATCH/on-disk" htf
	[ "$(wc -l <"$SCRATCH/on-disk")" -gt $count ] && ok "seed $seed natively" || not_ok "seed $seed natively" "$(tail -3 "$SCRATCH/on-disk")"
	compare "in memory" /tmp "$seed" "$SCRATCH/in-memory" ht
	compare "in the container's root" /own "$seed" "$SCRATCH/on-disk" htf
	compare "in a bound directory" /bound "$seed" "$SCRATCH/on-disk" htf
	# what lies there already is changed further, in memory only
	natively "$SCRATCH/disk" $((seed + 1000)) "$SCRATCH/on-disk" htf
	find "$root/own" | sort >"$SCRATCH/before"
	compare "over what is there" /own $((seed + 1000)) "$SCRATCH/on-disk" htf --overlay2 root:memory
	run do -- setpriv --bounding-set=$bounds "$root/fileops" "$root/own" $((seed + 1000)) $count htf </dev/null >"$SCRATCH/inside" 2>"$SCRATCH/err" ||
		echo "status $?" >>"$SCRATCH/inside"
	agree "over what is there on the host" $((seed + 1000)) "$SCRATCH/on-disk"
	find "$root/own" | sort | cmp -s - "$SCRATCH/before" && ok "which stays as it was" || not_ok "which stays as it was" "$(find "$root/own" | sort | diff - "$SCRATCH/before" | head -5)"
	rm -rf "$memory/d" "$SCRATCH/disk" "$SCRATCH/bound" "$root/own"
done
finish
