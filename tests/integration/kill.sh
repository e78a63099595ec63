#!/bin/bash
# kill.sh - every command of the launcher killed by SIGKILL at random instants:
# what `list` and `state` then say is so, `delete --force` leaves nothing.
# usage: kill.sh [COUNT [COMMAND...]]    (50 instants of each command)
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/alone.sh"
. "$top/tests/integration/lib.sh"
count=${1:-50}
[ $# -gt 0 ] && shift
mkdir -p "$STATE" "$SCRATCH/sleep" "$SCRATCH/true" "$SCRATCH/run"
spec "$SCRATCH/true" false /bin/true
spec "$SCRATCH/sleep" false /bin/sh -c 'trap "exit 3" TERM; while :; do sleep 100 & wait; done'
# with a cgroup of its own, to see it go
cgroup=redoubt-it-kill-${SCRATCH##*.}
python3 - "$SCRATCH/sleep/config.json" "$cgroup" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
d["linux"].update(cgroupsPath="/" + sys.argv[2], resources={"pids": {"limit": 500}})
json.dump(d, open(sys.argv[1], "w"))
PY
run() { timeout -k 5 120 "$LAUNCHER" --root "$STATE" "$@" </dev/null; }
status_of() { run list 2>/dev/null | awk -v id="$1" '$1 == id { print $3 }'; }
sentry_of() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["sentry"]["pid"])' "$STATE/$1/state.json" 2>/dev/null; }
lives() { [ -n "$1" ] && kill -0 "$1" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }
: >"$SCRATCH/after" >"$SCRATCH/log" >"$SCRATCH/what" >"$SCRATCH/err" >"$SCRATCH/spare"
run run --bundle "$SCRATCH/true" first >"$SCRATCH/log" 2>&1 || { not_ok "a container to begin with" "status $?" "$(cat "$SCRATCH/log")"; finish; exit; }
run run -d --bundle "$SCRATCH/sleep" first >"$SCRATCH/log" 2>&1 || not_ok "a container with a cgroup" "$(cat "$SCRATCH/log")"
run delete --force first
snapshot >"$SCRATCH/before"
RANDOM=${SEED:-$(date +%s)}
echo "# SEED=$RANDOM"

# killed COMMAND... : SIGKILL at a random instant within its length and a little after
killed() {
	ms=$((RANDOM % length))
	"$LAUNCHER" --root "$STATE" "$@" >>"$SCRATCH/log" 2>&1 </dev/null &
	last=$!
	sleep "$(printf '0.%03d' $ms)"
	kill -KILL $last 2>/dev/null
	wait $last 2>/dev/null
	echo "$1 killed after $ms ms" >"$SCRATCH/what"
}
# the length of a command on this machine now, in ms; one that does not end by itself: 150
measure() {
	t=$(date +%s%N)
	timeout -k 5 0.15 "$LAUNCHER" --root "$STATE" "$@" >>"$SCRATCH/log" 2>&1 </dev/null
	length=$((($(date +%s%N) - t) / 1000000 + 8))
}
# listed ID STATUS... : list tells one of these of it, soon, and that is so
listed() {
	id=$1
	shift
	for _ in $(seq 400); do
		now=$(status_of "$id")
		for s in "$@"; do
			[ "${now:-none}" = "$s" ] || continue
			pid=$(sentry_of "$id")
			case $s in
			stopped | none) lives "$pid" || return 0 ;;
			*) lives "$pid" && return 0 ;;
			esac
		done
		sleep 0.05
	done
	not_ok "$(cat "$SCRATCH/what"): list says '${now:-none}' of $id, sentry ${pid:-none}" "expected one of: $*"
	return 1
}
# counts : processes, mounts, sockets, files; with nothing but the shell's own means: it is asked often
counts() {
	processes=(/proc/[0-9]*) files=("$STATE"/* "$STATE"/*/* /run/* /dev/shm/* /sys/fs/cgroup/*/"$cgroup" /sys/fs/cgroup/"$cgroup"*)
	mapfile -t mounts < <(grep "$SCRATCH" /proc/self/mountinfo)
	mapfile -t sockets </proc/net/unix
	echo_counts="${#processes[@]} processes, ${#mounts[@]} mounts, ${#sockets[@]} sockets, files: ${files[*]}"
}
# cleared ID : delete --force works, and nothing is left, soon
cleared() {
	run delete --force "$1" 2>"$SCRATCH/err" || { not_ok "delete --force after $(cat "$SCRATCH/what")" "$(cat "$SCRATCH/err")"; return; }
	for _ in $(seq 600); do
		counts
		[ "$echo_counts" = "$nothing" ] && return 0
		sleep 0.025
	done
	not_ok "after $(cat "$SCRATCH/what") nothing is left behind" "before: $nothing" "now: $echo_counts"
	nothing=$echo_counts # told once
}
shopt -s nullglob
counts
nothing=$echo_counts
before_failed() { begun=$failed; }
told() {
	[ "$failed" -eq "$begun" ] && ok "${c//_/ }, killed at $count random instants"
	left_behind "${c//_/ }" "$SCRATCH/before"
}

# --- commands that make a container ---------------------------------------------------
making() { # WORDS... : the id is put behind them
	before_failed
	measure "$@" length
	cleared length
	for i in $(seq "$count"); do
		killed "$@" "k$i"
		listed "k$i" none stopped created running
		cleared "k$i"
	done
	rm -f "$SCRATCH/spare"*
	told
}
case_create() { making create --bundle "$SCRATCH/sleep" --pid-file "$SCRATCH/spare"; }
case_run_detached() { making run --detach --bundle "$SCRATCH/sleep"; }
case_run() { making run --bundle "$SCRATCH/true"; }
case_do() {
	before_failed
	measure do true
	for _ in $(seq "$count"); do
		killed do -- /bin/sh -c 'exec sleep 0.02'
		listed "do-$last" none stopped
		cleared "do-$last"
	done
	told
}

# --- commands of a container that is made for each ------------------------------------
once() { # PREPARATION STATUS... -- WORDS... : ID stands for the id
	prepare=$1
	shift
	states=
	while [ "$1" != -- ]; do states="$states $1"; shift; done
	shift
	before_failed
	for i in length $(seq "$count"); do
		run create --bundle "$SCRATCH/sleep" "$i" >>"$SCRATCH/log" 2>&1 || not_ok "$c: create"
		[ "$prepare" = create ] || run start "$i" >>"$SCRATCH/log" 2>&1 || not_ok "$c: start"
		[ "$prepare" != pause ] || run pause "$i" || not_ok "$c: pause"
		[ "$prepare" != stop ] || { run kill "$i" KILL; run wait "$i" >/dev/null 2>&1; }
		args=("${@//ID/$i}")
		if [ "$i" = length ]; then measure "${args[@]}"; else killed "${args[@]}"; fi
		# shellcheck disable=SC2086
		[ "$i" = length ] || listed "$i" $states
		cleared "$i"
	done
	told
}
case_start() { once create created running -- start ID; }
case_kill() { once start running stopped -- kill ID TERM; }
case_kill_all() { once start running stopped -- kill --all ID KILL; }
case_delete() { once stop stopped none -- delete ID; }
case_delete_force() { once start running stopped none -- delete --force ID; }
case_pause() { once start running paused -- pause ID; }
case_resume() { once pause paused running -- resume ID; }

# --- commands that leave the container as it is -----------------------------------------
same_as_ever() { # WORDS...
	before_failed
	run run --detach --bundle "$SCRATCH/sleep" c >>"$SCRATCH/log" 2>&1 || not_ok "$1: run --detach"
	measure "$@"
	for _ in $(seq "$count"); do
		killed "$@"
		listed c running
	done
	run exec c /bin/true 2>"$SCRATCH/err" || not_ok "exec after killed $1" "$(cat "$SCRATCH/err")"
	cleared c
	rm -f "$SCRATCH/run/"* "$SCRATCH/spare"*
	told
}
case_exec() { same_as_ever exec c /bin/sh -c 'for i in 1 2 3; do (exit 1); done'; }
case_exec_detached() { same_as_ever exec --detach --pid-file "$SCRATCH/spare" c /bin/true; }
case_update() { same_as_ever update --pids-limit 400 c; }
case_events() { same_as_ever events --interval 20ms c; }
case_stats() { same_as_ever events --stats c; }
case_state() { same_as_ever state c; }
case_list() { same_as_ever list; }
case_ps() { same_as_ever ps c; }
case_wait() { same_as_ever wait c; }
case_spec() { same_as_ever spec --bundle "$SCRATCH/run"; }
case_features() { same_as_ever features; }
case_checkpoint() { same_as_ever checkpoint c; }
case_restore() { same_as_ever restore --bundle "$SCRATCH/sleep" r; }
case_usage() { same_as_ever usage c; }
case_stacks() { same_as_ever debug --stacks c; }
case_profile() { same_as_ever debug --profile-cpu "$SCRATCH/spare" --duration 50ms c; }
case_audit() { same_as_ever audit c; }
case_metrics() { same_as_ever export-metrics c; }
case_mount() { same_as_ever mount c /mnt; }
case_forward() { same_as_ever port-forward c 0:80; }
case_doctor() { same_as_ever doctor; }
case_install_new() { same_as_ever install --engine docker --config "$SCRATCH/run/daemon.json"; }
case_install() {
	echo '{"debug": true}' >"$SCRATCH/daemon.json"
	before_failed
	length=40
	for _ in $(seq "$count"); do
		killed install --engine docker --config "$SCRATCH/daemon.json"
		python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))["debug"]' "$SCRATCH/daemon.json" || not_ok "$(cat "$SCRATCH/what"): the file is whole"
		killed uninstall --engine docker --config "$SCRATCH/daemon.json"
		python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))["debug"]' "$SCRATCH/daemon.json" || not_ok "$(cat "$SCRATCH/what"): the file is whole"
	done
	rm -f "$SCRATCH/daemon.json"*
	told
}

[ $# -gt 0 ] || set -- create run run_detached do start kill kill_all delete delete_force pause resume exec exec_detached update events stats state \
	list ps wait spec features checkpoint restore usage stacks profile audit metrics mount forward doctor install_new install
for c in "$@"; do case_"$c"; done
finish
