#!/bin/bash
# terminal.sh - an interactive shell through `run` with a terminal, `exec -t` and
# `do`: prompt, size, ^C ^Z ^D ^\, jobs, raw mode, and the user's own terminal
# as it was afterwards.
# usage: terminal.sh [run|exec|do]...
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/lib.sh"
[ -e "$TREE/.complete" ] || debian_tree
py=$top/tests/integration/terminal.py
bash="/bin/bash --norc --noprofile --noediting -i"

# session NAME COMMAND... : counts what terminal.py says
session() {
	timeout -k 5 500 python3 "$py" "$@" >"$SCRATCH/session" 2>&1 </dev/null || not_ok "$1: the session runs to its end" "$(tail -3 "$SCRATCH/session")"
	while read -r line; do
		case $line in
		"ok "*) ok "${line#ok }" ;;
		"not ok "*) failed=$((failed + 1)); echo "$line" ;;
		"#"*) echo "$line" ;;
		esac
	done <"$SCRATCH/session"
}
mkdir -p "$SCRATCH/t" "$SCRATCH/d"
for way in ${*:-run exec do}; do
	case $way in
	run)
		# shellcheck disable=SC2086
		spec "$SCRATCH/t" true $bash
		session run "$LAUNCHER" --root "$STATE" run --bundle "$SCRATCH/t" term$$
		;;
	exec)
		spec "$SCRATCH/d" false /bin/sleep 1000
		timeout 60 "$LAUNCHER" --root "$STATE" run -d --bundle "$SCRATCH/d" exec$$ </dev/null >"$SCRATCH/out" 2>&1 || not_ok "a sandbox for exec" "$(cat "$SCRATCH/out")"
		# shellcheck disable=SC2086
		session exec "$LAUNCHER" --root "$STATE" exec -t exec$$ $bash
		until_true '[ "$("$LAUNCHER" --root "$STATE" ps exec$$ | wc -l)" -eq 2 ]' && ok "exec: nothing of it is left inside" || not_ok "exec: nothing of it is left inside" "$("$LAUNCHER" --root "$STATE" ps exec$$)"
		timeout 60 "$LAUNCHER" --root "$STATE" delete --force exec$$
		;;
	do)
		# shellcheck disable=SC2086
		session do "$LAUNCHER" --root "$STATE" do -- $bash
		;;
	esac
done
[ -z "$(ls "$STATE" 2>/dev/null)" ] && ok "no container is left" || not_ok "no container is left" "$(ls "$STATE")"
finish
