#!/bin/bash
# user-network.sh - --network=user: a sandbox that reaches out through slirp4netns.  The outside
# is a network namespace of this script's, with another host's programs (network_peer.py) in it.
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/lib.sh"

here=$(cd "$(dirname "$0")" && pwd)
N=rdU$$ OUT=10.78.0.1
peer=
if ! [ "$(id -u)" = 0 ] || ! command -v slirp4netns >/dev/null || ! ip netns add "$N" 2>/dev/null; then
	skip "user-mode network" "needs root, ip netns, and slirp4netns (Debian: slirp4netns)"
	finish
	exit
fi
undo() {
	[ -n "$peer" ] && kill "$peer" 2>/dev/null
	cleanup
	ip netns del "$N" 2>/dev/null
}
trap undo EXIT

ip -n "$N" link set lo up
ip -n "$N" address add $OUT/32 dev lo
ip netns exec "$N" /usr/bin/python3 "$here/network_peer.py" serve "$SCRATCH/serves" 2>"$SCRATCH/peer.err" &
peer=$!
until_true '[ -e "$SCRATCH/serves" ]' || not_ok "the other host" "$(cat "$SCRATCH/peer.err")"

# inside NAMESERVER ARGS... : in a sandbox on this machine's root
inside() {
	printf 'nameserver %s\noptions timeout:5 attempts:1\n' "$1" >"$SCRATCH/resolv.conf"
	shift
	timeout "$LIMIT" ip netns exec "$N" unshare -m sh -c 'mount --bind "$1" /etc/resolv.conf; shift; exec "$@"' sh "$SCRATCH/resolv.conf" \
		"$LAUNCHER" --root "$STATE" --log "$SCRATCH/log" --network user do -- "$@" </dev/null 2>"$SCRATCH/err"
}
# who listens where another address family and port would be: gone with its sandbox
no_program() { until_true '! pgrep -x slirp4netns -a | grep -q -- "user.sock"' && echo none; }

is "20 MB each way" "$(inside $OUT /usr/bin/python3 "$here/network_peer.py" copy $OUT 20)" "True True"
is "and its program has ended" "$(no_program)" none
is "names, by packets" "$(inside $OUT getent ahostsv4 box.example | awk 'NR == 1 { print $1 }')" 192.0.2.7
is "names, of a server on the host's loopback" "$(inside 127.0.0.1 getent ahostsv4 box.example | awk 'NR == 1 { print $1 }')" 192.0.2.7
is "one that does not exist" "$(inside 127.0.0.1 sh -c 'getent ahostsv4 nobody.example; echo $?')" 2
is "the host's loopback is out of reach" "$(inside $OUT /usr/bin/python3 -c 'import socket
for a in "127.0.0.1", "10.0.2.2":
    try:
        socket.create_connection((a, 7003), 10)
        print("reached")
    except OSError as e:
        print("not")')" "not
not"
is "refused where nobody listens" "$(inside $OUT /usr/bin/python3 -c 'import socket
try: socket.create_connection(("'$OUT'", 7009), 10)
except ConnectionError: print("refused")')" refused
is "the interface" "$(inside $OUT sh -c 'cat /sys/class/net/eth0/mtu; awk "\$2 == \"00000000\" { print \$1, \$3 }" /proc/net/route')" "65520
eth0 0202000A"
is "on ptrace" "$(inside $OUT true; timeout "$LIMIT" ip netns exec "$N" "$LAUNCHER" --root "$STATE" --platform ptrace --network user do -- /usr/bin/python3 "$here/network_peer.py" copy $OUT 5 </dev/null 2>"$SCRATCH/err")" "True True"

mkdir "$SCRATCH/bundle"
spec "$SCRATCH/bundle" false /usr/bin/python3 -c 'import socket; print(socket.create_connection(("'$OUT'", 7003), 10).getpeername()[1])'
is "run" "$(spec "$SCRATCH/bundle" false python3 -c 'import socket; print(socket.create_connection(("'$OUT'", 7003), 10).getpeername()[1])'; timeout "$LIMIT" ip netns exec "$N" "$LAUNCHER" --root "$STATE" --network user run --bundle "$SCRATCH/bundle" user$$ </dev/null 2>"$SCRATCH/err")" 7003
for how in "create" "run --detach"; do
	# shellcheck disable=SC2086
	"$LAUNCHER" --root "$STATE" --network user $how --bundle "$SCRATCH/bundle" user$$ </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err"
	is "$how is refused" "$? $(grep -c 'lasts as long as its launcher' "$SCRATCH/err")" "1 1"
done
mkdir "$SCRATCH/bin"
PATH=$SCRATCH/bin "$LAUNCHER" --root "$STATE" --network user do -- /bin/true </dev/null 2>"$SCRATCH/err"
is "without the program" "$? $(grep -c 'slirp4netns is not installed' "$SCRATCH/err")" "125 1"

# --- killed ------------------------------------------------------------------------------------------
inside $OUT sh -c 'echo ready; exec sleep 1000' >"$SCRATCH/stays" &
until_true 'grep -q ready "$SCRATCH/stays"'
pkill -KILL -f "^$LAUNCHER --root $STATE .*network user do"
wait $! 2>/dev/null
is "the launcher is killed: its program ends" "$(no_program)" none
ip netns exec "$N" "$LAUNCHER" --root "$STATE" do -- true
is "nothing is left" "$(ls "$STATE")" ""

finish
