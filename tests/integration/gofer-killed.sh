#!/bin/bash
# gofer-killed.sh - the process that serves a container's files is killed over and
# over while programs work with them: they notice nothing, and the files become what
# they become natively.  One that crashed is replaced by a new one, three times, and that is said.
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/alone.sh"
. "$top/tests/integration/lib.sh"
mkdir -p "$STATE" "$SCRATCH/bundle" "$SCRATCH/work" "$SCRATCH/native"
run() { timeout -k 5 "$LIMIT" "$LAUNCHER" --root "$STATE" "$@" </dev/null; }
keeper() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["gofer"]["pid"])' "$STATE/$1/state.json" 2>/dev/null; }
server() { cat "/proc/$1/task/$1/children" 2>/dev/null; }
# bundle COMMAND : with $SCRATCH/work at /mnt, written through
bundle() {
	spec "$SCRATCH/bundle" false /bin/bash -c "$1"
	python3 - "$SCRATCH/bundle/config.json" "$SCRATCH/work" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
d["mounts"].append({"destination": "/mnt", "type": "bind", "source": sys.argv[2], "options": ["rbind", "rw"]})
json.dump(d, open(sys.argv[1], "w"))
PY
}
list() { (cd "$1" && find . -printf '%P %y %m %U:%G %n %l ' \( -type d -printf '\n' -o -printf '%s\n' \) | sort && find . -type f -exec sha1sum {} + | sort -k2); }
RANDOM=${SEED:-$(date +%s)}
echo "# SEED=$RANDOM"
bundle 'exit 0'
run run --bundle "$SCRATCH/bundle" first >"$SCRATCH/out" 2>&1 || { not_ok "a container to begin with" "$(cat "$SCRATCH/out")"; finish; exit; }
: >"$SCRATCH/log" >"$SCRATCH/after" >"$SCRATCH/expected" >"$SCRATCH/found"
snapshot >"$SCRATCH/before"

# --- at random instants, while names come and go ------------------------------------------
work='set -e; umask 022; cd "$PLACE"; cp -a "$SOURCE" tree; mkdir names copy
for i in $(seq 40); do
	mkdir names/d$i; echo $i >names/d$i/f; ln names/d$i/f names/d$i/g; ln -s f names/d$i/s
	mv names/d$i/g names/h$i; chmod 640 names/h$i; chown 12:34 names/h$i; mkfifo -m 600 names/p$i
	echo more >>names/d$i/f; [ $((i % 3)) = 0 ] && rm -r names/d$i; mkdir -m 3750 names/q$i; mv names/q$i names/r$i
	truncate -s $((i * 100)) names/h$i; ! mkdir names/r$i 2>/dev/null; ! rm names/no 2>/dev/null
done
tar cf - -C tree . | tar xpf - -C copy; diff -r tree copy; git init -q repo; cd repo; cp -r ../tree .; git add -A
git -c user.name=n -c user.email=e@x commit -q -m all; git clone -q . ../clone; cd ..; diff -r repo/tree clone/tree; rm -rf repo clone; echo done'
PLACE=$SCRATCH/native SOURCE=$TREE/usr/share/perl5/Debconf bash -c "$work" >"$SCRATCH/out" 2>&1 || not_ok "natively" "$(tail -3 "$SCRATCH/out")"
bundle "export PLACE=/mnt SOURCE=/usr/share/perl5/Debconf; $work"
run --log "$SCRATCH/log" run --bundle "$SCRATCH/bundle" load >"$SCRATCH/out" 2>&1 &
launcher=$!
kills=0
until_true 'gofer=$(keeper load) && [ -n "$gofer" ]' || not_ok "a container to disturb" "$(cat "$SCRATCH/out")"
while kill -0 $launcher 2>/dev/null; do
	s=$(server "$gofer")
	[ -n "$s" ] && kill -KILL "$s" 2>/dev/null && kills=$((kills + 1))
	sleep "$(printf '0.%03d' $((RANDOM % 90 + 5)))"
done
wait $launcher
st=$?
[ $st -eq 0 ] && [ "$(cat "$SCRATCH/out")" = done ] && ok "programs lived through $kills kills" || not_ok "programs live through $kills kills" "status $st" "$(tail -3 "$SCRATCH/out")" "$(tail -3 "$SCRATCH/log")"
[ $kills -ge 10 ] || not_ok "there were kills" "$kills"
list "$SCRATCH/native" >"$SCRATCH/expected"
list "$SCRATCH/work" >"$SCRATCH/found"
cmp -s "$SCRATCH/expected" "$SCRATCH/found" && ok "the files are what they are natively" || not_ok "the files are what they are natively" "$(diff "$SCRATCH/expected" "$SCRATCH/found" | head -6)"
grep -q 'gofer.*killed by signal 9.*another takes its place' "$SCRATCH/log" && ok "it is told" || not_ok "it is told" "$(head -2 "$SCRATCH/log")"
rm -rf "${SCRATCH:?}/work/"*
left_behind "killed over and over" "$SCRATCH/before"

# --- what is open, the working directory, what was removed ------------------------------------
bundle 'cd /mnt; mkdir -p a/b/c gone; echo one >a/b/c/f; echo two >removed; exec 3<a/b/c/f 4<>removed; rm removed; cd a/b/c; (cd /mnt/gone; rmdir /mnt/gone; touch /mnt/ready
while [ -e /mnt/ready ]; do sleep 0.02; done; ls . 2>&1; touch x 2>/dev/null || echo no)
read x <&3; read y <&4; echo three >&4; echo $x $y; cat f; echo new >g; mv g ../h; ls ..; cd ../..; pwd; stat -c %h /mnt/a/b; chmod 700 b; stat -c %a b; find /mnt | sort | tr "\n" " "'
run run --bundle "$SCRATCH/bundle" open >"$SCRATCH/out" 2>&1 &
launcher=$!
until_true '[ -e "$SCRATCH/work/ready" ]'
for _ in 1 2 3; do
	old=$(server "$(keeper open)")
	kill -KILL "$old"
	until_true 'new=$(server "$(keeper open)") && [ -n "$new" ] && [ "$new" != "$old" ]' || not_ok "another serves"
done
rm "$SCRATCH/work/ready"
wait $launcher
expected="no
one two
one
c
h
/mnt/a
3
700
/mnt /mnt/a /mnt/a/b /mnt/a/b/c /mnt/a/b/c/f /mnt/a/b/h "
[ "$(cat "$SCRATCH/out")" = "$expected" ] && ok "open files, directories, what was removed" || not_ok "open files, directories, what was removed" "$(diff <(echo "$expected") "$SCRATCH/out")"
rm -rf "${SCRATCH:?}/work/"*

# --- a crash: another, and in the end none -------------------------------------------------------------------------
bundle 'touch /mnt/ready; while [ -e /mnt/ready ]; do sleep 0.05; done; ls /usr/lib >/dev/null 2>&1; echo $?'
run --log "$SCRATCH/log" run --bundle "$SCRATCH/bundle" crash >"$SCRATCH/out" 2>&1 &
launcher=$!
until_true '[ -e "$SCRATCH/work/ready" ]'
for n in 1 2 3; do
	old=$(keeper crash)
	kill -ABRT "$(server "$old")" # the sanitizers would make another end of SEGV
	until_true 'new=$(keeper crash) && [ -n "$new" ] && [ "$new" != "$old" ] && [ -n "$(server "$new")" ]' || not_ok "another has come"
	run exec crash ls /usr/share >"$SCRATCH/listed" 2>"$SCRATCH/err"
	is "crash $n: another serves" "$? $(wc -l <"$SCRATCH/listed")" "0 $(ls "$TREE/usr/share" | wc -l)"
done
kill -ABRT "$(server "$(keeper crash)")"
until_true 'grep -q "not replaced" "$SCRATCH/log"'
grep -q 'gofer.*signal 6.*not replaced' "$SCRATCH/log" && ok "one that crashed is not replaced, and that is said" || not_ok "one that crashed is not replaced" "$(tail -2 "$SCRATCH/log")"
part() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]]["pid"])' "$STATE/crash/state.json" "$1"; }
sleep 0.2
[ "$(cat "/proc/$(part controld)/comm" "/proc/$(part sentry)/comm" 2>&1)" = "controld
sentry" ] && ok "the others live" || not_ok "the others live" "$(ps -o pid,stat,args -p "$(part controld),$(part sentry)")" "$(tail -2 "$SCRATCH/log")"
run delete --force crash || not_ok "delete"
wait $launcher
rm -rf "${SCRATCH:?}/work/"*
left_behind "crashed" "$SCRATCH/before"
finish
