#!/bin/bash
# network.sh - a sandbox with a network (--network=sandbox): its namespace has one end of a veth
# pair, as an engine makes it, and another host (network_peer.py) is at the other end.  What
# programs see must be what they see natively in the same namespace.
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/lib.sh"

here=$(cd "$(dirname "$0")" && pwd)
C=rdC$$ P=rdP$$ M=rdM$$ # the container's, the other host's, what is between them
IPCCTL=${IPCCTL:-$top/libipc/ipcctl}
IN4=10.77.0.2 OUT4=10.77.0.1 IN6=fd77::2 OUT6=fd77::1

if ! [ "$(id -u)" = 0 ] || ! ip netns add "$C" 2>/dev/null; then
	skip network "needs root and ip netns"
	finish
	exit
fi
undo() {
	[ -n "$peer" ] && kill "$peer" 2>/dev/null
	[ -n "$carrier" ] && kill "$carrier" 2>/dev/null
	cleanup
	for n in $C $P $M; do ip netns del "$n" 2>/dev/null; done
}
trap undo EXIT

# --- hosts --------------------------------------------------------------------------------

# veth NS NAME MAC NS NAME
veth() {
	ip link add "rd$$a" netns "$1" type veth peer name "rd$$b" netns "$3"
	ip -n "$1" link set "rd$$a" name "$2"
	ip -n "$3" link set "rd$$b" name "$4"
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}
addresses() {
	ip -n "$C" address add $IN4/24 brd + dev eth0
	ip -n "$C" address add $IN6/64 dev eth0 nodad
	ip -n "$C" route replace default via $OUT4
	ip -n "$C" route replace default via $OUT6
}
ip netns add "$P"
ip -n "$C" link set lo up
ip -n "$P" link set lo up
veth "$C" eth0 "$P" out0
ip -n "$P" address add $OUT4/24 brd + dev out0
ip -n "$P" address add $OUT6/64 dev out0 nodad
addresses
ip netns exec "$P" python3 "$here/network_peer.py" serve "$SCRATCH/serves" 2>"$SCRATCH/peer.err" &
peer=$!
until_true '[ -e "$SCRATCH/serves" ]' || not_ok "the other host" "$(cat "$SCRATCH/peer.err")"
outside() { ip netns exec "$P" timeout "$LIMIT" python3 "$here/network_peer.py" "$@" 2>>"$SCRATCH/err"; }

# --- sandboxes --------------------------------------------------------------------------------

bundle=$SCRATCH/bundle
mkdir -p "$bundle"
echo "nameserver $OUT4" >"$SCRATCH/resolv.conf"

# configure ARGS... : a bundle that runs them in the namespace
configure() {
	spec "$bundle" false "$@"
	python3 - "$bundle/config.json" "$here" "$SCRATCH/resolv.conf" "$C" <<'PY'
import json, sys
name, here, resolv, ns = sys.argv[1:]
c = json.load(open(name))
c["root"]["readonly"] = True
c["mounts"] += [{"destination": "/mnt", "type": "bind", "source": here, "options": ["bind", "ro"]},
                {"destination": "/etc/resolv.conf", "type": "bind", "source": resolv, "options": ["bind", "ro"]}]
spaces = c["linux"]["namespaces"]
spaces[:] = [n for n in spaces if n["type"] != "network"] + [{"type": "network", "path": "/var/run/netns/" + ns}]
json.dump(c, open(name, "w"))
PY
}
launcher() { timeout "$LIMIT" "$LAUNCHER" --root "$STATE" --log "$SCRATCH/log" --network sandbox "$@"; }
# inside ARGS... : in a sandbox of its own, which takes the addresses again
inside() {
	addresses 2>/dev/null
	configure "$@"
	launcher run --bundle "$bundle" "net$$" </dev/null 2>"$SCRATCH/err"
}
# stay ARGS... : in a sandbox that stays, until it has said "ready"
stay() {
	addresses 2>/dev/null
	configure "$@"
	launcher run --detach --bundle "$bundle" stays </dev/null >"$SCRATCH/stays" 2>"$SCRATCH/err" && until_true 'grep -q ready "$SCRATCH/stays"'
}
leave() { launcher delete --force stays; }

# --- as natively ----------------------------------------------------------------------------

for ip in $OUT4 $OUT6; do
	addresses 2>/dev/null
	ip netns exec "$C" timeout "$LIMIT" python3 "$here/network_inside.py" $ip >"$SCRATCH/native" 2>&1
	inside python3 /mnt/network_inside.py $ip >"$SCRATCH/got"
	if cmp -s "$SCRATCH/native" "$SCRATCH/got"; then
		ok "as natively, $ip"
	else
		not_ok "as natively, $ip" "$(diff "$SCRATCH/native" "$SCRATCH/got")" "$(tail -5 "$SCRATCH/err")"
	fi
done
here_is() { ip -n "$C" -o address show; ip -n "$C" route show; ip -n "$C" -6 route show; }
addresses 2>/dev/null
# lifetimes are told in seconds that pass
before=$(here_is)
if stay sh -c 'echo ready; exec sleep 1000'; then
	is "the host's kernel has no address left to answer for" "$(ip -n "$C" -o address show dev eth0 | grep -c inet)" 0
	leave
	is "and all as it was when the container is deleted" "$(here_is)" "$before"
	stay sh -c 'echo ready; exec sleep 1000' && pkill -KILL -f "^redoubt-(sentry|controld|gofer) stays "
	until_true 'launcher state stays | grep -q "\"stopped\""'
	is "killed: they are off" "$(ip -n "$C" -o address show dev eth0 | grep -c inet)" 0
	leave
	is "and back when it is deleted" "$(here_is)" "$before"
else
	not_ok "one that stays" "$(tail -5 "$SCRATCH/err")"
fi

is "100 MB each way" "$(inside python3 /mnt/network_peer.py copy $OUT4 100)" "True True"
is "100 MB each way, IPv6" "$(inside python3 /mnt/network_peer.py copy $OUT6 100)" "True True"
is "a name is looked up" "$(inside getent ahostsv4 box.example | awk 'NR == 1 { print $1 }')" 192.0.2.7
is "one that does not exist" "$(inside sh -c 'getent ahostsv4 nobody.example; echo $?')" 2
is "what is shown" "$(inside sh -c 'grep -c eth0 /proc/net/dev; awk "/eth0/ && \$2 == \"00000000\" { print \$3 }" /proc/net/route; cat /sys/class/net/eth0/address')" \
	"1
01004D0A
$(ip -n "$C" link show eth0 | awk '/ether/ { print $2 }')"
is "on ptrace" "$(addresses 2>/dev/null; configure python3 /mnt/network_peer.py copy $OUT4 20; launcher --platform ptrace run --bundle "$bundle" "net$$" </dev/null 2>"$SCRATCH/err")" "True True"
addresses 2>/dev/null
configure true
timeout "$LIMIT" ip netns exec "$C" "$LAUNCHER" --root "$STATE" --network sandbox run --bundle "$bundle" "net$$" </dev/null 2>"$SCRATCH/err"
is "the caller's own namespace is refused" "$(grep -c "the caller's own" "$SCRATCH/err")" 1
is "and keeps its addresses" "$(ip -n "$C" -o address show dev eth0 | grep -c "$IN4")" 1

# --- without the option: if nobody else is there -------------------------------------------------

# unasked [OPTIONS] : how many interfaces are seen, and how often a warning says why there is no more
unasked() {
	addresses 2>/dev/null
	configure sh -c 'grep -c : /proc/net/dev'
	# shellcheck disable=SC2086
	timeout "$LIMIT" $1 "$LAUNCHER" --root "$STATE" $2 run --bundle "$bundle" "net$$" </dev/null 2>"$SCRATCH/err"
	grep -c 'has a loopback only' "$SCRATCH/err"
}
is "without the option it is taken too" "$(unasked | tr '\n' ' ')" "2 0 "
is "and given back" "$(ip -n "$C" -o address show dev eth0 | grep -c "$IN4")" 1
is "not with none" "$(unasked "" "--network none" | tr '\n' ' ')" "1 1 "
is "not the caller's own" "$(unasked "ip netns exec $C" | tr '\n' ' ') $(grep -c "is the caller's own" "$SCRATCH/err")" "1 1  1"
ip netns exec "$C" sleep 1000 &
other=$!
until_true '[ "$(readlink /proc/$other/exe)" = "$(readlink -f "$(command -v sleep)")" ]'
is "not with a process in it" "$(unasked | tr '\n' ' ') $(grep -c "is that of process $other" "$SCRATCH/err")" "1 1  1"
is "which keeps its addresses" "$(ip -n "$C" -o address show dev eth0 | grep -c "$IN4")" 1
is "but with it, asked for" "$(unasked "" "--network sandbox" | tr '\n' ' ')" "2 0 "
kill $other
# its socket is in the namespace, itself it is not
python3 -c 'import ctypes, os, socket, sys, time
own = os.open("/proc/self/ns/net", os.O_RDONLY)
there = os.open(sys.argv[1], os.O_RDONLY)
ctypes.CDLL(None).setns(there, 0)
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x0300)
ctypes.CDLL(None).setns(own, 0)
print("ready", flush=True)
time.sleep(1000)' "/var/run/netns/$C" >"$SCRATCH/other" &
other=$!
until_true 'grep -q ready "$SCRATCH/other"'
is "not where somebody listens" "$(unasked | tr '\n' ' ') $(grep -c "somebody else listens" "$SCRATCH/err")" "1 1  1"
is "whose addresses stay" "$(ip -n "$C" -o address show dev eth0 | grep -c "$IN4")" 1
kill $other
wait $other 2>/dev/null
if stay sh -c 'echo ready; exec sleep 1000'; then
	is "not from another sandbox" "$(unasked | tr '\n' ' ') $(grep -c "somebody else listens" "$SCRATCH/err")" "1 1  1"
	leave
fi

# --- what listens inside -----------------------------------------------------------------------

if stay python3 /mnt/network_peer.py listen; then
	is "200 connections to a listener" "$(outside connect $IN4 8000 200)" 200
	is "the same, IPv6" "$(outside connect $IN6 8000 200)" 200
	is "100 MB to a listener" "$(outside send $IN4 8001 100)" True
	time_waits() { launcher exec stays cat /proc/net/sockstat | awk '/^TCP:/ { print $7 }'; }
	is "100 connections that are ended inside" "$(outside ended $IN4 8002 100)" 100
	until_true '[ "$(time_waits)" -ge 100 ]' && ok "which are remembered" || not_ok "which are remembered" "$(time_waits)"
	is "17,000 more" "$(outside ended $IN4 8002 17000)" 17000
	is "which are not remembered all" "$([ "$(time_waits)" -le 16384 ] && echo yes)" yes
	is "refused where nobody listens" "$(outside connect $IN4 8009 1; grep -c ConnectionRefused "$SCRATCH/err")" 1
	outside hostile out0 "$(ip -n "$C" link show eth0 | awk '/ether/ { print $2 }')" $IN4 $RANDOM
	is "after 20,000 hostile frames" "$(outside connect $IN4 8000 20)" 20
	is "and it is the same sandbox" "$(launcher state stays | grep -c '"running"')" 1
	ip -n "$P" link set out0 down
	outside send $IN4 8001 20 >"$SCRATCH/got" &
	ip -n "$P" link set out0 up
	ip -n "$P" address replace $OUT6/64 dev out0 nodad
	wait $!
	is "the link was down" "$(outside connect $IN4 8000 20)" 20
	leave
else
	not_ok "a listener" "$(tail -5 "$SCRATCH/err")"
fi

# --- nothing happens -----------------------------------------------------------------------------

# How often the sentry's threads have been woken.
wakes() { awk '/^(non)?voluntary_ctxt_switches/ { n += $2 } END { print n }' /proc/"$1"/task/*/status; }
# Others' frames may come at any time, and a freezer wakes all: one quiet stretch of several is enough.
quiet_stretch() {
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		before=$(wakes "$1")
		sleep 5
		[ "$(wakes "$1")" = "$before" ] && return
	done
	return 1
}
if stay sh -c 'echo ready; exec sleep 1000'; then
	pid=$(launcher state stays | python3 -c 'import json, sys; print(json.load(sys.stdin)["pid"])')
	is "an idle sandbox does not wake up" "$(quiet_stretch "$pid" && echo quiet)" quiet
	leave
else
	not_ok "an idle sandbox" "$(tail -5 "$SCRATCH/err")"
fi

# --- a bad wire ----------------------------------------------------------------------------------

ip netns add "$M"
ip -n "$C" link del eth0
veth "$C" eth0 "$M" a0
veth "$M" b0 "$P" out0
ip -n "$P" address add $OUT4/24 dev out0
ip -n "$P" address add $OUT6/64 dev out0 nodad
ip netns exec "$M" python3 "$here/network_peer.py" wire a0 b0 0.02 "$SCRATCH/carries" 2>>"$SCRATCH/err" &
carrier=$!
until_true '[ -e "$SCRATCH/carries" ]'
is "frames are lost, doubled and reordered" "$(inside python3 /mnt/network_peer.py copy $OUT4 5)" "True True"

# --- a namespace that hooks fill ------------------------------------------------------------------

ip -n "$P" link del out0 # with its other end, and its addresses
cat >"$SCRATCH/hook" <<H
#!/bin/sh
pid=\$(sed 's/.*"pid": *\([0-9]*\).*/\1/')
echo "\$pid" >"$SCRATCH/hook.pid"
ip link add rd$$a netns "\$pid" type veth peer name rd$$b netns "$P" || exit
ip -n "$P" link set rd$$b name out0 up
ip -n "$P" address add $OUT4/24 dev out0
exec nsenter -t "\$pid" -n sh -ec 'ip link set rd$$a name eth0 up; ip address add $IN4/24 brd + dev eth0; ip route add default via $OUT4'
H
chmod +x "$SCRATCH/hook"
# hooked KIND ARGS... : a bundle that wants a new namespace, with that hook
hooked() {
	kind=$1
	shift
	configure "$@"
	python3 - "$bundle/config.json" "$kind" "$SCRATCH/hook" <<'PY'
import json, sys
name, kind, hook = sys.argv[1:]
c = json.load(open(name))
for n in c["linux"]["namespaces"]:
    if n["type"] == "network":
        del n["path"]
c["hooks"] = {kind: [{"path": hook}]}
json.dump(c, open(name, "w"))
PY
}
# one goes with its sandbox, a moment later
no_link() { until_true '! ip -n "$P" link show out0 >/dev/null 2>&1' && echo none; }
for kind in prestart createRuntime; do
	hooked $kind python3 /mnt/network_peer.py copy $OUT4 20
	is "filled by $kind" "$(launcher run --bundle "$bundle" "net$$" </dev/null 2>"$SCRATCH/err")" "True True"
	is "and gone with its sandbox" "$(no_link)" none
done
is "with none it is filled for nobody" "$(hooked prestart sh -c 'grep -c : /proc/net/dev'; timeout "$LIMIT" "$LAUNCHER" --root "$STATE" --network none run --bundle "$bundle" "net$$" </dev/null 2>"$SCRATCH/err")" 1
no_link >/dev/null
hooked createRuntime sh -c 'echo ready; exec sleep 1000'
net_of() { readlink "/proc/$1/ns/net"; }
if launcher run --detach --bundle "$bundle" stays </dev/null >"$SCRATCH/stays" 2>"$SCRATCH/err" && until_true 'grep -q ready "$SCRATCH/stays"'; then
	told=$(cat "$SCRATCH/hook.pid")
	is "the hook was told of the sandbox's process" "$told" "$(launcher state stays | python3 -c 'import json, sys; print(json.load(sys.stdin)["pid"])')"
	is "whose network has no address left" "$(nsenter -t "$told" -n ip -o address show dev eth0 | grep -c inet)" 0
	is "and is that process's alone" "$(for p in $(pgrep -f '^redoubt-(gofer|controld) stays '); do net_of "$p"; done | sort -u | grep -c .) $(for p in $(pgrep -f '^redoubt-(gofer|controld) stays '); do net_of "$p"; done | grep -cFx "$(net_of "$told")")" "1 0"
	leave
else
	not_ok "a namespace that hooks fill" "$(tail -5 "$SCRATCH/err")"
fi
no_link >/dev/null
# what comes up last gets an IPv6 address of its own a moment later, which is the sandbox's like the others; the launcher goes on
# before the kernel's work queue does where it may
taskset -c 0 chrt -f 50 true 2>/dev/null && soon="chrt -f 50" || soon=
cat >"$SCRATCH/hook" <<H
#!/bin/sh
pid=\$(sed 's/.*"pid": *\([0-9]*\).*/\1/')
ip link add rd$$a netns "\$pid" type veth peer name rd$$b netns "$P" && ip -n "$P" link set rd$$b name out0 up || exit
exec nsenter -t "\$pid" -n sh -ec 'ip link set rd$$a name eth0; ip address add $IN4/24 brd + dev eth0; exec $soon ip link set eth0 up'
H
hooked createRuntime sh -c 'grep "^fe80.* eth0$" /proc/net/if_inet6 | wc -l; echo ready; exec sleep 1000'
: >"$SCRATCH/lost"
for i in 1 2 3 4 5 6 7 8; do
	# shellcheck disable=SC2086
	timeout "$LIMIT" ${soon:+taskset -c 0 ${soon/-f/-R -f}} "$LAUNCHER" --root "$STATE" --network sandbox run --detach --bundle "$bundle" stays </dev/null >"$SCRATCH/stays" 2>"$SCRATCH/err" &&
		until_true 'grep -q ready "$SCRATCH/stays"'
	pid=$(launcher state stays | python3 -c 'import json, sys; print(json.load(sys.stdin)["pid"])')
	until_true 'nsenter -t "$pid" -n ip -o link show dev eth0 | grep -q "state UP"'
	nsenter -t "$pid" -n ip -o address show dev eth0 | grep inet >>"$SCRATCH/lost"
	[ "$(head -1 "$SCRATCH/stays")" = 1 ] || echo "the sandbox has $(head -1 "$SCRATCH/stays")" >>"$SCRATCH/lost"
	leave
	no_link >/dev/null
done
is "a link that comes up last: its own address is the sandbox's" "$(cat "$SCRATCH/lost")" ""
printf '#!/bin/sh\nexit 3\n' >"$SCRATCH/hook"
hooked prestart true
launcher run --bundle "$bundle" "net$$" </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err"
is "a hook that fails" "$? $(grep -c 'hooks.prestart\[0\].*ended with status 3' "$SCRATCH/err")" "1 1"

# --- a namespace that is filled between create and start: by Docker from 25 on --------------------------

# created OPTIONS ARGS... : a container that wants a new namespace; $pid is its process on the host
created() {
	options=$1
	shift
	configure "$@"
	python3 - "$bundle/config.json" <<'PY'
import json, sys
c = json.load(open(sys.argv[1]))
for n in c["linux"]["namespaces"]:
    if n["type"] == "network":
        del n["path"]
json.dump(c, open(sys.argv[1], "w"))
PY
	# shellcheck disable=SC2086
	timeout "$LIMIT" "$LAUNCHER" --root "$STATE" $options create --bundle "$bundle" --pid-file "$SCRATCH/pid" stays </dev/null >"$SCRATCH/stays" 2>"$SCRATCH/err" && pid=$(cat "$SCRATCH/pid")
}
fill() {
	ip link add rd$$a netns "$pid" type veth peer name rd$$b netns "$P" && ip -n "$P" link set rd$$b name out0 up && ip -n "$P" address add $OUT4/24 dev out0 &&
		nsenter -t "$pid" -n sh -ec "ip link set rd$$a name eth0 up; ip address add $IN4/24 brd + dev eth0; ip route add default via $OUT4"
}
begin() { timeout "$LIMIT" "$LAUNCHER" --root "$STATE" start stays 2>"$SCRATCH/err"; }
ended() { until_true 'launcher state stays | grep -q "\"stopped\""'; cat "$SCRATCH/stays"; }
created "--network sandbox" sh -c 'ls /sys/class/net; cat /sys/class/net/eth0/address; python3 /mnt/network_peer.py copy '$OUT4' 20'
fill
mac=$(nsenter -t "$pid" -n ip link show eth0 | awk '/ether/ { print $2 }')
begin
is "filled between create and start" "$? $(ended)" "0 eth0
lo
$mac
True True"
leave
no_link >/dev/null
created "--network sandbox" sh -c 'echo ready; exec sleep 1000'
fill
begin
until_true 'grep -q ready "$SCRATCH/stays"'
is "its network has no address left" "$(nsenter -t "$pid" -n ip -o address show dev eth0 | grep -c inet)" 0
is "and is that process's alone" "$(for p in $(pgrep -f '^redoubt-(gofer|controld) stays '); do net_of "$p"; done | grep -cFx "$(net_of "$pid")")" 0
is "exec has it too" "$(launcher exec stays python3 /mnt/network_peer.py copy $OUT4 1 2>"$SCRATCH/err")" "True True"
is "no more comes to what runs" "$("$IPCCTL" --connect "$STATE/stays/control.sock" interfaces '{"id": "stays", "links": [], "requests": {"hex": ""}, "name_server": {"hex": ""}, "sockets": []}' 2>&1 | grep -c 'is running, must be created')" 1
leave
no_link >/dev/null
created "--network sandbox" sh -c 'grep -c : /proc/net/dev; ls /sys/class/net'
begin
is "left empty" "$? $(ended)" "0 1
lo"
leave
created "--network sandbox" true
nsenter -t "$pid" -n sh -ec 'for n in 1 2 3 4 5 6 7 8 9; do ip link add type veth; done'
begin
is "too many: it does not start" "$? $(grep -c 'more than 16 interfaces' "$SCRATCH/err") $(launcher state stays | grep -c '"stopped"')" "1 1 1"
leave
created "" sh -c 'ls /sys/class/net'
fill
begin
is "without the option, too" "$? $(ended)" "0 eth0
lo"
leave
no_link >/dev/null
created "" sh -c 'ls /sys/class/net'
nsenter -t "$pid" -n sh -ec 'for n in 1 2 3 4 5 6 7 8 9; do ip link add type veth; done'
begin
is "too many: a loopback has to do" "$? $(grep -c 'more than 16 interfaces.*a loopback only' "$SCRATCH/err") $(ended)" "0 1 lo"
leave

finish
