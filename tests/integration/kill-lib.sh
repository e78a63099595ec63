# kill-lib.sh - what the tests that kill the launcher's commands share (kill.sh, kill-pod.sh); sourced
# behind alone.sh and lib.sh.  A test sets $count and $cgroup, makes the bundles $SCRATCH/sleep (a shell
# that lives) and $SCRATCH/true, calls kill_begin once it has run one container, goes through the
# cases here and its own (each with its name in $c), and has after_case NAME, which looks at what a case leaves.

run() { timeout -k 5 120 "$LAUNCHER" --root "$STATE" "$@" </dev/null; }
status_of() { run list 2>/dev/null | awk -v id="$1" '$1 == id { print $3 }'; }
# part_of ID PART : the process that state.json names; in a pod "sentry" is the container's stand-in
part_of() { sed -n '/^ "'"$2"'": {/{n; s/[^0-9]//gp}' "$STATE/$1/state.json" 2>/dev/null; }

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
			pid=$(part_of "$id" sentry)
			case $s in
			stopped | none) alive "$pid" || return 0 ;;
			*) alive "$pid" && return 0 ;;
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
	# the stubs of a sandbox that stays (a pod's) come and go: some are kept ready
	stubs=()
	[ -z "${pod_sentry-}" ] || read -ra stubs < <(cat "/proc/$pod_sentry"/task/*/children | tr '\n' ' ')
	mapfile -t mounts < <(grep "$SCRATCH" /proc/self/mountinfo)
	mapfile -t sockets </proc/net/unix
	echo_counts="$((${#processes[@]} - ${#stubs[@]})) processes, ${#mounts[@]} mounts, ${#sockets[@]} sockets, files: ${files[*]}"
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
# kill_begin : what there is now is what there must be after each case
kill_begin() {
	shopt -s nullglob
	: >"$SCRATCH/after" >"$SCRATCH/log" >"$SCRATCH/what" >"$SCRATCH/err" >"$SCRATCH/spare"
	RANDOM=${SEED:=$(date +%s)}
	echo "# SEED=$SEED"
	counts
	nothing=$echo_counts
}
told() {
	[ "$failed" -eq "$begun" ] && ok "${c//_/ }, killed at $count random instants"
	after_case "${c//_/ }"
}

# --- commands that make a container ---------------------------------------------------
making() { # WORDS... : the id is put behind them
	begun=$failed
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

# --- commands of a container that is made for each ------------------------------------
once() { # PREPARATION STATUS... -- WORDS... : ID stands for the id
	prepare=$1
	shift
	states=
	while [ "$1" != -- ]; do states="$states $1"; shift; done
	shift
	begun=$failed
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
	begun=$failed
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
case_ps() { same_as_ever ps c; }
case_state() { same_as_ever state c; }
case_wait() { same_as_ever wait c; }
case_mount() { same_as_ever mount c /mnt; }
