#!/bin/bash
# podman.sh - podman, root, with the launcher as its runtime, on an image that
# is imported from a few programs of the tree; what can be compared is compared
# with crun or runc.  crun refuses hybrid cgroups: all of it runs in a mount
# namespace in which there are only those of v1.
# usage: podman.sh [LAUNCHER]; needs podman (skipped without: apt-get install
# podman crun brings 90 MB and a minute, which is not for every run of CI).
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$(realpath "$1")
. "$top/tests/integration/lib.sh"
. "$top/tests/integration/engines.sh"
without_unified "$0" "$@"
need_engine podman podman cc
cd "$SCRATCH" || exit # conmon leaves a file `oom` where it is started

# what a test without CAP_SYS_RESOURCE may set
printf '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\n' >"$SCRATCH/containers.conf"
export CONTAINERS_CONF=$SCRATCH/containers.conf
pod() { timeout -k 1 60 podman --root "$SCRATCH/store" --runroot "$SCRATCH/run" --storage-driver vfs --cgroup-manager cgroupfs --events-backend file --runtime "$@"; }
p() { pod "$LAUNCHER" "$@"; }
ours() { p run --rm --network none "$@"; }
theirs() { pod "$reference" run --rm --network none "$@"; }
clean() {
	p pod rm -af -t 0 >/dev/null 2>&1
	p rm -af -t 0 >/dev/null 2>&1
	p rmi -af >/dev/null 2>&1
}
N= server= # a network of its own, and who serves in it
null=$(stat -c %u:%g /dev/null) # crun gives it to its containers' users, as it does all that their standard streams are
trap 'clean; chown "$null" /dev/null; [ -z "$server" ] || kill "$server" 2>/dev/null; [ -z "$N" ] || ip netns del "$N"; cleanup' EXIT

# --- the image: a few programs with their libraries ---------------------------------------
tree=$SCRATCH/image
program_tree "$tree" sh cat echo id env sleep ls touch hostname pwd nproc stty tty grep head kill mkdir rm true dd stat wc tr ln ps
! command -v busybox >/dev/null || cp "$(command -v busybox)" "$tree/usr/bin/"
cc -static -O -o "$tree/usr/bin/loop" "$top/tests/integration/podman-loop.c" || { not_ok "the image's program is built"; finish; exit 1; }
tar -C "$tree" -cf "$SCRATCH/image.tar" .
p import "$SCRATCH/image.tar" localhost/redoubt-test:1 >"$SCRATCH/out" 2>"$SCRATCH/err" || { not_ok "import" "$(cat "$SCRATCH/err")"; finish; exit 1; }
i=localhost/redoubt-test:1

# --- compared with crun, or runc (crun refuses hybrid cgroups) ---------------------------------
reference=
for r in crun runc; do
	command -v $r >/dev/null && pod $r run --rm --network none $i true </dev/null >/dev/null 2>"$SCRATCH/err" && reference=$r && break
done
[ -n "$reference" ] || { reference=$LAUNCHER; skip "comparison" "neither crun nor runc works here: $(tail -1 "$SCRATCH/err")"; }
both "run" $i echo hello
both "exit status" $i sh -c 'exit 7'
both "killed" $i sh -c 'kill -9 $$'
both "ids" --user 1000:1000 $i id
both "a user by name" --user user $i id -u
both "a user without a home" --user 1 $i sh -c 'echo $HOME'
both "the host's name" --uts host $i hostname
both "env, workdir, hostname" --env A=b --workdir /tmp --hostname box $i sh -c 'echo $A; pwd; hostname'
both "capabilities" --cap-drop ALL --cap-add CHOWN $i grep Cap /proc/self/status
both "default capabilities" $i grep Cap /proc/self/status
both "read-only" --read-only $i sh -c 'touch /x; echo $?; touch /tmp/x; echo $?'
both "tmpfs" --read-only --tmpfs /scratch $i sh -c 'echo x >/scratch/x && cat /scratch/x'
mkdir "$SCRATCH/volume"
echo data >"$SCRATCH/volume/file"
both "a bound directory, read-only" -v "$SCRATCH/volume:/v:ro" $i sh -c 'cat /v/file; echo no >/v/file; echo $?'
both "a bound directory" -v "$SCRATCH/volume:/v" $i sh -c 'echo more >>/v/file; cat /v/file; echo data >/v/file'
both "no such program" $i /nothing
both "no permission" $i /etc/passwd
both "processors" --cpuset-cpus 0 $i nproc
both "more groups, umask" --group-add 7 --umask 027 $i sh -c 'id -G; umask'
both "a limit" --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 --ulimit stack=4194304:8388608 $i sh -c 'ulimit -Ss; ulimit -Hs'
both "as many processes as allowed" --pids-limit 8 $i sh -c '(for n in 1 2 3 4 5 6 7 8 9; do sleep 10 & done) 2>/dev/null; echo $?'
both "entry point" --entrypoint '["echo", "a b"]' $i c
both "masked and read-only paths" $i sh -c 'echo x >/proc/sys/kernel/hostname; echo $?; cat /proc/timer_list | wc -c'
both "shared memory" --shm-size 1m $i sh -c 'dd if=/dev/zero of=/dev/shm/x bs=64k count=17 2>/dev/null; echo $?; stat -c %s /dev/shm/x'
both "a volume of podman's" -v named:/n $i sh -c 'echo 1 >>/n/x; rm /n/x; ls -a /n'
if command -v catatonit >/dev/null; then
	both "init" --init $i sh -c 'cat /proc/1/cmdline | tr "\\0" " "; echo $$'
else
	skip "init" "catatonit is not installed"
fi
echo in | pod "$LAUNCHER" run --rm -i --network none $i cat >"$SCRATCH/out" 2>"$SCRATCH/err"
is "run -i" "$(cat "$SCRATCH/out")" in
is "run -it" "$(in_terminal -- podman --root "$SCRATCH/store" --runroot "$SCRATCH/run" --storage-driver vfs --cgroup-manager cgroupfs --runtime "$LAUNCHER" \
	run --rm -it --network none $i sh -c 'tty; exit 4' 2>&1)" "/dev/pts/0 4"

# --- series of commands ---------------------------------------------------------------------------
copies() {
	echo one >"$SCRATCH/f"
	mkdir -p "$SCRATCH/d/e" && echo deep >"$SCRATCH/d/e/f"
	q run -d --name k --network none -v "$SCRATCH/volume:/v" $i sh -c 'while [ ! -e /go ]; do sleep 0.05; done; cat /go >/seen; exec sleep 1000' >/dev/null
	q exec k ls /root/f
	q cp "$SCRATCH/f" k:/root/f && q exec k cat /root/f
	echo two >>"$SCRATCH/f"
	q cp "$SCRATCH/f" k:/root/f && q exec k cat /root/f
	q cp "$SCRATCH/d" k:/root/ && q exec k cat /root/d/e/f
	q exec k sh -c 'echo inside >/root/g; mkdir /root/h; ln -s ../g /root/h/l'
	q cp k:/root/g - | tar -xO
	q cp k:/root/h - | tar -t
	q cp k:/nothing - 2>/dev/null || echo none
	q cp "$SCRATCH/f" k:/v/copied && cat "$SCRATCH/volume/copied" && q exec k cat /v/copied
	rm -f "$SCRATCH/volume/copied"
	q cp "$SCRATCH/f" k:/go && until_true 'q exec k grep -q . /seen' && q exec k cat /seen
	q stop -t 0 k >/dev/null 2>&1
	q cp "$SCRATCH/f" k:/root/stopped && q cp k:/root/stopped - | tar -xO
	q rm k >/dev/null
}
# Into, and out of, what lies in memory.
tmpfs_copies() {
	rm -rf "$SCRATCH/m" "$SCRATCH/back"
	mkdir -p "$SCRATCH/m/e" "$SCRATCH/back"
	echo deep >"$SCRATCH/m/e/f"
	ln -s e/f "$SCRATCH/m/l"
	ln "$SCRATCH/m/e/f" "$SCRATCH/m/hard"
	chmod 4751 "$SCRATCH/m/hard"
	head -c 3000000 /dev/urandom >"$SCRATCH/m/big"
	touch -h -d '2001-02-03 04:05:06.7' "$SCRATCH/m/"* "$SCRATCH/m/e/f" "$SCRATCH/m/e"
	q run -d --name m --network none "$@" --tmpfs /scratch --tmpfs /closed:ro --tmpfs /small:size=1m $i sh -c 'while [ ! -e /dev/shm/go ]; do sleep 0.05; done; cat /dev/shm/go >/scratch/seen; exec sleep 1000' >/dev/null
	q cp "$SCRATCH/m" m:/scratch/ && q exec m sh -c 'cat /scratch/m/l; stat -c "%n %F %a %u:%g %s %h %Y" /scratch/m/* /scratch/m/e/f' && q exec m cat /scratch/m/big | cmp - "$SCRATCH/m/big" && echo same
	q cp m:/scratch/m "$SCRATCH/back/" && diff -r "$SCRATCH/m" "$SCRATCH/back/m" && stat -c '%a %h %Y' "$SCRATCH/back/m/e/f" "$SCRATCH/back/m/hard"
	echo x >"$SCRATCH/m/hard"
	q cp "$SCRATCH/m/hard" m:/scratch/m/hard && q exec m cat /scratch/m/hard
	q cp m:/scratch/m/e - | tar -t
	q cp m:/scratch/nothing - 2>/dev/null || echo none
	q cp "$SCRATCH/m/hard" m:/closed/x 2>/dev/null || echo closed
	q cp "$SCRATCH/m/big" m:/small/x 2>/dev/null || echo full
	q exec m sh -c 'rm /scratch/m/big; mkdir /scratch/new; echo inside >/scratch/new/x'
	q cp m:/scratch/new/x - | tar -xO
	q cp "$SCRATCH/m/l" m:/dev/shm/go && until_true 'q exec m grep -q . /scratch/seen' && q exec m cat /scratch/seen
	q rm -f -t 0 m >/dev/null
}
healths() {
	q run -d --name h --network none --health-cmd 'test -e /root/ok' --health-interval disable --health-retries 1 $i sleep 1000 >/dev/null
	q healthcheck run h
	echo "$? $(q inspect h --format '{{.State.Health.Status}}')"
	q exec h touch /root/ok
	q healthcheck run h
	echo "$? $(q inspect h --format '{{.State.Health.Status}}')"
}
pods() {
	rm -f "$SCRATCH/volume/"[12] # of the other runtime's
	q pod create --name pod --network none --hostname together --infra-image $i --infra-command 'sleep 1000' >/dev/null
	for n in 1 2; do
		q run -d --pod pod --name c$n -v "$SCRATCH/volume:/v" $i sh -c "echo $n >/v/$n; hostname; trap 'exit $n' TERM; loop serve 808$n hello$n & while :; do sleep 0.1; done" >/dev/null
	done
	until_true '[ -s "$SCRATCH/volume/1" ] && [ -s "$SCRATCH/volume/2" ]'
	q run --rm --pod pod --name c3 -v "$SCRATCH/volume:/v" $i sh -c 'cat /v/1 /v/2; hostname; loop get 8081; loop get 8082; echo $$'
	echo "status $?"
	q exec c2 sh -c 'loop get 8081; cat /v/1; echo 2 >>/v/1'
	q exec c1 cat /v/1
	[ ! -c /dev/fuse ] || for n in 1 2; do q top c$n pid ppid comm | grep -v sleep; done
	q logs c1
	q cp "$SCRATCH/volume/file" c1:/root/x && q exec c1 cat /root/x
	q pod pause pod >/dev/null && q ps -a --format '{{.Names}} {{.State}}' | grep '^c[12] ' | sort
	q pod unpause pod >/dev/null
	q stop -t 5 c1 >/dev/null && q wait c1
	q exec c2 loop get 8082
	q kill c2 >/dev/null && q wait c2
	q pod stop -t 0 pod >/dev/null 2>&1
	q pod start pod >/dev/null
	q exec c2 loop get 8081
	q pod rm -f -t 0 pod >/dev/null
	q ps -aq
}
builds() {
	mkdir -p "$SCRATCH/context" && echo context >"$SCRATCH/context/f"
	cat >"$SCRATCH/context/Dockerfile" <<-EOF
		FROM $i
		ENV A=b
		RUN echo \$A >/made && mkdir -p /x/y && ln -s made /link && touch /x/u && chmod 4711 /x/u
		COPY f /f
		WORKDIR /x
		RUN ["/bin/sh", "-c", "cat /f >>/made; pwd >>/made; hostname -f >/dev/null; rm -r /tmp"]
		USER 1000
		RUN id >/tmp || id -u
		CMD cat /made
	EOF
	q build -q --no-cache --network none -t localhost/built:1 "$SCRATCH/context" >/dev/null
	echo "status $?"
	q run --rm --network none localhost/built:1
	q run --rm --network none localhost/built:1 stat -c '%n %F %a %u %g %s' /made /link /x /x/u /x/y
	q run --rm --network none localhost/built:1 ls /
	printf 'FROM %s\nRUN exit 3\n' $i >"$SCRATCH/context/Dockerfile"
	q build --no-cache --network none "$SCRATCH/context" >/dev/null 2>&1
	echo "status $?"
	q rmi localhost/built:1 >/dev/null
}
# asleep CONTAINER N : N programs of it are sleep, and have had time to be so
asleep() {
	until_true '[ "$(q top '"$1"' comm | grep -c sleep)" = '"$2"' ]' # exec would take numbers of processes
	sleep 0.3
}
# what podman reads in the /proc of the container's mount namespace, by itself
tops() {
	q run -d --name t --network none $i sh -c 'sleep 1000 & exec sleep 2000' >/dev/null
	q run -dt --name u --user 1000 --network none $i sleep 3000 >/dev/null
	asleep t 2 && asleep u 1
	q exec --user 1000:7 -d t sleep 3000 >/dev/null
	asleep t 3
	for t in t u; do
		q top $t | awk '{ print $1, $2, $3, $6, $7, $8, $9 }' # not its times
		q top $t pid ppid comm args state nice tty
		q top $t user group groups ruser rgroup capeff capprm capinh capbnd capamb seccomp label
	done
	nsenter -t "$(q inspect --format '{{.State.Pid}}' t)" -m grep -E '^(Name|Pid|PPid|Uid|Cap.*):' /proc/1/status
	nsenter -t "$(q inspect --format '{{.State.Pid}}' t)" -m sh -c 'echo /proc/[0-9]*; cat /proc/self/stat; echo $?; ls -d /proc/1/f*'
	q pause t >/dev/null
	q top t pid args
	q unpause t >/dev/null
	q exec t kill 2 2>/dev/null
	asleep t 2
	q top t pid args
	q stop -t 0 t >/dev/null 2>&1
	q top t 2>/dev/null
	echo "status $?"
}
# those that it asks of the container's own ps
ps_tops() {
	q run -d --name t --network none $i sh -c 'sleep 1000 & exec sleep 2000' >/dev/null
	asleep t 2
	q top t -eo pid,ppid,user,args
	q top t -ef | awk '{ print $1, $2, $3, $8, $9 }'
	q top t aux | awk '{ print $1, $2, $7, $11, $12 }'
	q top t axo pid,stat,args
	q exec --user 1000 -d t sleep 3000 >/dev/null
	asleep t 3
	q top t -eo user,args
	q top t --nonsense 2>/dev/null
	echo "status $?"
	q stop -t 0 t >/dev/null 2>&1
	q top t aux 2>/dev/null
	echo "status $?"
}
alike "cp" copies
alike "health checks" healths
if [ -c /dev/fuse ]; then
	alike "cp, tmpfs" tmpfs_copies
	# crun's tmpfs knows no id of the host's then, and refuses
	is "cp, tmpfs, other ids" "$(R=$LAUNCHER && tmpfs_copies --uidmap 0:100000:5000 --gidmap 0:200000:5000 2>"$SCRATCH/err")" "$(cat "$SCRATCH/inside")"
	alike "top" tops
else
	skip "cp, tmpfs; top" "there is no /dev/fuse"
fi
alike "top, with options of ps" ps_tops
alike "a pod of three containers" pods
alike "build" builds

# --- a container's life -------------------------------------------------------------------------
p run -d --name c --network none --memory 200m --pids-limit 100 $i sh -c 'echo out; echo err >&2; trap "echo bye; exit 3" TERM; while :; do sleep 0.1; done' >"$SCRATCH/out" 2>"$SCRATCH/err"
is "run -d" $? 0
until_true '[ "$(p logs c 2>&1 | wc -l)" = 2 ]'
status() { p inspect c --format '{{.State.Status}} {{.State.ExitCode}}'; }
is "inspect" "$(status)" "running 0"
is "logs" "$(p logs c 2>&1 | tr '\n' ' ')" "out err "
is "ps" "$(p ps --format '{{.Names}}')" c
is "exec" "$(p exec c sh -c 'echo in; exit 5'; echo $?)" "in
5"
p exec -d c sh -c 'echo x >/tmp/y' >/dev/null
until_true 'p exec c grep -q . /tmp/y 2>/dev/null'
is "exec -d" "$(p exec c cat /tmp/y)" x
is "exec, a user" "$(p exec --user 1000 --workdir /tmp --env B=c c sh -c 'id -u; pwd; echo $B' | tr '\n' ' ')" "1000 /tmp c "
is "stats" "$(p stats --no-stream --format '{{.Name}}' c)" c
p pause c >/dev/null
is "pause" "$(status)" "paused 0"
p unpause c >/dev/null
is "unpause" "$(status)" "running 0"
p stop -t 10 c >/dev/null
is "stop" "$(status)" "exited 3"
is "wait" "$(p wait c)" 3
is "logs, the end" "$(p logs c 2>/dev/null | tail -1)" bye
p start c >/dev/null
is "start again" "$(status)" "running 0"
p restart -t 5 c >/dev/null
is "restart" "$(status)" "running 0"
p kill c >/dev/null
is "kill" "$(p wait c)" 137
is "rm" "$(p rm c)" c
# a tmpfs lies in the sandbox's memory: what it covers on the host is left alone
p run -d --name c --network none --tmpfs /scratch $i sleep 1000 >/dev/null
p cp "$SCRATCH/volume/file" c:/scratch/y
is "cp into a tmpfs leaves the image alone" "$? $(p exec c ls /scratch) $(find "$SCRATCH/store/vfs" -path '*/scratch/*')" "0 y "
is "rm -f of a running one" "$(p rm -f -t 0 c)" c
p run -d --name c --network none $i sleep 1000 >/dev/null
p rm -f -t 0 c >/dev/null
is "rm -f" "$(p ps -aq)" ""

# --- a bridge of the engine's, and published ports ----------------------------------------------------
if [ -x /usr/lib/cni/bridge ] && [ -x "$tree/usr/bin/busybox" ] && ip netns add rdP$$ 2>/dev/null; then
	N=rdP$$
	ip -n "$N" link set lo up
	mkdir "$SCRATCH/cni"
	cat >"$SCRATCH/cni/podman.conflist" <<J
{"cniVersion": "0.4.0", "name": "podman", "plugins": [
  {"type": "bridge", "bridge": "cni-redoubt0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$SCRATCH/addresses", "routes": [{"dst": "0.0.0.0/0"}], "ranges": [[{"subnet": "10.231.9.0/24", "gateway": "10.231.9.1"}]]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
J
	printf '[network]\nnetwork_backend = "cni"\nnetwork_config_dir = "%s"\ncni_plugin_dirs = ["/usr/lib/cni"]\n' "$SCRATCH/cni" >>"$CONTAINERS_CONF"
	# podman itself in a network of its own, which gets the bridge and the rules
	host() { timeout -k 1 60 nsenter --net=/run/netns/$N "$@"; }
	pod() { # RUNTIME ...
		host podman --root "$SCRATCH/store" --runroot "$SCRATCH/run" --storage-driver vfs --cgroup-manager cgroupfs --events-backend file --runtime "$@"
	}
	ask() { host $PYTHON -c 'import socket, sys; print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 20).makefile().readline().strip())' "$@"; }
	nsenter --net=/run/netns/$N $PYTHON -c 'import socket
s = socket.create_server(("0.0.0.0", 9000))
while True:
    c, a = s.accept()
    c.sendall(b"word\n")
    c.close()' >"$SCRATCH/serve" 2>&1 &
	server=$!
	answers='exec busybox nc -ll -p 8080 -e echo "hello of $(hostname)"'
	bridged() {
		q run -d --name n --hostname n --network podman -p 18080:8080 $i sh -c "$answers" >/dev/null
		until_true 'ask 127.0.0.1 18080 >/dev/null 2>&1'
		ask 127.0.0.1 18080
		ask "$(q inspect n --format '{{.NetworkSettings.IPAddress}}')" 8080
		q exec n sh -c 'cd /sys/class/net; echo *; cat /proc/net/route | cut -f 1-4,8; busybox nc 10.231.9.1 9000; busybox nc 10.231.9.1 9001; echo $?; busybox ping -c 2 -q 10.231.9.1 | grep received'
		q run --rm --network podman $i busybox nc "$(q inspect n --format '{{.NetworkSettings.IPAddress}}')" 8080
		q run --rm --network container:n $i busybox nc 127.0.0.1 8080
		q restart -t 0 n >/dev/null
		until_true 'ask 127.0.0.1 18080 >/dev/null 2>&1'
		ask 127.0.0.1 18080
		q exec n busybox nc 10.231.9.1 9000
		q rm -f -t 0 n >/dev/null
		q pod create --name np -p 18081:8080 >/dev/null
		q run -d --pod np --name np1 $i sh -c "$answers" >/dev/null
		until_true 'ask 127.0.0.1 18081 >/dev/null 2>&1'
		ask 127.0.0.1 18081
		q exec np1 busybox nc 10.231.9.1 9000
		q pod rm -f -t 0 np >/dev/null
	}
	# its network is made between create and start
	mapped() {
		q run --rm --network podman --uidmap 0:100000:5000 --gidmap 0:200000:5000 $i sh -c 'cd /sys/class/net; echo *; busybox nc 10.231.9.1 9000'
		q run -d --name n --hostname n --network podman --uidmap 0:100000:5000 -p 18080:8080 $i sh -c "$answers" >/dev/null
		until_true 'ask 127.0.0.1 18080 >/dev/null 2>&1'
		ask 127.0.0.1 18080
		q rm -f -t 0 n >/dev/null
	}
	alike "a bridge, published ports" bridged
	alike "a bridge, other ids" mapped
	kill $server
	server=
	until_true '[ -z "$(ip -n "$N" -o link show type veth)" ]'
	is "no interface is left" "$(ip -n "$N" -o link show type veth | wc -l)" 0
else
	skip "a bridge, published ports" "no network namespace can be made, or containernetworking-plugins or busybox are not installed"
fi

# --- what is left ----------------------------------------------------------------------------------
state_left() { find /run/redoubt -mindepth 1 -maxdepth 1 2>/dev/null | grep -xE '.*/[0-9a-f]{64}'; } # podman's: others may run
until_true '[ -z "$(state_left)" ]'
is "no state is left" "$(state_left)" ""
[ -z "${REDOUBT_NO_UNIFIED-}" ] || rm -rf /sys/fs/cgroup/unified/libpod* /sys/fs/cgroup/unified/buildah* # plain directories here: podman's own
cgroups_left() { find /sys/fs/cgroup -name 'libpod-*' 2>/dev/null | grep -v conmon; }
until_true '[ -z "$(cgroups_left)" ]'
is "no cgroup is left" "$(cgroups_left)" ""
finish
