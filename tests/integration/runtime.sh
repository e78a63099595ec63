#!/bin/bash
# runtime.sh - what engines ask of an OCI runtime beyond a container's life:
# cgroups and limits, hooks, events, update, features, descriptors passed in.
# usage: runtime.sh [LAUNCHER]; needs the tree of scripts/common.sh, python3.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"

run() { timeout -k 1 120 "$LAUNCHER" --root "$STATE" "$@"; }
json() { python3 -c "import json, sys; d = json.load(open('$SCRATCH/out')); print($1)"; }
id=runtime-$$ b=$SCRATCH/b
mkdir -p "$b"
config() { # PYTHON ARGS... : a config.json, changed by a piece of python on c
	change=$1
	shift
	spec "$b" false "$@"
	python3 -c "
import json
c = json.load(open('$b/config.json'))
$change
json.dump(c, open('$b/config.json', 'w'))"
}

# --- cgroups ------------------------------------------------------------------------------
cg() { # CONTROLLER FILE : of the container's cgroup, v1 or v2
	for d in "/sys/fs/cgroup/$1/redoubt-test/$id" "/sys/fs/cgroup/redoubt-test/$id"; do [ -e "$d/$2" ] && cat "$d/$2" && return; done
}
config "c['linux'].update(cgroupsPath='/redoubt-test/$id', resources={'memory': {'limit': 268435456}, 'cpu': {'quota': 50000, 'period': 100000}, 'pids': {'limit': 50}})" /bin/sleep 1000
quiet run -d -b "$b" "$id"
is "run -d with limits" $? 0
if [ -n "$(cg memory memory.limit_in_bytes)" ]; then
	is "memory limit" "$(cg memory memory.limit_in_bytes)" 268435456
	is "cpu quota" "$(cg cpu cpu.cfs_quota_us)" 50000
	is "sentry, gofer and controld are in it" "$(cg memory cgroup.procs | wc -l | awk '{print ($1 >= 3)}')" 1
	is "processors from the quota" "$(run exec "$id" nproc)" 1
	is "the guest's memory" "$(run exec "$id" sh -c "awk '/MemTotal/ { print \$2 }' /proc/meminfo")" 262144
	quiet events --stats "$id"
	is "events --stats" "$(json 'd["type"], d["id"] == "'"$id"'", d["data"]["memory"]["usage"]["limit"], d["data"]["memory"]["usage"]["usage"] > 0, d["data"]["cpu"]["usage"]["total"] > 0, d["data"]["pids"]["current"] > 0')" \
		"stats True 268435456 True True True"
	echo '{"memory": {"limit": 134217728}}' | run update --resources - "$id" 2>"$SCRATCH/err"
	is "update --resources -" "$? $(cg memory memory.limit_in_bytes)" "0 134217728"
	quiet update --cpu-quota 20000 "$id"
	is "update --cpu-quota" "$? $(cg cpu cpu.cfs_quota_us)" "0 20000"
	quiet update --cpu-quota x "$id"
	is "update with nonsense" "$? $(cat "$SCRATCH/err")" "1 redoubt: update: cpu.quota: 'x' is not a number"
	timeout 120 "$LAUNCHER" --root "$STATE" events --interval 100ms "$id" >"$SCRATCH/events" 2>"$SCRATCH/err" &
	events=$!
	until_true '[ "$(grep -c "^{\"type\":\"stats\"" "$SCRATCH/events")" -ge 2 ]'
else
	skip "limits" "no cgroup v1 hierarchy that we may use"
fi
is "no more tasks than the pids limit" "$(run exec "$id" perl -e 'while ($n < 60) { $p = fork; last unless defined $p; unless ($p) { sleep 5; exit } $n++ } print $n')" 48
quiet delete --force "$id"
is "delete --force" $? 0
if [ -n "${events-}" ]; then
	wait $events
	is "events end with the sandbox" "$? $([ "$(grep -c '^{"type":"stats"' "$SCRATCH/events")" -ge 2 ] && echo several)" "0 several"
fi
is "no cgroup is left" "$(find /sys/fs/cgroup -name "$id" 2>/dev/null)" ""
find /sys/fs/cgroup -depth -type d -name redoubt-test -exec rmdir {} \; 2>/dev/null

# --- hooks --------------------------------------------------------------------------------
cat >"$SCRATCH/hook" <<H
#!/bin/sh
python3 -c "import json, sys; s = json.load(sys.stdin); print('\$1', s['status'], s['id'] == '$id', s['pid'] > 0, s['bundle'] == '$b', '\$A')" >>"$SCRATCH/hooks"
[ "\$1" != "\${FAIL-}" ] || { echo "because" >&2; exit 3; }
[ "\$1" != "\${SLOW-}" ] || exec sleep 30
H
chmod +x "$SCRATCH/hook"
hooks() { # ENVIRONMENT [KIND] : all six kinds, that one may take 2 s; startContainer's runs inside
	config "c['hooks'] = {k: [{'path': '$SCRATCH/hook', 'args': ['hook', k], 'env': ['A=word', 'PATH=$PATH', '$1'], 'timeout': 2 if k == '${2-}' else 60}] for k in ('prestart', 'createRuntime', 'createContainer', 'poststart', 'poststop')}
c['hooks']['startContainer'] = [{'path': '/bin/sh', 'args': ['sh', '-c', 'grep -q created'], 'env': ['PATH=/bin']}]" /bin/sh -c 'echo ran'
	rm -f "$SCRATCH/hooks"
}
all="prestart creating True True True word
createRuntime creating True True True word
createContainer creating True True True word
poststart running True True True word
poststop stopped True False True word"
hooks X=1
quiet run -b "$b" "$id"
is "hooks of an attached run" "$? $(cat "$SCRATCH/out")
$(cat "$SCRATCH/hooks")" "0 ran
$all"
hooks X=1
quiet create -b "$b" "$id"
is "hooks up to created" "$(cat "$SCRATCH/hooks")" "$(echo "$all" | head -3)"
quiet start "$id"
is "hooks up to running" "$(cat "$SCRATCH/hooks")" "$(echo "$all" | head -4)"
quiet wait "$id"
quiet delete "$id"
is "all hooks" "$(cat "$SCRATCH/hooks")" "$all"
for kind in prestart createRuntime createContainer; do
	hooks FAIL=$kind
	quiet create -b "$b" "$id"
	is "$kind fails: create does" "$? $(cat "$SCRATCH/err")" "1 redoubt: create: hooks.$kind[0]: $SCRATCH/hook ended with status 3: because "
	is "$kind fails: nothing is left" "$(ls "$STATE")" ""
done
hooks X=1
sed -i "s/grep -q created/exit 4/" "$b/config.json"
quiet run -b "$b" "$id"
is "startContainer fails: run does, the program never ran" "$? $(cat "$SCRATCH/out")" "1 "
for kind in poststart poststop; do
	hooks FAIL=$kind
	quiet run -b "$b" "$id"
	is "$kind fails: a warning" "$? $(cat "$SCRATCH/out") $(grep -c "warning: hooks.$kind" "$SCRATCH/err")" "0 ran 1"
done
hooks SLOW=prestart prestart
quiet create -b "$b" "$id"
is "a hook that takes too long" "$? $(grep -c "took longer than 2 s" "$SCRATCH/err")" "1 1"

# --- descriptors, ids, what engines parse --------------------------------------------------
config "pass" /bin/sh -c 'read -r l <&3; echo "$l"; echo four >&4; ls /proc/self/fd | wc -l'
echo three >"$SCRATCH/three"
run run -b "$b" --preserve-fds 2 "$id" 3<"$SCRATCH/three" 4>"$SCRATCH/four" </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err"
is "--preserve-fds" "$(head -1 "$SCRATCH/out") $(cat "$SCRATCH/four")" "three four"
quiet run -b "$b" --preserve-fds x "$id"
is "--preserve-fds with nonsense" $? 1
config "pass" /bin/sleep 1000
quiet run -d -b "$b" "$id"
quiet ps -f json "$id"
is "ps -f json: host pids" "$(cat "$SCRATCH/out")" "[$(run state "$id" | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')]"
quiet list -f json
is "list -f json" "$(json 'sorted(d[0])')" "['bundle', 'created', 'id', 'ociVersion', 'owner', 'pid', 'rootfs', 'status']"
quiet exec -g 7 -g 8 "$id" id -G
is "exec --additional-gids" "$(cat "$SCRATCH/out")" "0 7 8"
is "exec --preserve-fds" "$(run exec --preserve-fds 1 "$id" cat /proc/self/fd/3 3<"$SCRATCH/three")" three
# a detached process is stood for by one of ours, which ends as it does
python3 - "$LAUNCHER" "$STATE" "$id" "$SCRATCH/pid" >"$SCRATCH/out" 2>"$SCRATCH/err" <<'PY'
import ctypes, json, os, subprocess, sys, time
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER, as conmon and the shims are
launcher, state, id, pidfile = sys.argv[1:]
for command in (["sh", "-c", "exit 5"], ["sh", "-c", "kill -KILL $$"]):
    subprocess.run([launcher, "--root", state, "exec", "-d", "--pid-file", pidfile, id] + command, check=True, stdin=subprocess.DEVNULL)
    print(os.waitstatus_to_exitcode(os.waitpid(int(open(pidfile).read()), 0)[1]))
def shown(): return [subprocess.run([launcher, "--root", state, "ps", "-f", f, id], capture_output=True, text=True).stdout for f in ("json", "table")]
def until(what):
    end = time.monotonic() + 30
    while not what() and time.monotonic() < end: time.sleep(0.05)
# killed by a signal that cannot be caught, it takes the process inside along; others are passed on
for signal, new, command in ((9, 1, ["sleep", "777"]), (6, 2, ["sh", "-c", "trap 'exit 7' ABRT; sleep 777 & wait"])):
    before = len(shown()[1].splitlines())
    subprocess.run([launcher, "--root", state, "exec", "-d", "--pid-file", pidfile, id] + command, check=True, stdin=subprocess.DEVNULL)
    pid = int(open(pidfile).read())
    until(lambda: len(shown()[1].splitlines()) == before + new and command[0] in shown()[1]) # with its handler
    ps = shown()
    title = open(f"/proc/{pid}/cmdline").read().rstrip("\0")
    print(pid in json.loads(ps[0]), command[0] in ps[1], f"redoubt-exec {id}: {command[0]}" in title)
    os.kill(pid, signal)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    until(lambda: pid not in json.loads(shown()[0]) and command[-1] not in shown()[1])
    ps = shown()
    print(pid in json.loads(ps[0]), command[-1] in ps[1])
sentry = int(__import__("json").loads(subprocess.run([launcher, "--root", state, "state", id], capture_output=True).stdout)["pid"])
subprocess.run([launcher, "--root", state, "kill", id, "KILL"], check=True)
# the container is not this process's, but that of the shell that made it
PY
is "exec -d: the exit status through the pid file" "$(tr '\n' ' ' <"$SCRATCH/out")" "5 137 True True True -9 False False True True True 7 False False "
quiet wait "$id"
quiet kill "$id" TERM
is "kill of a stopped one, as engines look for it" "$(grep -c "container not running" "$SCRATCH/err")" 1
quiet delete "$id"
quiet features
is "features" "$(json 'd["ociVersionMax"], len(d["hooks"]), "rbind" in d["mountOptions"], "CAP_CHOWN" in d["linux"]["capabilities"], d["linux"]["mountExtensions"]["idmap"]["enabled"], "idmap" in d["mountOptions"], "dev.gvisor.flag." in d["potentiallyUnsafeConfigAnnotations"], *d["linux"]["namespaces"]')" "1.2.0 6 True True True True True cgroup ipc mount network pid time user uts"
is "--version" "$(run --version | head -1 | cut -d' ' -f1-2)" "redoubt version"
for c in checkpoint "checkpoint --image-path x --leave-running" restore "restore --image-path x --detach -b y"; do
	# shellcheck disable=SC2086
	quiet --criu criu --rootless=false $c "$id"
	is "$c is refused by name" "$? $(grep -c "not supported yet" "$SCRATCH/err")" "1 1"
done
quiet --systemd-cgroup create -b "$b" "$id"
[ -d /run/systemd/system ] || is "--systemd-cgroup where there is no systemd" "$? $(grep -c 'systemd does not answer' "$SCRATCH/err") $(ls "$STATE")" "1 1 "
quiet delete --force "$id"
quiet create -b "$b" --pid-file "$SCRATCH/pid" "$id"
is "state's pid is the pid file's" "$(run state "$id" | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')" "$(cat "$SCRATCH/pid")"
quiet delete --force "$id"

# --- looking in; the machine's state --------------------------------------------------------
config "" /bin/sh -c 'while :; do sleep 0.1; done'
quiet --log "$SCRATCH/sandbox.log" run -d -b "$b" "$id"
quiet usage "$id"
is "usage" "$? $(json 'd["guest"]["memory"] > 0, d["guest"]["tasks"] > 0, all(d["host"][k] > 0 for k in ("sentry", "gofer", "controld")), d["host"]["stubs"]["count"] > 0')" \
	"0 True True True True"
quiet debug --strace on "$id"
is "debug --strace on" $? 0
until_true 'grep -q "sentry.*wait4" "$SCRATCH/sandbox.log"'
is "its calls are logged" $? 0
quiet debug --strace off --log-level error "$id"
until_true 'lines=$(wc -l <"$SCRATCH/sandbox.log"); sleep 0.5; [ "$(wc -l <"$SCRATCH/sandbox.log")" = "$lines" ]' # a call that was under way may still be told
is "debug --strace off" $? 0
quiet debug --log-level loud "$id"
is "debug with nonsense" "$? $(cat "$SCRATCH/err")" "1 redoubt: debug: --log-level: 'loud' is not one of its values (see --help)"
for m in checkpoint restore; do
	is "method $m is refused by name" "$("${IPCCTL:-$top/libipc/ipcctl}" --connect "$STATE/$id/control.sock" $m "{\"id\": \"$id\"}" 2>&1 | grep -c "$m: is not supported yet")" 1
done
quiet delete --force "$id"
mkdir "$SCRATCH/logs"
quiet --debug-log "$SCRATCH/logs/" run -b "$b" --no-pivot=false "$id" &
names() { sed 's/^[^ ]* \([a-z]*\)\[.*/\1/' "$SCRATCH/logs"/* 2>/dev/null | sort -u | xargs; }
until_true '[ "$(names)" = "controld gofer launcher sentry" ]'
kill %1 2>/dev/null; quiet delete --force "$id"; wait 2>/dev/null
is "--debug-log DIR/: a file named after the command" "$(ls "$SCRATCH/logs" | sed 's/[0-9-]*\.[0-9]*\.run/.run/')" "redoubt.log..run.txt"
is "every component logs there" "$(names)" "controld gofer launcher sentry"
quiet --log-format json --log "$SCRATCH/logs/err" --debug-log "$SCRATCH/logs/%ID%-%COMMAND%.log" state none
is "--debug-log with words, errors to --log too" "$(python3 -c 'import json, sys; [print(json.load(open(f))["msg"].split(":")[0]) for f in sys.argv[1:]]' "$SCRATCH/logs/none-state.log" "$SCRATCH/logs/err" | uniq -c | xargs)" \
	"2 container none does not exist"
quiet doctor
is "doctor: sandboxes run here" "$? $(grep -c '^FAILED' "$SCRATCH/out")" "0 0"
is "doctor: every check says something" "$(grep -cE '^(ok|warning) +[a-z ]+: .' "$SCRATCH/out")" 11
echo x >"$SCRATCH/file"
timeout 60 "$LAUNCHER" --root "$SCRATCH/file" doctor >"$SCRATCH/out" 2>"$SCRATCH/err" </dev/null
is "doctor: a state directory that is none" "$? $(grep -c '^FAILED *state directory: ' "$SCRATCH/out")" "1 1"
config "c['linux'].update(resources={'hugepageLimits': [{'pageSize': '2MB', 'limit': 1}], 'rdma': {}, 'network': {'classID': 3}, 'blockIO': {'throttleReadBpsDevice': []}})" /bin/true
quiet run -b "$b" "$id"
is "limits that are not applied are told" "$? $(sed -n 's/.*: \(linux.resources[^:]*\): is not applied.*/\1/p' "$SCRATCH/err" | xargs)" \
	"0 linux.resources.hugepageLimits linux.resources.network.classID"
is "nothing is left" "$(ls "$STATE")" ""
finish
