#!/bin/bash
# durable.sh - what a program has had written to the disk is there: of the files on the host that it
# called fsync, fdatasync or msync(MS_SYNC) for, or opened with O_DSYNC, no page of the host's cache is dirty.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/lib.sh"
mkdir -p "$SCRATCH/bound" "$STATE"
chmod 777 "$SCRATCH/bound"

# how many dirty pages the files NAME... of $SCRATCH/bound have (cachestat(2)); "none": the host cannot tell
dirty() {
	python3 - "$SCRATCH/bound" "$@" <<'PY'
import ctypes, os, sys
CACHESTAT = 451
libc = ctypes.CDLL(None, use_errno=True)
for name in sys.argv[2:]:
    fd = os.open(sys.argv[1] + "/" + name, os.O_RDONLY)
    area, stat = (ctypes.c_uint64 * 2)(0, 0), (ctypes.c_uint64 * 5)()
    if libc.syscall(CACHESTAT, fd, area, stat, 0):
        sys.exit("none")
    print(name, stat[1] + stat[2])
PY
}

spec "$SCRATCH" false python3 -c '
import mmap, os, time
def mapped(name):
    fd = os.open("/bound/" + name, os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, 1 << 20)
    m = mmap.mmap(fd, 1 << 20)
    for at in range(0, 1 << 20, 4096):
        m[at] = 1
    return fd, m
def written(name, flags=0):
    fd = os.open("/bound/" + name, os.O_RDWR | os.O_CREAT | flags)
    os.write(fd, b"x" * (1 << 20))
    return fd
keep = [mapped("left"), mapped("msync"), mapped("closed")]
keep[1][1].flush()
os.close(keep[2][0])
keep[2][1].flush()
os.fsync(written("fsync"))
os.fdatasync(written("fdatasync"))
written("dsync", os.O_DSYNC)
open("/bound/ready", "w").close()
time.sleep(1000)'
python3 - "$SCRATCH/config.json" "$SCRATCH/bound" <<'PY'
import json, sys
p, bound = sys.argv[1:]
c = json.load(open(p))
c["mounts"].append({"destination": "/bound", "type": "bind", "source": bound, "options": ["rbind", "rw"]})
json.dump(c, open(p, "w"))
PY
timeout -k 1 "$LIMIT" "$LAUNCHER" --root "$STATE" run --detach --bundle "$SCRATCH" "durable$$" </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err"
if ! until_true '[ -e "$SCRATCH/bound/ready" ]'; then
	not_ok "a program that writes" "$(tail -3 "$SCRATCH/err")"
elif [ "$(dirty left 2>&1)" = none ] || [ "$(dirty left)" = "left 0" ]; then
	skip "what is on the disk" "the host does not tell which pages are dirty, or keeps none for this directory"
else
	for name in msync closed fsync fdatasync dsync; do
		is "$name" "$(dirty $name)" "$name 0"
	done
fi
finish
