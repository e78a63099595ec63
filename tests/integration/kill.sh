#!/bin/bash
# kill.sh - every command of the launcher killed by SIGKILL at random instants:
# what `list` and `state` then say is so, `delete --force` leaves nothing.
# usage: kill.sh [COUNT [COMMAND... | life | service]]    (50 instants of each command; those of a
# container's life, those that one is asked which goes on)
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/alone.sh"
. "$top/tests/integration/lib.sh"
. "$top/tests/integration/kill-lib.sh"
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
run run --bundle "$SCRATCH/true" first >"$SCRATCH/log" 2>&1 || { not_ok "a container to begin with" "status $?" "$(cat "$SCRATCH/log")"; finish; exit; }
run run -d --bundle "$SCRATCH/sleep" first >"$SCRATCH/log" 2>&1 || not_ok "a container with a cgroup" "$(cat "$SCRATCH/log")"
run delete --force first
: >"$SCRATCH/after" >"$SCRATCH/what" >"$SCRATCH/err" >"$SCRATCH/spare"
snapshot >"$SCRATCH/before"
kill_begin
after_case() { left_behind "$1" "$SCRATCH/before"; }

# --- what a pod's container has not, beside kill-lib.sh's cases -------------------------
# swept : what a killed `do` leaves goes by itself, with the next commands
swept() {
	until_true 'counts; [ "$echo_counts" = "$nothing" ] || { run list >/dev/null 2>&1; false; }' && return
	not_ok "after $(cat "$SCRATCH/what") the next command removes what is left" "before: $nothing" "now: $echo_counts"
	cleared "do-$last"
}
case_do() {
	begun=$failed
	measure do true
	for _ in $(seq "$count"); do
		killed do -- /bin/sh -c 'exec sleep 0.02'
		swept
	done
	told
}

case_stats() { same_as_ever events --stats c; }
case_list() { same_as_ever list; }
case_spec() { same_as_ever spec --bundle "$SCRATCH/run"; }
case_features() { same_as_ever features; }
case_checkpoint() { same_as_ever checkpoint c; }
case_restore() { same_as_ever restore --bundle "$SCRATCH/sleep" r; }
case_usage() { same_as_ever usage c; }
case_stacks() { same_as_ever debug --stacks c; }
case_profile() { same_as_ever debug --profile-cpu "$SCRATCH/spare" --duration 50ms c; }
case_audit() { same_as_ever audit c; }
case_metrics() { same_as_ever export-metrics c; }
case_forward() { same_as_ever port-forward c 0:80; }
case_read_control() { same_as_ever read-control c memory / memory.max; }
case_write_control() { same_as_ever write-control c pids / pids.max 300; }
case_network() { same_as_ever network c link lo mtu 1400; }
case_metric_server() { same_as_ever metric-server --metric-server "$SCRATCH/spare.sock"; }
case_procfs() { same_as_ever debug --procfs c; }
case_log_level() { same_as_ever debug --log-level debug c; }
# a session that ends with its container
case_trace() {
	echo '{"trace_session": {"name": "Default", "points": [{"name": "sentry/clone"}], "sinks": [{"name": "file", "config": {"path": "'"$SCRATCH/spare"'"}}]}}' >"$SCRATCH/trace.json"
	same_as_ever trace create --force --config "$SCRATCH/trace.json" c
	rm -f "$SCRATCH/trace.json"
}
case_trace_list() { same_as_ever trace list c; }
case_doctor() { same_as_ever doctor; }
case_install_new() { same_as_ever install --engine docker --config "$SCRATCH/run/daemon.json"; }
case_install() {
	echo '{"debug": true}' >"$SCRATCH/daemon.json"
	begun=$failed
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

life="create run run_detached do start kill kill_all delete delete_force pause resume"
service="exec exec_detached update events stats state list ps wait spec features checkpoint restore usage stacks profile audit metrics mount forward
	read_control write_control network metric_server procfs log_level trace trace_list doctor install_new install"
case ${*:-all} in
all) set -- $life $service ;;
life) set -- $life ;;
service) set -- $service ;;
esac
for c in "$@"; do case_"$c"; done
finish
