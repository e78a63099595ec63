#!/bin/bash
# systemd.sh - containers' cgroups as scopes of systemd's, the machine's and a
# user's: what is told to systemd, what is read back and changed, who is in them, that
# they go; podman with its systemd cgroup manager, as root and as a user.
# limit: 1200
. "$top/tests/integration/lib.sh"
run() { timeout -k 1 60 "$LAUNCHER" --root "$STATE" --systemd-cgroup "$@"; }
quiet() { run "$@" </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err"; }
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got '$2', wanted '$3'" "$(tail -c 600 "$SCRATCH/err" 2>/dev/null)"; fi; }
json() { python3 -c "import json, sys; d = json.loads(open('$SCRATCH/out').read().splitlines()[-1]); print($1)" 2>&1; }
prop() { systemctl show -P "$2" "$1"; }
root=/sys/fs/cgroup id=sd-$$ b=$SCRATCH/b
unit=redoubt-$id.scope
mkdir -p "$b"
bundle() { # PYTHON ARGS... : a config.json with c['linux'] changed
	change=$1
	shift
	spec "$b" false "$@"
	python3 -c "
import json
c = json.load(open('$b/config.json'))
l = c['linux']
$change
json.dump(c, open('$b/config.json', 'w'))"
}
components() { for p in $(cat "$1/cgroup.procs"); do tr '\0' ' ' <"/proc/$p/cmdline" | cut -d' ' -f1; done | grep -oE '(controld|gofer|sentry|scope)' | sort -u | tr '\n' ' '; }
is "systemd runs this machine" "$(ps -o comm= -p 1)" systemd

# --- limits, as systemd knows them ---------------------------------------------------------
limits="resources={'memory': {'limit': 268435456, 'swap': 536870912, 'reservation': 134217728}, 'cpu': {'shares': 1024, 'quota': 150000, 'period': 100000, 'cpus': '0'}, 'pids': {'limit': 50}, 'devices': [{'allow': False, 'access': 'rwm'}, {'allow': True, 'type': 'c', 'major': 1, 'minor': 3, 'access': 'rw'}]}"
bundle "l.update(cgroupsPath=':redoubt:$id', $limits); c['annotations'] = {'org.systemd.property.TimeoutStopUSec': 'uint64 7000000'}" /bin/sleep 1000
quiet run -d -b "$b" $id
is "run -d with limits" $? 0
is "the scope" "$(prop $unit ActiveState) $(prop $unit Delegate) $(prop $unit Slice) $(prop $unit Description)" "active yes system.slice redoubt container $id"
d=$root$(prop $unit ControlGroup)
is "its cgroup" "$d" "$root/system.slice/$unit"
is "memory" "$(prop $unit MemoryMax) $(prop $unit MemoryLow)" "$(cat $d/memory.max) 134217728"
is "processors" "$(prop $unit CPUWeight) $(prop $unit CPUQuotaPerSecUSec) $(prop $unit AllowedCPUs) $(cat $d/cpu.max) $(cat $d/cpuset.cpus)" "39 1.500000s 0 150000 100000 0"
is "processes" "$(prop $unit TasksMax) $(cat $d/pids.max)" "214 214"
is "devices" "$(prop $unit DevicePolicy) $(prop $unit DeviceAllow)" "strict /dev/char/1:3 rw"
is "a property by annotation" "$(prop $unit TimeoutStopUSec)" 7s
is "its processes are in it, the helper is not" "$(components $d)" "controld gofer sentry "
is "the guest sees the limits" "$(run exec $id sh -c "nproc; awk '/MemTotal/ { print \$2 }' /proc/meminfo" | xargs)" "1 262144"

# --- reading back, changing, ending -----------------------------------------------------------
quiet events --stats $id
is "events --stats" "$(json 'd["data"]["memory"]["usage"]["usage"] > 0, d["data"]["cpu"]["usage"]["total"] > 0, d["data"]["pids"]["current"] > 3')" "True True True"
echo '{"memory": {"limit": 134217728, "swap": 134217728}, "cpu": {"quota": 50000, "period": 100000}, "pids": {"limit": 20}}' | run update --resources - $id 2>"$SCRATCH/err"
is "update" "$? $(prop $unit MemoryMax) $(prop $unit CPUQuotaPerSecUSec) $(prop $unit TasksMax)" "0 $(cat $d/memory.max) 500ms 124"
was=$(cat $d/memory.max $d/cpu.max $d/pids.max $d/cpu.weight | xargs)
systemctl daemon-reload
is "systemd's reload changes nothing" "$(cat $d/memory.max $d/cpu.max $d/pids.max $d/cpu.weight | xargs)" "$was"
quiet pause $id
quiet resume $id
is "pause, resume" $? 0
quiet delete --force $id
is "delete --force" $? 0
is "the scope is gone" "$(prop $unit LoadState) $(ls -d $d 2>/dev/null)" "not-found "
is "and forgotten" "$(systemctl list-units --all --plain --no-legend "*$id*")" ""
bundle "l.update(cgroupsPath='redoubt-test.slice:x:$id')" /bin/sleep 1000
quiet run -d -b "$b" $id
is "a slice of its own" "$? $(prop x-$id.scope ControlGroup)" "0 /redoubt.slice/redoubt-test.slice/x-$id.scope"
quiet run -b "$b" $id-2
is "a name that is taken" "$? $(grep -c "already" "$SCRATCH/err") $(ls "$STATE")" "1 1 $id"
systemctl stop x-$id.scope
timeout 20 "$LAUNCHER" --root "$STATE" wait $id >/dev/null 2>&1
is "systemctl stop ends it" "$(run state $id | sed -n 's/.*"status": "\(.*\)".*/\1/p')" stopped
quiet delete $id
is "delete of what has ended" "$? $(find $root -name "*$id*")" "0 "
systemctl stop redoubt-test.slice
bundle "l.update(cgroupsPath=':redoubt:$id')" /bin/sh -c 'exit 7'
quiet run -b "$b" $id
is "run, to its end" "$? $(prop $unit LoadState)" "7 not-found"
bundle "l.update(cgroupsPath='/a/path')" /bin/true
quiet run -b "$b" $id
is "cgroupsPath that is none of systemd's" "$? $(grep -c SLICE:PREFIX:NAME "$SCRATCH/err") $(ls "$STATE")" "1 1 "
bundle "c['annotations'] = {'org.systemd.property.MemoryMax': \"'much'\"}" /bin/true
quiet run -b "$b" $id
is "a property that systemd refuses" "$? $(grep -c 'MemoryMax\|systemd:' "$SCRATCH/err") $(ls "$STATE") $(systemctl list-units --all --plain --no-legend "*$id*")" "1 1  "

# --- a user, by the user's systemd ----------------------------------------------------------------
user=redoubtuser uid=3333
useradd -u $uid -m $user 2>/dev/null
loginctl enable-linger $user
for _ in $(seq 100); do [ -S /run/user/$uid/bus ] && break; sleep 0.3; done
as() { timeout -k 1 100 setpriv --reuid $uid --regid $uid --init-groups env -i PATH="$PATH" HOME=/home/$user XDG_RUNTIME_DIR=/run/user/$uid "$@"; }
userprop() { as systemctl --user show -P "$2" "$1"; }
chmod 755 "$SCRATCH" "$b"
bundle "l.update(cgroupsPath=':redoubt:$id', resources={'memory': {'limit': 134217728}, 'pids': {'limit': 50}}); l['namespaces'].append({'type': 'user'}); c['root']['readonly'] = True" /bin/sleep 1000
chmod 644 "$b/config.json"
as "$LAUNCHER" --systemd-cgroup run -d -b "$b" $id </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err"
is "a user's: run -d" $? 0
d=$root$(userprop $unit ControlGroup)
is "its cgroup is below the user's manager's" "$d" "$root/user.slice/user-$uid.slice/user@$uid.service/user.slice/$unit"
is "its limits" "$(cat "$d/memory.max") $(cat "$d/pids.max")" "$(userprop $unit MemoryMax) 214"
is "its processes are in it" "$(components "$d")" "controld gofer sentry "
as "$LAUNCHER" --systemd-cgroup update --pids-limit 20 $id </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err"
is "update" "$? $(userprop $unit TasksMax) $(cat "$d/pids.max")" "0 124 124"
as "$LAUNCHER" --systemd-cgroup delete --force $id </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err"
is "delete --force" "$? $(userprop $unit LoadState) $(ls -d "$d" 2>/dev/null)" "0 not-found "
as env -u XDG_RUNTIME_DIR "$LAUNCHER" --root "/home/$user/state" --systemd-cgroup run -b "$b" $id </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err"
is "no bus of the user's: an error" "$? $(grep -c 'no systemd answers' "$SCRATCH/err")" "1 1"

# --- podman ---------------------------------------------------------------------------------------
if command -v podman >/dev/null; then
	p() { timeout -k 1 200 podman --runtime "$LAUNCHER" --cgroup-manager systemd --events-backend file "$@" </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err"; }
	p run -d --name c1 --network none --memory 200m --pids-limit 100 --cpus 0.5 --rootfs "$TREE" sleep 1000
	is "podman run" $? 0
	c=$(tail -1 "$SCRATCH/out") s=libpod-$(tail -1 "$SCRATCH/out").scope
	is "its scope" "$(prop "$s" ActiveState) $(prop "$s" Slice) $(prop "$s" CPUQuotaPerSecUSec) $(prop "$s" MemoryMax)" "active machine.slice 500ms $(cat "$root/machine.slice/$s/memory.max")"
	p exec c1 sh -c 'echo in; exit 5'
	is "podman exec" "$? $(cat "$SCRATCH/out")" "5 in"
	p stats --no-stream --format '{{.PIDs}}' c1
	is "podman stats" "$? $(awk '{ print ($1 > 3) }' "$SCRATCH/out")" "0 1"
	p pause c1
	p unpause c1
	is "podman pause, unpause" $? 0
	p update --memory 150m c1 2>/dev/null # podman 4.3 has it
	is "podman update" "$? $(prop "$s" MemoryMax)" "0 $(cat "$root/machine.slice/$s/memory.max")"
	p stop -t 1 c1
	p rm -f c1
	is "podman stop, rm" "$? $(prop "$s" LoadState) $(find $root -name "*$c*")" "0 not-found "
	r() { as podman --runtime "$LAUNCHER" --cgroup-manager systemd --events-backend file "$@" </dev/null >"$SCRATCH/out" 2>"$SCRATCH/err"; }
	echo "$user:400000:65536" >/etc/subuid
	echo "$user:400000:65536" >/etc/subgid
	r run -d --name c2 --network none --memory 200m --rootfs "$TREE" sleep 1000
	is "a user's podman run" $? 0
	s=libpod-$(tail -1 "$SCRATCH/out").scope
	is "its scope" "$(userprop "$s" ActiveState) $(userprop "$s" Slice) $(components "$root$(userprop "$s" ControlGroup)")" "active user.slice controld gofer sentry "
	r exec c2 id -u
	is "a user's podman exec" "$? $(cat "$SCRATCH/out")" "0 0"
	r rm -f -t 1 c2
	is "a user's podman rm" "$? $(userprop "$s" LoadState)" "0 not-found"
else
	skip "podman" "not installed"
fi
loginctl disable-linger $user
finish
