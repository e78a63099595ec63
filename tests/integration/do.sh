#!/bin/bash
# do.sh - `launcher do`: a command on the host's own root, copy-on-write.
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/alone.sh"
. "$top/tests/integration/lib.sh"
do_it() { timeout -k 5 60 "$LAUNCHER" --root "$STATE" do "$@"; }
NL='
'
mkdir -p "$STATE"
mine=$(mktemp -d /var/tmp/redoubt-do.XXXXXX)
trap 'rm -rf "$mine"; cleanup' EXIT
: >"$SCRATCH/after" >"$SCRATCH/out" >"$SCRATCH/err"
do_it -- /bin/true </dev/null >"$SCRATCH/out" 2>&1 || { not_ok "a command to begin with" "status $?" "$(cat "$SCRATCH/out")"; finish; exit; }
snapshot >"$SCRATCH/before"

# is NAME STATUS OUTPUT ARGUMENTS...
is() {
	name=$1 status=$2 want=$3
	shift 3
	out=$(do_it "$@" 2>"$SCRATCH/err")
	got=$?
	[ $got -eq "$status" ] && [ "$out" = "$want" ] && ok "$name" ||
		not_ok "$name" "status $got, not $status; printed '${out:0:200}', not '${want:0:200}'" "$(tail -3 "$SCRATCH/err")"
}
alike() { # NAME COMMAND... : as without a sandbox
	name=$1
	shift
	want=$("$@" 2>/dev/null </dev/null)
	is "$name" $? "$want" -- "$@" </dev/null
}

# --- programs that make user namespaces ------------------------------------------------------
ids='id -u; cat /proc/self/uid_map; grep -c . /proc/self/mounts >/dev/null && echo mounts'
alike "unshare --user --map-root-user" setpriv --reuid 1000 --regid 1000 --clear-groups unshare --user --map-root-user sh -c "$ids"
alike "a host name of its own there" unshare --user --map-root-user --uts sh -c 'hostname inner; hostname'
is "and mounts" 0 x -- unshare --user --map-root-user --mount sh -c 'mount -t tmpfs none /mnt && touch /mnt/x && ls /mnt'
if command -v bwrap >/dev/null; then
	alike "bwrap" setpriv --reuid 1000 --regid 1000 --clear-groups bwrap --unshare-user --unshare-pid --uid 0 --gid 0 --ro-bind / / --dev /dev --tmpfs /tmp sh -c 'id -u; touch /tmp/x; ls /tmp; echo >/usr/x; cat /proc/self/uid_map'
else
	skip "bwrap" "not installed"
fi

# --- what a start's phases take ----------------------------------------------------------
timeout -k 5 60 "$LAUNCHER" --root "$STATE" --debug --log "$SCRATCH/log" do -- true </dev/null >"$SCRATCH/out" 2>&1
for phase in 'launcher.*timing: components started' 'launcher.*timing: program ended' 'gofer.*timing: sealed' 'controld.*timing: sealed' \
	'sentry.*timing: confined' 'sentry.*timing: sealed' 'sentry.*timing: container made'; do
	grep -qE "^[^ ]* $phase: [0-9]+\.[0-9]{2} ms$" "$SCRATCH/log" && ok "--debug: $phase" || not_ok "--debug: $phase" "$(head -20 "$SCRATCH/log")"
done
rm -f "$SCRATCH/log"

# --- exit statuses and standard input ----------------------------------------------------
is "status 0" 0 "" -- true
is "status 9" 9 "" -- sh -c 'exit 9'
is "status 255" 255 "" -- sh -c 'exit 255'
is "without --" 0 "x y" echo x y
is "not found" 127 "" -- no-such-command
is "not found, by path" 127 "" -- /no/such/command
is "not executable" 126 "" -- /etc/passwd
is "a directory" 126 "" -- /usr/bin
is "no command" 125 "" --
is "unknown option" 125 "" --frob -- true
is "standard input, piped" 0 "HELLO" -- tr a-z A-Z <<<hello
is "standard input, a file" 0 "$(wc -c </etc/passwd)" -- wc -c </etc/passwd
is "nothing on standard input" 0 "" -- cat </dev/null
[ "$(seq 100000 | do_it -- sort -rn | sed -n 1p)" = 100000 ] && ok "much through both" || not_ok "much through both"
do_it -- sh -c 'echo out; echo err >&2' >"$SCRATCH/o" 2>"$SCRATCH/e"
[ "$(cat "$SCRATCH/o" "$SCRATCH/e")" = "out${NL}err" ] && ok "output and errors apart" || not_ok "output and errors apart"
do_it -- yes 2>/dev/null | head -1 >"$SCRATCH/o"
[ "$(cat "$SCRATCH/o")" = y ] && ok "a closed pipe ends it" || not_ok "a closed pipe ends it"
do_it -- sh -c 'echo appended' >>"$SCRATCH/o"
[ "$(cat "$SCRATCH/o")" = "y${NL}appended" ] && ok "output appended to a file" || not_ok "output appended to a file" "$(cat "$SCRATCH/o")"
rm -f "$SCRATCH/o" "$SCRATCH/e"

# --- the caller's circumstances ---------------------------------------------------------------
cd /usr/share || exit 1
is "the caller's directory" 0 /usr/share -- pwd
WORD=value is "the caller's environment" 0 value -- sh -c 'echo $WORD'
is "--env" 0 "1 2" -e A=1 -e B=2 -- sh -c 'echo $A $B'
is "--cwd" 0 /etc --cwd /etc -- pwd
is "--uid and --gid" 0 "12 34" --uid 12 --gid 34 -- sh -c 'echo $(id -u) $(id -g)'
is "a user's rights" 1 "" --uid 1000 --gid 1000 -- cat /etc/shadow
is "process 1" 0 "1" -- sh -c 'echo $$'
cd /
alike "the host's files" ls -lR /etc/apt
alike "the host's programs" sh -c 'sha256sum /usr/bin/* 2>/dev/null | sort | tail -100'
alike "perl" perl -e 'print join(",", map { $_ * 2 } 1..5), "\n"'
alike "awk" awk 'BEGIN { for (i = 0; i < 5; i++) print i, sqrt(i) }'
is "not the host's processes" 1 "" -- sh -c 'ls /proc | grep -x "[0-9]*" | grep -vx "[1-9]"'

# --- what it changes lies with it -----------------------------------------------------------------
mkdir "$mine/dir" "$mine/empty"
echo one >"$mine/dir/one"
echo two >"$mine/dir/two"
ln -s one "$mine/dir/link"
chmod 640 "$mine/dir/two"
state_of() { (cd "$mine" && find . -printf '%p %m %n %s %T@ %l\n' | sort && cat dir/*); }
state_of >"$SCRATCH/tree"
is "changes are seen inside" 0 "one more${NL}three${NL}600${NL}7${NL}gone" --cwd "$mine" -- sh -c '
	echo "$(cat dir/one) more" >dir/one; cat dir/one
	echo three >dir/three; mv dir/three dir/four; cat dir/four
	chmod 600 dir/two; stat -c %a dir/two
	rmdir empty; mkdir -p empty/deep; rm dir/link; ls dir empty/deep empty | grep -c .
	rm -r dir; [ -e dir ] || echo gone'
state_of | cmp -s - "$SCRATCH/tree" && ok "and not outside" || not_ok "and not outside" "$(state_of | diff "$SCRATCH/tree" -)"
is "and not by the next" 0 "one${NL}two" -- sh -c "cat $mine/dir/one $mine/dir/two"
is "appending copies up" 0 "one${NL}x" -- sh -c "echo x >>$mine/dir/one; cat $mine/dir/one"
is "a mapped file is copied up when written" 0 "Xne" --cwd "$mine" -- perl -e 'open F, "+<", "dir/one"; sysseek F, 0, 0; syswrite F, "X"; seek F, 0, 0; print <F>'
is "a renamed directory" 0 "one" --cwd "$mine" -- sh -c 'mkdir new; mv dir/one new/; cat new/one'
is "removing and making again" 0 "new" --cwd "$mine" -- sh -c 'rm dir/one; echo new >dir/one; cat dir/one'
is "a whole tree removed" 0 "0" --cwd "$mine" -- sh -c 'rm -rf ./*; ls | wc -l'
is "hard links" 0 "2" --cwd "$mine" -- sh -c 'ln dir/one dir/hard; stat -c %h dir/hard'
is "/tmp" 0 "t" -- sh -c 'echo t >/tmp/t-do; cat /tmp/t-do'
[ ! -e /tmp/t-do ] && ok "/tmp is not the host's" || not_ok "/tmp is not the host's"
state_of | cmp -s - "$SCRATCH/tree" && ok "nothing has changed outside" || not_ok "nothing has changed outside" "$(state_of | diff "$SCRATCH/tree" -)"
if command -v gcc >/dev/null; then
	is "compiling and running" 0 "compiled" --cwd "$mine" -- sh -c 'printf "#include <stdio.h>\nint main(void) { puts(\"compiled\"); }\n" >a.c; gcc -o a a.c && ./a'
fi
if command -v git >/dev/null; then
	is "git" 0 "first" --cwd "$mine" -e HOME=/tmp -- sh -c 'git init -q .; git add .; git -c user.name=a -c user.email=b commit -qm first; git log --format=%s'
fi

# --- signals ---------------------------------------------------------------------------------------
"$LAUNCHER" --root "$STATE" do -- sh -c 'trap "echo caught; exit 5" TERM; echo ready; while :; do sleep 0.1; done' >"$SCRATCH/out" 2>&1 </dev/null &
pid=$!
until_true 'grep -q ready "$SCRATCH/out"'
kill -TERM $pid
wait $pid
st=$?
[ $st -eq 5 ] && grep -q caught "$SCRATCH/out" && ok "TERM is passed on" || not_ok "TERM is passed on" "status $st" "$(cat "$SCRATCH/out")"

# --- a killed one: what it leaves is removed by the next -----------------------------------------
"$LAUNCHER" --root "$STATE" do -- sleep 1000 </dev/null >/dev/null 2>&1 &
pid=$!
record=$STATE/do-$pid
until_true 'grep -qs "\"phase\": \"created\"" "$record/state.json"' && controld=$(sed -n '/"controld": {/{n; s/[^0-9]//gp}' "$record/state.json")
[ -n "$controld" ] && ok "it is recorded" || not_ok "it is recorded" "$(ls -l "$STATE" "$record" 2>&1)"
do_it -- true </dev/null
[ -e "$record/state.json" ] && kill -0 "$controld" && ok "another leaves it alone" || not_ok "another leaves it alone"
mkdir "$STATE/other" && cp "$record/state.json" "$STATE/other/" # of the same record, but by another name
kill -KILL $pid
wait $pid 2>/dev/null
until_true 'do_it -- true </dev/null; [ ! -e "$record" ]' && ok "killed, the next removes its record" || not_ok "killed, the next removes its record" "$(ls -l "$record")"
mkdir "$STATE/do-1" "$STATE/do-x"
"$LAUNCHER" --root "$STATE" list >/dev/null 2>&1
[ ! -e "$STATE/do-1" ] && ok "and list one that was killed before it had begun" || not_ok "and list one that was killed before it had begun"
[ -e "$STATE/do-x" ] && [ -e "$STATE/other/state.json" ] && ok "and nothing else" || not_ok "and nothing else" "$(ls "$STATE")"
rm -r "$STATE/do-x" "$STATE/other"

# --- several at once -------------------------------------------------------------------------------
for i in 1 2 3 4 5 6; do do_it -- sh -c "sleep 0.2; echo $i" >"$SCRATCH/par$i" </dev/null & done
for i in 1 2 3 4 5 6; do wait -n; done
[ "$(cat "$SCRATCH"/par? | sort | tr -d '\n')" = 123456 ] && ok "six at once" || not_ok "six at once" "$(cat "$SCRATCH"/par?)"
rm -f "$SCRATCH"/par?
left_behind "do" "$SCRATCH/before"
finish
