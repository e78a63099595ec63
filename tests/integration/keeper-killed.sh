#!/bin/bash
# keeper-killed.sh - all of a container's gofer is killed, over and over: another takes
# its place and programs notice nothing.  Of an attached container by its launcher,
# of a detached one by its guard, of one that is in another's sandbox by its stand-in,
# and where these were killed too by the next command.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/alone.sh"
. "$top/tests/integration/lib.sh"
[ -e "$TREE/.complete" ] || debian_tree
tag=keep$$
. "$top/tests/integration/pod-lib.sh"
run() { timeout -k 5 "$LIMIT" "$LAUNCHER" --root "$STATE" "$@" </dev/null; }
part() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]]["pid"])' "$STATE/$tag-$1/state.json" "$2" 2>/dev/null; }
# another NAME OLD : has another gofer than that
another() { now=$(part "$1" gofer) && [ "$now" != "$2" ] && alive "$now"; }
work=$SCRATCH/work
mounts='[{"destination": "/mnt", "type": "bind", "source": "'$work'", "options": ["rbind", "rw"]}]'
# rounds: on every touch of /mnt/go-N it works with files that nobody has open, and tells
rounds='exec 3</mnt/open; for i in $(seq 100); do until [ -e /mnt/go-$i ]; do [ -e /mnt/end ] && exit 5; sleep 0.02; done
mkdir /mnt/d$i && echo $i >/mnt/d$i/f && ls /usr/share/perl5 >/mnt/d$i/list && [ -s /mnt/d$i/list ] && read -r x <&3 && [ "$x" = $i ] && mv /mnt/d$i /mnt/e$i && touch /mnt/done-$i || touch /mnt/failed; done'
fresh() { rm -rf "$work"; mkdir -p "$STATE" "$work"; seq 100 >"$work/open"; }
does() { # NAME N : round N is done
	touch "$work/go-$2"
	until_true "[ -e $work/done-$2 -o -e $work/failed ]" && [ ! -e "$work/failed" ] && ok "$1: programs go on" ||
		not_ok "$1: programs go on" "$(ls "$work" | tail -5 | tr '\n' ' ')" "$(tail -3 "$SCRATCH/log")"
}
RANDOM=${SEED:-$(date +%s)}
echo "# SEED=$RANDOM"
: >"$SCRATCH/log" >"$SCRATCH/after" >"$SCRATCH/err" >"$SCRATCH/out"
fresh
bundle first - - "$own" true
run run --bundle "$SCRATCH/b-first" "$tag-first" >"$SCRATCH/out" 2>&1 || { not_ok "a container to begin with" "$(cat "$SCRATCH/out")"; finish; exit; }
snapshot >"$SCRATCH/before"

# --- attached: at random instants, while names come and go ----------------------------------
load='set -e; cd /mnt; for i in $(seq 60); do mkdir d$i; echo $i >d$i/f; ln d$i/f d$i/g; ln -s f d$i/s; mv d$i/g h$i; echo more >>d$i/f
chmod 640 h$i; rm d$i/s; [ $((i % 3)) != 0 ] || rm -r d$i; mkdir q$i; mv q$i r$i; ! mkdir r$i 2>/dev/null; done; ls /usr/lib >/dev/null; echo done'
bundle load - - "$own" bash -c "$load"
run run --bundle "$SCRATCH/b-load" "$tag-load" >"$SCRATCH/out" 2>"$SCRATCH/err" &
launcher=$! kills=0
until_true '[ -n "$(part load gofer)" ]'
while kill -0 $launcher 2>/dev/null && [ $kills -lt 40 ]; do
	old=$(part load gofer)
	# the one that serves first, now and then
	[ $((RANDOM % 3)) -ne 0 ] || kill -KILL $(cat "/proc/$old/task/$old/children" 2>/dev/null) 2>/dev/null
	[ -n "$old" ] && kill -KILL "$old" 2>/dev/null && kills=$((kills + 1))
	until_true "another load ${old:-0} || ! kill -0 $launcher 2>/dev/null"
	sleep "$(printf '0.%03d' $((RANDOM % 60)))"
done
wait $launcher
is "attached: programs lived through it" "$? $(cat "$SCRATCH/out")" "0 done"
[ $kills -gt 0 ] || not_ok "there were kills"
echo "# $kills kills"
expected=$(for i in $(seq 60); do [ $((i % 3)) = 0 ] || echo "d$i"; echo "h$i"; echo "r$i"; done | sort | tr '\n' ' ')
is "the files are what they are to be" "$(find "$work" -mindepth 1 -maxdepth 1 ! -name open -printf '%f\n' | sort | tr '\n' ' ')" "$expected"
left_behind "attached" "$SCRATCH/before"

# --- detached: its guard; then without -----------------------------------------------------------
fresh
bundle far - - "$own" bash -c "$rounds"
run run -d --bundle "$SCRATCH/b-far" "$tag-far" >"$SCRATCH/out" 2>&1
does "detached" 1
for i in 2 3 4; do
	old=$(part far gofer)
	kill -KILL "$old"
	[ $i -eq 3 ] || until_true "another far $old" || not_ok "another has come"
	does "detached, killed" $i
done
guard=$(part far guard)
kill -KILL "$guard" "$(part far gofer)"
touch "$work/go-5"
until_true '! alive $(part far gofer)'
is "without a guard: state answers" "$(status_of "$tag-far")" running
does "without a guard: after a command" 5
is "... which starts another guard" "$(part far guard | grep -vc "^$guard\$") $(cat "/proc/$(part far guard)/comm")" "1 redoubt-guard"
guard=$(part far guard)
kill -KILL "$guard"
until_true '! alive $guard'
commands=
for _ in 1 2 3 4; do run state "$tag-far" >/dev/null & commands="$commands $!"; done
wait $commands
until_true '[ "$(pgrep -fc "^redoubt-guard $tag-far")" = 1 ]' # who came too late goes
is "... and only one" "$(pgrep -fc "^redoubt-guard $tag-far")" 1
old=$(part far gofer)
kill -KILL "$old"
until_true "another far $old" && ok "... which watches" || not_ok "... which watches"
kill -KILL "$(part far controld)" "$(part far gofer)"
until_true '! alive $(part far gofer) && ! alive $(part far controld)'
run exec "$tag-far" ls /usr/bin >"$SCRATCH/out" 2>"$SCRATCH/err"
is "controld killed too: exec" "$?" 0
does "controld killed too" 6
# --- one that crashed is not replaced, and nobody waits for it -----------------------------------
old=$(part far gofer)
kill -ABRT "$(cat "/proc/$old/task/$old/children")"
until_true "! alive $old"
touch "$work/go-7"
until_true '[ "$(status_of "$tag-far")" = stopped ] || ! run exec "$tag-far" ls /usr/share/doc >/dev/null 2>&1'
another far "$old" && not_ok "one that crashed is not replaced" "$(part far gofer)" || ok "one that crashed is not replaced"
run delete --force "$tag-far" || not_ok "delete"
left_behind "detached" "$SCRATCH/before"

# --- in another's sandbox: its stand-in ------------------------------------------------------------
fresh
container pause sandbox "$tag-pause" "$own" sleep 1000
container a container "$tag-pause" "$own" bash -c "$rounds"
does "in a pod" 1
for i in 2 3; do
	old=$(part a gofer)
	kill -KILL "$old"
	until_true "another a $old" || not_ok "another has come"
	does "in a pod, killed" $i
done
touch "$work/end"
run wait "$tag-a" >"$SCRATCH/out" 2>&1
is "its end" $? 5
for c in a pause; do run delete --force "$tag-$c" || not_ok "delete $c"; done
left_behind "a pod" "$SCRATCH/before"

# --- while it is deleted ----------------------------------------------------------------------------
fresh
bundle gone - - "$own" sleep 1000
for i in $(seq 8); do
	run run -d --bundle "$SCRATCH/b-gone" "$tag-gone" >"$SCRATCH/out" 2>&1 || not_ok "run" "$(cat "$SCRATCH/out")"
	kill -KILL "$(part gone gofer)"
	sleep "$(printf '0.%03d' $((RANDOM % 40)))"
	run delete --force "$tag-gone" >"$SCRATCH/out" 2>&1 || not_ok "delete $i" "$(cat "$SCRATCH/out")"
	[ -e "$STATE/$tag-gone" ] && not_ok "deleted $i"
done
left_behind "deleted while it is replaced" "$SCRATCH/before"
finish
