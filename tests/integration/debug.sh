#!/bin/bash
# debug.sh - looking into a live sandbox: what controld's methods tell of it, and
# the commands that ask them.
# usage: debug.sh [LAUNCHER]; needs the tree of scripts/common.sh, python3.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"

run() { timeout -k 1 60 "$LAUNCHER" --root "$STATE" "$@"; }
has() { if [[ "$2" == *"$3"* ]]; then ok "$1"; else not_ok "$1" "wanted '$3' in:" "$(head -20 <<<"$2")" "$(cat "$SCRATCH/err" 2>/dev/null)"; fi; }
id=debug-$$ b=$SCRATCH/b
mkdir -p "$b"
spec "$b" false /usr/bin/python3 -c '
import os, threading, time
os.write(1, b"up\n")
threading.Thread(target=time.sleep, args=(10000,), daemon=True).start()
while True:
    for i in range(300): os.stat("/etc/passwd")
    time.sleep(0.001)'
quiet --log "$SCRATCH/sandbox.log" run -d -b "$b" "$id"
is "a container that works" $? 0

# --- where the sentry is -------------------------------------------------------------------
quiet debug --stacks "$id"
is "debug --stacks" $? 0
has "the event thread, by name" "$(cat "$SCRATCH/out")" "threads_sample"
has "up to where it began" "$(cat "$SCRATCH/out")" " main+"
until_true 'grep -q " in clock_nanosleep(" "$SCRATCH/out" || { quiet debug --stacks "$id"; false; }'
has "a task in its call" "$(cat "$SCRATCH/out")" "(python3) in clock_nanosleep(0x"
is "each of its tasks" "$(grep -c '^thread .*, task: task [0-9]* (python3)' "$SCRATCH/out")" 2
# profiled CHAIN : looks at who runs, and has seen it; on a busy machine a moment may have none
profiled() { quiet debug --profile-cpu "$SCRATCH/cpu" --duration 1500ms "$id" && grep -q "$1" "$SCRATCH/cpu"; }
until_true 'profiled ";host_main;task_run;"'
is "debug --profile-cpu" $? 0
is "lines are folded chains" "$(grep -cvE '^[^;]+(;[^; ]+)+ [0-9]+$' "$SCRATCH/cpu")" 0
has "which name what it does" "$(cat "$SCRATCH/cpu")" ";host_main;task_run;"
until_true 'quiet debug --profile-block "$SCRATCH/block" --duration 300ms "$id"; grep -q ";sys_clock_nanosleep;" "$SCRATCH/block"'
has "debug --profile-block: a thread that sleeps" "$(cat "$SCRATCH/block")" ";sys_clock_nanosleep;"
quiet debug --profile-mutex "$SCRATCH/mutex" --duration 200ms "$id"
is "debug --profile-mutex: only waits for locks" "$? $(grep -cv 'lock_wait' "$SCRATCH/mutex")" "0 0"
timeline() {
	quiet debug --trace "$SCRATCH/timeline" --duration 500ms "$id" &&
		python3 - "$SCRATCH/timeline" <<'PY'
import json, sys
entries = json.load(open(sys.argv[1]))
assert any(e["ph"] == "M" and e["name"] == "process_name" and e["args"]["name"] == "python3" for e in entries), "no name"
calls = [e for e in entries if e["ph"] == "E" and "/etc/passwd" in e["args"]["call"]]
assert len(calls) > 10 and all(e["name"] in ("stat", "newfstatat") for e in calls), "the program's calls"
assert {e["ph"] for e in entries} <= set("BEMi")
last = {}  # of each thread: calls do not lie in one another, and time does not go back
for e in entries:
    if e["ph"] in "BE":
        before, at, name = last.get(e["tid"], ("E" if e["ph"] == "B" else "B", 0, e["name"]))
        assert before != e["ph"] and e["ts"] >= at and (e["ph"] == "B" or e["name"] == name), (e, before, at, name)
        last[e["tid"]] = e["ph"], e["ts"], e["name"]
PY
}
until_true timeline
is "debug --trace: calls from beginning to end" $? 0
is "and no session is left" "$(run trace list "$id")" "SESSIONS (0)"
(for _ in 1 2 3 4 5; do run debug --profile-cpu "$SCRATCH/first" --duration 3s "$id" && break; done >/dev/null 2>&1) &
until_true 'quiet debug --profile-cpu "$SCRATCH/second" --duration 10ms "$id"; grep -q "another is being made" "$SCRATCH/err"'
has "one profile at a time" "$(cat "$SCRATCH/err")" "another is being made"
wait
quiet debug --profile-cpu "$SCRATCH/cpu" --duration 0 "$id"
has "a profile of no time" "$(cat "$SCRATCH/err")" "--duration: must not be 0"
quiet debug --profile-cpu "$SCRATCH/cpu" --duration 11m "$id"
has "of too much" "$(cat "$SCRATCH/err")" "--duration: '11m' is not a time"

# --- what it holds and has done --------------------------------------------------------------
json() { python3 -c "import json, sys; d = json.load(open('$SCRATCH/out')); print($1)"; }
quiet debug --ps "$id"
has "debug --ps" "$(cat "$SCRATCH/out")" "/usr/bin/python3 -c"
quiet debug --procfs "$id"
is "debug --procfs" "$? $(json 'len(d), d[0]["pid"], d[0]["exe"].startswith("/usr/bin/python3"), d[0]["args"][:2], d[0]["cwd"], d[0]["root"], "HOME=/tmp" in d[0]["env"]')" \
	"0 1 1 True ['/usr/bin/python3', '-c'] / / True"
is "descriptors, limits, ids, mappings" "$(json '[f["number"] for f in d[0]["fdlist"]][:3], d[0]["limits"]["Max open files"]["cur"] > 0, d[0]["status"]["comm"], d[0]["status"]["uid"], d[0]["status"]["vm_rss"] > 0, d[0]["stat"], any(m["pathname"] == "[stack]" and m["permissions"]["Write"] and not m["permissions"]["Execute"] for m in d[0]["maps"]), d[0]["cgroup"][0]["path"]')" \
	"[0, 1, 2] True python3 {'real': 0, 'effective': 0, 'saved': 0} True {'pgid': 1, 'sid': 1} True /"
quiet debug --network "$id"
is "debug --network" "$(json 'd["links"][0]["name"], d["links"][0]["addresses"]')" "lo ['127.0.0.1/8', '::1/128']"
metric() { sed -n "s/^redoubt_$1{sandbox=\"$id\"\(,[^}]*\)\{0,1\}} //p" "$SCRATCH/out" | head -1; }
stats() { sed -n "s/^redoubt_syscalls_total{sandbox=\"$id\",name=\"\(stat\|newfstatat\)\"} //p" "$SCRATCH/out" | sort -n | tail -1; }
quiet export-metrics "$id"
is "export-metrics" "$? $(grep -c '^# TYPE redoubt_[a-z_]* \(counter\|gauge\)$' "$SCRATCH/out") $(metric tasks) $(metric containers) $(grep -cvE '^(# .*|redoubt_[a-z_]+\{[a-z]+="[^"]*"(,name="[a-z0-9_]+")?\} [0-9]+)$' "$SCRATCH/out")" \
	"0 9 2 1 0"
n=$(stats)
# what a program is told of it does not ask for; each look from outside makes it ask again, soon
until_true 'quiet export-metrics && [ "$(stats)" -gt "$n" ]'
is "counters grow; all sandboxes' at once" $? 0
quiet export-metrics none-such
is "of one that is not there" $? 1
run metric-server --metric-server "$SCRATCH/metrics.sock" &
server=$!
until_true '[ -S "$SCRATCH/metrics.sock" ]'
get='
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
while True:
    try: s.connect(sys.argv[1])
    except ConnectionRefusedError: continue # bound, and does not listen yet
    break
s.sendall(("GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % sys.argv[2]).encode())
while (b := s.recv(65536)): sys.stdout.write(b.decode())'
has "metric-server" "$(python3 -c "$get" "$SCRATCH/metrics.sock" /metrics)" "redoubt_tasks{sandbox=\"$id\"} 2"
has "another path" "$(python3 -c "$get" "$SCRATCH/metrics.sock" /x)" "404 Not Found"
kill $server; wait $server 2>/dev/null
quiet usage --fd "$id"
is "usage --fd" "$? $(json 'd["memory"] > 1 << 20')" "0 True"

# --- changing it ------------------------------------------------------------------------------
quiet mount -t tmpfs -o size=1m,mode=700,nosuid "$id" /tmp/new/place
is "mount" "$? $(run exec "$id" sh -c 'stat -f -c %T /tmp/new/place; stat -c %a /tmp/new/place; grep -c "/tmp/new/place tmpfs rw,nosuid" /proc/mounts' | tr '\n' ' ')" "0 tmpfs 700 1 "
quiet mount -o bind "$id" /tmp/new
has "a bind is refused" "$(cat "$SCRATCH/err")" "no more of the host's files"
quiet mount -t nonsense "$id" /tmp/new
has "a type that is none" "$(cat "$SCRATCH/err")" "unknown file system 'nonsense'"
quiet mount "$id" relative
has "a relative path" "$(cat "$SCRATCH/err")" "not an absolute path"
quiet debug --signal 0 "$id"
is "debug --signal" $? 0
quiet debug --signal x "$id"
has "no signal" "$(cat "$SCRATCH/err")" "'x' is not a signal's number"

# --- ports -------------------------------------------------------------------------------------
# answers with what was said, backwards, once the other says no more
echo='
import socket, sys, threading
l = socket.create_server(("::1", 0), family=socket.AF_INET6) if sys.argv[1] == "6" else socket.create_server(("127.0.0.1", 0))
print(l.getsockname()[1], flush=True)
def one(c):
    d = b""
    while (b := c.recv(65536)): d += b
    c.sendall(d[::-1])
    c.close()
while True: threading.Thread(target=one, args=(l.accept()[0],), daemon=True).start()'
ask='
import os, socket, sys, threading
def ask(n):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20)
    data = os.urandom(n)
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    d = b""
    while (b := s.recv(65536)): d += b
    results.append(d == data[::-1])
results = []
ts = [threading.Thread(target=ask, args=(n,)) for n in (0, 1, 1000, 5000000, 70000, 300)]
for t in ts: t.start()
for t in ts: t.join()
print(results)'
# listen: starts a python program inside which says where it listens; its first line
listen() {
	: >"$SCRATCH/port"
	run exec "$id" python3 -c "$@" >"$SCRATCH/port" 2>"$SCRATCH/err" </dev/null &
	inside=$!
	until_true '[ -s "$SCRATCH/port" ]'
}
for family in 4 6; do
	listen "$echo" $family
	: >"$SCRATCH/local"
	run port-forward "$id" "0:$(cat "$SCRATCH/port")" >"$SCRATCH/local" 2>"$SCRATCH/err" </dev/null &
	forward=$!
	until_true '[ -s "$SCRATCH/local" ]'
	is "port-forward: IPv$family, six connections, each way to its end" "$(timeout 30 python3 -c "$ask" "$(sed 's/.*://' "$SCRATCH/local")")" "[True, True, True, True, True, True]"
	kill $forward $inside; wait $forward $inside 2>/dev/null
done
at_socket='
import os, socket, sys
l = socket.socket(socket.AF_UNIX)
l.bind(sys.argv[1] + ".new")
l.listen()
os.rename(sys.argv[1] + ".new", sys.argv[1])
l.settimeout(20)
c = l.accept()[0]
c.settimeout(20)
c.sendall(b"over a stream")
c.shutdown(socket.SHUT_WR)
print(c.recv(100).decode())'
python3 -c "$at_socket" "$SCRATCH/stream" >"$SCRATCH/streamed" &
outside=$!
listen 'import socket
l = socket.create_server(("127.0.0.1", 8081))
print("up", flush=True)
c = l.accept()[0]
c.sendall(c.recv(100).upper())'
until_true '[ -S "$SCRATCH/stream" ]'
quiet port-forward --stream "$SCRATCH/stream" "$id" 8081
st=$?
wait $outside $inside
is "port-forward --stream" "$st $(cat "$SCRATCH/streamed")" "0 OVER A STREAM"
quiet port-forward --stream "$SCRATCH/stream" "$id" 9
is "nobody to connect to" $? 1
python3 -c "$at_socket" "$SCRATCH/stream2" >/dev/null 2>&1 &
outside=$!
until_true '[ -S "$SCRATCH/stream2" ]'
quiet port-forward --stream "$SCRATCH/stream2" "$id" 9
has "nobody at the port" "$(cat "$SCRATCH/err")" "port 9 of container $id: Connection refused"
wait $outside
quiet port-forward "$id" 0
has "no port" "$(cat "$SCRATCH/err")" "'0' is not [LOCAL:]PORT"
quiet exec "$id" /bin/true
is "the programs go on" $? 0
quiet delete --force "$id"
quiet --platform ptrace run -d -b "$b" "$id"
until_true 'profiled ";pt_run;"'
has "a profile on ptrace" "$(cat "$SCRATCH/cpu")" ";pt_run;"
# processes that begin while memory is watched, and go on
heap_of_new() {
	run debug --profile-heap "$SCRATCH/heap" --duration 4s "$id" 2>"$SCRATCH/heap-err" &
	profile=$!
	while kill -0 $profile 2>/dev/null; do run exec -d "$id" sleep 1000; done
	wait $profile && grep -q ';task_alloc ' "$SCRATCH/heap"
}
until_true heap_of_new
is "debug --profile-heap: memory of new tasks" $? 0
is "by folded chains, in bytes" "$(grep -cvE '^memory(;[^; ]+)+ [0-9]+$' "$SCRATCH/heap") $(grep -cE '^[0-9]+ bytes of [0-9]+ allocations are held(; some found no place)?$' "$SCRATCH/heap-err")" "0 1"
quiet exec "$id" /bin/true
is "the programs go on there too" $? 0
quiet delete --force "$id"

# --- what programs may call -----------------------------------------------------------------------
run help syscalls >"$SCRATCH/table"
run help syscalls --format json >"$SCRATCH/out"
run help syscalls -o csv >"$SCRATCH/csv"
is "help syscalls: table, json and csv have the same rows" "$(tail -n +2 "$SCRATCH/table" | awk '{ print $1, $2, $3 }' | md5sum) $(json 'len(d) > 360')" \
	"$(tail -n +2 "$SCRATCH/csv" | awk -F, '{ print $1, $2, $3 }' | md5sum) True"
is "each with a note that is not full" "$(json '[r["name"] for r in d if r["support"] != "full" and not r["note"]]') $(json 'sorted(set(r["support"] for r in d))')" "[] ['full', 'none', 'partial']"
run help syscalls --format xml >"$SCRATCH/out" 2>"$SCRATCH/err"
is "another format" "$? $(grep -c "'xml' is none of" "$SCRATCH/err")" "1 1"
finish
