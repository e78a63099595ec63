#!/bin/bash
# confinement.sh - what each process of a live sandbox really may do, against
# its printed policy: ids, capabilities, namespaces, root, limits, descriptors,
# and the seccomp filter as the kernel holds it.
# The printed policies must be those in golden/: a wider one is a diff to judge.
# usage: confinement.sh [--update]   --update writes golden/ anew
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/lib.sh"
here=$top/tests/integration
unset REDOUBT_REPORTS # a sanitized build's reports would be a descriptor more
bin=${REDOUBT_BIN:-$top}
bin=${bin%/}
[ "$(id -u)" = 0 ] || { skip "confinement" "needs root"; finish; exit; }
[ -e "$TREE/.complete" ] || debian_tree

# golden NAME COMMAND... : the policy that COMMAND prints is the known one
golden() {
	name=$1
	shift
	# the sanitizers' rows are no part of a plain build; fchmod or fchmodat2 by the host's kernel
	"$@" --print-policy | sed '/^# for the sanitizer/,$d; /^allow fchmod/d' >"$SCRATCH/$name.policy" 2>&1
	if [ -n "${update-}" ] && [ -s "$SCRATCH/$name.policy" ]; then
		cp "$SCRATCH/$name.policy" "$here/golden/$name.policy"
	elif cmp -s "$here/golden/$name.policy" "$SCRATCH/$name.policy"; then
		ok "policy of $name is the known one"
	else
		not_ok "policy of $name is the known one" "$(diff "$here/golden/$name.policy" "$SCRATCH/$name.policy")"
	fi
}
[ "${1-}" = --update ] && update=1
golden sentry "$bin/sentry/sentry"
golden controld "$bin/controld/controld"
golden gofer "$bin/gofer/gofer" --root /
golden gofer-keeper "$bin/gofer/gofer" --root / --keeper
golden launcher "$bin/launcher/launcher"
golden ipcctl "$bin/libipc/ipcctl"
golden ipcwire "$bin/libipc/ipcwire"
[ ! -e "$bin/launcher/scope/scope" ] || golden scope "$bin/launcher/scope/scope"

# at_most FOLDER N [OPTION] : distinct permitted calls, and each row has a reason
at_most() {
	n=$("$bin/$1/${1##*/}" ${3-} --print-policy | sed '/^# for the sanitizer/,$d' | awk '/^allow/ { print $2 }' | sort -u | wc -l)
	[ "$n" -gt 0 ] && [ "$n" -le "$2" ] && ok "$1 ${3-}: $n calls, at most $2" || not_ok "$1 ${3-}: at most $2 calls" "$n"
	n=$("$bin/$1/${1##*/}" ${3-} --print-policy | grep -E '^(allow|refuse|rlimit)' | grep -vc ' # ..*')
	[ "$n" -eq 0 ] && ok "$1: every row has a reason" || not_ok "$1: every row has a reason" "$n rows have none"
}
at_most sentry 45
at_most gofer 40
at_most gofer 40 --keeper
at_most controld 30
[ ! -e "$bin/launcher/scope/scope" ] || at_most launcher/scope 25

# --- live sandboxes, one a platform --------------------------------------------------
"$bin/sentry/sentry" --syscalls >"$SCRATCH/syscalls"
mkdir -p "$SCRATCH/bundle"
spec "$SCRATCH/bundle" false /bin/sh -c 'sleep 1000 & read x </dev/zero; wait'
pid() { sed -n "/\"$1\"/,/}/s/.*\"pid\": *\([0-9]*\).*/\1/p" "$STATE/$id/state.json" | head -1; }

# live COMPONENT PID [stub] : counts what confinement.py says; what a stub's threads may goes to $SCRATCH/may
live() {
	if [ -z "$2" ]; then
		not_ok "$1 is alive" "$(cat "$STATE/$id/state.json")"
		return
	fi
	"$bin/$1/$1" ${options-} --print-policy >"$SCRATCH/live.policy"
	python3 "$here/confinement.py" "$SCRATCH/syscalls" "$SCRATCH/live.policy" "$2" ${3-} >"$SCRATCH/live" 2>&1 ||
		not_ok "$platform: $1 ${3-} $2: the check runs" "$(tail -3 "$SCRATCH/live")"
	while read -r line; do
		case $line in
		*"# skip"*) skip "$platform: ${line#ok }" "" ;;
		"ok "*) ok "$platform: ${line#ok }" ;;
		*" may: "*) echo "$platform ${line#\# }" >>"$SCRATCH/may" ;;
		"not ok "*) failed=$((failed + 1)); echo "not ok $platform: ${line#not ok }" ;;
		*) echo "$line" ;;
		esac
	done <"$SCRATCH/live"
}

look_at_stubs() {
	stubs=$(pgrep -P "$sentry")
	n=$(echo "$stubs" | wc -w)
	[ "$n" -ge 2 ] && ok "$platform: $n stubs" || not_ok "$platform: stubs for two processes" "$stubs"
	for s in $stubs; do
		live sentry "$s" stub
		for n in user mnt pid net ipc uts cgroup; do
			[ "$(readlink "/proc/$s/ns/$n")" = "$(readlink "/proc/$sentry/ns/$n")" ] ||
				not_ok "$platform: stub $s: $n namespace is the sentry's"
		done
	done
}

look_at_sandbox() {
	timeout 60 "$LAUNCHER" --root "$STATE" --platform "$platform" run -d --bundle "$SCRATCH/bundle" "$id" </dev/null >"$SCRATCH/out" 2>&1 ||
		{ not_ok "$platform: a sandbox to look at" "$(cat "$SCRATCH/out")"; return; }
	live controld "$(pid controld)"
	keeper=$(pid gofer)
	options=--keeper live gofer "$keeper"
	live gofer "$(pgrep -P "$keeper")"
	# and one that took the place of another
	kill -KILL "$(pgrep -P "$keeper")"
	until_true 'grep -qs "^Seccomp:.2" "/proc/$(pgrep -P "$keeper")/status"'
	live gofer "$(pgrep -P "$keeper")"
	sentry=$(pid sentry)
	live sentry "$sentry"
	look_at_stubs
	# The sentry's memory and the program's: nothing that can be run and written.
	for p in $(pid controld) $(pid gofer) $sentry $stubs; do
		w=$(grep -E '^[0-9a-f-]+ [r-]wx' "/proc/$p/maps")
		[ -z "$w" ] && ok "$platform: $p: nothing mapped to write and to run" || not_ok "$platform: $p: nothing mapped to write and to run" "$w"
	done
	[ "$(stat -c %a "$STATE/$id/control.sock")" = 600 ] && ok "$platform: control socket: mode 0600" || not_ok "$platform: control socket: mode 0600"
	[ "$(stat -c %a "$STATE/$id")" = 700 ] && ok "$platform: state directory: mode 0700" || not_ok "$platform: state directory: mode 0700"
	look_at_audit
	timeout 60 "$LAUNCHER" --root "$STATE" delete --force "$id"
}

# audit says the same, and would say if it were not so: a component that prints
# a narrower policy than the process was started with
look_at_audit() {
	timeout 60 "$LAUNCHER" --root "$STATE" audit "$id" >"$SCRATCH/out" 2>&1
	[ $? = 0 ] && tail -1 "$SCRATCH/out" | grep -q ' 0 not ok' && ok "$platform: audit" || not_ok "$platform: audit" "$(grep -v '^  ok' "$SCRATCH/out")"
	timeout 60 "$LAUNCHER" --root "$STATE" exec "$id" /bin/true >"$SCRATCH/out" 2>&1 </dev/null
	is "$platform: what is started after audit runs" "$? $(cat "$SCRATCH/out")" "0 "
	mkdir -p "$SCRATCH/fake"
	cp "$LAUNCHER" "$SCRATCH/fake/launcher"
	for p in controld gofer sentry; do ln -sf "$(realpath "$bin/$p/$p")" "$SCRATCH/fake/$p"; done
	rm "$SCRATCH/fake/sentry"
	printf '#!/bin/sh\n"%s" --print-policy | sed "/^allow futex/d"\n' "$(realpath "$bin/sentry/sentry")" >"$SCRATCH/fake/sentry"
	chmod 755 "$SCRATCH/fake/sentry"
	timeout 60 "$SCRATCH/fake/launcher" --root "$STATE" audit "$id" >"$SCRATCH/out" 2>&1
	[ $? = 1 ] && grep -q 'NOT OK .*not in the policy: futex' "$SCRATCH/out" && ok "$platform: audit finds a surplus call" ||
		not_ok "$platform: audit finds a surplus call" "$(grep -v '^  ok' "$SCRATCH/out")"
}
for platform in ptrace systrap; do
	id=confined$platform$$
	look_at_sandbox
done

# What stubs may do themselves: on ptrace the ordered one (the others are stopped
# before each call), on systrap the mapper, and a thread that runs program code.
sort -u "$SCRATCH/may" >"$SCRATCH/stub.calls"
if [ -n "${update-}" ]; then
	cp "$SCRATCH/stub.calls" "$here/golden/stub.calls"
elif cmp -s "$SCRATCH/stub.calls" "$here/golden/stub.calls"; then
	ok "calls of stubs are the known ones"
elif [ ! -s "$SCRATCH/stub.calls" ]; then
	skip "calls of stubs" "the kernel does not show filters"
else
	not_ok "calls of stubs are the known ones" "$(diff "$here/golden/stub.calls" "$SCRATCH/stub.calls")"
fi
n=$(awk '$1 " " $2 == "systrap thread" { print NF - 3 }' "$SCRATCH/stub.calls")
[ "${n:-0}" -le 5 ] && ok "systrap: ${n:-0} calls in threads that run program code, at most 5" || not_ok "systrap: at most 5 calls in program threads" "$n"
finish
