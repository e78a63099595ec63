#!/bin/bash
# faults.sh - each process of a sandbox killed, at any instant: the container is
# told to have stopped, `delete --force` works, and nothing is left behind.
# Also two at a time of what must not disturb each other.
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/alone.sh"
. "$top/tests/integration/lib.sh"
mkdir -p "$STATE" "$SCRATCH/busy" "$SCRATCH/true" "$SCRATCH/short"
spec "$SCRATCH/short" false /bin/sh -c 'sleep 1; exit 5'
spec "$SCRATCH/true" false /bin/true
# busy: forks, writes, reads and waits all the time
spec "$SCRATCH/busy" false /bin/bash -c 'while :; do (ls -lR /etc/apt >/tmp/x; cat /tmp/x | sort | wc -l; exit 3); done >/dev/null'
run() { timeout -k 5 120 "$LAUNCHER" --root "$STATE" "$@" </dev/null; }
part() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]]["pid"])' "$STATE/$1/state.json" "$2" 2>/dev/null; }
status_of() { run state "$1" 2>/dev/null | sed -n 's/.*"status": "\(.*\)".*/\1/p'; }
becomes() { until_true '[ "$(status_of '"$1"')" = '"$2"' ]'; } # ID STATUS
: >"$SCRATCH/after" >"$SCRATCH/log" >"$SCRATCH/out"
run run --bundle "$SCRATCH/true" first >"$SCRATCH/out" 2>&1 || { not_ok "a container to begin with" "status $?" "$(cat "$SCRATCH/out")"; finish; exit; }
snapshot >"$SCRATCH/before"
RANDOM=${SEED:-$(date +%s)}
echo "# SEED=$RANDOM"

# --- the launcher, at random instants of what it does ------------------------------------
# its length on this machine, in ms: instants lie within and a little after
t=$(date +%s%N)
run run --bundle "$SCRATCH/true" length >/dev/null 2>&1
length=$((($(date +%s%N) - t) / 1000000 + 10))
killed() { # NAME COMMAND... : SIGKILL after a random time
	name=$1
	shift
	"$LAUNCHER" --root "$STATE" "$@" >>"$SCRATCH/log" 2>&1 </dev/null &
	ms=$((RANDOM % length))
	sleep "$(printf '0.%03d' $ms)"
	kill -KILL $! 2>/dev/null
	wait $! 2>/dev/null
	echo "$name killed after $ms ms"
}
for i in $(seq 20); do
	killed "run" run --bundle "$SCRATCH/busy" "k$i" >"$SCRATCH/what"
	run delete --force "k$i" 2>"$SCRATCH/err" || not_ok "delete --force after $(cat "$SCRATCH/what")" "$(cat "$SCRATCH/err")"
	snapshot >"$SCRATCH/after"
	cmp -s "$SCRATCH/before" "$SCRATCH/after" || left_behind "$(cat "$SCRATCH/what")" "$SCRATCH/before"
done
ok "run, killed at 20 random instants"
for command in "run -d" create; do
	for i in $(seq 10); do
		# shellcheck disable=SC2086
		killed "$command" $command --bundle "$SCRATCH/busy" "k$i" >"$SCRATCH/what"
		run delete --force "k$i" 2>"$SCRATCH/err" || not_ok "delete --force after $(cat "$SCRATCH/what")" "$(cat "$SCRATCH/err")"
		snapshot >"$SCRATCH/after"
		cmp -s "$SCRATCH/before" "$SCRATCH/after" || left_behind "$(cat "$SCRATCH/what")" "$SCRATCH/before"
	done
	ok "$command, killed at 10 random instants"
done
for i in $(seq 10); do
	run run -d --bundle "$SCRATCH/busy" "k$i" >>"$SCRATCH/log" 2>&1 || not_ok "run -d"
	killed "delete --force" delete --force "k$i" >"$SCRATCH/what"
	run delete --force "k$i" 2>"$SCRATCH/err" || not_ok "delete --force after $(cat "$SCRATCH/what")" "$(cat "$SCRATCH/err")"
	snapshot >"$SCRATCH/after"
	cmp -s "$SCRATCH/before" "$SCRATCH/after" || left_behind "$(cat "$SCRATCH/what")" "$SCRATCH/before"
done
ok "delete --force, killed at 10 random instants"
run run -d --bundle "$SCRATCH/busy" ex >>"$SCRATCH/log" 2>&1
for i in $(seq 10); do
	killed "exec" exec ex /bin/bash -c 'for i in 1 2 3 4 5; do (exit 1); done' >/dev/null
	[ "$(status_of ex)" = running ] || not_ok "the container runs on after its exec was killed" "$(status_of ex)"
done
run exec ex /bin/true && ok "exec, killed at 10 random instants, and once more" || not_ok "exec after killed ones"
run delete --force ex
left_behind "exec, killed" "$SCRATCH/before"

# --- each component, idle and busy ----------------------------------------------------------
for program in true busy; do
	for p in sentry gofer controld; do
		id=$program-$p
		if [ $program = true ]; then run create --bundle "$SCRATCH/true" "$id"; else run run -d --bundle "$SCRATCH/busy" "$id"; fi >"$SCRATCH/out" 2>&1 ||
			not_ok "$id: made" "$(cat "$SCRATCH/out")"
		pid=$(part "$id" $p)
		kill -KILL "$pid"
		until_true '! alive "$pid"'
		if [ $p = sentry ]; then
			becomes "$id" stopped && ok "$id killed: stopped" || not_ok "$id killed: stopped" "$(status_of "$id")"
			run wait "$id" 2>/dev/null
			st=$?
			[ $st -eq 137 ] && ok "$id killed: wait" || not_ok "$id killed: wait" "$st"
		fi
		run state "$id" >"$SCRATCH/out" 2>"$SCRATCH/err" && ok "$id killed: state answers" || not_ok "$id killed: state answers" "$(cat "$SCRATCH/err")"
		run list >"$SCRATCH/out" 2>"$SCRATCH/err"
		grep -q "^$id " "$SCRATCH/out" && ok "$id killed: list has it" || not_ok "$id killed: list has it" "$(cat "$SCRATCH/out" "$SCRATCH/err")"
		run delete --force "$id" 2>"$SCRATCH/err" && ok "$id killed: delete --force" || not_ok "$id killed: delete --force" "$(cat "$SCRATCH/err")"
		left_behind "$id killed" "$SCRATCH/before"
	done
done
# --- controld killed: the sandbox lives on, and the next command starts another ---------------
run run -d --bundle "$SCRATCH/busy" again >>"$SCRATCH/log" 2>&1
run exec -d --internal-pid-file "$SCRATCH/pid" again /bin/sh -c 'sleep 2; exit 9'
run exec again /bin/sh -c 'echo began; sleep 1.5; echo waited; exit 8' >"$SCRATCH/out" 2>&1 &
attached=$!
until_true 'grep -q began "$SCRATCH/out"'
sentry=$(part again sentry)
for i in 1 2 3; do
	old=$(part again controld)
	kill -KILL "$old"
	while alive "$old"; do sleep 0.01; done
	[ "$(status_of again)" = running ] && ok "controld killed, time $i: running" || not_ok "controld killed, time $i: running" "$(status_of again)"
	new=$(part again controld)
	[ "$new" != "$old" ] && alive "$new" && alive "$sentry" && ok "another has come" || not_ok "another has come" "$old, then $new"
	run exec again /bin/true || not_ok "exec by way of it"
done
run wait --pid "$(cat "$SCRATCH/pid")" again
st=$?
[ $st -eq 9 ] && ok "it knows how a process ended that another had started" || not_ok "it knows how a process ended that another had started" "$st"
wait $attached
st=$?
[ $st -eq 8 ] && [ "$(cat "$SCRATCH/out")" = "began
waited" ] && ok "an attached exec lived through it" || not_ok "an attached exec lived through it" "status $st: $(cat "$SCRATCH/out")"
old=$(part again controld)
kill -KILL "$old"
until_true '! alive "$old"' # till then it is there, and nothing is to be started
for i in 1 2 3 4 5; do run state again >"$SCRATCH/state$i" 2>&1 & pids[i]=$!; done
for i in 1 2 3 4 5; do wait "${pids[i]}" || not_ok "state $i of 5 at once, with no controld" "$(cat "$SCRATCH/state$i")"; done
rm -f "$SCRATCH/state"*[0-9]
until_true '[ "$(pgrep -cf "^redoubt-controld again")" = 1 ]' # who came too late goes
[ "$(pgrep -cf '^redoubt-controld again')" = 1 ] && ok "one of five commands starts one" || not_ok "one of five commands starts one" "$(pgrep -cf '^redoubt-controld again')"
kill -KILL "$(part again controld)"
run kill again KILL
run wait again
[ $? -eq 137 ] && run delete again && ok "kill, wait, delete after it" || not_ok "kill, wait, delete after it"
left_behind "controld killed over and over" "$SCRATCH/before"
# the program ends while there is none: the sandbox ends as it did
run run -d --bundle "$SCRATCH/short" alone >>"$SCRATCH/log" 2>&1
sentry=$(part alone sentry)
kill -KILL "$(part alone controld)"
until_true '! alive "$sentry"'
alive "$sentry" && not_ok "a program that ends without a controld ends the sandbox"
becomes alone stopped && ok "ended without a controld: stopped" || not_ok "ended without a controld: stopped" "$(status_of alone)"
run delete alone || not_ok "ended without a controld: delete"
left_behind "ended without a controld" "$SCRATCH/before"

# --- controld killed, and a sentry that no other can be given to ------------------------------
# one that has fallen could see to that: it holds both ends of the socket by which it gets another
run run -d --bundle "$SCRATCH/busy" full >>"$SCRATCH/log" 2>&1
kill -STOP "$(part full sentry)"
python3 - "$STATE/full/state.json" <<'PY' || not_ok "the socket for another controld is filled"
import ctypes, json, os, socket, sys
state = json.load(open(sys.argv[1]))
PIDFD_GETFD = 438
s = socket.socket(fileno=ctypes.CDLL(None).syscall(PIDFD_GETFD, os.pidfd_open(state["sentry"]["pid"]), state["adoptFd"], 0))
try:
    while True:
        s.send(b"x", socket.MSG_DONTWAIT)
except BlockingIOError:
    pass
PY
kill -KILL "$(part full controld)"
run state full >/dev/null && ok "no other controld can be given: state" || not_ok "no other controld can be given: state" "$?"
run delete --force full && ok "no other controld can be given: delete" || not_ok "no other controld can be given: delete" "$?"
left_behind "no other controld can be given" "$SCRATCH/before"
# The attached launcher ends when the sentry does.
run run --bundle "$SCRATCH/busy" att >"$SCRATCH/out" 2>&1 &
launcher=$!
becomes att running
kill -KILL "$(part att sentry)"
wait $launcher
st=$?
[ $st -eq 137 ] && ok "sentry killed: the attached launcher tells" || not_ok "sentry killed: the attached launcher tells" "status $st" "$(cat "$SCRATCH/out")"
run delete --force att
left_behind "attached, sentry killed" "$SCRATCH/before"
# A stub: its process ends, the sandbox goes on.
run run -d --bundle "$SCRATCH/busy" stub >>"$SCRATCH/log" 2>&1
run exec -d --internal-pid-file "$SCRATCH/pid" stub /usr/bin/perl -e 'for (;;) { $i++ }'
sentry=$(part stub sentry)
perl() { for s in $(pgrep -P "$sentry"); do ! grep -qs '/perl$' "/proc/$s/maps" || echo "$s"; done; }
until_true '[ -n "$(perl)" ]'
kill -KILL $(perl)
run wait --pid "$(cat "$SCRATCH/pid")" stub
st=$?
[ $st -eq 137 ] && ok "a stub killed: its process ends" || not_ok "a stub killed: its process ends" "$st"
run exec stub /bin/true && ok "a stub killed: the sandbox goes on" || not_ok "a stub killed: the sandbox goes on"
run delete --force stub
left_behind "a stub killed" "$SCRATCH/before"

# --- two at a time ------------------------------------------------------------------------------
run run -d --bundle "$SCRATCH/busy" two >>"$SCRATCH/log" 2>&1
for i in 1 2 3 4; do run exec two /bin/sh -c "seq $i 2000 | tail -1; sleep 0.2; echo end$i" >"$SCRATCH/two$i" 2>&1 & pids[i]=$!; done
for i in 1 2 3 4; do
	wait "${pids[i]}"
	[ $? -eq 0 ] && [ "$(tr '\n' ' ' <"$SCRATCH/two$i")" = "2000 end$i " ] && ok "exec $i of 4 at once" || not_ok "exec $i of 4 at once" "$(cat "$SCRATCH/two$i")"
	rm -f "$SCRATCH/two$i"
done
for i in 1 2 3; do run wait two & pids[i]=$!; done
for i in 1 2 3; do until_asked "${pids[i]}"; done
run kill two KILL
for i in 1 2 3; do wait "${pids[i]}"; [ $? -eq 137 ] && ok "waiter $i of 3" || not_ok "waiter $i of 3"; done
run delete two || not_ok "delete"
for i in 1 2 3 4 5; do run create --bundle "$SCRATCH/true" same >/dev/null 2>&1 & pids[i]=$!; done
n=0
for i in 1 2 3 4 5; do wait "${pids[i]}" && n=$((n + 1)); done
[ $n -eq 1 ] && ok "one of five makers of the same id wins" || not_ok "one of five makers of the same id wins" "$n did"
for i in 1 2 3 4 5; do run delete --force same & pids[i]=$!; done
for i in 1 2 3 4 5; do wait "${pids[i]}" || not_ok "delete --force $i of 5 at once"; done
left_behind "two at a time" "$SCRATCH/before"
finish
