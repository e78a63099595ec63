#!/bin/bash
# oci.sh - the runtime specification, member by member: what a container finds
# inside (ocicheck.c tells) against what its config.json asked for.  The cases of
# the OCI's runtime-tools that apply, and those behind them, in our own words.
# Where there is a runc the same configurations run under it too, and must tell the same.
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/alone.sh"
. "$top/tests/integration/lib.sh"
mkdir -p "$STATE" "$SCRATCH/root/bin"
: >"$SCRATCH/after" >"$SCRATCH/out"
for f in ocicheck clockcheck; do
	gcc -std=gnu17 -O1 -static -o "$SCRATCH/root/bin/$f" "$top/tests/integration/$f.c" || { echo "0 passed, 1 failed"; exit 1; }
done
runc=${RUNC-$(command -v runc)}
snapshot >"$SCRATCH/before"
python3 "$top/tests/integration/oci.py" "$LAUNCHER" "$SCRATCH" "$runc" "$@" >"$SCRATCH/out" 2>&1
grep -v ' passed, ' "$SCRATCH/out"
read -r p _ f _ s _ <<<"$(sed -n 's/,//gp' <<<"$(tail -1 "$SCRATCH/out")")"
passed=${p:-0} failed=${f:-1} skipped=${s:-0}
left_behind "all of them" "$SCRATCH/before"
finish
