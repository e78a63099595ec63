#!/bin/bash
# commandline.sh - the launcher's commands and options beside runc's: the same
# words are taken, and what engines and scripts read has the same form.  Where
# there is no runc, what it would have said is known here.
# usage: commandline.sh [LAUNCHER]; needs the tree of scripts/common.sh, python3.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"
runc=${RUNC-$(command -v runc)}
id=commandline-$$ b=$SCRATCH/b
mkdir -p "$b" "$STATE"
[ "$(id -u)" = 0 ] || runc=

run() { timeout -k 1 120 "$LAUNCHER" --root "$STATE" "$@" </dev/null 2>"$SCRATCH/err"; }
theirs() { timeout -k 1 120 "$runc" --root "$SCRATCH/runc" "$@" </dev/null 2>"$SCRATCH/native.err"; }
# alike NAME KNOWN FILTER ARGS... : both print the same behind a filter; KNOWN without a runc
alike() {
	name=$1 known=$2 filter=$3
	shift 3
	[ -n "$runc" ] && known=$(theirs "$@" | eval "$filter")
	is "$name" "$(run "$@" | eval "$filter")" "$known"
}
keys() { python3 -c "import json, sys; d = json.load(sys.stdin); print(*((d[0] if isinstance(d, list) else d)[k] if k in ('id', 'status') else k for k in (d[0] if isinstance(d, list) else d)))"; }

# --- options -------------------------------------------------------------------------------
if [ -n "$runc" ]; then
	for c in create run start exec kill delete list state ps events update spec pause resume; do
		missing=$(for o in $("$runc" $c --help | grep -oE '^ +--[a-z0-9-]+' | tr -d ' '); do "$LAUNCHER" $c --help | grep -q -- "$o " || echo "$o"; done | xargs)
		is "$c: takes runc's options" "$missing" ""
	done
fi

# --- spec ----------------------------------------------------------------------------------
members() { python3 -c "
import json, sys
d = json.load(open('$1'))
print(sorted(d), sorted(d['process']), sorted(d['linux']), sorted(n['type'] for n in d['linux']['namespaces'] if n['type'] != 'cgroup'), [(m['destination'], m['type'], sorted(m['options'])) for m in d['mounts'] if 'options' in m and m['destination'] != '/sys'],
      d['linux']['maskedPaths'], d['linux']['readonlyPaths'], d['process']['rlimits'])"; }
for how in "" --rootless; do
	mkdir -p "$SCRATCH/spec$how/rootfs" "$SCRATCH/theirs$how"
	run spec $how -b "$SCRATCH/spec$how"
	is "spec $how" $? 0
	if [ -n "$runc" ]; then
		theirs spec $how -b "$SCRATCH/theirs$how"
		is "spec $how: as runc's" "$(members "$SCRATCH/spec$how/config.json")" "$(members "$SCRATCH/theirs$how/config.json")"
	fi
	python3 - "$SCRATCH/spec$how/config.json" "$TREE" <<'PY'
import json, sys
c = json.load(open(sys.argv[1]))
c["process"].update(terminal=False, args=["sh", "-c", "id -u; mount | grep -c mqueue"])
c["root"]["path"] = sys.argv[2]
json.dump(c, open(sys.argv[1], "w"))
PY
	is "spec $how: it can be run" "$(run run -b "$SCRATCH/spec$how" "$id" | xargs)" "0 1"
	run spec $how -b "$SCRATCH/spec$how"
	is "spec $how: nothing is written over" $? 1
done

# --- what is printed -------------------------------------------------------------------------
spec "$b" false /bin/sh -c 'sleep 1000 & wait'
[ -z "$runc" ] || theirs run -d -b "$b" "$id" >/dev/null || { skip "comparison" "runc does not work here"; runc=; }
run run -d -b "$b" "$id" >/dev/null || not_ok "run -d" "$(cat "$SCRATCH/err")"
alike "list -q" "$id" cat list -q
alike "list -f json" "ociVersion $id pid running bundle rootfs created owner" "sed 's/\"id\"/\"id\"/' | keys" list -f json
alike "list -f json: one line" 1 "wc -l" list -f json
alike "list: the columns" "ID PID STATUS BUNDLE CREATED OWNER" "head -1 | xargs" list
alike "list: the fields" "$id running $b root" "awk 'NR == 2 { print \$1, \$3, \$4, \$6 }'" list
alike "state" "ociVersion $id pid running bundle rootfs created owner" keys state "$id"
alike "state of none" "" cat state none
alike "ps -f nonsense" "" cat ps -f nonsense "$id"
until_true '[ "$(run ps "$id" | grep -c "sleep 1000$")" = 1 ]' # the shell's child has become it
is "ps" "$(run ps "$id" | awk 'NR > 1 { print $1, $2, $3, $NF }')" "0 1 0 wait
0 2 1 1000"
is "ps: with options of ps" "$(run ps "$id" -eo pid,args | grep -v 'ps -eo')" "    PID COMMAND
      1 /bin/sh -c sleep 1000 & wait
      2 sleep 1000"
run ps "$id" --nonsense >/dev/null
is "ps: with options that ps does not know" $? 1
is "ps -f json: with options of ps" "$(run ps -f json "$id" -ef | grep -cE '^\[[0-9]+\]$')" 1
run update --l3-cache-schema L3:0=f "$id"
is "update of what there is not is refused by name" "$? $(cat "$SCRATCH/err")" "1 redoubt: update: --l3-cache-schema: Intel RDT is not supported"
run update --cpu-rt-period x "$id"
is "update of real-time limits: nonsense" "$? $(cat "$SCRATCH/err")" "1 redoubt: update: cpu.realtimePeriod: 'x' is not a number"
run update --cpu-quota x "$id"
is "update with nonsense" $? 1
run events --interval x "$id"
is "events with nonsense" $? 1
for r in theirs run; do
	[ "$r" = run ] || [ -n "$runc" ] || continue
	$r kill "$id" KILL
	until_true '[ "$($r state "$id" | grep -c stopped)" = 1 ]'
done
alike "state, stopped" "ociVersion $id pid stopped bundle rootfs created owner" keys state "$id"
alike "list, stopped" "$id 0 stopped" "awk 'NR == 2 { print \$1, \$2, \$3 }'" list
[ -z "$runc" ] || theirs delete "$id"
run delete "$id"

# --- what runc, crun and runsc take and we do not is refused by its name, not passed over --------------
refused() { # OPTION COMMAND...
	option=$1
	shift
	run "$@" >/dev/null
	is "$*: refused" "$(($? != 0)) $(grep -c -- "unknown option '$option" "$SCRATCH/err")" "1 1"
}
for o in alsologtostderr app-huge-pages coverage-fd dcache directfs enable-core-tags fdlimit file-access fsgofer-host-uds gso host-fifo \
	host-uds iouring log-packets net-raw nvproxy overlay pcap-log platform_device_path profile qdisc ref-leak-mode \
	strace-event strace-log-size strace-syscalls tpuproxy trace vfs2 watchdog-action xdp; do
	refused "--$o" "--$o=1" list
done
for c in "run --exec-fd" "run --pass-fd" "run --user-log" "exec --exec-fd" "exec --pass-fd" "delete --regex" "kill --regex" "kill --pid" "list --sandbox" "spec --file" \
	"spec --netns" "state --html" "update --kernel-memory" "usage --full" "wait --rootpid"; do
	refused "${c#* }" $c "$id"
done
for c in mitigate nvproxy symbolize metric-metadata boot; do
	run $c "$id"
	is "$c: refused" "$? $(grep -c "unknown command '$c'" "$SCRATCH/err")" "1 1"
done

# --- those of crun and runsc that are taken ---------------------------------------------------------
spec "$b" false /bin/sh -c 'echo out; exit 5'
sed 's/echo out/echo other/' "$b/config.json" >"$b/other.json"
is "run --config: in the bundle" "$(run run --config other.json -b "$b" "$id") $(run run --config "$b/other.json" -b "$b" "$id")" "other other"
run run --config none.json -b "$b" "$id" >/dev/null
is "run --config: none there" "$? $(grep -c "$b/none.json" "$SCRATCH/err")" "1 1"
is "runsc's flags that ask for what is so" "$(run --network none --oci-seccomp --cpu-num-from-quota=true list -q; echo $?)" 0
run --network host list >/dev/null
is "--network host is refused" "$? $(cat "$SCRATCH/err")" "1 redoubt: --network: 'host' is not supported: 'none' (a loopback only), 'sandbox' or 'user'"
run --cgroup-manager nobody run -b "$b" "$id" >/dev/null
is "--cgroup-manager: nonsense" "$? $(cat "$SCRATCH/err")" "1 redoubt: run: --cgroup-manager: 'nobody' is not cgroupfs, systemd or disabled"
python3 - "$b/config.json" "/redoubt-test-$id" <<'PY'
import json, sys
c = json.load(open(sys.argv[1]))
c["linux"].update(cgroupsPath=sys.argv[2], resources={"memory": {"limit": 64 << 20}})
c["process"]["args"][2] = "grep MemTotal /proc/meminfo; sleep ${T-100}"
json.dump(c, open(sys.argv[1], "w"))
PY
for f in --ignore-cgroups --cgroup-manager=disabled --cgroup-manager=cgroupfs; do
	run $f run -d -b "$b" "$id" >/dev/null
	is "$f: the host's cgroup" "$? $(grep -c "redoubt-test-$id" "/proc/$(run state "$id" | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')/cgroup" | sed 's/[1-9][0-9]*/some/')" \
		"0 $([ $f = --cgroup-manager=cgroupfs ] && echo some || echo 0)"
	run delete -f "$id"
done
sed -i 's/"PATH=/"T=0", "PATH=/' "$b/config.json"
is "a guest without cgroup knows its memory limit" "$(run --ignore-cgroups run -b "$b" "$id" | sed 's/  */ /g')" "MemTotal: 65536 kB"

# --- run --keep -------------------------------------------------------------------------------
spec "$b" false /bin/sh -c 'echo out; exit 5'
kept() { # RUNNER
	$1 run --keep --no-subreaper -b "$b" "$id"
	echo "status $?"
	$1 state "$id" | sed -n 's/.*"status": "\(.*\)".*/\1/p'
	$1 list -q
	$1 delete "$id"
	echo "status $?"
	$1 list -q
}
[ -z "$runc" ] || kept theirs >"$SCRATCH/native"
[ -n "$runc" ] || printf 'out\nstatus 5\nstopped\n%s\nstatus 0\n' "$id" >"$SCRATCH/native"
is "run --keep" "$(kept run)" "$(cat "$SCRATCH/native")"
run run --keep -b "$b" "$id" >/dev/null
run wait "$id"
is "run --keep: the exit status stays" $? 5
run run -b "$b" "$id" >/dev/null
is "run --keep: the id is taken" $? 1
run delete "$id"
is "nothing is left" "$(ls "$STATE")" ""

# --- what a program may call ---------------------------------------------------------------------
run help syscalls | awk 'NR > 1 { print $1, $2, $3 }' >"$SCRATCH/out" 2>"$SCRATCH/err"
sed -n 's/^SYSCALL(\([0-9]*\), \([^,]*\), [^,]*, \([A-Z]*\).*/\1 \2 \3/p' "$top/sentry/syscalls/table.def" | tr A-Z a-z >"$SCRATCH/table"
is "help syscalls: every call of the sentry's table, and whether it has it" "$(wc -l <"$SCRATCH/out" | awk '{ print ($1 > 300) }') $(diff "$SCRATCH/out" "$SCRATCH/table" | head -3)" "1 "
finish
