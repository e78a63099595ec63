#!/bin/bash
# trace.sh - trace sessions: what a sandbox's programs do, told to a file or a socket;
# sessions that begin before the first program; readers that are slow, or go.
# usage: trace.sh [LAUNCHER]; needs the tree of scripts/common.sh, python3.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"
IPCCTL=${IPCCTL:-$top/libipc/ipcctl}

run() { timeout -k 1 60 "$LAUNCHER" --root "$STATE" "$@"; }
has() { if [[ "$2" == *"$3"* ]]; then ok "$1"; else not_ok "$1" "wanted '$3' in:" "$(head -20 <<<"$2")" "$(cat "$SCRATCH/err" 2>/dev/null)"; fi; }
# session NAME SINK-JSON POINTS-JSON [MEMBERS] : writes $SCRATCH/NAME.json
session() { echo "{\"trace_session\": {\"name\": \"$1\", \"points\": [$3], \"sinks\": [$2]${4-}}}" >"$SCRATCH/$1.json"; }
# events EXPRESSION : of the events in $SCRATCH/events, as python's list e
events() { python3 -c "
import json
e = [json.loads(l) for l in open('$SCRATCH/events')]
c = [x for x in e if x['event'] == 'clone']
x = [x for x in e if x['event'] == 'exec']
print($1)"; }
file_sink() { echo "{\"name\": \"file\", \"config\": {\"path\": \"$1\"}}"; }
id=trace-$$ b=$SCRATCH/b
mkdir -p "$b"

# --- from before the first instruction to after the last ------------------------------------
all='{"name": "container/start", "optional_fields": ["env"], "context_fields": ["time", "container_id", "cwd"]},
{"name": "sentry/clone", "context_fields": ["thread_id", "group_id"]},
{"name": "sentry/execve", "context_fields": ["thread_id", "process_name", "credentials", "cwd"]},
{"name": "sentry/exit_notify_parent", "context_fields": ["group_id", "thread_group_start_time"]},
{"name": "sentry/task_exit", "context_fields": ["thread_id", "task_start_time"]},
{"name": "syscall/openat/enter", "optional_fields": ["text"], "context_fields": ["thread_id"]},
{"name": "syscall/openat/exit", "optional_fields": ["text"], "context_fields": ["thread_id"]},
{"name": "syscall/close/enter", "optional_fields": ["fd_path"], "context_fields": ["thread_id"]},
{"name": "syscall/sysno/39/exit", "context_fields": ["process_name"]}'
program='cd /usr; exec 3</etc/hostname; exec 3<&-; sh -c "exit 7" & wait $!; python3 -c "
import os, threading
for i in range(5): os.getpid()
t = threading.Thread(target=int); t.start(); t.join()"; exit 3'
for p in systrap ptrace; do
	spec "$b" false /bin/bash -c "$program"
	session init "$(file_sink "$SCRATCH/sink-$p")" "$all"
	quiet --platform $p --pod-init-config "$SCRATCH/init.json" run -b "$b" "$id"
	is "$p: a program that is traced ends as it would" $? 3
	run trace show "$SCRATCH/sink-$p" >"$SCRATCH/events" 2>"$SCRATCH/err"
	is "$p: trace show" "$? $(cat "$SCRATCH/err")" "0 "
	is "$p: the start comes first" "$(events 'e[0]["event"], e[0]["id"], e[0]["args"][:2], "HOME=/tmp" in e[0]["env"], sorted(e[0]["context"]), e[0]["context"]["cwd"]')" \
		"container_start $id ['/bin/bash', '-c'] True ['container', 'cwd', 'time'] /"
	is "$p: programs" "$(events '[(i["path"].split("/")[-1][:6], i["args"][0], i["env"], i["context"]["cwd"], i["context"]["cap_effective"] > 0) for i in x]')" \
		"[('dash', 'sh', [], '/usr', True), ('python', 'python3', [], '/usr', True)]"
	is "$p: a process and a thread" "$(events '[(i["thread"] == i["group"], i["context"]["group"]) for i in c if i["thread"] > 2][-1][0], len(c), all(i["start"] > 1e18 for i in c)')" "False 3 True"
	is "$p: how they ended" "$(events 'sorted(i["status"] for i in e if i["event"] == "exit_notify_parent")')" "[0, 768, 1792]"
	is "$p: threads that ended" "$(events 'len([i for i in e if i["event"] == "task_exit"])')" 4
	is "$p: a call with its text, before and after" "$(events '[i["text"] for i in e if "/etc/hostname" in i.get("text", "")]')" \
		"['openat(AT_FDCWD, \"/etc/hostname\", O_RDONLY', 'openat(AT_FDCWD, \"/etc/hostname\", O_RDONLY) = 3']"
	is "$p: what a descriptor was of" "$(events 'len([i for i in e if i.get("fd_path") == "/etc/hostname"]) > 0, [i["name"] for i in e if i.get("fd_path") == "/etc/hostname"][0]')" "True close"
	is "$p: calls that a program answers itself" "$(events 'len([i for i in e if i["event"] == "exit" and i["number"] == 39 and i["context"]["process"] == "python3"])')" 5
done

# --- a running sandbox ------------------------------------------------------------------------
spec "$b" false /usr/bin/python3 -c '
import os, time
while True:
    os.getpid(); os.stat("/etc/passwd")
    time.sleep(0.001)'
quiet run -d -b "$b" "$id"
point='{"name": "syscall/getpid/enter"}'
session one "{\"name\": \"remote\", \"config\": {\"endpoint\": \"$SCRATCH/socket\", \"retries\": 3}}" "$point"
quiet trace create --config "$SCRATCH/one.json" "$id"
is "nobody at the endpoint" "$? $(grep -c "$SCRATCH/socket: No such file" "$SCRATCH/err")" "1 1"
session two "{\"name\": \"remote\", \"ignore_setup_error\": true, \"config\": {\"endpoint\": \"$SCRATCH/socket\"}}" "$point"
quiet trace create --config "$SCRATCH/two.json" "$id"
is "which may be passed over" "$?" 0
run trace listen "$SCRATCH/socket" >"$SCRATCH/events" 2>"$SCRATCH/err2" &
listener=$!
until_true '[ -S "$SCRATCH/socket" ]'
quiet trace create --config "$SCRATCH/one.json" "$id"
is "trace create" "$? $(cat "$SCRATCH/err")" "0 "
until_true '[ "$(wc -l <"$SCRATCH/events")" -gt 20 ]'
is "events come over a socket, of a program that ran" "$? $(events 'e[0]["event"], e[0]["name"], sorted(e[0])')" "0 enter getpid ['args', 'context', 'event', 'fd_path', 'name', 'number', 'text']"
quiet trace list "$id"
is "trace list" "$(sed 's/events: [0-9]*/events: N/' "$SCRATCH/out" | tr -d '\t')" "SESSIONS (1)
\"one\"
Points: 1, events: N, dropped: 0"
session one "$(file_sink "$SCRATCH/none")" "$point"
quiet trace create --config "$SCRATCH/one.json" "$id"
is "a name that is taken" "$? $(grep -c 'File exists' "$SCRATCH/err")" "1 1"
quiet trace delete --name one "$id"
is "trace delete" $? 0
wait $listener
is "the reader sees the end" "$? $(cat "$SCRATCH/err2")" "0 "
quiet trace delete --name one "$id"
is "once" $? 1

# readers that do not read, or go
listen='
import os, socket, sys
l = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
l.bind(sys.argv[1] + ".new")
l.listen()
os.rename(sys.argv[1] + ".new", sys.argv[1])
c = l.accept()[0]
print("accepted", flush=True)
sys.stdin.read()'
mkfifo "$SCRATCH/hold"
sleep 1000 >"$SCRATCH/hold" &
holder=$!
python3 -c "$listen" "$SCRATCH/deaf" <"$SCRATCH/hold" >/dev/null &
deaf=$!
until_true '[ -S "$SCRATCH/deaf" ]'
session deaf "{\"name\": \"remote\", \"config\": {\"endpoint\": \"$SCRATCH/deaf\"}}" "$point"
quiet trace create --config "$SCRATCH/deaf.json" "$id"
until_true 'run trace list "$id" | grep -q "dropped: [1-9]"'
is "what a reader has no room for is counted" $? 0
n=$(run exec "$id" sh -c 'exit 4'; echo $?)
is "programs go on" "$n" 4
kill $deaf $holder
wait $deaf $holder 2>/dev/null
until_true 'run trace list "$id" | grep -q "its sink has gone"'
is "a reader that has gone is told of" $? 0
session deaf "$(file_sink "$SCRATCH/after")" "$point"
quiet trace create --force --config "$SCRATCH/deaf.json" "$id"
is "create --force in its place" "$? $(run trace list "$id" | grep -c 'its sink has gone')" "0 0"
until_true '[ -s "$SCRATCH/after" ]'
is "which is told" $? 0

# --- what is refused ------------------------------------------------------------------------
refused() { # NAME WANTED
	quiet trace create --config "$SCRATCH/bad.json" "$id"
	has "refused: $1" "$? $(cat "$SCRATCH/err")" "$2"
}
sink=$(file_sink "$SCRATCH/none")
session bad "$sink" '{"name": "syscall/none/enter"}'; refused "a point that is none" "trace point 'syscall/none/enter' is not known"
session bad "$sink" '{"name": "syscall/sysno/512/enter"}'; refused "a call beyond all" "is not known"
session bad "$sink" '{"name": "syscall/read"}'; refused "half a point" "is not known"
session bad "$sink" '{"name": "sentry/clone", "optional_fields": ["text"]}'; refused "a field of others" "trace point 'sentry/clone' has no field 'text'"
session bad "$sink" ''; refused "no points" "no points"
session bad "" "$point"; refused "no sink" "trace_session.sinks: 0, must be one"
session bad '{"name": "smoke"}' "$point"; refused "a sink that is none" "'smoke' is not remote or file"
session bad '{"name": "file"}' "$point"; refused "a file without a name" "config.path is needed"
echo '{}' >"$SCRATCH/bad.json"; refused "no session" "trace_session"
session more "$sink" '{"name": "syscall/none/enter"}, {"name": "sentry/clone", "optional_fields": ["text"]}' ', "ignore_missing": true'
quiet trace create --config "$SCRATCH/more.json" "$id"
is "ignore_missing" "$? $(run trace list "$id" | sed -n '/"more"/{n;s/,.*//;p}' | xargs)" "0 Points: 1"
for i in $(seq 3 8); do session n$i "$sink" "$point"; quiet trace create --config "$SCRATCH/n$i.json" "$id"; done
is "eight sessions" "$? $(run trace list "$id" | head -1)" "0 SESSIONS (8)"
session bad "$sink" "$point"; refused "a ninth" "No space left"
ask() { "$IPCCTL" --connect "$STATE/$id/control.sock" "$@" 2>&1; }
for i in $(seq 3 8); do quiet trace delete --name n$i "$id"; done
has "refused: a sink that is a device" "$(ask trace_create "{\"id\": \"$id\", \"name\": \"x\", \"force\": false, \"ignore_missing\": false, \"retries\": 0, \"points\": [{\"name\": \"sentry/clone\", \"fields\": []}], \"sink\": 3}" 3</dev/null)" \
	"neither a socket nor a regular file"
has "refused: a session without a name" "$(ask trace_create "{\"id\": \"$id\", \"name\": \"\", \"force\": false, \"ignore_missing\": false, \"retries\": 0, \"points\": [], \"sink\": 3}" 3</dev/null)" "needs a name"
has "refused: more points than may be" "$(ask trace_create "$(python3 -c "import json; print(json.dumps({'id': '$id', 'name': 'x', 'force': False, 'ignore_missing': False, 'retries': 0, 'points': [{'name': 'sentry/clone', 'fields': []}] * 1025, 'sink': 3}))")" 3</dev/null)" "1024"
quiet trace create "$id"
has "create without a configuration" "$? $(cat "$SCRATCH/err")" "--config is needed"
quiet trace nonsense
has "a subcommand that is none" "$? $(cat "$SCRATCH/err")" "'nonsense' is not create"
quiet trace list
has "without an id" "$? $(cat "$SCRATCH/err")" "too few arguments"
run trace show "$SCRATCH/one.json" >/dev/null 2>"$SCRATCH/err"
is "show of a file that is no sink" "$? $(grep -c 'not the length of a frame' "$SCRATCH/err")" "1 1"
head -c 100 "$SCRATCH/after" >"$SCRATCH/half"
run trace show "$SCRATCH/half" >/dev/null 2>"$SCRATCH/err"
is "show of half a file" $? 1

# --- the rest ---------------------------------------------------------------------------------
is "trace procfs" "$(run trace procfs "$id" | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["args"][0])')" /usr/bin/python3
run trace metadata >"$SCRATCH/out"
is "trace metadata" "$? $(grep -c '^Name: syscall/openat/enter, optional fields: \[fd_path|text\]$' "$SCRATCH/out") $(grep -c '^Name: sentry/execve' "$SCRATCH/out")" "0 1 1"
kill_controld() { kill -KILL "$(python3 -c "import json; print(json.load(open('$STATE/$id/state.json'))['controld']['pid'])")"; }
kill_controld
until_true 'run trace list "$id" | grep -q "\"deaf\""'
is "sessions outlive controld" $? 0
quiet delete --force "$id"
session bad "$sink" '{"name": "nothing"}'
quiet --pod-init-config "$SCRATCH/bad.json" run -d -b "$b" "$id"
is "a sandbox whose session cannot begin does not start" "$? $(grep -c -- "--pod-init-config: .*'nothing' is not known" "$SCRATCH/err") $(run list -q)" "1 1 "
finish
