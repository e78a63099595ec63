#!/bin/bash
# rootless.sh - without root: `do`, `run`, exec and their like by a user of this
# machine, with and without subordinate ids; what is missing is named; what each
# process may do is no more than with root; podman, rootless, against crun.
# The users are made here and removed.
# usage: rootless.sh [LAUNCHER]; needs root (to make users), and the uidmap package
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
[ -z "${1-}" ] || LAUNCHER=$1
. "$top/tests/integration/lib.sh"
. "$top/tests/integration/engines.sh"
without_unified "$0" "$@"
[ "$(id -u)" = 0 ] || { skip rootless "makes users: needs root"; finish; exit; }
command -v newuidmap >/dev/null || { skip rootless "newuidmap is not installed (Debian: uidmap)"; finish; exit; }
[ -e "$TREE/.complete" ] || debian_tree

many=rdtmany$$ one=rdtone$$ # with subordinate ids, and without
tun= server=
clean() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	for u in $many $one; do
		[ -d "$SCRATCH/$u/podman" ] && as $u podman unshare rm -rf "$SCRATCH/$u/home/.local" >/dev/null 2>&1
		for p in $(ps -o pid= -u $u 2>/dev/null); do kill -9 "$p" 2>/dev/null; done
		userdel $u 2>/dev/null
	done
	cleanup
}
trap clean EXIT
# as USER COMMAND... : with the environment of a log-in, but no systemd
as() {
	user=$1
	shift
	(cd / && setpriv --reuid "$user" --regid "$user" --clear-groups --reset-env env HOME="$SCRATCH/$user/home" XDG_RUNTIME_DIR="$SCRATCH/$user/run" \
		CONTAINERS_CONF="$SCRATCH/containers.conf" CONTAINERS_STORAGE_CONF="$SCRATCH/storage.conf" LAUNCHER="$L" timeout -k 1 120 "$@")
}

chmod 755 "$SCRATCH"
for u in $many $one; do
	useradd --no-create-home --shell /bin/sh $u || { not_ok "a user is made"; finish; exit 1; }
	mkdir -p "$SCRATCH/$u/home" "$SCRATCH/$u/run"
	chown -R $u:$u "$SCRATCH/$u"
	chmod 700 "$SCRATCH/$u/run"
done
sed -i "/^$many:/d" /etc/subuid /etc/subgid
sed -i "/^$one:/d" /etc/subuid /etc/subgid
usermod --add-subuids 700000-765535 --add-subgids 700000-765535 $many
printf '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\n' >"$SCRATCH/containers.conf"
printf '[storage]\ndriver = "vfs"\n' >"$SCRATCH/storage.conf"
# where the users can reach it: the tree of the project may lie in root's home
mkdir "$SCRATCH/bin"
for f in launcher controld gofer sentry; do cp "$(dirname "$LAUNCHER")/../$f/$f" "$SCRATCH/bin/" || cp "$(dirname "$LAUNCHER")/$f" "$SCRATCH/bin/"; done
L=$SCRATCH/bin/launcher

# everybody's, as where udev runs: in a mount namespace of this script's own, and before podman makes one of its own
if [ -c /dev/fuse ] && [ -n "${REDOUBT_NO_UNIFIED-}" ]; then
	mknod -m 666 "$SCRATCH/fuse" c 10 229 && mount --bind "$SCRATCH/fuse" /dev/fuse
fi

# likewise, for podman's network of a user: slirp4netns
if [ -c /dev/net/tun ] && command -v slirp4netns >/dev/null && [ -n "${REDOUBT_NO_UNIFIED-}" ]; then
	mknod -m 666 "$SCRATCH/tun" c 10 200 && mount --bind "$SCRATCH/tun" /dev/net/tun && tun=yes
fi

# --- do --------------------------------------------------------------------------------------------
for u in $many $one; do
	is "do: who I am, $u" "$(as $u "$L" do -- id -u 2>"$SCRATCH/err")" "$(id -u $u)"
done
is "do: the host's files are as the user may see them" "$(as $many "$L" do -- sh -c 'head -c 4 /etc/passwd; cat /etc/shadow 2>/dev/null || echo no' 2>"$SCRATCH/err")" "rootno"
is "do: changes stay inside" "$(as $many "$L" do -- sh -c 'echo x >/tmp/rootless-x; cat /tmp/rootless-x' 2>"$SCRATCH/err"; ls /tmp/rootless-x 2>/dev/null)" x

# --- run -------------------------------------------------------------------------------------------
# a bundle of the user's own: a few programs of the tree
make_tree() { program_tree "$1" sh bash cat echo id env sleep ls touch chown mkdir rm stat grep kill true; }
# bundle USER COMMAND [MAPPINGS] : writes the user's config.json; a user namespace with MAPPINGS, if any
bundle() {
	mkdir -p "$SCRATCH/$1/bundle"
	[ -d "$SCRATCH/$1/bundle/rootfs" ] || { make_tree "$SCRATCH/$1/bundle/rootfs"; chown -R "$1:$1" "$SCRATCH/$1/bundle"; }
	TREE=$SCRATCH/$1/bundle/rootfs spec "$SCRATCH/$1/bundle" false /bin/sh -c "$2"
	[ -z "${3-}" ] || python3 - "$SCRATCH/$1/bundle/config.json" "$3" <<'PY'
import json, sys
c = json.load(open(sys.argv[1]))
m = [dict(zip(("containerID", "hostID", "size"), map(int, r.split(":")))) for r in sys.argv[2].split(",")]
c["linux"]["namespaces"].append({"type": "user"})
c["linux"]["uidMappings"] = c["linux"]["gidMappings"] = m
json.dump(c, open(sys.argv[1], "w"))
PY
}
n=0
run() { # USER COMMAND [MAPPINGS]
	bundle "$@"
	n=$((n + 1))
	as "$1" "$L" run --bundle "$SCRATCH/$1/bundle" "r$n" 2>"$SCRATCH/err" </dev/null
}
ids='id -u; touch /f; stat -c "%u %g" /f; chown 1000:1001 /f 2>/dev/null; stat -c "%u %g" /f'
is "run: root inside, all ids" "$(run $many "$ids" | tr '\n' ' ')" "0 0 0 1000 1001 "
is "run: ... which are the user's and the subordinate ones" "$(stat -c '%u %g' "$SCRATCH/$many/bundle/rootfs/f")" "700999 701000"
is "run: root inside, one id" "$(run $one "$ids" | tr '\n' ' ')" "0 0 0 0 0 "
is "run: ... which is the user's" "$(stat -c '%U' "$SCRATCH/$one/bundle/rootfs/f")" "$one"
as $one "$L" --debug --log "$SCRATCH/$one/log" run --bundle "$SCRATCH/$one/bundle" why >/dev/null 2>&1
is "run: ... and the log says why" "$(grep -c "/etc/subuid has no range for '$one'" "$SCRATCH/$one/log")" 1
is "run: mappings of the configuration" "$(run $many 'touch /g; chown 7:7 /g; stat -c %u /g' "0:$(id -u $many):1,1:700100:10"; stat -c %u "$SCRATCH/$many/bundle/rootfs/g")" "7
700106"
run $many 'true' "0:$(id -u $many):1,1:1:10" >/dev/null
is "run: ids that are not the user's are refused" "$? $(grep -c 'newuidmap refused the map' "$SCRATCH/err")" "1 1"
bundle $many 'sleep 1000'
is "run -d, exec, list, kill, wait, delete" "$(as $many sh -c '$LAUNCHER run -d --bundle "$HOME/../bundle" d && $LAUNCHER exec d sh -c "id -u; exit 3"; echo $?; $LAUNCHER list -q; $LAUNCHER kill d KILL; $LAUNCHER wait d; echo $?; $LAUNCHER delete d; $LAUNCHER list -q' 2>"$SCRATCH/err" </dev/null | tr '\n' ' ')" "0 3 d 137 "

# --- what is missing is named -------------------------------------------------------------------------
max=$(cat /proc/sys/user/max_user_namespaces)
mkfifo "$SCRATCH/go"
unshare -U --keep-caps sh -c "read x <'$SCRATCH/go'; echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --reuid $(id -u $one) --regid $(id -g $one) --clear-groups env -u REDOUBT_REPORTS timeout 20 '$L' --root '$SCRATCH/$one/run/none' do -- true" >"$SCRATCH/out" 2>&1 &
until_true '[ "$(readlink /proc/$!/ns/user)" != "$(readlink /proc/self/ns/user)" ]'
for m in uid gid; do echo "0 0 65536" >/proc/$!/${m}_map; done
echo go >"$SCRATCH/go"
wait $!
is "no user namespaces: the switch is named" "$(grep -c 'max_user_namespaces is 0' "$SCRATCH/out")" 1
is "... here they are as before" "$(cat /proc/sys/user/max_user_namespaces)" "$max"
mkdir "$SCRATCH/hidden"
bundle $many true "0:$(id -u $many):1,1:700000:10"
is "no newuidmap: it is named" "$(unshare -m sh -c "for f in /usr/bin/newuidmap /bin/newuidmap; do mount --bind /dev/null \$f 2>/dev/null; done; exec setpriv --reuid $many --regid $many --clear-groups env -u REDOUBT_REPORTS timeout 20 '$L' --root '$SCRATCH/$many/run/x' run --bundle '$SCRATCH/$many/bundle' x" 2>&1 | grep -c 'newuidmap is not installed')" 1

# --- what the processes may do --------------------------------------------------------------------------
for u in $many $one; do
	bundle $u 'sleep 1000 & wait'
	as $u "$L" run -d --bundle "$SCRATCH/$u/bundle" c </dev/null >"$SCRATCH/err" 2>&1 || { not_ok "a sandbox to look at" "$(cat "$SCRATCH/err")"; continue; }
	sleep 0.5
	state=$SCRATCH/$u/run/redoubt/c/state.json
	pid() { sed -n "/\"$1\"/,/}/s/.*\"pid\": *\([0-9]*\).*/\1/p" "$state" | head -1; }
	field() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
	for c in controld gofer sentry; do
		p=$(pid $c)
		is "$c of $u: seccomp, no_new_privs" "$(field "$p" Seccomp) $(field "$p" NoNewPrivs)" "2 1"
		root=$(ls -A "/proc/$p/root/" 2>/dev/null | wc -l)
		is "$c of $u: an empty root, one mount" "$root $(wc -l <"/proc/$p/mountinfo")" "0 1"
		shared=
		for ns in user mnt net ipc uts; do [ "$(readlink "/proc/$p/ns/$ns")" = "$(readlink "/proc/self/ns/$ns")" ] && shared="$shared $ns"; done
		is "$c of $u: no namespace of the host's" "$shared" ""
		case $c in
		gofer) allowed=0000000000000* ;; # CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID
		*) allowed=0000000000000000 ;;
		esac
		case $(field "$p" CapEff)$(field "$p" CapInh | tr -d 0) in
		$allowed) ok "$c of $u: capabilities $(field "$p" CapEff)" ;;
		*) not_ok "$c of $u: capabilities" "$(field "$p" CapEff) $(field "$p" CapInh)" ;;
		esac
	done
	as $u "$L" delete --force c >/dev/null 2>&1
	left() { echo "$(ps -o stat=,comm= -u $u | grep -v '^Z' | tr '\n' ' ')$(ls "$SCRATCH/$u/run/redoubt")"; }
	until_true '[ -z "$(left)" ]'
	is "nothing is left of $u" "$(left)" ""
done

# --- podman -----------------------------------------------------------------------------------------------
if ! command -v podman >/dev/null; then
	skip "rootless podman" "podman is not installed"
	finish
	exit
fi
pod() {
	r=$1
	shift
	as $many podman --cgroup-manager cgroupfs --events-backend file --runtime "$r" "$@"
}
p() { pod "$L" "$@"; }
mkdir "$SCRATCH/$many/podman"
make_tree "$SCRATCH/image"
tar -C "$SCRATCH/image" --owner 0 --group 0 -cf "$SCRATCH/image.tar" .
i=localhost/rootless:1
p import "$SCRATCH/image.tar" $i >"$SCRATCH/out" 2>"$SCRATCH/err" || { not_ok "podman import" "$(tail -3 "$SCRATCH/err")"; finish; exit 1; }
reference=
for r in crun runc; do
	command -v $r >/dev/null && pod $r run --rm --network none $i true </dev/null >/dev/null 2>"$SCRATCH/err" && reference=$r && break
done
[ -n "$reference" ] || { reference=$L; skip "comparison" "neither crun nor runc works here: $(tail -1 "$SCRATCH/err")"; }
ours() { p run --rm --network none "$@"; }
theirs() { pod "$reference" run --rm --network none "$@"; }
both "podman: run" $i sh -c 'echo hello; exit 7'
both "podman: ids" --user 1000:1000 $i id
both "podman: files of other users" $i sh -c 'touch /f; chown 1000:1000 /f; stat -c "%u %g" /f /etc /etc/passwd; chown 70000 /f 2>/dev/null; echo $?'
both "podman: capabilities" $i grep Cap /proc/self/status
both "podman: read-only, tmpfs" --read-only --tmpfs /scratch $i sh -c 'touch /x; echo $?; touch /scratch/x; echo $?'
mkdir "$SCRATCH/$many/volume"
echo data >"$SCRATCH/$many/volume/file"
chown -R $many:$many "$SCRATCH/$many/volume"
both "podman: a bound directory" -v "$SCRATCH/$many/volume:/v" $i sh -c 'stat -c "%u %g" /v/file; cat /v/file; touch /v/new; chown 5 /v/new'
is "podman: ... as the user's subordinate id outside" "$(stat -c %u "$SCRATCH/$many/volume/new")" 700004
both "podman: keep-id" --userns keep-id -v "$SCRATCH/$many/volume:/v" $i sh -c 'id -u; stat -c %u /v/file; echo more >>/v/file'
both "podman: a map of ids" --uidmap 0:1:100 --gidmap 0:1:100 $i sh -c 'id -u; touch /f; stat -c "%u %g" /f; chown 200 /f 2>/dev/null; echo $?'
both "podman: capabilities dropped" --cap-drop ALL --cap-add KILL $i grep Cap /proc/self/status
both "podman: env, workdir, hostname" --env A=b --workdir /tmp --hostname box $i sh -c 'echo $A; pwd; cat /proc/sys/kernel/hostname'
both "podman: a bound directory, read-only" -v "$SCRATCH/$many/volume:/v:ro" $i sh -c 'cat /v/file; echo no >/v/file; echo $?'
for limit in "--memory 64m" "--pids-limit 20" "--cpus 1"; do # what cgroups a user may have is the engine's to know
	# shellcheck disable=SC2086
	both "podman: $limit" $limit $i echo limited
done
if command -v catatonit >/dev/null; then
	both "podman: --init" --init $i sh -c 'cat /proc/1/comm; echo $$; exit 3'
fi
echo in | p run --rm -i --network none $i cat >"$SCRATCH/out" 2>"$SCRATCH/err"
is "podman: run -i" "$(cat "$SCRATCH/out")" in
as_terminal() { # in_terminal runs programs: as the user, by a script
	printf '#!/bin/sh\ncd /; exec setpriv --reuid %s --regid %s --clear-groups --reset-env env HOME=%s XDG_RUNTIME_DIR=%s CONTAINERS_CONF=%s CONTAINERS_STORAGE_CONF=%s podman --cgroup-manager cgroupfs --events-backend file --runtime "$@"\n' \
		"$many" "$many" "$SCRATCH/$many/home" "$SCRATCH/$many/run" "$SCRATCH/containers.conf" "$SCRATCH/storage.conf" >"$SCRATCH/podman"
	chmod 755 "$SCRATCH/podman"
	in_terminal -- "$SCRATCH/podman" "$@" 2>&1
}
is "podman: run -it" "$(as_terminal "$L" run --rm -it --network none $i sh -c 'readlink /proc/self/fd/0; exit 4')" "$(as_terminal "$reference" run --rm -it --network none $i sh -c 'readlink /proc/self/fd/0; exit 4')"
# a container's life: what a user may not have (pause, stats without cgroups of theirs) is refused alike
lives() {
	q run -d --name l --network none --stop-signal INT --health-cmd 'test -e /ok' --health-interval disable --health-retries 1 $i sh -c 'trap "exit 4" INT; echo out; while :; do sleep 0.1; done' >/dev/null
	until_true '[ "$(q logs l | grep -c out)" = 1 ]'
	q inspect l --format '{{.State.Status}} {{.State.ExitCode}} {{.Name}} {{.Config.StopSignal}}'
	q healthcheck run l
	echo "$? $(q inspect l --format '{{.State.Health.Status}}')"
	q exec l touch /ok && q healthcheck run l
	echo "$? $(q inspect l --format '{{.State.Health.Status}}')"
	q exec --user 7 --workdir /tmp --env B=c l sh -c 'id -u; pwd; echo $B; exit 5'
	echo "status $?"
	echo word | q exec -i l cat
	q pause l >/dev/null 2>&1
	echo "pause $? $(q inspect l --format '{{.State.Status}}')"
	q unpause l >/dev/null 2>&1
	echo "unpause $? $(q inspect l --format '{{.State.Status}}')"
	q stats --no-stream --format '{{.Name}}' l 2>/dev/null
	echo "stats $?"
	q cp l:/ok - | tar -t
	q diff l | sort
	q restart -t 5 l >/dev/null
	echo "restart $? $(q inspect l --format '{{.State.Status}} {{.State.ExitCode}}')"
	q exec l ls /ok
	until_true '[ "$(q logs l | grep -c out)" = 2 ]'
	q stop -t 5 l >/dev/null && q wait l
	q logs l
	q start l >/dev/null && q kill l >/dev/null && q wait l
	q inspect l --format '{{.State.Status}} {{.State.ExitCode}}'
	q rm l
}
LAUNCHER=$L alike "podman: a container's life" lives
p run -d --name c --network none $i sh -c 'trap "exit 3" TERM; echo out; while :; do sleep 0.1; done' >"$SCRATCH/out" 2>"$SCRATCH/err"
is "podman: run -d" $? 0
is "podman: exec" "$(p exec --user 7 c id -u 2>"$SCRATCH/err")" 7
echo file >"$SCRATCH/$many/f"
is "podman: cp" "$(p cp "$SCRATCH/$many/f" c:/root/f 2>"$SCRATCH/err"; p exec c cat /root/f 2>>"$SCRATCH/err")" file
is "podman: logs" "$(p logs c 2>"$SCRATCH/err")" out
p stop -t 5 c >/dev/null 2>&1
is "podman: stop, wait" "$(p wait c)" 3
p start c >/dev/null 2>"$SCRATCH/err"
p kill c >/dev/null 2>&1
is "podman: start, kill, wait" "$(p wait c)" 137
is "podman: rm" "$(p rm c)" c
# what podman reads in the /proc of the container's mount namespace
tops() {
	q run -d --name t --network none $i sh -c 'sleep 1000 & exec sleep 2000' >/dev/null
	q run -d --name u --user 7 --network none $i sleep 3000 >/dev/null
	until_true '[ "$(q top t comm | grep -c sleep) $(q top u comm | grep -c sleep)" = "2 1" ]'
	sleep 0.5 # they are asleep
	for t in t u; do
		q top $t | awk '{ print $1, $2, $3, $6, $7, $8, $9 }'
		q top $t pid user group comm state capeff seccomp
	done
	q rm -f -t 0 t u >/dev/null
}
if as $many test -w /dev/fuse; then
	LAUNCHER=$L alike "podman: top" tops
else
	skip "podman: top" "users may not open /dev/fuse"
fi
# the infra container is one of ours too: the others join its sandbox
pods() {
	q pod create --name pod --network none --hostname together --infra-image $i --infra-command 'sleep 1000' >/dev/null
	q run -d --pod pod --name c1 -v "$SCRATCH/$many/volume:/v" $i sh -c 'trap "exit 5" TERM; echo one >/v/1; id -u; while :; do sleep 0.1; done' >/dev/null
	q run -d --pod pod --name c2 --user 7 $i sh -c 'id -u; hostname 2>/dev/null || cat /proc/sys/kernel/hostname; sleep 1000' >/dev/null
	until_true '[ "$(q logs c1 | wc -l) $(q logs c2 | wc -l)" = "1 2" ]'
	q run --rm --pod pod -v "$SCRATCH/$many/volume:/v" $i sh -c 'cat /v/1; stat -c %u /v/1; touch /v/2; chown 9 /v/2; echo $$; exit 4'
	echo "status $?"
	stat -c %u "$SCRATCH/$many/volume/2"
	q logs c1
	q logs c2
	q exec c2 id -u
	q exec --user 0 c1 cat /proc/sys/kernel/hostname
	q stop -t 5 c1 >/dev/null && q wait c1
	q kill c2 >/dev/null && q wait c2
	q pod stop -t 0 pod >/dev/null 2>&1
	q pod start pod >/dev/null
	q exec c2 id -u
	q pod rm -f -t 0 pod >/dev/null
	q ps -aq
	rm -f "$SCRATCH/$many/volume/2"
}
LAUNCHER=$L
alike "podman: a pod of three containers" pods
printf 'FROM %s\nRUN echo built >/made; touch /u; chown 9:9 /u\nUSER 9\nRUN id -u >>/tmp/x; rm /tmp/x\n' $i >"$SCRATCH/$many/Dockerfile"
p build -q --network none --isolation oci -f "$SCRATCH/$many/Dockerfile" -t localhost/made:1 "$SCRATCH/$many/volume" >"$SCRATCH/out" 2>"$SCRATCH/err"
is "podman: build" "$? $(p run --rm --network none localhost/made:1 sh -c 'cat /made; stat -c %u /u' 2>>"$SCRATCH/err" | tr '\n' ' ')" "0 built 9 "
if [ -n "$tun" ]; then
	python3 -c 'import socket
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    c, a = s.accept()
    c.sendall(b"word\n")
    c.close()' >"$SCRATCH/port" 2>&1 &
	server=$!
	until_true '[ -s "$SCRATCH/port" ]'
	# the gateway stands for this machine
	outward() {
		q run --rm --network slirp4netns:allow_host_loopback=true $i bash -c "cd /sys/class/net; echo *; cat /proc/net/route; cat /etc/resolv.conf; exec 3<>/dev/tcp/10.0.2.2/$(cat "$SCRATCH/port") && cat <&3"
		q run --rm $i bash -c 'cd /sys/class/net; echo *; (exec 3<>/dev/tcp/127.0.0.1/9) 2>&1 | grep -c refused'
	}
	LAUNCHER=$L alike "podman: a network by slirp4netns" outward
	is "podman: ... which was there" "$(grep -c '^word$' "$SCRATCH/inside")" 1
	kill $server
	server=
else
	skip "podman: a network by slirp4netns" "it is not installed, or there is no /dev/net/tun"
fi
p rmi -af >/dev/null 2>&1
until_true '[ -z "$(ls "$SCRATCH/$many/run/redoubt" 2>/dev/null)" ]'
is "podman: nothing is left" "$(ls "$SCRATCH/$many/run/redoubt" 2>/dev/null)" ""
finish
