"""ocirun.py - what the cases of oci.py and oci_life.py share: each is a change of a
plain config.json, what ocicheck is asked inside, and what it must answer.

A case marked ours is not compared with runc: runc's answer is the host's, or this
runc is older than the specification we follow."""

import copy, json, os, subprocess, sys, time

LAUNCHER, SCRATCH, RUNC = sys.argv[1:4]
ONLY = sys.argv[4:]
ROOT, STATE = SCRATCH + "/root", SCRATCH + "/state"
passed = failed = skipped = count = 0
CAPS = ["CAP_KILL", "CAP_CHOWN", "CAP_NET_BIND_SERVICE"]
BITS = (1 << 5) | (1 << 0) | (1 << 10)

BASE = {
    "ociVersion": "1.2.0", "hostname": "box", "root": {"path": ROOT},
    "process": {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": [], "cwd": "/", "env": ["PATH=/bin", "A=b"],
                "capabilities": {k: CAPS for k in ("bounding", "effective", "permitted")}, "noNewPrivileges": False},
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
    ],
    "linux": {"namespaces": [{"type": t} for t in ("pid", "network", "ipc", "uts", "mount")]},
}


def report(good, name, *lines):
    global passed, failed
    if good:
        passed += 1
        print("ok " + name)
    else:
        failed += 1
        print("not ok " + name)
        for l in lines:
            print("#   " + str(l).replace("\n", "\n#   "))


def bundle(change, asks):
    global count
    count += 1
    d = copy.deepcopy(BASE)
    d["process"]["args"] = ["/bin/ocicheck"] + asks
    if change:
        change(d)
    path = "%s/bundle%d" % (SCRATCH, count)
    os.makedirs(path)
    json.dump(d, open(path + "/config.json", "w"))
    return path


def run(runtime, path, words=("run",), name=None):
    root = STATE if runtime == LAUNCHER else SCRATCH + "/runc"
    cmd = [runtime, "--root", root, *words, "--bundle", path, name or "oci%d" % count]
    # files, not pipes: a detached container holds on to what it was given
    with open(SCRATCH + "/stdout", "w+") as out, open(SCRATCH + "/stderr", "w+") as err:
        try:
            status = subprocess.run(cmd, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=60).returncode
        except subprocess.TimeoutExpired:
            status = 124
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(cmd, status, out.read(), err.read())


def launcher(*words):
    return subprocess.run([LAUNCHER, "--root", STATE, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def wanted(name):
    return not ONLY or any(o in name for o in ONLY)


def case(name, change, asks, expect, status=0, ours=False):
    """expect: the lines, or None: what runc says"""
    global skipped
    if not wanted(name):
        return
    path = bundle(change, asks.split() if isinstance(asks, str) else asks)
    r = run(LAUNCHER, path)
    lines = r.stdout.splitlines()
    good = r.returncode == status and (expect is None or lines == expect)
    report(good, name, "status %d, must be %d" % (r.returncode, status), "told: %s" % lines, "must: %s" % expect, r.stderr)
    if ours or not RUNC:
        return
    n = run(RUNC, path)
    if "panic: " in n.stderr or "goroutine" in n.stderr:
        skipped += 1
        print("ok %s: as runc # skip runc itself panics" % name)
        return
    report((n.returncode, n.stdout) == (r.returncode, r.stdout), name + ": as runc", "runc %d: %s" % (n.returncode, n.stdout.splitlines()),
           "ours %d: %s" % (r.returncode, lines), n.stderr)


def refused(name, change, words):
    """the container is not made, and the reason names the place"""
    if not wanted(name):
        return
    r = run(LAUNCHER, bundle(change, ["ids"]))
    report(r.returncode != 0 and words in r.stderr and r.stderr.count("\n") == 1 and not r.stdout, name, "status %d" % r.returncode, r.stdout, r.stderr)


def put(path, value):
    """a change: the member at a.b.c becomes value"""
    def change(d):
        steps = path.split(".")
        for s in steps[:-1]:
            d = d.setdefault(s, {})
        d[steps[-1]] = value
    return change


def mount(destination, **m):
    return lambda d: d["mounts"].append({"destination": destination, **m})


def both(*changes):
    def change(d):
        for c in changes:
            c(d)
    return change


def finish():
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
