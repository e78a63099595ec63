#!/bin/bash
# docker.sh - Docker's engine with the launcher as a runtime, and as the default
# one; what can be compared is compared with runc.
# usage: docker.sh [LAUNCHER]; needs docker.io and busybox (skipped without).
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"
. "$top/tests/integration/engines.sh"
need_engine docker containerd dockerd docker busybox
export DOCKER_HOST=unix://$SCRATCH/docker.sock DOCKER_CONFIG=$SCRATCH
server=
trap 'clean; [ -z "$server" ] || kill "$server" 2>/dev/null; stop_daemons; cleanup; ip netns del "$N" 2>/dev/null' EXIT

i=redoubt-test:1
# the engine has a network of its own, with its bridge and its rules, where it may make one
N=rd$$D
ip netns add "$N" 2>/dev/null && ip -n "$N" link set lo up && host() { nsenter --net=/run/netns/$N "$@"; } && network="--bip 10.231.8.1/24" ||
	{ N=; host() { "$@"; }; network="--bridge=none --iptables=false"; }
client=/usr/bin/docker # Debian's, which is of its engine's version
d() { timeout -k 1 60 "$client" "$@"; }
run() { d run --network none "$@"; }
clean() { d ps -aq 2>/dev/null | while read -r c; do d rm -f "$c"; done >/dev/null 2>&1; }
ours() { run --rm --runtime redoubt "$@"; }
theirs() { run --rm --runtime runc "$@"; }
wait_for() { # COMMAND WANTED : until it prints that, or 30 s
	for _ in $(seq 300); do
		got=$(eval "$1" 2>/dev/null)
		[ "$got" = "$2" ] && break
		sleep 0.1
	done
	echo "$got"
}

cat >"$SCRATCH/daemon.json" <<J
{"deprecated-key-path": "$SCRATCH/key.json", "default-runtime": "redoubt"}
J
# shellcheck disable=SC2086
make_image && "$LAUNCHER" install --engine docker --config "$SCRATCH/daemon.json" >"$SCRATCH/out" && start_containerd && mkdir "$SCRATCH/bin" && ln -s "$(realpath "$LAUNCHER")" "$SCRATCH/bin/runc" &&
	PATH=$SCRATCH/bin:$PATH start_daemon "$SCRATCH/docker.sock" ${N:+nsenter --net=/run/netns/$N} dockerd -H "$DOCKER_HOST" --config-file "$SCRATCH/daemon.json" \
	--containerd "$CONTAINERD_ADDRESS" --data-root "$SCRATCH/docker" --exec-root "$SCRATCH/docker-exec" --pidfile "$SCRATCH/docker.pid" --cgroup-parent /redoubt-test \
	$network --storage-driver vfs && d load -q -i "$SCRATCH/image.tar" >"$SCRATCH/out" 2>"$SCRATCH/err" ||
	{ not_ok "set-up" "$(cat "$SCRATCH/err")"; finish; exit 1; }
reference=$(command -v runc)
[ -n "$reference" ] && run --rm --runtime runc $i true >"$SCRATCH/out" 2>"$SCRATCH/err" || reference=
is "info" "$(d info --format '{{.DefaultRuntime}} {{(index .Runtimes "redoubt").Path}}' 2>"$SCRATCH/err")" "redoubt $(realpath "$LAUNCHER")"

# --- run -----------------------------------------------------------------------------------------
both "run" $i echo hello
both "exit status" $i sh -c 'exit 7'
both "no such program" $i /nothing
both "no program by that name" $i nothing
both "no permission" $i /etc/noexec
both "ids" --user 1000:1000 $i id
both "a user by name" --user user $i id
both "environment, directory, host name" -e A=b -w /tmp -h box $i sh -c 'echo $A; pwd; hostname; cat /etc/hostname'
both "capabilities" --cap-drop ALL --cap-add CHOWN $i grep Cap /proc/self/status
both "default capabilities" $i grep Cap /proc/self/status
both "read-only, tmpfs" --read-only --tmpfs /scratch $i sh -c 'touch /x; echo $?; echo x >/scratch/x && cat /scratch/x'
both "limits" --ulimit nofile=100:200 $i sh -c 'ulimit -n; ulimit -Hn'
both "--init" --init $i sh -c 'tr "\0" " " </proc/1/cmdline; kill -KILL $$'
mkdir "$SCRATCH/volume"
echo data >"$SCRATCH/volume/file"
both "a bound directory, read-only" -v "$SCRATCH/volume:/v:ro" $i sh -c 'cat /v/file; touch /v/x; echo $?'
run --rm -v v1:/v $i sh -c 'echo x >/v/file' >"$SCRATCH/out" 2>"$SCRATCH/err"
both "a volume" -v v1:/v $i cat /v/file
echo in | run --rm -i --runtime redoubt $i sh -c 'cat; exit 6' >"$SCRATCH/out" 2>"$SCRATCH/err"
is "run -i" "$? $(cat "$SCRATCH/out")" "6 in"
# docker tells of the size once it has begun
sized='for i in $(seq 150); do [ "$(stty size 2>/dev/null)" != "33 77" ] || break; sleep 0.2; done; stty size'
is "run -it" "$(in_terminal -- "$client" run --rm -it --network none $i sh -c "tty; $sized; exit 4")" "/dev/pts/0
33 77 4"
is "run -it: ^C" "$(in_terminal '\x03' -- "$client" run --rm -it --network none $i sh -c 'trap "echo caught; exit 5" INT; echo ready; while :; do sleep 0.1; done')" "ready
^Ccaught 5"
# the size that docker begins with may come late: it is not the one that is waited for
winch='trap "set -- \$(stty size); [ \$1 != 20 ] || { echo \$*; exit 5; }" WINCH; echo ready; while :; do sleep 0.1; done'
is "run -it: another size" "$(in_terminal resize -- "$client" run --rm -it --network none $i sh -c "$winch")" "ready
20 90 5"
for options in "" "--init"; do
	# shellcheck disable=SC2086
	run --name oom --memory 32m $options $i sh -c 'tail /dev/zero' >"$SCRATCH/out" 2>"$SCRATCH/err"
	is "more than its memory $options" "$? $(wait_for 'd inspect -f "{{.State.ExitCode}} {{.State.OOMKilled}}" oom' "137 true")" "137 137 true"
	d rm oom >/dev/null
done

# --- a container's life ----------------------------------------------------------------------------
state() { d inspect -f '{{.State.Status}} {{.State.ExitCode}}' c1; }
run -d --name c1 --memory 200m --pids-limit 100 $i sh -c 'echo out; echo err >&2; trap "echo bye; exit 3" TERM; while :; do sleep 0.1; done' >"$SCRATCH/out" 2>"$SCRATCH/err"
is "run -d" "$? $(state)" "0 running 0"
is "logs" "$(wait_for 'd logs c1 2>&1 | sort | tr "\n" " "' "err out ")" "err out "
is "exec" "$(d exec c1 sh -c 'echo in; exit 5'; echo $?)" "in
5"
is "exec -i" "$(echo word | d exec -i c1 cat)" word
is "exec -it" "$(in_terminal -- "$client" exec -it c1 sh -c 'tty; exit 6')" "/dev/pts/0 6"
is "exec -it: another size" "$(in_terminal resize -- "$client" exec -it c1 sh -c "$winch")" "ready
20 90 5"
is "exec, a user" "$(d exec -u 1000 -w /tmp -e B=c c1 sh -c 'id -u; pwd; echo $B' | tr '\n' ' ')" "1000 /tmp c "
d exec c1 nothing >"$SCRATCH/out" 2>"$SCRATCH/err"
is "exec, no such program" $? 126
d exec -d c1 sh -c 'echo x >/tmp/y; sleep 1000' >"$SCRATCH/out" 2>"$SCRATCH/err"
is "exec -d" "$(wait_for 'd exec c1 cat /tmp/y' x)" x
is "top: what stands for the programs" "$(d top c1 -o pid,cmd | awk 'NR > 1 { print $2 }' | sort | tr '\n' ' ')" "redoubt-exec redoubt-sentry "
is "stats" "$(d stats --no-stream --format '{{.Name}} {{.MemUsage}}' c1 | sed 's, .* /,,')" "c1 200MiB"
d cp c1:/tmp/y "$SCRATCH/y" && echo z >"$SCRATCH/z" && d cp "$SCRATCH/z" c1:/tmp/z
is "cp" "$(cat "$SCRATCH/y") $(d exec c1 cat /tmp/z)" "x z"
is "diff" "$(d diff c1 | sort | tr '\n' ' ')" "A /tmp/y A /tmp/z C /tmp "
d pause c1 >/dev/null
is "pause" "$(state)" "paused 0"
d unpause c1 >/dev/null
is "unpause" "$(state)" "running 0"
d update --memory 100m --memory-swap 100m c1 >"$SCRATCH/out" 2>"$SCRATCH/err"
is "update" "$? $(d stats --no-stream --format '{{.MemUsage}}' c1 | sed 's,.*/ ,,')" "0 100MiB"
d stop -t 10 c1 >/dev/null
is "stop" "$(state)" "exited 3"
is "wait" "$(d wait c1)" 3
is "logs, the end" "$(d logs --tail 1 c1 2>/dev/null)" bye
d start c1 >/dev/null
is "start again" "$(state)" "running 0"
before=$(d inspect -f '{{.State.Pid}}' c1)
d restart -t 5 c1 >/dev/null
is "restart" "$(state) $([ "$(d inspect -f '{{.State.Pid}}' c1)" != "$before" ] && echo another)" "running 0 another"
attached() { d events --since "$since" --until "$(date +%s)" --filter event=attach --filter container=c1 2>/dev/null | grep -c .; }
since=$(date +%s)
is "attach" "$( (until_true '[ "$(attached)" != 0 ]'; d stop c1 >/dev/null) & d attach --no-stdin c1 2>/dev/null; echo $?)" "bye
3"
d start c1 >/dev/null
d kill c1 >/dev/null
is "kill" "$(d wait c1) $(state)" "137 exited 137"
d commit c1 redoubt-test:2 >"$SCRATCH/out" 2>"$SCRATCH/err"
is "commit" "$(run --rm redoubt-test:2 cat /tmp/z)" z
is "rm" "$(d rm c1)" c1
run -d --name c1 --restart on-failure:2 $i sh -c 'exit 9' >/dev/null
is "restarted twice, as asked" "$(wait_for "d inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}' c1" "exited 9 2")" "exited 9 2"
d rm -f c1 >/dev/null
run -d --name c1 --health-cmd '[ -e /tmp/well ]' --health-interval 300ms --health-retries 1 $i sh -c 'touch /tmp/well; exec sleep 1000' >/dev/null
health="d inspect -f '{{.State.Health.Status}}' c1"
is "health" "$(wait_for "$health" healthy)" healthy
d exec c1 rm /tmp/well
is "ill health" "$(wait_for "$health" unhealthy)" unhealthy
c1=$(d inspect -f '{{.Id}}' c1)
is "stop, by force" "$(d stop -t 0 c1 >/dev/null; state)" "exited 137"
d rm c1 >/dev/null

# --- the bridge: a prestart hook brings the address --------------------------------------------------
serve() { # PORT TEXT : to whoever connects, on the bridge's side
	# shellcheck disable=SC2086
	${N:+nsenter --net=/run/netns/$N} $PYTHON -c 'import socket, sys
s = socket.create_server(("0.0.0.0", int(sys.argv[1])))
while True:
    c, a = s.accept()
    c.sendall(("%s to %s\n" % (sys.argv[2], a[0])).encode())
    c.close()' "$@" >"$SCRATCH/serve" 2>&1 &
	server=$! port=$1
	until_true 'host $PYTHON -c "import socket; socket.create_connection((\"127.0.0.1\", $port)).close()" 2>/dev/null'
}
address() { d inspect -f '{{.NetworkSettings.IPAddress}}' "$1"; }
# ask ADDRESS PORT : what is said there, once somebody is there to say it: for half a minute
ask() {
	host $PYTHON -c 'import socket, sys, time
end, said = time.monotonic() + 30, ""
while not said and time.monotonic() < end:
    try: said = socket.create_connection((sys.argv[1], int(sys.argv[2])), 20).makefile().readline().strip()
    except OSError as e: print(e, file=sys.stderr); time.sleep(0.05)
print(said)' "$@" 2>"$SCRATCH/err"
}
answers='exec nc -ll -p 8080 -e echo "hello of $(hostname)"'
if [ -n "$N" ]; then
	serve 9000 word
	ours() { d run --rm --runtime redoubt "$@"; }
	theirs() { d run --rm --runtime runc "$@"; }
	both "bridge: the interface" --mac-address 02:42:0a:e7:08:77 $i sh -c "ip link show eth0 | grep -o 'mtu [0-9]*\|02:42[^ ]*'; ip route | sed 's/src.*//'"
	both "bridge: its own name" -h box $i sh -c 'grep box /etc/hosts | grep -c "^10.231.8"; ip address show eth0 | grep -cF "$(awk "/box/ { print \$1 }" /etc/hosts)/24"'
	both "bridge: a connection to the host" $i sh -c 'nc 10.231.8.1 9000 | cut -d" " -f1'
	both "bridge: refused" $i sh -c 'nc 10.231.8.1 9001; echo $?'
	both "bridge: ping" $i sh -c 'ping -c 2 -q 10.231.8.1 | grep received'
	is "no bridge: a loopback only" "$(d run --rm --network none --runtime redoubt $i sh -c 'ip link | grep -c mtu')" 1
	d run -d --name n1 -h n1 --runtime redoubt -p 18080:8080 $i sh -c "$answers" >"$SCRATCH/out" 2>"$SCRATCH/err"
	is "bridge: a connection from the host" "$(ask "$(address n1)" 8080)" "hello of n1"
	is "bridge: ping from the host" "$(host busybox ping -c 2 -q "$(address n1)" 2>"$SCRATCH/err" | grep -o '[0-9] packets received')" "2 packets received"
	is "bridge: a published port" "$(ask 127.0.0.1 18080)" "hello of n1"
	is "bridge: one container to another" "$(d run --rm --runtime redoubt $i nc "$(address n1)" 8080) $(d run --rm --runtime redoubt --link n1 $i nc n1 8080)" "hello of n1 hello of n1"
	is "bridge: one joins another's network" "$(d run --rm --runtime redoubt --network container:n1 $i nc 127.0.0.1 8080)" "hello of n1"
	is "bridge: exec" "$(d exec n1 sh -c 'nc 10.231.8.1 9000')" "word to $(address n1)"
	d restart -t 0 n1 >/dev/null
	is "bridge: restarted" "$(ask "$(address n1)" 8080) $(ask 127.0.0.1 18080)" "hello of n1 hello of n1"
	d stop -t 0 n1 >/dev/null
	d start n1 >/dev/null
	is "bridge: stopped and started" "$(ask "$(address n1)" 8080) $(d exec n1 sh -c 'nc 10.231.8.1 9000')" "hello of n1 word to $(address n1)"
	d rm -f n1 >/dev/null
	# a network of the user's own: the engine is its containers' name server
	d network create --subnet 10.231.10.0/24 own >"$SCRATCH/out" 2>"$SCRATCH/err"
	d run -d --name n2 --network own --network-alias other --runtime redoubt $i sh -c "$answers" >"$SCRATCH/out" 2>"$SCRATCH/err"
	ours() { d run --rm --network own --runtime redoubt "$@"; }
	theirs() { d run --rm --network own --runtime runc "$@"; }
	both "names: a container's, an alias, one that nobody has" $i sh -c 'cat /etc/resolv.conf; for n in n2 other n2.own; do nslookup -type=a $n; done; nslookup -type=a nobody.own. >/dev/null; echo $?'
	both "names: of an address" $i nslookup 10.231.10.2
	is "names: many at once" "$(d run --rm --network own $i sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do nslookup -type=a n2 & nslookup -type=ptr 2.10.231.10.in-addr.arpa & done | grep -c "10.231.10.2$\|name = n2.own"; wait')" 20
	d rm -f n2 >/dev/null
	d network rm own >/dev/null
	until_true '[ -z "$(host ip -o link show type veth)" ] && ! grep "$SCRATCH/docker-exec/netns/" /proc/mounts | grep -vq "/default "'
	is "bridge: no interface is left" "$(host ip -o link show type veth | wc -l)" 0
	is "bridge: no namespace is left" "$(grep "$SCRATCH/docker-exec/netns/" /proc/mounts | grep -vc '/default ')" 0
	kill $server
	server=
else
	skip "the bridge" "no network namespace can be made"
fi

# --- build ----------------------------------------------------------------------------------------
mkdir "$SCRATCH/build"
echo content >"$SCRATCH/build/file"
cat >"$SCRATCH/build/Dockerfile" <<D
FROM $i
ENV WORD=hello
WORKDIR /srv
COPY file /srv/file
RUN echo \$WORD >out && cat file >>out && ln -s out link && chown 1000 out && chmod 4750 out && uname -r >kernel
USER 1000
RUN id -u >/tmp/id
CMD ["sh", "-c", "cat link /tmp/id; stat -c '%u %a' out"]
D
DOCKER_BUILDKIT=0 d build -q --network none -t redoubt-built "$SCRATCH/build" >"$SCRATCH/out" 2>"$SCRATCH/err"
is "build" $? 0
both "what was built" redoubt-built
is "... was built inside" "$(run --rm redoubt-built cat kernel)" "$(run --rm $i uname -r)"
# BuildKit asks for no runtime by name: it runs what is called runc
DOCKER_BUILDKIT=1 d build -q --no-cache --network none -t redoubt-built:2 "$SCRATCH/build" >"$SCRATCH/out" 2>"$SCRATCH/err"
is "build by BuildKit" "$?" 0
is "... was built inside" "$(run --rm redoubt-built:2 sh -c 'cat kernel; stat -c "%u %a" out')" "$(run --rm $i uname -r)
1000 4750"
printf 'FROM %s\nRUN exit 3\n' $i >"$SCRATCH/build/Dockerfile"
DOCKER_BUILDKIT=0 d build -q --network none "$SCRATCH/build" >"$SCRATCH/out" 2>"$SCRATCH/err"
is "build of what fails" "$? $(grep -c 'returned a non-zero code: 3' "$SCRATCH/err")" "3 1"
nothing_left "nothing is left" "$c1"
finish
