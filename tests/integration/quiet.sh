#!/bin/bash
# quiet.sh - a sandbox whose programs wait wakes not once: no context switch in any
# thread of its components and stubs in 10 s, on each platform, in whichever way its
# programs wait, and whatever they did before.
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/lib.sh"
SECONDS_QUIET=10
WINDOWS=6

# ways to wait, after what a program does before
waits=(
	"asleep|exec sleep 1000"
	"after work|for i in 1 2 3 4 5 6 7 8; do /bin/true; done; find /usr/lib /etc -type f | head -3000 | wc -l >/tmp/n; rm -rf /tmp/*; exec sleep 1000"
	"a shell that waits for its child|sleep 1000; true"
	"a pipe that nobody writes to|mkfifo /tmp/p; exec cat /tmp/p"
	"a pipeline|sleep 1000 | cat | cat"
	"threads in futexes, poll, epoll, select|exec python3 -c '
import select, signal, socket, threading
a, b = socket.socketpair()
e = select.epoll(); e.register(a.fileno(), select.EPOLLIN)
p = select.poll(); p.register(a.fileno(), select.POLLIN)
l = threading.Lock(); l.acquire()
for f in (lambda: l.acquire(), lambda: e.poll(), lambda: p.poll(), lambda: select.select([a], [], []), lambda: a.recv(1), lambda: l.acquire(timeout=900)):
    threading.Thread(target=f, daemon=True).start()
for i in range(20000): b.fileno(), a.getsockname()
signal.pause()'"
	"a server|exec python3 -c '
import socket
s = socket.create_server((\"127.0.0.1\", 8080))
c = socket.create_connection((\"127.0.0.1\", 8080)); d, _ = s.accept()
for i in range(200): c.send(b\"x\"); d.recv(1); d.send(b\"y\"); c.recv(1)
s.accept()'"
	"two that took turns|exec python3 -c '
import os
a, b = os.pipe(); c, d = os.pipe()
if not os.fork():
    while True: os.write(d, os.read(a, 1))
for i in range(20000): os.write(b, b\"x\"); os.read(c, 1)
os.read(c, 1)'"
	"stopped|while :; do :; done & kill -STOP \$!; wait"
)

run() { timeout -k 5 60 "$LAUNCHER" --root "$STATE" --platform "$platform" "$@" </dev/null; }

# switches : "SANDBOX TASK NAME NUMBER" for each thread of each sandbox's components and stubs
switches() {
	python3 - "$STATE" <<'PY'
import glob, json, os, sys
parents = {}
for path in glob.glob("/proc/[0-9]*/stat"):
    try:
        pid, rest = open(path).read().split(" ", 1)
        parents.setdefault(int(rest.rsplit(")", 1)[1].split()[1]), []).append(int(pid))
    except OSError:
        pass
for path in sorted(glob.glob(sys.argv[1] + "/*/state.json")):
    state = json.load(open(path))
    pids = [state[k]["pid"] for k in ("controld", "gofer", "sentry")]
    pids += [child for p in pids for child in parents.get(p, []) if child not in pids]
    for task in (t for p in pids for t in glob.glob(f"/proc/{p}/task/*")):
        try:
            lines = dict(l.split(":", 1) for l in open(task + "/status") if "ctxt" in l or "Name" in l)
        except OSError:
            continue # it has ended
        print(path.split("/")[-2], os.path.basename(task), lines["Name"].strip(), sum(int(v) for k, v in lines.items() if "ctxt" in k))
PY
}

# each FUNCTION : for every sandbox, FUNCTION ID NAME
each() {
	for platform in systrap ptrace; do
		for i in "${!waits[@]}" created; do
			[ "$i" = created ] && "$1" "$platform-created" "created, not started" || "$1" "$platform-$i" "${waits[i]%%|*}"
		done
	done
}

begin() {
	mkdir -p "$SCRATCH/$1"
	if [ "$i" = created ]; then
		spec "$SCRATCH/$1" false /bin/true
		run create --bundle "$SCRATCH/$1" "$1" >"$SCRATCH/$1/out" 2>&1
	else
		spec "$SCRATCH/$1" false /bin/bash -c "${waits[i]#*|}"
		run run --detach --bundle "$SCRATCH/$1" "$1" >"$SCRATCH/$1/out" 2>&1
	fi || not_ok "$platform: $2: starts" "$(tail -3 "$SCRATCH/$1/out")"
}

# look : notes who did not wake in this window
look() {
	woken=$(diff "$SCRATCH/before" "$SCRATCH/after" | grep "^[<>] $1 ")
	threads=$(grep -c "^$1 " "$SCRATCH/before")
	if [ -z "$woken" ] && [ "$threads" -ge 5 ]; then
		echo "$threads" >"$SCRATCH/$1/quiet"
	else
		printf '%s\n' "$threads threads" "$woken" >"$SCRATCH/$1/woken"
		[ -e "$SCRATCH/$1/quiet" ] || all=
	fi
}

judge() {
	if [ -e "$SCRATCH/$1/quiet" ]; then
		ok "$platform: $2: not one wake-up in $SECONDS_QUIET s ($(cat "$SCRATCH/$1/quiet") threads)"
	else
		not_ok "$platform: $2: not one wake-up in $SECONDS_QUIET s" "$(cat "$SCRATCH/$1/woken")" "$(cat "$SCRATCH/$1/out")"
	fi
	run delete --force "$1"
}

mkdir -p "$STATE"
each begin
# what they do before must have ended, and stubs been made ready
for _ in $(seq 40); do
	switches >"$SCRATCH/before"
	cmp -s "$SCRATCH/before" "$SCRATCH/last" && break
	mv "$SCRATCH/before" "$SCRATCH/last"
	sleep 2
done
# On a busy machine a program may still be on its way there, stalled for longer than that by
# the disk: who wakes is looked at again.  What wakes by itself does so each time.
for _ in $(seq $WINDOWS); do
	switches >"$SCRATCH/before"
	sleep $SECONDS_QUIET
	switches >"$SCRATCH/after"
	all=1
	each look
	[ -n "$all" ] && break
done
each judge
finish
