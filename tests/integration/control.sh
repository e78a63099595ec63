#!/bin/bash
# control.sh - what is read and changed of a running container from outside: its
# control group's files, its network, which of its calls are logged.
# usage: control.sh [LAUNCHER]; needs the tree of scripts/common.sh, python3.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"
IPCCTL=${IPCCTL:-$top/libipc/ipcctl}

run() { timeout -k 1 60 "$LAUNCHER" --root "$STATE" "$@"; }
has() { if [[ "$2" == *"$3"* ]]; then ok "$1"; else not_ok "$1" "wanted '$3' in:" "$(head -20 <<<"$2")" "$(cat "$SCRATCH/err" 2>/dev/null)"; fi; }
# refused NAME WANTED ARGS... : fails, and says so
refused() {
	name=$1 wanted=$2
	shift 2
	quiet "$@"
	has "refused: $name" "$? $(cat "$SCRATCH/err")" "$wanted"
}
id=control-$$ b=$SCRATCH/b
mkdir -p "$b"
# perl, because it waits when it may not fork (the limit of processes below): a shell would end
spec "$b" false /usr/bin/perl -e 'for (;;) { select undef, undef, undef, 0.05; system "cat", "/etc/hostname" }'
python3 - "$b/config.json" <<'PY'
import json, sys
c = json.load(open(sys.argv[1]))
c["mounts"].append({"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup"})
json.dump(c, open(sys.argv[1], "w"))
PY
quiet --log "$SCRATCH/log" run -d -b "$b" "$id"
is "a container" $? 0

# --- its control group ------------------------------------------------------------------------
inside() { run exec "$id" cat "/sys/fs/cgroup/$1" 2>&1; }
is "read-control" "$(run read-control "$id" memory / memory.max) $(run read-control "$id" cgroup / cgroup.controllers)" "max cpuset cpu memory pids"
is "a file that is made as it is read" "$(run read-control "$id" cgroup / cgroup.procs | head -1) $(run read-control "$id" cgroup / cgroup.threads | head -1) $(($(run read-control "$id" pids / pids.current) >= 1))" "1 1 1"
quiet write-control "$id" memory / memory.max 256m
is "write-control memory.max" "$? $(inside memory.max) $(run exec "$id" sed -n 's/MemTotal: *//p' /proc/meminfo)" "0 268435456 262144 kB"
quiet write-control "$id" pids / pids.max 20
is "write-control pids.max" "$? $(inside pids.max)" "0 20"
is "which holds" "$(run exec "$id" bash -c 'for i in $(seq 30); do sleep 5 & done; wait' 2>&1 | grep -c 'Resource temporarily unavailable' | sed 's/[1-9][0-9]*/some/')" some
quiet write-control "$id" pids / pids.max max
quiet write-control "$id" memory / memory.max max
is "no limits again" "$(inside pids.max) $(run read-control "$id" memory / memory.max)" "max max"
refused "a file that can only be read" "memory.current: can only be read" write-control "$id" memory / memory.current 1
refused "a value that is none" "memory.max: '12x' is no value for it" write-control "$id" memory / memory.max 12x
refused "a value beyond all" "is no value for it" write-control "$id" memory / memory.max 99999999999G
refused "a limit below zero" "is no value for it" write-control "$id" pids / pids.max -1
refused "a file that is not there" "has no file 'memory.none'" read-control "$id" memory / memory.none
refused "a name of the first hierarchy" "names are cgroup2's" read-control "$id" cpuacct / cpu.usage
refused "a group below" "has one control group" read-control "$id" memory /a memory.max
refused "a path" "has no file 'memory.max/../x'" read-control "$id" memory / memory.max/../x

# --- its network ----------------------------------------------------------------------------------
network() { quiet network "$id" "$@"; }
shown() { run debug --network "$id" | python3 -c "import json, sys; d = json.load(sys.stdin); l = {i['name']: i for i in d['links']}; print($1)"; }
is "a loopback" "$(shown "sorted(l), l['lo']['addresses'], l['lo']['flags'] & 1, l['lo']['mtu']")" "['lo'] ['127.0.0.1/8', '::1/128'] 1 65536"
network link add eth7 type dummy
is "network link add" "$? $(shown "sorted(l), l['eth7']['flags'] & 1")" "0 ['eth7', 'lo'] 0"
network link eth7 up && network link eth7 mtu 1400
is "network link up, mtu" "$? $(shown "l['eth7']['flags'] & 1, l['eth7']['mtu']")" "0 1 1400"
network address add 10.7.0.2/24 dev eth7 && network address add fd07::2/64 dev eth7
is "network address add" "$? $(shown "l['eth7']['addresses']")" "0 ['10.7.0.2/24', 'fd07::2/64']"
network route add default via 10.7.0.1 dev eth7 && network route add 10.9.0.0/16 dev eth7
is "network route add" "$? $(shown "sorted(r for r in d['routes'] if r.startswith(('default', '10.9', '10.7.0.0')))")" \
	"0 ['10.7.0.0/24 dev eth7', '10.9.0.0/16 dev eth7', 'default via 10.7.0.1 dev eth7']"
is "programs see it" "$(run exec "$id" sh -c "grep -c eth7 /proc/net/dev; python3 -c '
import socket
s = socket.create_server((\"10.7.0.2\", 0))
c = socket.create_connection(s.getsockname())
print(c.getsockname()[0])'" | xargs)" "1 10.7.0.2"
network route del 10.9.0.0/16 dev eth7 && network address del 10.7.0.2/24 dev eth7
is "network route del, address del" "$? $(shown "l['eth7']['addresses'], [r for r in d['routes'] if r.startswith('10.')]")" "0 ['fd07::2/64'] []"
network link del eth7
is "network link del" "$? $(shown "sorted(l)")" "0 ['lo']"
refused "an interface that is not there" "none: network of container $id: No such device" network "$id" link none up
refused "an address that is there" "File exists" network "$id" address add 127.0.0.1/8 dev lo
refused "no address" "'10.0.0.1/33' is not ADDRESS/LENGTH" network "$id" address add 10.0.0.1/33 dev lo
refused "a kind that is none" "type dummy or bridge" network "$id" link add a type vlan
refused "the loopback's end" "network of container" network "$id" link del lo
refused "a name too long" "is not an interface's name" network "$id" link 0123456789abcdefgh up
refused "too many words" "too many words" network "$id" link lo up up
refused "an object that is none" "'rule' is not link, address or route" network "$id" rule a b
refused "two families" "are not of one family" network "$id" route add 10.0.0.0/8 via fd00::1
# hostile requests, which no launcher makes
netlink() { "$IPCCTL" --connect "$STATE/$id/control.sock" netlink "{\"id\": \"$id\", \"request\": {\"hex\": \"$1\"}}" 2>&1; }
for hex in "" 00 ffffffff1000010000000000000000000000 0000000012000100000000000000000000 11000000120000000000000000000000 200000001800010000000000000000000a18ffff00000000ffff0100; do
	has "refused: a netlink message that is none (${hex:-empty})" "$(netlink "$hex")" "network of container $id"
done
is "the sandbox lives" "$(run exec "$id" echo yes)" yes

# --- which calls are logged --------------------------------------------------------------------------
refused "a call that is none" "there is no system call 'nonesuch'" debug --strace openat,nonesuch "$id"
refused "no call" "names no call" debug --strace , "$id"
quiet debug --strace openat,execve "$id"
is "debug --strace openat,execve" $? 0
until_true 'grep -q "execve(\"/usr/bin/cat\"\|execve(\"/bin/cat\"" "$SCRATCH/log" && grep -q "openat(AT_FDCWD, \"/etc/hostname\"" "$SCRATCH/log"'
is "the calls that were asked for, and no others" "$? $(grep -o 'info: \[[0-9]* [^]]*\] [a-z_0-9]*(' "$SCRATCH/log" | sed 's/.* //' | sort -u | xargs)" "0 execve( openat("
quiet debug --strace all "$id"
until_true 'grep -q "wait4(" "$SCRATCH/log"'
is "all of them" $? 0
quiet delete --force "$id"
finish
