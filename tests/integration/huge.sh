#!/bin/bash
# huge.sh - huge pages for programs' memory: what a program uses whole, or asks for, is mapped
# by such, though the host gives none to files in memory by itself; what it does not, is not,
# and a small program takes no more than without.  Where the host forbids them (deny) there are
# none, and all works.  Sets the host's choice for a moment.
# usage: huge.sh; LAUNCHER=... selects the launcher; needs root and the Debian tree.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/lib.sh"
[ -e "$TREE/.complete" ] || debian_tree
choice=/sys/kernel/mm/transparent_hugepage/shmem_enabled
was=$(sed -n 's/.*\[\(.*\)\].*/\1/p' $choice 2>/dev/null)
run() { timeout -k 1 60 "$LAUNCHER" --root "$STATE" "$@" </dev/null; }
id=huge-$$ b=$SCRATCH/b
leave() {
	[ -z "$was" ] || echo "$was" >$choice
	run delete --force $id >/dev/null 2>&1
	rm -rf "$SCRATCH"
}
trap leave EXIT
mkdir -p "$b"
if [ -z "$was" ] || ! echo never >$choice 2>/dev/null; then
	skip "huge pages" "the host's choice cannot be set"
	finish
	exit
fi
cat >"$SCRATCH/hold.py" <<'PY'
# hold.py MEGABYTES STEP ADVICE : takes so much memory, touches a byte each STEP, checks what is there, says so, and stays
import mmap, sys, time
n, step, advice = int(sys.argv[1]) << 20, int(sys.argv[2]), int(sys.argv[3])
m = mmap.mmap(-1, n, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
if advice: m.madvise(advice)
for o in range(0, n, step): m[o] = 1 + o // step % 250
ok = all(m[o] == 1 + o // step % 250 and not any(m[o + 1:o + min(step, 4096)]) for o in range(0, n, step))
print("right" if ok else "wrong", flush=True)
time.sleep(100)
PY
stubs() { # of the sandbox: their sums of a member of smaps_rollup, MB
	s=$(pgrep -f "redoubt-sentry $id ") kb=0
	for p in $(pgrep -P "$s"); do kb=$((kb + $(awk -v k="$1:" '$1 == k { print $2 }' "/proc/$p/smaps_rollup" 2>/dev/null || echo 0))); done
	echo $((kb / 1024))
}
# hold PLATFORM MEGABYTES STEP ADVICE : starts it, until it has said something
hold() {
	spec "$b" false python3 -c "$(cat "$SCRATCH/hold.py")" "$2" "$3" "$4"
	: >"$SCRATCH/out" # what the last one said
	run --platform "$1" run --bundle "$b" $id >"$SCRATCH/out" 2>"$SCRATCH/err" &
	until_true '[ -s "$SCRATCH/out" ]'
}
end() { run kill $id KILL; wait; run delete --force $id >/dev/null 2>&1; }

for p in systrap ptrace; do
	hold $p 64 4096 0
	is "$p: what it is filled with" "$(cat "$SCRATCH/out")" right
	[ "$(stubs ShmemPmdMapped)" -ge 48 ]
	is "$p: memory used from one end to the other: huge pages" $? 0
	end
done
hold systrap 64 2097152 14
is "asked for: a byte in each" "$(cat "$SCRATCH/out")" right
[ "$(stubs ShmemPmdMapped)" -ge 60 ]
is "... is a huge page each" $? 0
end
hold systrap 64 2097152 0
is "not asked for" "$(cat "$SCRATCH/out")" right
is "... none" "$(stubs ShmemPmdMapped)" 0
is "... and not their memory" "$([ "$(stubs Pss)" -lt 30 ] && echo little)" little
end
hold systrap 64 4096 15
is "MADV_NOHUGEPAGE" "$(cat "$SCRATCH/out") $(stubs ShmemPmdMapped)" "right 0"
end
echo deny >$choice
for advice in 0 14; do
	hold systrap 64 4096 $advice
	is "forbidden by the host, advice $advice" "$(cat "$SCRATCH/out") $(stubs ShmemPmdMapped)" "right 0"
	end
done
finish
