#!/bin/bash
# kill-pod.sh - every command that concerns a container inside a pod killed by SIGKILL at random
# instants: `list` is right, `delete --force` leaves nothing of the container, on the host or
# in the pod's sentry and controld, and the pod goes on; and the pod's own end.
# usage: kill-pod.sh [COUNT [COMMAND...]]    (50 instants of each command)
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/alone.sh"
. "$top/tests/integration/lib.sh"
. "$top/tests/integration/kill-lib.sh"
count=${1:-50}
[ $# -gt 0 ] && shift
mkdir -p "$STATE" "$SCRATCH/pause" "$SCRATCH/sleep" "$SCRATCH/true" "$SCRATCH/vol"
cgroup=redoubt-it-kill-${SCRATCH##*.}

# member DIR TYPE CGROUP : makes a bundle one of the pod's, with a volume that all of them share
member() {
	python3 - "$SCRATCH/$1/config.json" "$2" "$3" "$SCRATCH/vol" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
d["annotations"] = {"io.kubernetes.cri.container-type": sys.argv[2], "io.kubernetes.cri.sandbox-id": "pod"}
d["mounts"].append({"destination": "/mnt", "type": "bind", "source": sys.argv[4], "options": ["rbind", "rw"]})
d["linux"].update(cgroupsPath="/" + sys.argv[3], resources={"pids": {"limit": 500}})
json.dump(d, open(sys.argv[1], "w"))
PY
}
spec "$SCRATCH/pause" false /bin/sleep 100000
spec "$SCRATCH/true" false /bin/true
spec "$SCRATCH/sleep" false /bin/sh -c 'trap "exit 3" TERM; while :; do sleep 100 & wait; done'
member pause sandbox "$cgroup-pod"
member true container "$cgroup-pod/c"
member sleep container "$cgroup-pod/c"

# --- the pod that the containers come into -------------------------------------------------
fds() { ls "/proc/$1/fd" 2>/dev/null | wc -l; }
stubs() { cat "/proc/$pod_sentry"/task/*/children | wc -w; }
# held : what the pod's processes hold of the host (the sentry one descriptor for each stub, of which
# some are kept ready), and what lives in it
held() {
	echo "controld: $(fds "$(part_of pod controld)") descriptors; sentry: $(($(fds "$pod_sentry") - $(stubs))) descriptors; inside: $(run ps pod | awk 'NR > 1' | wc -l)"
}
pod_begins() {
	run run -d --bundle "$SCRATCH/pause" pod >"$SCRATCH/log" 2>&1 || { not_ok "a pod to begin with" "$(cat "$SCRATCH/log")"; finish; exit; }
	pod_sentry=$(part_of pod sentry)
	# what is made once, by the first container and the first command of a kind, is there
	for i in 1 2 3; do
		run run -d --bundle "$SCRATCH/sleep" c >"$SCRATCH/log" 2>&1 || not_ok "a container to begin with" "$(cat "$SCRATCH/log")"
		run exec c /bin/sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 0.1 & done; wait'
		run exec pod /bin/true
		run delete --force c
	done
}
# after_case NAME : the pod is as it was, and can be used
after_case() {
	until_true '[ "$(held)" = "$pod_held" ]' && ok "$1: nothing is left in the pod" || not_ok "$1: nothing is left in the pod" "before: $pod_held" "now:    $(held)"
	run exec pod /bin/true 2>"$SCRATCH/err" && run run --bundle "$SCRATCH/true" c 2>>"$SCRATCH/err"
	is "$1: the pod goes on" "$? $(run list -q)" "0 pod"
}

# --- the pod itself ends, with a container in it ----------------------------------------------
case_pod_delete() {
	begun=$failed
	pod_sentry=
	counts
	nothing=$echo_counts
	for i in length $(seq "$count"); do
		run run -d --bundle "$SCRATCH/pause" pod >>"$SCRATCH/log" 2>&1 || not_ok "$c: a pod"
		run run -d --bundle "$SCRATCH/sleep" c >>"$SCRATCH/log" 2>&1 || not_ok "$c: a container"
		if [ "$i" = length ]; then measure delete --force pod; else killed delete --force pod; fi
		[ "$i" = length ] || listed pod running stopped none
		run delete --force pod 2>"$SCRATCH/err" || not_ok "$(cat "$SCRATCH/what"): the pod's delete --force" "$(cat "$SCRATCH/err")"
		cleared c
	done
	[ "$failed" -eq "$begun" ] && ok "the pod's delete force, killed at $count random instants"
}

# a first one, for what is made once and stays
: >"$SCRATCH/after" >"$SCRATCH/log" >"$SCRATCH/what" >"$SCRATCH/err" >"$SCRATCH/spare"
pod_begins
run delete --force pod
snapshot >"$SCRATCH/before"

[ $# -gt 0 ] || set -- create run run_detached start kill kill_all delete delete_force pause resume exec exec_detached update events ps state wait mount pod_delete
pod_begins
kill_begin
pod_held=$(held)
for c in "$@"; do
	[ "$c" != pod_delete ] || run delete --force pod
	case_"$c"
done
[ "$c" = pod_delete ] || run delete --force pod
left_behind "all of it" "$SCRATCH/before"
finish
