#!/bin/bash
# cgroups.sh - cgroups from inside (the file system cgroup2, as programs read it), and
# scopes of systemd's on a host where none runs: systemd.c stands in for it.  What a
# real one makes of it is tests/vm/systemd.sh's.
# usage: cgroups.sh [LAUNCHER]; needs the tree of scripts/common.sh, python3.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"
run() { timeout -k 1 120 "$LAUNCHER" --root "$STATE" "$@"; }
id=cgroups-$$ b=$SCRATCH/b
mkdir -p "$b"
bundle() { # PYTHON ARGS... : a config.json with c changed
	change=$1
	shift
	spec "$b" false "$@"
	python3 -c "
import json
c = json.load(open('$b/config.json'))
l = c['linux']
limits = {'memory': {'limit': 134217728}, 'cpu': {'quota': 150000, 'period': 100000, 'shares': 1024}, 'pids': {'limit': 44}}
$change
json.dump(c, open('$b/config.json', 'w'))"
}

# --- inside --------------------------------------------------------------------------------
mount="c['mounts'] += [{'destination': '/sys', 'type': 'sysfs', 'source': 'sysfs', 'options': ['ro']}, {'destination': '/sys/fs/cgroup', 'type': 'cgroup', 'source': 'cgroup', 'options': ['nosuid', 'noexec', 'nodev', 'ro']}]"
inside() { # COMMAND : its output in one line
	bundle "$mount
l.update(cgroupsPath='/redoubt-test/$id', resources=limits)" /bin/bash -c "cd /sys/fs/cgroup; $1"
	run run -b "$b" $id 2>"$SCRATCH/err" </dev/null | xargs
}
is "the limits" "$(inside 'cat memory.max cpu.max pids.max memory.swap.max memory.high')" "134217728 150000 100000 44 0 max"
is "what is in it" "$(inside 'sleep 5 & cat cgroup.procs | head -2; cat cgroup.type cgroup.events; kill %1')" "1 2 domain populated 1 frozen 0"
is "memory: what is used" "$(inside 'a=$(cat memory.current); head -c 20000000 /dev/zero >/dev/shm/x; b=$(cat memory.current); echo $(((b - a) / 1000000)); sed -n "s/^shmem //p" memory.stat | cut -c1-2')" "20 20"
[ -n "${REDOUBT_REPORTS-}" ] && skip "memory.events" "instrumented: shadow memory is beyond the limit" || is "memory.events" "$(inside 'perl -e "\$x = q(x) x 400000000; print length \$x" 2>/dev/null; sed -n "s/^max [1-9][0-9]*/max/p; /^oom_kill /p" memory.events')" "max oom_kill 1"
is "processor time" "$(inside 'a=$(sed -n "s/^usage_usec //p" cpu.stat); i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done; b=$(sed -n "s/^usage_usec //p" cpu.stat); echo $((b - a > 50000))')" 1
is "nothing is set or made there" "$(inside 'echo 5 2>/dev/null >pids.max; echo $?; mkdir x 2>/dev/null; echo $?')" "1 1"
is "the mount, as programs look for it" "$(inside 'stat -f -c %T .; sed -n "s/.* - //p" /proc/self/mountinfo | grep cgroup; cat /proc/self/cgroup; grep -c cgroup2 /proc/filesystems; grep -c "^memory.0.1.1$" /proc/cgroups')" "cgroup2fs cgroup2 cgroup2 rw 0::/ 1 1"

# --- systemd ----------------------------------------------------------------------------------
done_here() {
	for c in /sys/fs/cgroup /sys/fs/cgroup/*; do rmdir "$c/redoubt-test" 2>/dev/null; done
	is "nothing is left" "$(find /sys/fs/cgroup -name "*$id*")$(ls "$STATE")" ""
	finish
	exit
}
[ "$(id -u)" = 0 ] && [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] && [ ! -d /run/systemd/system ] &&
	gcc -D_GNU_SOURCE -o "$SCRATCH/systemd" "$top/tests/integration/systemd.c" -lsystemd 2>/dev/null ||
	{ skip "scopes" "needs root, cgroups of version 1, no systemd, and libsystemd-dev"; done_here; }
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$SCRATCH/bus
setsid "$SCRATCH/systemd" "$SCRATCH/bus" "$SCRATCH/calls" &
manager=$!
trap 'kill -- -$manager 2>/dev/null; cleanup' EXIT
until_true '[ -S "$SCRATCH/bus" ]'
calls() { tr -d ' \n\t' <"$SCRATCH/calls" | sed 's/MESSAGE/\n&/g' | grep -v Subscribe; : >"$SCRATCH/calls"; }
said() { grep -c "STRING\"$1\";VARIANT\"$2\"{$3;*}" "$SCRATCH/said"; } # PROPERTY TYPE VALUE
scope=redoubt-$id.scope
where=/sys/fs/cgroup/memory/redoubt-test/$scope
bundle "l.update(cgroupsPath='some.slice:redoubt:$id', resources=limits); c['annotations'] = {'org.systemd.property.TimeoutStopSec': '7', 'org.systemd.property.After': \"['a.service']\"}" /bin/sleep 1000
quiet --systemd-cgroup run -d -b "$b" $id
is "run -d" $? 0
calls >"$SCRATCH/said"
is "StartTransientUnit" "$(grep -c "STRING\"$scope\";STRING\"fail\"" "$SCRATCH/said")" 1
is "its properties" "$(said Slice s 'STRING"some.slice"') $(said Delegate b BOOLEANtrue) $(said MemoryLimit t UINT64134217728) $(said CPUQuotaPerSecUSec t UINT641500000) $(said TasksMax t UINT64196) $(said TimeoutStopUSec t UINT647000000)" "1 1 1 1 1 1"
is "its processes are in it" "$(wc -l <"$where/cgroup.procs" | awk '{ print ($1 >= 3) }') $(cat "$where/memory.limit_in_bytes")" "1 134217728"
quiet update --memory 67108864 --pids-limit 20 $id
is "update" "$?" 0
calls >"$SCRATCH/said"
is "SetUnitProperties" "$(said MemoryLimit t UINT6467108864) $(said TasksMax t UINT64124) $(cat "$where/memory.limit_in_bytes")" "1 1 67108864"
quiet exec $id cat /proc/self/cgroup
is "exec" "$? $(cat "$SCRATCH/out")" "0 0::/"
: >"$SCRATCH/calls"
quiet delete --force $id
is "delete --force" "$? $(ls -d "$where" 2>/dev/null)" "0 "
calls >"$SCRATCH/said"
is "StopUnit, ResetFailedUnit" "$(grep -c "STRING\"$scope\";STRING\"replace\"" "$SCRATCH/said") $(grep -c "^MESSAGE\"s\"{STRING\"$scope\"" "$SCRATCH/said")" "1 1"
bundle "l.update(cgroupsPath=':redoubt:$id')" /bin/sh -c 'exit 7'
quiet --systemd-cgroup run -b "$b" $id
is "run, to its end" $? 7
for bad in /a/path a:b a:b: a/b:c:d; do
	bundle "l.update(cgroupsPath='$bad')" /bin/true
	quiet --systemd-cgroup run -b "$b" $id
	is "cgroupsPath '$bad'" "$? $(grep -c 'linux.cgroupsPath' "$SCRATCH/err")" "1 1"
done
kill -- -$manager 2>/dev/null
wait $manager 2>/dev/null
done_here
