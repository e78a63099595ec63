#!/bin/bash
# trees.sh - the guest tests of files in trees that a gofer serves: a root file system of its
# own (cached: nobody else changes it), and a directory bound from the host (which others
# may change).  The guest tests themselves run in memory otherwise (tests/guest/run).
# usage: trees.sh [LAUNCHER]; needs ldd, python3.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/lib.sh"
make -C "$top" -s guest || exit 1
bin=${GUEST_BIN:-$top/build/guest}/fs
work=$(mktemp -d /tmp/redoubt-trees.XXXXXX)
trap 'rm -rf "$work"; cleanup' EXIT
root=$work/root
mkdir -p "$root"/{proc,dev,tmp,work,bound,guest,usr} "$work/bound"
chmod 755 "$work"
cp "$bin"/* "$root/guest/"
# what the programs are linked with
for l in $(ldd "$bin"/* | grep -o '/[^ :)]*\.so[^ )]*' | sort -u); do
	mkdir -p "$root${l%/*}" && cp -L "$l" "$root$l"
done

# in_tree DIRECTORY PROGRAM: cases of a program that runs there
in_tree() {
	local d=$SCRATCH/trees
	mkdir -p "$d"
	spec "$d" false "/guest/$2"
	python3 - "$d/config.json" "$root" "$work/bound" "$1" <<'PY'
import json, os, sys
p, root, bound, cwd = sys.argv[1:]
c = json.load(open(p))
c["root"]["path"] = root
c["mounts"].append({"destination": "/bound", "type": "bind", "source": bound, "options": ["rbind", "rw"]})
c["process"]["cwd"] = cwd
c["process"].setdefault("env", []).append("TMPDIR=" + cwd)
if os.environ.get("CASE_SECONDS"): c["process"]["env"].append("CASE_SECONDS=" + os.environ["CASE_SECONDS"])
json.dump(c, open(p, "w"))
PY
	timeout -k 5 "$LIMIT" "$LAUNCHER" --root "$STATE" run --bundle "$d" "trees$$" >"$work/out" 2>"$work/err" </dev/null
	local status=$?
	while read -r line; do
		case $line in
		"ok "*) ok "$1 $2 ${line#ok }" ;;
		"not ok "*) not_ok "$1 $2 ${line#not ok }" "$(grep ^FAIL "$work/err" | head -3)" ;;
		esac
	done <"$work/out"
	[ $status -eq 0 ] || grep -q '^not ok' "$work/out" || not_ok "$1 $2 (whole program)" "exit status $status" "$(tail -3 "$work/out" "$work/err")"
}

# a tree that the sandbox has never seen
for where in "$root/work" "$work/bound"; do
	for t in cold xattrs; do
		(cd "$where" && "$bin/$t" make)
		in_tree "/${where##*/}" $t
		find "$where" -mindepth 1 -delete
	done
done
for where in /work /bound; do
	for t in listed dir open rename attr data told named locks; do
		in_tree $where $t
		find "$root/work" "$work/bound" -mindepth 1 -delete
	done
done
# who asks for a path again and again is told of it, and asks no more
mkfifo "$work/input"
spec "$SCRATCH/trees" false /guest/named ask /guest
sed -i "s,\"path\": \"[^\"]*\",\"path\": \"$root\"," "$SCRATCH/trees/config.json"
timeout -k 5 "$LIMIT" "$LAUNCHER" --root "$STATE" run --bundle "$SCRATCH/trees" "asks$$" <"$work/input" >"$work/out" 2>"$work/err" &
exec 8>"$work/input"
until_true "grep -q asked '$work/out'"
"$LAUNCHER" --root "$STATE" export-metrics "asks$$" >"$work/metrics" 2>>"$work/err"
exec 8>&-
wait $!
is "a program that asks for a path" $? 0
calls=$(sed -n 's/^redoubt_syscalls_total{.*name="newfstatat"} //p' "$work/metrics")
[ "${calls:-1000}" -lt 200 ] && ok "which is told of it" || not_ok "which is told of it: ${calls:-no} calls" "$(tail -3 "$work/err")"
finish
