#!/bin/bash
# pod-memory.sh - limits of one container of several in a sandbox, kept by the guest's
# kernel: who is over the own limit loses a program, the others do not notice; what its
# cgroup files, events and update say.
# usage: pod-memory.sh; LAUNCHER=... selects the launcher; needs root and the Debian tree.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/lib.sh"
[ -e "$TREE/.complete" ] || debian_tree
tag=podmem$$
. "$top/tests/integration/pod-lib.sh"
MB=1048576

# limited NAME RESOURCES ARGS... : a container of the pod with such limits
limited() {
	name=$1 resources=$2
	shift 2
	bundle "$name" container "$tag-pause" "$own" "$@"
	python3 - "$SCRATCH/b-$name/config.json" "$resources" <<'PY'
import json, sys
c = json.load(open(sys.argv[1]))
c["linux"]["resources"] = json.loads(sys.argv[2])
c["mounts"].append({"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup"})
json.dump(c, open(sys.argv[1], "w"))
PY
	run create --bundle "$SCRATCH/b-$name" "$tag-$name" >"$SCRATCH/$name.out" 2>&1 && run start "$tag-$name" >>"$SCRATCH/$name.out" 2>&1
}
# grow CONTAINER BYTES [SECONDS] : takes twice as much, for so long; prints the bytes and 0, or 137
grow() { run exec "$tag-$1" perl -e '$x = q(x) x '"$2"'; print length $x, " "; sleep '"${3-0}" 2>/dev/null; echo $?; }
file() { run exec "$tag-$1" cat "/sys/fs/cgroup/$2"; } # CONTAINER NAME
kills() { file "$1" memory.events | awk '$1 == "oom_kill" { print $2 }'; }
stat_of() { run events --stats "$tag-$1" | python3 -c "import json, sys; d = json.load(sys.stdin)['data']; print($2)"; }

container pause sandbox "$tag-pause" "$own" sleep 1000
limited a '{"memory": {"limit": '$((64 * MB))'}, "pids": {"limit": 8}}' sleep 1000
limited b '{"memory": {"limit": '$((500 * MB))'}}' sleep 1000
limited c '{}' sleep 1000

# --- memory ---------------------------------------------------------------------------
is "memory.max" "$(file a memory.max) $(file b memory.max) $(file c memory.max)" "$((64 * MB)) $((500 * MB)) max"
is "what fits is had" "$(grow a 20000000)" "20000000 0"
is "over its limit a program is killed" "$(grow a 200000000 20)" 137
is "the container goes on" "$(status_of "$tag-a") $(kills a)" "running 1"
is "one with a larger limit has more" "$(grow b 200000000) $(kills b)" "200000000 0 0"
is "one without any" "$(grow c 300000000)" "300000000 0"
run exec -d "$tag-b" perl -e '$x = q(x) x 100000000; sleep 100'
until_true '[ "$(file b memory.current 2>/dev/null || echo 0)" -gt 100000000 ]'
is "memory.current: b's" $? 0
[ "$(file a memory.current)" -lt 20000000 ]
is "... is not a's" $? 0
is "events --stats: limit" "$(stat_of a 'd["memory"]["usage"]["limit"]') $(stat_of b 'd["memory"]["usage"]["limit"]')" "$((64 * MB)) $((500 * MB))"
is "events --stats: usage" "$(stat_of a 'd["memory"]["usage"]["usage"] < 20000000') $(stat_of b 'd["memory"]["usage"]["usage"] > 100000000')" "True True"
is "events --stats: processes" "$(stat_of b 'd["pids"]["current"]')" 2
is "over it again: only its own program" "$(grow a 200000000 20) $(run exec "$tag-b" sh -c 'cat /proc/[0-9]*/comm' | grep -c perl) $(kills a) $(kills b)" "137 1 2 0"
run exec "$tag-a" sh -c 'head -c 40000000 /dev/zero >/tmp/x'
is "files in memory count" "$(grow a 20000000 20)" 137
run exec "$tag-a" rm /tmp/x
is "... until they are removed" "$(grow a 20000000)" "20000000 0"
# two and what starts them are six processes, of the eight that it may have; the one stays until the other is killed
run exec "$tag-a" sh -c 'for i in 1 2; do (perl -e "\$x = q(x) x 20000000; select undef, undef, undef, 0.05 until -e q(/tmp/end)"; echo $?; >/tmp/end) & done; wait' >"$SCRATCH/out" 2>/dev/null
is "two at once: one lives" "$(sort -u "$SCRATCH/out" | xargs)" "0 137"

# --- update --------------------------------------------------------------------------
quiet update --memory $((500 * MB)) "$tag-a"
is "update: more" "$? $(file a memory.max) $(grow a 200000000)" "0 $((500 * MB)) 200000000 0"
quiet update --memory $((64 * MB)) "$tag-b"
st=$?
until_true '[ "$(kills b)" = 1 ]'
is "update: less than it has: a program is killed" "$st $(kills b) $(status_of "$tag-b")" "0 1 running"

# --- processes ------------------------------------------------------------------------
is "pids.max" "$(file a pids.max) $(file b pids.max)" "8 max"
is "pids limit" "$(run exec "$tag-a" sh -c 'for i in 1 2 3 4 5 6 7 8 9; do sleep 3 & done; wait' 2>&1 | grep -ci 'fork\|resource')" 1
is "... is a's own" "$(run exec "$tag-b" sh -c 'for i in 1 2 3 4 5 6 7 8 9; do sleep 0.2 & done; wait' 2>&1 | grep -ci 'fork\|resource')" 0

# --- ends ------------------------------------------------------------------------------
for i in 1 2 3; do # accounts and what watches them are used again
	quiet delete --force "$tag-a"
	limited a '{"memory": {"limit": '$((64 * MB))'}}' sleep 1000
done
is "made again" "$(grow a 20000000) $(grow a 200000000 20) $(kills a)" "20000000 0 137 1"
limited d '{"memory": {"limit": '$((64 * MB))'}}' perl -e '$x = q(x) x 200000000; print length $x'
run wait "$tag-d"
is "the first process: the container ends, the pod does not" "$? $(status_of "$tag-d") $(status_of "$tag-pause")" "137 stopped running"
# its cgroup on the host, which held its stand-in, counts that for whoever listens there
host_kills() { find /sys/fs/cgroup -name "$tag-$1" -exec cat {}/memory.oom_control {}/memory.events \; 2>/dev/null | awk '$1 == "oom_kill" { n = $2 } END { print n + 0 }'; }
until_true '[ "$(host_kills d)" = 1 ]'
is "... and the host's kernel knows why" "$? $(host_kills d) $(host_kills a)" "0 1 0"
for c in a b c d; do quiet delete --force "$tag-$c"; done
quiet delete --force "$tag-pause"
gone "the pod"
finish
