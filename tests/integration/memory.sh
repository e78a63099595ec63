#!/bin/bash
# memory.sh - a container's memory limit, kept by its own kernel: one program is killed,
# the worst by Linux's rules, the others go on, and everybody is told; a limit that
# is changed while it runs.
# usage: memory.sh [LAUNCHER]; needs the tree of scripts/common.sh, python3.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"
run() { timeout -k 1 60 "$LAUNCHER" --root "$STATE" "$@"; }
if [ -n "${REDOUBT_REPORTS-}" ]; then
	skip "memory limits" "instrumented: shadow memory and quarantine are beyond them"
	finish
	exit
fi
id=memory-$$ b=$SCRATCH/b
MB=1048576
mkdir -p "$b"
bundle() { # MEGABYTES ARGS... : a bundle with so much memory
	limit=$(($1 * MB))
	shift
	spec "$b" false "$@"
	python3 -c "
import json
c = json.load(open('$b/config.json'))
c['linux'].update(cgroupsPath='/redoubt-test/$id', resources={'memory': {'limit': $limit}, 'pids': {'limit': 60}})
for s in c['process']['capabilities'].values(): s += ['CAP_SYS_RESOURCE', 'CAP_SYSLOG']
json.dump(c, open('$b/config.json', 'w'))"
}
cat >"$SCRATCH/hold.py" <<'PY'
# hold.py MEGABYTES ADJ NAME : takes so much memory, says NAME, and stays
import mmap, sys, time
open('/proc/self/oom_score_adj', 'w').write(sys.argv[2])
m = mmap.mmap(-1, int(sys.argv[1]) << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for o in range(0, len(m), 4096): m[o] = 1
print(sys.argv[3], flush=True)
time.sleep(100)
PY
hold() { printf 'python3 -c "$HOLD" %s >>/tmp/out & %s=$!; until grep -qs %s /tmp/out; do kill -0 $! 2>/dev/null || break; sleep 0.05; done; ' "$1 $2 $3" "$3" "$3"; }
grow='perl -e "\$x = q(x) x 400000000; print length \$x"; echo grew $?; '
inside() { # PLATFORM MEGABYTES COMMAND
	bundle "$2" /bin/bash -c "$3"
	python3 -c "
import json
c = json.load(open('$b/config.json'))
c['process']['env'].append('HOLD=' + open('$SCRATCH/hold.py').read())
json.dump(c, open('$b/config.json', 'w'))"
	rm -f "$SCRATCH/log"
	run --platform "$1" --log "$SCRATCH/log" run -b "$b" $id </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err"
}

for p in systrap ptrace; do
	inside $p 96 "$grow"'grep MemTotal /proc/meminfo; dmesg | grep -c "Killed process.*(perl)"; grep oom_kill /proc/vmstat; exit 7'
	is "$p: too much memory ends the program, not the container" "$? $(xargs <"$SCRATCH/out")" "7 grew 137 MemTotal: 98304 kB 1 oom_kill 1"
	is "$p: the log tells" "$(grep -c 'out of memory.*(perl)' "$SCRATCH/log")" 1
	inside $p 128 "$(hold 40 0 small)$grow"'kill -0 $small && echo small lives; kill $small'
	is "$p: a smaller program beside it goes on" "$? $(xargs <"$SCRATCH/out")" "0 grew 137 small lives"
	# all offsets handed out before most of it is touched
	inside $p 96 'python3 -c "
import mmap
m = mmap.mmap(-1, 1 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for step in 1 << 21, 4096:
	for o in range(0, 1 << 30, step): m[o] = 1
	print(step, flush=True)"; echo $?'
	is "$p: memory that is touched later" "$? $(xargs <"$SCRATCH/out")" "0 2097152 137"
	# those that live stay until two have been killed
	inside $p 96 'for i in 1 2 3 4; do (exec perl -e "\$x = q(x) x 60000000; select undef, undef, undef, 0.05 until -e q(/tmp/end)") & done; wait -n; wait -n; >/tmp/end; wait; echo done; dmesg | grep -c "Killed process"'
	is "$p: several at once" "$? $(awk 'NR == 1 || $1 > 1 && $1 < 5 { print "yes" }' "$SCRATCH/out" | xargs)" "0 yes yes"
done
if [ "$(id -u)" = 0 ] && [ -c /dev/fuse ]; then
	bundle 64 sleep 1000
	quiet run --detach -b "$b" $id
	pid=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["sentry"]["pid"])' "$STATE/$id/state.json")
	for _ in 1 2 3 4 5; do # an answer that takes more than 3 s, as when the machine stalls, is an error of its own
		timeout 60 nsenter -m -t "$pid" sh -c 'yes | head -c 100000000 >/tmp/x' 2>"$SCRATCH/err"
		grep -q 'timed out\|Interrupted' "$SCRATCH/err" || break
	done
	is "what is brought from outside is refused, and no program is killed" "$(grep -c 'No space' "$SCRATCH/err") $(run state $id | grep -c running)" "1 1"
	quiet delete --force $id
fi
inside systrap 128 "$(hold 30 1000 first)$(hold 40 0 second)$(hold 60 0 third)"'wait $first; for n in first second third; do kill -0 ${!n} 2>/dev/null && echo $n; done; kill %1 %2 %3 2>/dev/null; :'
is "oom_score_adj names the one to be killed" "$? $(xargs <"$SCRATCH/out")" "0 second third"
inside systrap 128 "$(hold 70 -1000 first)$(hold 10 0 second)$(hold 60 0 third)"'wait $third; for n in first second third; do kill -0 ${!n} 2>/dev/null && echo $n; done; cat /proc/$first/oom_score; kill %1 %2 %3 2>/dev/null; :'
is "-1000: never" "$? $(xargs <"$SCRATCH/out")" "0 first second 0"
inside systrap 96 'head -c 60000000 /dev/zero >/dev/shm/x; echo $?; grep Shmem: /proc/meminfo; rm /dev/shm/x; head -c 60000000 /dev/zero >/dev/shm/y; echo $?'
is "files in memory count, and what is given back" "$? $(awk '$1 == "Shmem:" { $2 = int($2 / 1000); } 1' "$SCRATCH/out" | xargs)" "0 0 Shmem: 58 kB 0"
# the container's first process is the worst: the container ends
bundle 64 /usr/bin/perl -e '$x = q(x) x 400000000; print length $x'
quiet run -b "$b" $id
is "the first process: the container ends" "$?" 137
# ... and the host's kernel knows why, which is what engines ask; also when it was a child that the first mourns
cgroup() { find /sys/fs/cgroup -type d -name $id \( -path '*/memory/*' -o -exec test -e {}/memory.events \; \) -print -quit; }
host_kills() { for _ in $(seq 200); do grep -qsx 'oom_kill 1' "$1/memory.oom_control" "$1/memory.events" && echo 1 && return; sleep 0.05; done; echo none; }
for c in 'exec perl -e "\$x = q(x) x 400000000"' 'perl -e "\$x = q(x) x 400000000"; exit $?'; do
	bundle 64 /bin/sh -c "$c"
	quiet run -d -b "$b" $id
	is "the host's cgroup counts it: $c" "$(run wait $id; echo $?) $(host_kills "$(cgroup)")" "137 1"
	quiet delete --force $id
done
bundle 64 /bin/sh -c 'perl -e "\$x = q(x) x 400000000"; kill -0 $$ && exit 3'
quiet run -d -b "$b" $id
is "... not of one that ends by itself" "$(run wait $id; echo $?) $(grep -sh '^oom_kill ' "$(cgroup)"/memory.*)" "3 oom_kill 0"
quiet delete --force $id

# --- while it runs ---------------------------------------------------------------------------
bundle 96 /bin/sleep 1000
quiet run -d -b "$b" $id
is "run -d" $? 0
timeout 60 "$LAUNCHER" --root "$STATE" events --interval 100ms $id >"$SCRATCH/events" 2>/dev/null </dev/null &
events=$!
json() { python3 -c "import json, sys; d = json.loads(open('$SCRATCH/out').read()); print($1)"; }
quiet events --stats $id
is "events --stats: the container's limit" "$(json 'd["data"]["memory"]["usage"]["limit"]')" $((96 * MB))
d=$(find /sys/fs/cgroup -type d -name $id -path '*/memory/*' | head -1)
[ -n "$d" ] || d=$(find /sys/fs/cgroup -type d -name $id | head -1)
host() { cat "$d/memory.max" "$d/memory.limit_in_bytes" 2>/dev/null | head -1 | grep . || echo 0; }
is "the host's is the same" "$(host)" $((96 * MB))
quiet exec $id sh -c "$grow"
is "exec: killed, the container goes on" "$? $(cat "$SCRATCH/out") $(run state $id | sed -n 's/.*"status": "\(.*\)".*/\1/p')" "0 grew 137 running"
until_true 'grep -q "\"type\":\"oom\"" "$SCRATCH/events"'
is "an event tells" "$(grep -c '"type":"oom"' "$SCRATCH/events")" 1
quiet usage $id
is "usage" "$(json 'd["guest"]["memoryLimit"], d["guest"]["oomKills"]')" "$((96 * MB)) 1"
quiet update --memory $((1000 * MB)) --pids-limit 100 $id
is "update: more" "$? $(run exec $id grep MemTotal /proc/meminfo | xargs)" "0 MemTotal: $((1000 * 1024)) kB"
quiet exec $id sh -c "$grow"
is "... is had" "$? $(cat "$SCRATCH/out")" "0 400000000grew 0"
quiet exec -d $id python3 -c "$(cat "$SCRATCH/hold.py")" 300 0 big
until_true 'quiet usage $id; [ "$(json "d[\"guest\"][\"memory\"] > 300000000" 2>/dev/null)" = True ]'
quiet update --memory $((128 * MB)) $id
st=$?
until_true 'run exec $id grep -q "oom_kill 2" /proc/vmstat </dev/null'
is "update: less than is used: the worst is killed" "$st $(run exec $id sh -c 'grep MemTotal /proc/meminfo; grep oom_kill /proc/vmstat' | xargs)" "0 MemTotal: $((128 * 1024)) kB oom_kill 2"
is "... and the host's limit follows" "$(host)" $((128 * MB))
echo '{"pids": {"limit": 3}}' | run update --resources - $id 2>"$SCRATCH/err"
quiet exec $id sh -c 'for i in 1 2 3 4 5; do sleep 5 & done; wait'
is "update: fewer processes" "$(grep -ci 'fork\|resource' "$SCRATCH/err")" 1
quiet delete --force $id
kill $events 2>/dev/null
wait $events 2>/dev/null
for c in /sys/fs/cgroup /sys/fs/cgroup/*; do rmdir "$c/redoubt-test" 2>/dev/null; done
is "nothing is left" "$(find /sys/fs/cgroup -name "$id")" ""
finish
