# pod-lib.sh - what the tests of pods share; sourced behind lib.sh, with $tag set: the
# names of its containers begin with it.

run() { timeout -k 1 120 "$LAUNCHER" --root "$STATE" "$@" </dev/null; }
leave() {
	for d in "$STATE"/*/; do
		[ -d "$d" ] && run delete --force "$(basename "$d")" >/dev/null 2>&1
	done
	rmdir /sys/fs/cgroup/*/redoubt-$tag /sys/fs/cgroup/redoubt-$tag 2>/dev/null
	rm -rf "$SCRATCH"
}
trap leave EXIT

has() { case $2 in *"$3"*) ok "$1" ;; *) not_ok "$1" "got    $2" "wanted it to hold $3" "$(head -3 "$SCRATCH/err" 2>/dev/null)" ;; esac; }
status_of() { run state "$1" 2>/dev/null | sed -n 's/.*"status": "\(.*\)".*/\1/p'; }
pid_of() { run state "$1" 2>/dev/null | sed -n 's/.*"pid": \([0-9]*\),.*/\1/p'; }
processes() { pgrep -f "redoubt-[a-z]* $tag" | wc -l; }

# bundle NAME TYPE(sandbox|container|-) SANDBOX NAMESPACES ARGS... : TYPE - gives no annotations;
# NAMESPACES: "pid ipc=/proc/7/ns/ipc ..."; extra mounts and annotations as JSON in $mounts, $annotations
mounts= annotations= cgroup=
bundle() {
	dir=$SCRATCH/b-$1
	mkdir -p "$dir"
	python3 - "$dir" "$TREE" "$mounts" "$annotations" "$cgroup" "$@" <<'PY'
import json, sys
d, tree, mounts, annotations, cgroup, name, kind, sandbox, namespaces = sys.argv[1:10]
caps = ["CAP_" + c for c in "CHOWN DAC_OVERRIDE FOWNER KILL SETUID SETGID SYS_ADMIN".split()]
notes = {} if kind == "-" else {"io.kubernetes.cri.container-type": kind, "io.kubernetes.cri.sandbox-id": sandbox}
notes.update(json.loads(annotations or "{}"))
json.dump({
    "ociVersion": "1.0.2", "hostname": name, "root": {"path": tree, "readonly": True}, "annotations": notes,
    "process": {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": sys.argv[10:], "cwd": "/",
                "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"],
                "capabilities": {k: caps for k in ("bounding", "effective", "permitted")}},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
               {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]}] + json.loads(mounts or "[]"),
    "linux": {"namespaces": [dict(zip(("type", "path"), n.split("="))) for n in namespaces.split()] + [{"type": "mount"}],
              **({"cgroupsPath": cgroup} if cgroup else {})},
}, open(d + "/config.json", "w"))
PY
}
own="pid network ipc uts"
# container NAME TYPE SANDBOX NAMESPACES ARGS...: created and started, its output in $SCRATCH/NAME.out
container() {
	bundle "$@"
	run create --bundle "$SCRATCH/b-$1" --pid-file "$SCRATCH/$1.pid" "$tag-$1" >"$SCRATCH/$1.out" 2>&1 && run start "$tag-$1" >>"$SCRATCH/$1.out" 2>&1
}
output() { cat "$SCRATCH/$1.out"; }
gone() { # what
	until_true '[ "$(processes)" = 0 ]'
	is "$1: no process is left" "$(processes)" 0
	is "$1: no state is left" "$(ls "$STATE" 2>/dev/null)" ""
}
