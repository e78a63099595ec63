#!/bin/bash
# hostile.sh - hostile programs (tests/guest/hostile) get no call on the host executed.
# They run on each platform while the host's kernel writes down every call that a stub
# executes (tracefs, an instance of its own); hostile.py judges each by its task's role.
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/lib.sh"
judge="$top/tests/integration/hostile.py"
tracing=$SCRATCH/tracing instance=$tracing/instances/redoubt-$$

end_tracing() {
	[ -d "$instance" ] && rmdir "$instance"
	umount "$tracing" 2>/dev/null
	cleanup
}
trap end_tracing EXIT

# one_bad NAME PLATFORM LINE... : the judge objects to the last line, and to no other
one_bad() {
	name=$1 platform=$2
	shift 2
	printf '  task-%s\n' "1 [0] 1.0: tracing_mark_write: begin" "$@" >"$SCRATCH/lines"
	sed '$d' "$SCRATCH/lines" | python3 "$judge" "$platform" >"$SCRATCH/out" || not_ok "$name: the lines before" "$(cat "$SCRATCH/out")"
	python3 "$judge" "$platform" <"$SCRATCH/lines" >"$SCRATCH/out" && not_ok "$name" "$(cat "$SCRATCH/out")" || ok "$name"
}

# call TASK NR ARGUMENTS, forked TASK CHILD, ended TASK : such a line
call() { echo "$1 [0] 1.0: sys_enter: NR $2 ($3, 0, 0)"; }
forked() { echo "$1 [0] 1.0: sched_process_fork: comm=x pid=$1 child_comm=x child_pid=$2"; }
ended() { echo "$1 [0] 1.0: sched_process_exit: comm=x pid=$1 prio=120"; }

# --- the judge itself ---------------------------------------------------------------------
thread=$(call 7 317 "1, 0, 7fffe0004000, 0") stub=$(call 5 157 "1, 9, 0, 0")
one_bad "a program's thread that calls write is seen" systrap "$(forked 1 7)" "$thread" "$(call 7 1 "1, 1000, 5, 0")"
one_bad "one of another sandbox is not" systrap "$(forked 1 7)" "$(call 6 2 "0, 0, 0, 0")" "$(call 7 2 "0, 0, 0, 0")"
one_bad "a futex elsewhere in the orders is seen" systrap "$(forked 1 7)" "$thread" "$(call 7 202 "7fffd0000fc0, 1, 1, 0")" "$(call 7 202 "7fffd0000f80, 1, 1, 0")"
one_bad "a mapper that writes something else is seen" systrap "$(forked 1 7)" "$(call 7 110 "0")" "$(call 7 1 "4, 7fffd0000fd0, 8, 0")" "$(call 7 1 "4, 7fffd0000000, 8, 0")"
one_bad "a futex elsewhere is seen" systrap "$(forked 1 7)" "$thread" "$(call 7 202 "7fff80008040, 0, 5, 0")" "$(call 7 202 "7fff80008200, 0, 5, 0")"
one_bad "a mapping over the stub's text is seen" systrap "$(forked 1 5)" "$stub" "$(call 5 9 "7fffe0000000, 1000, 7, 11")"
one_bad "a thread may not what a stub with its number may" systrap "$(forked 1 5)" "$stub" "$(call 5 56 "850f00, 0, 0, 0")" "$(ended 5)" \
	"$(forked 1 5)" "${thread/#7/5}" "$(call 5 56 "850f00, 0, 0, 0")"
one_bad "a stub that calls open is seen" ptrace "$(forked 1 5)" "$stub" "$(call 5 2 "1000, 0, 0, 0")"

# --- hostile programs ------------------------------------------------------------------------
mkdir "$tracing"
if [ "$(id -u)" != 0 ] || ! mount -t tracefs tracefs "$tracing" 2>/dev/null || [ ! -d "$tracing/events/raw_syscalls" ]; then
	rm -rf "$tracing"
	skip "no call on the host is executed" "the host shows no system calls: tracefs with events/raw_syscalls, and root, are needed"
	finish
	exit
fi
make -C "$top" -s guest || exit 1
programs=$(cd "${GUEST_BIN:-$top/build/guest}/hostile" && find . -type f -perm -100 | sed 's,^./,,' | sort)

# traced PLATFORM PROGRAM : runs it; leaves its output in $SCRATCH/run, what stubs executed in $SCRATCH/trace
traced() {
	mkdir "$instance"
	kib=$((65536 / $(nproc)))
	echo $((kib > 1024 ? kib : 1024)) >"$instance/buffer_size_kb"
	echo 'comm == "redoubt-stub"' >"$instance/events/raw_syscalls/sys_enter/filter"
	for event in raw_syscalls/sys_enter sched/sched_process_fork sched/sched_process_exit; do
		echo 1 >"$instance/events/$event/enable"
	done
	(echo begin >"$instance/trace_marker" && exec "$top/tests/guest/run" -i -p "$1" "$2") >"$SCRATCH/run" 2>&1
	is=$?
	echo 0 >"$instance/tracing_on"
	cat "$instance/trace" >"$SCRATCH/trace"
	lost=$(cat "$instance"/per_cpu/cpu*/stats | awk '/^overrun|^dropped/ { n += $NF } END { print n }')
	rmdir "$instance"
	return $is
}

for platform in systrap ptrace; do
	for program in $programs; do
		traced $platform "hostile/$program" && ok "$platform: $program: $(tail -1 "$SCRATCH/run")" \
			|| not_ok "$platform: $program" "$(grep -v '^ok' "$SCRATCH/run")"
		python3 "$judge" $platform <"$SCRATCH/trace" >"$SCRATCH/judged" && [ "$lost" -eq 0 ] && judged=ok || judged=not_ok
		$judged "$platform: $program: no call on the host is executed for it ($(tail -1 "$SCRATCH/judged"))" \
			"$lost events lost" "$(head -20 "$SCRATCH/judged")"
		# its sandbox, and many tasks in that: nothing went on unseen
		case $(tail -1 "$SCRATCH/judged") in
		"1 making of the zygote; "*" stub"*) ;;
		*) not_ok "$platform: $program: its stubs were looked at" "$(tail -1 "$SCRATCH/judged")" ;;
		esac
	done
done
finish
