"""oci_life.py - of the runtime specification: hooks, what create, start, state, kill and
delete say and refuse, and what the host's cgroups are told.  See ocirun.py."""

import glob, json, os, shutil, signal, subprocess

from ocirun import *


def hook_cases():
    log = SCRATCH + "/hooks.log"
    script = SCRATCH + "/hook"
    open(script, "w").write("""#!/bin/sh
state=$(cat)
echo "$1 $(echo "$state" | sed 's/.*"status":"\\([a-z]*\\)".*/\\1/') $(echo "$state" | grep -c '"id":"hooks".*"bundle":') $HOOKED" >>%s
""" % log)
    os.chmod(script, 0o755)
    kinds = ("prestart", "createRuntime", "createContainer", "poststart", "poststop")

    def hooks(d):
        d["hooks"] = {k: [{"path": script, "args": ["hook", k], "env": ["HOOKED=yes", "PATH=/bin:/usr/bin"]}] for k in kinds}
        d["hooks"]["startContainer"] = [{"path": "/bin/ocicheck", "args": ["ocicheck", "keep", "/hooked"]}]

    def log_lines():
        return open(log).read().splitlines() if os.path.exists(log) else []

    if wanted("hooks: all"):
        path = bundle(hooks, ["content", "/hooked"])
        run(LAUNCHER, path, ("create",), "hooks")
        created = log_lines()
        inside = os.path.exists(ROOT + "/hooked")
        launcher("start", "hooks")
        launcher("wait", "hooks")
        launcher("delete", "hooks")
        want = ["prestart creating 1 yes", "createRuntime creating 1 yes", "createContainer creating 1 yes"]
        report(created == want, "hooks: of create, in order, with the state", created)
        report(not inside and os.path.exists(ROOT + "/hooked"), "hooks: startContainer runs inside, at start")
        state = json.loads(open(ROOT + "/hooked").read() or "{}") if os.path.exists(ROOT + "/hooked") else {}
        report(state.get("id") == "hooks" and state.get("status") == "created", "hooks: startContainer gets the state", state)
        report(log_lines()[3:] == ["poststart running 1 yes", "poststop stopped 1 yes"], "hooks: poststart, poststop", log_lines())
        if os.path.exists(ROOT + "/hooked"):
            os.unlink(ROOT + "/hooked")
    for kind in kinds[:3] + ("startContainer",):
        inside = kind == "startContainer"
        failing = {"path": "/bin/ocicheck", "args": ["ocicheck", "end", "3"]} if inside else {"path": "/bin/false"}
        slow = {"path": "/bin/ocicheck", "args": ["ocicheck", "sleep", "20"], "timeout": 1} if inside else {"path": "/bin/sleep", "args": ["sleep", "20"], "timeout": 1}
        refused("hooks: a failing %s" % kind, put("hooks", {kind: [failing]}), "hooks.%s[0]" % kind)
        refused("hooks: a slow %s" % kind, put("hooks", {kind: [slow]}), "took longer than 1 s")
    case("hooks: a failing poststart is no error", put("hooks", {"poststart": [{"path": "/bin/false"}]}), "pid", ["pid 1 ppid 0"], ours=True)


def state_cases():
    if not wanted("state"):
        return
    path = bundle(put("annotations", {"a.b": "c"}), ["sleep", "1000"])
    run(LAUNCHER, path, ("create",), "st")
    s = json.loads(launcher("state", "st").stdout)
    report((s["ociVersion"][:2], s["id"], s["status"], s["bundle"], s["annotations"]) == ("1.", "st", "created", path, {"a.b": "c"}) and s["pid"] > 1,
           "state: created", s)
    report(run(LAUNCHER, path, ("create",), "st").returncode != 0, "create: an id that is taken is refused")
    report(launcher("delete", "st").returncode == 0, "delete: of a created container is allowed, as with runc")
    run(LAUNCHER, path, ("create",), "st")
    report(launcher("start", "st").returncode == 0 and json.loads(launcher("state", "st").stdout)["status"] == "running", "state: running")
    report(launcher("start", "st").returncode != 0, "start: of a running container is refused")
    report(launcher("delete", "st").returncode != 0, "delete: of a running container is refused")
    report(launcher("kill", "st", "KILL").returncode == 0, "kill")
    launcher("wait", "st")
    report(json.loads(launcher("state", "st").stdout)["status"] == "stopped", "state: stopped")
    report(launcher("kill", "st", "KILL").returncode != 0, "kill: of a stopped container is refused")
    report(launcher("start", "st").returncode != 0, "start: of a stopped container is refused")
    report(launcher("delete", "st").returncode == 0 and launcher("state", "st").returncode != 0, "delete: then there is no state")
    report(launcher("kill", "none").returncode != 0 and launcher("start", "none").returncode != 0 and launcher("delete", "none").returncode != 0,
           "of no container: refused")


def command_cases():
    """what the commands take and refuse"""
    if not wanted("commands"):
        return
    path = bundle(None, ["end", "42"])
    run(LAUNCHER, path, ("create", "--pid-file", SCRATCH + "/pid"), "early")
    pid = int(open(SCRATCH + "/pid").read())
    report(pid == json.loads(launcher("state", "early").stdout)["pid"] and os.path.exists("/proc/%d" % pid), "commands: create --pid-file: the pid that state tells", pid)
    shutil.copy(bundle(None, ["end", "7"]) + "/config.json", path + "/config.json")
    launcher("start", "early")
    report(launcher("wait", "early").returncode == 42, "commands: a config.json that is changed after create changes nothing")
    launcher("delete", "early")
    empty = SCRATCH + "/empty"
    os.makedirs(empty, exist_ok=True)
    report(run(LAUNCHER, empty, ("create",), "bad").returncode != 0, "commands: create without config.json is refused")
    report(launcher("create", "--bundle", path).returncode != 0, "commands: create without an id is refused")
    for id in ("", "..", "a/b", "a b", "-x"):
        report(run(LAUNCHER, path, ("create",), id or " ").returncode != 0, "commands: create of '%s' is refused" % id)
    for what in ("start", "state", "kill", "delete"):
        report(launcher(what).returncode != 0, "commands: %s without an id is refused" % what)
    path = bundle(None, ["sleep", "1000"])
    for name in ("KILL", "SIGKILL", "9"):
        run(LAUNCHER, path, ("run", "--detach"), "sig")
        report(launcher("kill", "sig", "NOSUCH").returncode != 0 and launcher("kill", "sig", "65").returncode != 0, "commands: kill by no signal is refused: before " + name)
        launcher("kill", "sig", name)
        report(launcher("wait", "sig").returncode == 128 + signal.SIGKILL, "commands: kill " + name)
        launcher("delete", "sig")
    run(LAUNCHER, bundle(put("hooks", {"poststop": [{"path": "/bin/false"}]}), ["end", "0"]), ("run", "--detach"), "stop")
    launcher("wait", "stop")
    r = launcher("delete", "stop")
    report(r.returncode == 0 and "hooks.poststop[0]" in r.stderr and launcher("state", "stop").returncode != 0, "commands: delete with a failing poststop: told, and gone", r.stderr)


def namespace_cases():
    def namespace(kind, path):
        def change(d):
            d["linux"]["namespaces"] = [n for n in d["linux"]["namespaces"] if n["type"] != kind] + [{"type": kind, "path": path}]
        return change
    for kind in ("pid", "ipc", "uts", "network", "mount"):
        refused("namespaces: %s, of no file" % kind, namespace(kind, "/proc/self/ns/none"), "linux.namespaces")
        refused("namespaces: %s, of another type" % kind, namespace(kind, "/proc/self/ns/user"), "linux.namespaces")
    refused("namespaces: twice", lambda d: d["linux"]["namespaces"].append({"type": "pid"}), "linux.namespaces[5]")
    refused("namespaces: of no type", lambda d: d["linux"]["namespaces"].append({"type": "x"}), "linux.namespaces[5].type")


def block_device():
    for f in sorted(glob.glob("/sys/block/*/dev")):
        if "/loop" not in f and "/ram" not in f:
            return [int(n) for n in open(f).read().split(":")]
    return None


CGROUP_FILES = {"memory.limit_in_bytes", "memory.soft_limit_in_bytes", "memory.swappiness", "cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpuset.cpus",
                "cpuset.mems", "blkio.throttle.read_bps_device", "blkio.throttle.write_iops_device", "memory.max", "memory.low", "cpu.max", "cpu.weight", "io.max"}


def host_cgroups(name):
    """{file: content} of those of CGROUP_FILES that the cgroups called name have, and whether processes are in each"""
    found = {}
    for d in glob.glob("/sys/fs/cgroup/**/" + name, recursive=True):
        for f in CGROUP_FILES & set(os.listdir(d)):
            found[f] = open(d + "/" + f).read()
        found["in " + d.split("/")[4]] = bool(open(d + "/cgroup.procs").read())
    return found


def cgroup_cases():
    """what is written for linux.resources is what runc writes"""
    resources = {
        "memory": {"limit": 96 << 20, "reservation": 64 << 20}, "pids": {"limit": 100},
        "cpu": {"shares": 512, "quota": 50000, "period": 100000, "cpus": "0", "mems": "0"},
    }
    device = block_device()
    if device:
        which = {"major": device[0], "minor": device[1]}
        resources["blockIO"] = {"throttleReadBpsDevice": [{**which, "rate": 1 << 20}], "throttleWriteIOPSDevice": [{**which, "rate": 500}]}
    kinds = [{k: v} for k, v in resources.items()] + [resources]
    for path in ("/redoubt-it-oci/absolute", "redoubt-it-relative"):
        for some in kinds:
            name = "cgroups: %s of %s" % (", ".join(some), path)
            if not wanted(name):
                continue
            b, seen = bundle(both(put("linux.cgroupsPath", path), put("linux.resources", some)), ["sleep", "1000"]), {}
            for runtime in [LAUNCHER] + ([RUNC] if RUNC else []):
                root = ["--root", STATE if runtime == LAUNCHER else SCRATCH + "/runc"]
                r = run(runtime, b, ("run", "--detach"), "cg")
                seen[runtime] = host_cgroups(os.path.basename(path)) if r.returncode == 0 else r.stderr
                subprocess.run([runtime, *root, "delete", "--force", "cg"], capture_output=True)
            ours = seen[LAUNCHER]
            told = isinstance(ours, dict) and any(k.startswith("in ") and v for k, v in ours.items())
            theirs = seen.get(RUNC, ours)
            shared = set(ours) & set(theirs) & CGROUP_FILES if told and isinstance(theirs, dict) else set()
            differ = {f: (ours[f], theirs[f]) for f in shared if ours[f] != theirs[f]}
            report(told and (isinstance(theirs, str) or (shared and not differ)), name, "ours: %s" % ours, "runc: %s" % theirs, differ)
            report(not glob.glob("/sys/fs/cgroup/**/" + os.path.basename(path), recursive=True), name + ": removed")
    for d in glob.glob("/sys/fs/cgroup/*/redoubt-it-oci") + glob.glob("/sys/fs/cgroup/redoubt-it-oci"):
        os.rmdir(d)


def life_cases():
    hook_cases()
    state_cases()
    command_cases()
    namespace_cases()
    cgroup_cases()
