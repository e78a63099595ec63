# what a peer may do wrong, and what the command line may
running() { # how many processes serve $tree, or have it done
	local f n=0
	for f in /proc/[0-9]*/cmdline; do
		case $({ tr '\0' ' ' <"$f"; } 2>/dev/null) in *"gofer --root $tree "*) n=$((n + 1)) ;; esac
	done
	echo "$n"
}
until_none() { # for half a minute at most, which only a failure takes
	local end=$((SECONDS + 30))
	until [ "$(running)" = 0 ]; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}
start
f=$(walk_to file)
# a question may be wrong without the connection being lost
ask --raw 950100016363c0; fails "unknown method" ENOSYS
ask --raw 9501000203c0; fails "a body that is no array" EPROTO
ask --raw 950100030390; fails "a missing field" EPROTO
ask --raw 9501000403920101; fails "a surplus field" EPROTO
ask --raw 950100050391c3; fails "a wrong type" EPROTO
ask getattr "{\"node\":$f}"; want "the connection goes on" '"size":6'
start
printf -- '--surplus-fd 0\n' >&"$ctl_in"
ask attach '{"tree":0}'; fails "a surplus descriptor" EPROTO
ask attach '{"tree":0}'; want "the connection goes on" '"node":'

# a broken frame ends it
for raw in 95 9501000703 00 c1 "9502000703 9101" "950109070391 01"; do
	start
	ask --raw "${raw// /}"; fails "a broken frame ($raw)" ECONNRESET
	wait "$ctl_pid" 2>/dev/null
	true_that "a broken frame ($raw): the gofer ends" until_none
	stop
done
start
true_that "the gofer runs" [ "$(running)" -gt 0 ]
stop
true_that "the gofer ends with its connection" until_none

# bad command lines: one line, status 1
bad() { # WHAT ARGUMENT...
	local out
	out=$("$GOFER" "${@:2}" 2>&1 </dev/null)
	is "$1: status" $? 1
	is "$1: lines" "$(printf '%s\n' "$out" | wc -l)" 1
}
bad "no arguments"
bad "no socket" --root "$tree"
bad "unknown option" --root "$tree" --nonsense
bad "lacking value" --root
bad "root not there" --root "$tree/none" --listen "$work/s"
bad "tree not there" --root "$tree" --tree "$tree/none" --listen "$work/s"
bad "root twice" --root "$tree" --root "$tree" --listen "$work/s"
bad "no such descriptor" --root "$tree" --ipc-fd 99
bad "not a number" --root "$tree" --ipc-fd x
bad "stray argument" --root "$tree" --listen "$work/s" x
bad "both sockets" --root "$tree" --listen "$work/s" --ipc-fd 0
bad "unknown log format" --root "$tree" --log-format xml --listen "$work/s"
bad "unknown host-uds" --root "$tree" --host-uds=yes --listen "$work/s"
bad "listen nowhere" --root "$tree" --listen "$work/none/s"
touch "$work/taken"
bad "listen where something is" --root "$tree" --listen "$work/taken"
bad "not a socket" --root "$tree" --ipc-fd 0
is "--version" "$("$GOFER" --version | cut -d' ' -f1)" gofer
for o in $("$GOFER" --help | grep -o '^  --[a-z-]*' | sort -u); do
	true_that "$o is in the man page" grep -q -- "${o//-/\\\\-}" "$top/gofer/gofer.1"
done
