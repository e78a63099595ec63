#!/bin/bash
# text.sh - what a program finds of its own instructions: patched ones where it loads them,
# the file's by --no-patch, as a flag and as an annotation.
# usage: text.sh [LAUNCHER]; needs the tree of scripts/common.sh, python3.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"

run() { timeout -k 1 60 "$LAUNCHER" --root "$STATE" "$@"; }
look='
import ctypes, os
libc = ctypes.CDLL(None)
at = ctypes.cast(libc.getppid, ctypes.c_void_p).value
for i in range(200): libc.getppid()
mem = os.open("/proc/self/mem", os.O_RDONLY)
copied = os.pread(mem, 16, at)
r, w = os.pipe()
written = ctypes.create_string_buffer(16)
libc.write(w, ctypes.c_void_p(at), 16)
print("loaded", b"\x0f\x05" in ctypes.string_at(at, 16), "copied", b"\x0f\x05" in copied, "written", os.read(r, 16) == copied)'
b=$SCRATCH/b
mkdir -p "$b"
spec "$b" false /usr/bin/python3 -c "$look"
python3 - "$b/config.json" <<'PY'
import json, sys
c = json.load(open(sys.argv[1]))
c["annotations"] = {"dev.gvisor.flag.no-patch": "true"}
json.dump(c, open(sys.argv[1] + ".flag", "w"))
PY
is "a program that loads its patched text" "$(run run --bundle "$b" "text-$$-a" 2>&1)" "loaded False copied True written True"
is "with --no-patch" "$(run --no-patch run --bundle "$b" "text-$$-b" 2>&1)" "loaded True copied True written True"
is "on ptrace nothing is patched" "$(run --platform ptrace run --bundle "$b" "text-$$-c" 2>&1)" "loaded True copied True written True"
mv "$b/config.json.flag" "$b/config.json"
is "with the annotation, if that is allowed" "$(run --allow-flag no-patch run --bundle "$b" "text-$$-d" 2>&1)" "loaded True copied True written True"
quiet run --bundle "$b" "text-$$-e"
is "which it must be" $? 1
finish
