#!/bin/bash
# lifecycle.sh - every command of the launcher over a container's life, with
# what it prints and how it exits; signals, terminals, deaths of each part.
# usage: lifecycle.sh [LAUNCHER]; needs cc, python3 for the terminals.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
launcher=${1:-${LAUNCHER:-$top/launcher/launcher}}
work=$(mktemp -d /tmp/redoubt-lifecycle.XXXXXX)
id=lifecycle-$$
passed=0 failed=0
trap '"$launcher" --root "$work/state" delete --force "$id" 2>/dev/null; rm -rf "$work"' EXIT

run() { timeout -k 1 60 "$launcher" --root "$work/state" "$@"; }

# Commands whose sandbox outlives them must not hold the test's own pipes.
quiet() { run "$@" </dev/null >"$work/out" 2>"$work/err"; }

is() { # what, got, wanted
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "not ok: $1: '$2', not '$3'" >&2
		[ ! -s "$work/err" ] || sed 's/^/  /' "$work/err" >&2
	fi
}

# until_true COMMAND : for half a minute at most, which only a failure takes
until_true() {
	local end=$(($(date +%s) + 30))
	until eval "$1"; do
		[ "$(date +%s)" -lt $end ] || return 1
		sleep 0.05
	done
}

components() { pgrep -f "redoubt-[a-z]* $id" || true; }
gone() { # what: state and processes
	until_true '[ -z "$(components)" ]'
	is "$1: processes" "$(components)" ""
	is "$1: state" "$(ls "$work/state")" ""
}
status_of() { run state "$id" 2>/dev/null | sed -n 's/.*"status": "\(.*\)".*/\1/p'; }
pid_of() { pgrep -of "redoubt-$1 $id"; }

bundle=$work/bundle
mkdir -p "$bundle/rootfs/bin" "$bundle/rootfs/tmp" "$work/state"
cat >"$work/probe.c" <<'C'
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
static void on_signal(int sig) { (void)sig; _exit(33); }
static void on_winch(int sig) { (void)sig; }
int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	if (!strcmp(what, "exit")) return atoi(argv[2]);
	if (!strcmp(what, "abort")) { signal(SIGABRT, SIG_DFL); kill(getpid(), atoi(argv[2])); pause(); }
	if (!strcmp(what, "trap")) { signal(SIGTERM, on_signal); signal(SIGINT, on_signal); signal(SIGHUP, on_signal); signal(SIGUSR1, on_signal); puts("ready"); fflush(stdout); for (;;) pause(); }
	if (!strcmp(what, "sleep")) { puts("ready"); fflush(stdout); for (;;) pause(); }
	if (!strcmp(what, "cat")) { char b[4096]; ssize_t n; while ((n = read(0, b, sizeof b)) > 0) if (write(1, b, n) != n) return 1; return 0; }
	if (!strcmp(what, "env")) { char d[4096]; printf("%s %d %d %s\n", getenv("WORD") ? getenv("WORD") : "-", getuid(), getgid(), getcwd(d, sizeof d)); return 0; }
	if (!strcmp(what, "tty")) { struct winsize w = { 0 }; printf("%d%d%d ", isatty(0), isatty(1), isatty(2)); ioctl(0, TIOCGWINSZ, &w); printf("%dx%d\n", w.ws_row, w.ws_col); return 7; }
	if (!strcmp(what, "winch")) {
		struct winsize w;
		struct sigaction sa = { .sa_handler = on_winch };
		sigset_t set, none;
		sigaction(SIGWINCH, &sa, NULL);
		sigemptyset(&none);
		sigemptyset(&set);
		sigaddset(&set, SIGWINCH);
		sigprocmask(SIG_BLOCK, &set, NULL);
		puts("ready"); fflush(stdout);
		sigsuspend(&none);
		ioctl(0, TIOCGWINSZ, &w);
		printf("%dx%d\n", w.ws_row, w.ws_col);
		return 0;
	}
	return 1;
}
C
cc -static -O1 -o "$bundle/rootfs/bin/probe" "$work/probe.c" || exit 1
run spec --bundle "$bundle" || exit 1
sed -i 's/"terminal": true/"terminal": false/; s/"readonly": true/"readonly": false/; s/CAP_KILL/CAP_SETUID/' "$bundle/config.json"
cp "$bundle/config.json" "$work/good.json"
args() { # program arguments
	local list='"/bin/probe"' a
	for a in "$@"; do list="$list, \"$a\""; done
	sed "s|\"args\": \[.*\]|\"args\": [$list]|" "$work/good.json" >"$bundle/config.json"
}

# --- attached ------------------------------------------------------------------------
args exit 0; quiet run -b "$bundle" "$id"; is "exit 0" $? 0; gone "exit 0"
args exit 42; quiet run -b "$bundle" "$id"; is "exit 42" $? 42; gone "exit 42"
# who deletes was killed when the record was gone, and not the rest
mkdir -m 700 "$work/state/$id" && touch "$work/state/$id/control.sock" "$work/state/$id/lock"
quiet run -b "$bundle" "$id"; is "a deletion that was killed half-way" $? 42; gone "a deletion that was killed half-way"
args cat; is "stdin and stdout" "$(echo hello | run run -b "$bundle" "$id")" hello
args tty; run run -b "$bundle" "$id" </dev/null >"$work/out"; is "no terminal" "$(cat "$work/out")" "000 0x0"

# (a first process is killed by no signal that it does not handle, but KILL)
args trap
for sig in TERM INT HUP USR1; do
	: >"$work/out" # "ready" of the one before
	"$launcher" --root "$work/state" run -b "$bundle" "$id" >"$work/out" 2>"$work/err" </dev/null &
	pid=$!
	until_true 'grep -q ready "$work/out"'
	kill -$sig $pid
	wait $pid
	is "$sig passed on" $? 33
	gone "$sig passed on"
done

# --- detached --------------------------------------------------------------------------
args trap
quiet create -b "$bundle" --pid-file "$work/pid" "$id"; is create $? 0
is "state created" "$(status_of)" created
is "pid file" "$(cat "$work/pid")" "$(pid_of sentry)"
quiet start "$id"; is start $? 0
is "state running" "$(status_of)" running
is "list -q" "$(run list -q)" "$id"
is "list" "$(run list | awk -v id="$id" '$1 == id { print $3 }')" running
is "list --format json" "$(run list --format json | sed -n 's/.*"status": *"\([a-z]*\)".*/\1/p')" running
is "ps" "$(run ps "$id" | awk 'NR > 1 { print $2, $NF }')" "1 trap"
is "ps --format json-long" "$(run ps --format json-long "$id" | grep -c '"pid": 1,')" 1
quiet delete "$id"; is "delete of a running one" $? 1
quiet exec "$id" /bin/probe exit 5; is "exec" $? 5
quiet exec "$id" /bin/probe abort 9; is "exec, killed" $? 137
quiet exec "$id" /bin/probe abort 6; is "exec, aborted" $? 134
quiet exec -e WORD=word -u 12:34 --cwd /tmp "$id" /bin/probe env; is "exec env" "$(cat "$work/out")" "word 12 34 /tmp"
is "exec stdin" "$(echo there | run exec "$id" /bin/probe cat)" there
quiet exec "$id" /bin/missing; is "exec of nothing" $? 255
quiet exec -d --internal-pid-file "$work/pid" "$id" /bin/probe exit 9; is "exec -d" $? 0
quiet wait --pid "$(cat "$work/pid")" "$id"; is "wait --pid" $? 9
quiet wait "$id" & waiter=$!
until_true 'p=$(pgrep -f "$launcher --root $work/state wait $id") && readlink /proc/"${p##*[!0-9]}"/fd/* | grep -q "^socket:"' # it has begun to
quiet kill "$id" TERM; is kill $? 0
wait $waiter; is "wait under way" $? 33
quiet wait "$id"; is "wait afterwards" $? 33
is "state stopped" "$(status_of)" stopped
quiet kill "$id" TERM; is "kill of a stopped one" $? 1
quiet delete "$id"; is delete $? 0
gone "delete"

args sleep
quiet run -d -b "$bundle" "$id"; is "run -d" $? 0
quiet kill --all "$id" KILL; is "kill --all" $? 0
quiet wait "$id"; is "killed by KILL" $? 137
quiet delete "$id"; gone "kill --all"

# --- deaths -----------------------------------------------------------------------------
for part in sentry controld gofer; do
	quiet run -d -b "$bundle" "$id"; is "run -d" $? 0
	kill -KILL "$(pid_of $part)"
	[ $part = sentry ] && { quiet wait "$id"; is "sentry killed: wait" $? 137; is "sentry killed: state" "$(status_of)" stopped; }
	quiet delete --force "$id"; is "delete --force after the death of the $part" $? 0
	gone "$part killed"
done
: >"$work/out"
"$launcher" --root "$work/state" run -b "$bundle" "$id" >"$work/out" 2>"$work/err" </dev/null &
pid=$!
until_true 'grep -q ready "$work/out"'
kill -KILL $pid
wait $pid 2>/dev/null
until_true '[ -z "$(components)" ]'
is "launcher killed: processes" "$(components)" ""
quiet delete --force "$id"; gone "launcher killed"

# --- terminals -----------------------------------------------------------------------------
# python: runs a command on a pty of 33x99, tells its output, whether the
# terminal is as it was, and its status; "ready" is answered by $RESIZE.
cat >"$work/onpty.py" <<'P'
import fcntl, os, pty, struct, sys, termios
def size(rows, columns): fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
master, slave = pty.openpty()
size(33, 99)
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.setsid(); fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3): os.dup2(slave, fd)
    os.execvp(sys.argv[1], sys.argv[1:])
out = b""
while True:
    os.set_blocking(master, False)
    try: out += os.read(master, 4096)
    except BlockingIOError: pass
    if b"ready" in out and os.environ.get("RESIZE"):
        out = b""; size(44, 111); del os.environ["RESIZE"]
    p, status = os.waitpid(pid, os.WNOHANG)
    if p: break
try: out += os.read(master, 4096)
except BlockingIOError: pass
print(out.decode().strip(), termios.tcgetattr(slave) == before, os.waitstatus_to_exitcode(status))
P
args tty
sed -i 's/"terminal": false/"terminal": true/' "$bundle/config.json"
is "terminal" "$(timeout -k 1 60 python3 "$work/onpty.py" "$launcher" --root "$work/state" run -b "$bundle" "$id")" "111 33x99 True 7"
gone "terminal"
args winch
sed -i 's/"terminal": false/"terminal": true/' "$bundle/config.json"
is "resize" "$(RESIZE=1 timeout -k 1 60 python3 "$work/onpty.py" "$launcher" --root "$work/state" run -b "$bundle" "$id")" "44x111 True 0"
args sleep
quiet run -d -b "$bundle" "$id"
is "exec -t" "$(timeout -k 1 60 python3 "$work/onpty.py" "$launcher" --root "$work/state" exec -t "$id" /bin/probe tty)" "111 33x99 True 7"
quiet delete --force "$id"; gone "exec -t"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
