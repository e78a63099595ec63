#!/bin/bash
# cgroup2.sh - containers' cgroups on a host with the unified hierarchy alone:
# where they are made, what is written into them and read back, what happens at
# the limits, and that they go.
# limit: 600
. "$top/tests/integration/lib.sh"
run() { timeout -k 1 120 "$LAUNCHER" --root "$STATE" "$@"; }
quiet() { run "$@" </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err"; }
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got '$2', wanted '$3'" "$(cat "$SCRATCH/err" 2>/dev/null)"; fi; }
json() { python3 -c "import json, sys; d = json.loads(open('$SCRATCH/out').read().splitlines()[-1]); print($1)" 2>&1; }
root=/sys/fs/cgroup base=redoubt-vm-test id=cg2-$$ b=$SCRATCH/b
is "a unified hierarchy alone" "$(stat -f -c %T $root)" cgroup2fs
mkdir -p "$b"
bundle() { # PYTHON ARGS... : a config.json with c['linux'] changed
	change=$1
	shift
	spec "$b" false "$@"
	python3 -c "
import json
c = json.load(open('$b/config.json'))
l = c['linux']
$change
json.dump(c, open('$b/config.json', 'w'))"
}
cg() { cat "$root/$base/$id/$1" 2>&1; }

# --- limits, written and read back ---------------------------------------------------------
bundle "l.update(cgroupsPath='/$base/$id', resources={'memory': {'limit': 268435456, 'swap': 536870912, 'reservation': 134217728}, 'cpu': {'shares': 1024, 'quota': 150000, 'period': 100000, 'cpus': '0-1'}, 'pids': {'limit': 50}, 'unified': {'memory.high': '250000000'}})" /bin/sleep 1000
quiet run -d -b "$b" $id
is "run -d with limits" $? 0
host() { echo $(($1 / 4096 * 4096)); } # whole pages
is "memory.max" "$(cg memory.max)" $(host 268435456)
[ ! -e "$root/$base/$id/memory.swap.max" ] || is "memory.swap.max: swap alone" "$(cg memory.swap.max)" 268435456
is "memory.low" "$(cg memory.low)" 134217728
is "memory.high, by its own name" "$(cg memory.high)" 249999360
is "cpu.weight from shares" "$(cg cpu.weight)" 39
is "cpu.max" "$(cg cpu.max)" "150000 100000"
is "cpuset.cpus" "$(cg cpuset.cpus)" 0-1
is "pids.max leaves room for our own" "$(cg pids.max)" 214
is "its processes are in it" "$(for p in $(cg cgroup.procs); do tr '\0' ' ' <"/proc/$p/cmdline" | cut -d' ' -f1; done | grep -oE '(controld|gofer|sentry)' | sort -u | tr '\n' ' ')" "controld gofer sentry "
is "the guest sees the quota" "$(run exec $id nproc)" 2
is "the guest sees the limit" "$(run exec $id sh -c "awk '/MemTotal/ { print \$2 }' /proc/meminfo")" 262144
is "its cgroup inside is its own root" "$(run exec $id cat /proc/self/cgroup)" "0::/"

# --- reading back, changing ------------------------------------------------------------------
quiet events --stats $id
is "events --stats" "$(json 'd["type"], d["data"]["memory"]["usage"]["limit"], d["data"]["memory"]["usage"]["usage"] > 0, d["data"]["cpu"]["usage"]["total"] > 0, d["data"]["pids"]["current"] > 3, d["data"]["pids"]["limit"] > 0')" "stats 268435456 True True True True"
echo '{"memory": {"limit": 134217728, "swap": 134217728}, "cpu": {"quota": 50000, "period": 100000}, "pids": {"limit": 20}}' | run update --resources - $id 2>"$SCRATCH/err"
is "update --resources -" "$? $(cg memory.max) $(cg cpu.max) $(cg pids.max)" "0 $(host 134217728) 50000 100000 124"
quiet update --memory 100000000 --cpu-share 2 $id
is "update by options" "$? $(cg memory.max) $(cg cpu.weight)" "0 $(host 100000000) 1"
quiet pause $id
is "pause" "$? $(run state $id | sed -n 's/.*"status": "\(.*\)".*/\1/p')" "0 paused"
quiet resume $id
is "resume" $? 0
quiet delete --force $id
is "delete --force" $? 0
is "its cgroup is gone" "$(find $root -name $id)" ""

# --- out of memory ----------------------------------------------------------------------------
bundle "l.update(cgroupsPath='/$base/$id', resources={'memory': {'limit': 100663296, 'swap': 100663296}})" /bin/sh -c 'while [ ! -e /tmp/go ]; do sleep 0.2; done; perl -e "\$x = q(x) x 400000000; print length \$x"; exit 7'
quiet run -d -b "$b" $id
is "run -d with little memory" $? 0
timeout 30 "$LAUNCHER" --root "$STATE" events --interval 200ms $id >"$SCRATCH/events" 2>/dev/null </dev/null &
events=$!
sleep 1
quiet exec $id touch /tmp/go
quiet wait $id
st=$?
is "too much memory ends the program, not the container" $st 7
wait $events
is "an event tells" "$(grep -c '"type":"oom"' "$SCRATCH/events")" 1
quiet delete --force $id
is "delete" $? 0

# --- paths ---------------------------------------------------------------------------------------
own=$(sed -n 's/^0:://p' /proc/self/cgroup)
bundle "l.update(cgroupsPath='$id', resources={'pids': {'limit': 10}})" /bin/sleep 1000
quiet run -d -b "$b" $id
is "a relative path lies beside our own cgroup" "$? $(ls -d $root"$(dirname "$own")/$id")" "0 $root$(dirname "$own" | sed 's,/$,,')/$id"
quiet delete --force $id
is "... and goes" "$(find $root -name $id)" ""
bundle "l.update(cgroupsPath='/$base/deep/er/$id', resources={'pids': {'limit': 10}})" /bin/true
quiet run -b "$b" $id
is "a deep one" "$? $(find $root -name $id)" "0 "
bundle "l.update(resources={'memory': {'limit': 200000000}})" /bin/sleep 1000
quiet run -d -b "$b" $id
is "limits without a path" "$? $(cat "$(find $root -type d -name $id | head -1)/memory.max" 2>&1)" "0 $(host 200000000)"
quiet delete --force $id
bundle "l.update(cgroupsPath='/$base/$id', resources={'unified': {'no.such': '1'}})" /bin/true
quiet run -b "$b" $id
is "a file that is not there is an error, and nothing stays" "$? $(grep -c unified "$SCRATCH/err") $(find $root -name $id)" "1 1 "
find $root/$base -depth -type d -exec rmdir {} \; 2>/dev/null
is "nothing is left" "$(find $root -name "*$base*")" ""
finish
