#!/bin/bash
# namespaces.sh - the programs that make namespaces of their own: ip netns, unshare, nsenter, lsns,
# bwrap.  Each case prints the same natively and in `launcher do`.
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/integration/alone.sh"
. "$top/tests/integration/lib.sh"
mkdir -p "$STATE"

# alike NAME PROGRAM SCRIPT : in a mount namespace where /run is empty, as root and natively too
alike() {
	command -v "$2" >/dev/null || { skip "$1" "no $2"; return; }
	script="mount --make-rprivate / && mount -t tmpfs none /run || exit 99; $3"
	want=$(timeout -k 5 60 unshare -m sh -c "$script" 2>"$SCRATCH/err.native" </dev/null) || { skip "$1" "not natively: $(tail -1 "$SCRATCH/err.native")"; return; }
	got=$(timeout -k 5 60 "$LAUNCHER" --root "$STATE" do -- unshare -m sh -c "$script" 2>"$SCRATCH/err" </dev/null)
	if [ "$got" = "$want" ]; then ok "$1"; else not_ok "$1" "got '$got'" "wanted '$want'" "$(tail -3 "$SCRATCH/err")"; fi
}

listen='python3 -c "
import socket, sys
l = socket.create_server((sys.argv[1], 80)); open(\"/run/ready\", \"w\").close()
c, a = l.accept(); print(a[0], c.recv(9).decode(), flush=True); c.sendall(b\"back\")" '
call='python3 -c "
import socket, sys
s = socket.create_connection((sys.argv[1], 80)); s.sendall(b\"over\"); print(s.getsockname()[0], s.recv(9).decode())" '
wait='while [ ! -e /run/ready ]; do sleep .05; done; rm /run/ready;'

alike "ip netns: add, list, exec, delete" ip 'ip netns add one && ip netns add two && ip netns list | sort && ip netns exec one ls /sys/class/net && ip -n two -o link show lo | cut -d" " -f2-6; ip netns del one; ip netns list; ip netns exec one true 2>/dev/null; echo $?'
alike "a namespace's name" ip 'ip netns add one && ip netns exec one ip netns identify'
alike "veth: addresses, routes, state" ip "ip netns add one && ip link add here type veth peer name there netns one && ip addr add 10.7.0.1/24 dev here && ip link set here up &&
	ip -n one link set there up && ip -n one addr add 10.7.0.2/24 dev there && ip -n one route add default via 10.7.0.1 && ip -n one route && ip -n one -o -4 addr show there | awk '{ print \$2, \$4, \$6 }'; ip -n one route get 8.8.8.8 | head -1 | cut -d' ' -f1-7; cat /sys/class/net/lo/mtu; until ip -o link show here | grep -o 'state UP'; do sleep .05; done; ip link del here; ip -n one link show there 2>/dev/null || echo gone"
alike "TCP between namespaces" ip "ip netns add one && ip link add here type veth peer name there netns one && ip addr add 10.7.0.1/24 dev here && ip link set here up &&
	ip -n one link set there up && ip -n one addr add 10.7.0.2/24 dev there || exit; ip netns exec one $listen 10.7.0.2 & $wait $call 10.7.0.2; wait"
alike "TCP over a bridge" ip "ip link add br0 type bridge && ip link set br0 up && for n in 1 2; do ip netns add n\$n && ip link add v\$n type veth peer name eth0 netns n\$n && ip link set v\$n master br0 up && ip -n n\$n addr add 10.7.0.\$n/24 dev eth0 && ip -n n\$n link set eth0 up || exit; done
	ip netns exec n2 $listen 10.7.0.2 & $wait ip netns exec n1 $call 10.7.0.2; wait"
alike "forwarding" ip "for n in 1 2; do ip netns add n\$n && ip link add v\$n type veth peer name eth0 netns n\$n && ip link set v\$n up && ip addr add 10.\$n.0.1/24 dev v\$n && ip -n n\$n addr add 10.\$n.0.2/24 dev eth0 && ip -n n\$n link set eth0 up && ip -n n\$n route add default via 10.\$n.0.1 || exit; done
	unshare --mount sh -c 'mount -t proc proc /proc; echo 1 >/proc/sys/net/ipv4/ip_forward'; ip netns exec n2 $listen 10.2.0.2 & $wait ip netns exec n1 $call 10.2.0.2; wait"
alike "unshare: all at once" unshare 'unshare -Urnmpf --mount-proc sh -c "id -u; echo \$\$; cat /sys/class/net/lo/operstate; cat /proc/self/uid_map"'
alike "unshare: cgroup and time" unshare 'unshare -C tail -n 1 /proc/self/cgroup; a=$(cut -d. -f1 /proc/uptime); b=$(unshare -T --boottime 100000 --fork cut -d. -f1 /proc/uptime); echo $(((b - a) / 1000))'
alike "nsenter -a" nsenter 'unshare -nuipf sh -c "hostname inner; exec sleep 20" & p=$!; while ! c=$(pgrep -P $p); do sleep .05; done; while [ "$(nsenter -t $c -u hostname)" != inner ]; do sleep .05; done; nsenter -a -t $c sh -c "hostname; echo \$\$ | grep -c ."; nsenter -n -t $c ip -o link | wc -l; kill -KILL $c; wait'
alike "lsns" lsns 'unshare -nuip --fork sleep 20 & p=$!; while ! c=$(pgrep -P $p); do sleep .05; done; lsns -n -o TYPE,NPROCS -p $c | grep -E "net|uts|ipc|pid" | sort; kill -KILL $c; wait'
alike "bwrap --unshare-all" bwrap 'bwrap --unshare-all --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp --hostname box --uid 1000 --gid 1000 sh -c "id -u; hostname; ls /dev | tr \"\n\" \" \"; ip -o link | wc -l; touch /tmp/x /usr/x 2>/dev/null; ls /tmp"'
alike "bwrap: the rest of its options" bwrap 'bwrap --bind / / --dev-bind /dev /dev --unshare-user --unshare-cgroup-try --die-with-parent --new-session --dir /run/d --symlink d /run/l --setenv A b --chdir /run --cap-drop ALL --as-pid-1 --unshare-pid sh -c "echo \$\$ \$A; pwd; readlink l"'
finish
