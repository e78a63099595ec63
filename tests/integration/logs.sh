#!/bin/bash
# logs.sh - what is written where: each line of each log names its component, the
# user log, the last words of a component that fails, errors as engines read them.
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/lib.sh"
bin=${REDOUBT_BIN:-$top}
bin=${bin%/}
mkdir -p "$STATE" "$SCRATCH/bundle"
id=logs-$$
run() { timeout -k 5 120 "$LAUNCHER" --root "$STATE" "$@" </dev/null; }
part() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]]["pid"])' "$STATE/$id/state.json" "$1" 2>/dev/null; }
# io_setup: a call that is not supported, twice
spec "$SCRATCH/bundle" false /usr/bin/python3 -c 'import ctypes, time
for i in range(2): ctypes.CDLL(None).syscall(425, 1, 0)
time.sleep(1000)'

# --- each line says who -----------------------------------------------------------------
: >"$SCRATCH/user"
run --debug-log "$SCRATCH/%ID%.%COMMAND%.log" --user-log "$SCRATCH/user" run -d --bundle "$SCRATCH/bundle" "$id" >"$SCRATCH/out" 2>&1 || not_ok "a container" "$(cat "$SCRATCH/out")"
until_true '[ -s "$SCRATCH/user" ]'
for c in launcher controld gofer sentry; do
	grep -q " $c\[[0-9]*\] debug: " "$SCRATCH/$id.run.log" && ok "the debug log has lines of $c" || not_ok "the debug log has lines of $c" "$(head -3 "$SCRATCH/$id.run.log")"
done
line='^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z (launcher|controld|gofer|sentry)\[[0-9]+\] (error|warning|info|debug): .'
grep -Evq "$line" "$SCRATCH/$id.run.log" && not_ok "each line has time, component, level" "$(grep -Ev "$line" "$SCRATCH/$id.run.log" | head -3)" || ok "each line has time, component, level"
[ "$(grep -c 'sentry\[.*system call io_uring_setup (425) is refused.*asked by python3' "$SCRATCH/user")" = 1 ] && [ "$(wc -l <"$SCRATCH/user")" = 1 ] && ok "the user log tells of a call that is not supported, once" ||
	not_ok "the user log tells of a call that is not supported, once" "$(head -3 "$SCRATCH/user")"
run delete --force "$id"
run --log "$SCRATCH/json" --log-format json --debug run -d --bundle "$SCRATCH/bundle" "$id" >"$SCRATCH/out" 2>&1
run --log "$SCRATCH/json" --log-format json state no-such >"$SCRATCH/out" 2>&1 && not_ok "state of no container fails"
run delete --force "$id"
python3 - "$SCRATCH/json" <<'PY' >"$SCRATCH/out" 2>&1 && ok "JSON: each line a record that names its component, the error too" || not_ok "JSON: each line a record" "$(tail -2 "$SCRATCH/out")"
import json, sys
rows = [json.loads(l) for l in open(sys.argv[1])]
assert all({"time", "level", "component", "pid", "msg"} == set(r) for r in rows), rows[:3]
assert {r["component"] for r in rows} == {"launcher", "controld", "gofer", "sentry"}
assert [r["component"] for r in rows if r["level"] == "error" and "no-such" in r["msg"]] == ["launcher"], rows[-3:]
PY

# --- last words ----------------------------------------------------------------------------
# ends COMPONENT SIGNAL WORDS : of a sandbox that is there for it; until its end, and the words in the log of it
ends() {
	: >"$SCRATCH/panic" >"$SCRATCH/user"
	run --panic-log "$SCRATCH/panic" --user-log "$SCRATCH/user" run -d --bundle "$SCRATCH/bundle" "$id" >"$SCRATCH/out" 2>&1 || not_ok "a container" "$(cat "$SCRATCH/out")"
	until_true '[ -s "$SCRATCH/user" ]' # its program runs
	pid=$(part "$1")
	[ "$1" = gofer ] && pid=$(pgrep -P "$pid")
	kill "-$2" "$pid"
	until_true '! alive "$pid"'
	words=$3
	until_true 'grep -q "$words" "$SCRATCH/panic"'
	run delete --force "$id" || not_ok "delete"
}
# words COMPONENT SIGNAL : what it leaves when it fails
words() {
	ends "$1" "$2" "${3:-$1 panic: }"
	grep -Eq "$1 panic: signal $(kill -l "$2") .*sent by a process, at 0x" "$SCRATCH/panic" && ok "$1: the reason" || not_ok "$1: the reason" "$(head -3 "$SCRATCH/panic")"
	grep -Eqv '^[0-9T:.Z-]{24} (controld|gofer|sentry) panic: ' "$SCRATCH/panic" && not_ok "$1: each line says who" "$(grep -Ev ' panic: ' "$SCRATCH/panic" | head -2)"
	# the outermost function of ours is main
	sed -n "s/^[^ ]* $1 panic:     //p" "$SCRATCH/panic" | xargs addr2line -ife "$bin/$1/$1" 2>/dev/null | grep -qx main && ok "$1: the call chain has names" ||
		not_ok "$1: the call chain has names" "$(sed -n 's/.*panic:     //p' "$SCRATCH/panic" | head -3)"
}
words sentry SEGV
n=$(grep -c 'sentry panic: thread [0-9]* (' "$SCRATCH/panic")
[ "$n" -ge 1 ] && ok "sentry: its other threads, $n" || not_ok "sentry: its other threads" "$(head -5 "$SCRATCH/panic")"
words gofer SEGV "gofer panic: the process that served was killed by "
grep -q 'gofer panic: the process that served was killed by signal 11' "$SCRATCH/panic" && ok "gofer: its keeper tells" || not_ok "gofer: its keeper tells" "$(tail -2 "$SCRATCH/panic")"
ends gofer SYS "gofer panic: the process that served was killed by " # as a filter kills: no last words of its own
grep -q 'gofer panic: the process that served was killed by its seccomp filter' "$SCRATCH/panic" && ok "gofer: what its filter kills is told" || not_ok "gofer: what its filter kills is told" "$(tail -2 "$SCRATCH/panic")"
words controld ABRT
words sentry ABRT
finish
