"""runtimes.py - what is measured beside each other: the host itself, Redoubt's
platforms, and other OCI runtimes found on PATH.  All but the host are driven by
the same command line: run [--detach] --bundle DIR ID, delete --force ID."""
import json, os, shutil, signal, subprocess, tempfile, time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAUNCHER = os.environ.get("LAUNCHER", TOP + "/launcher/launcher")
TREE = os.environ.get("REDOUBT_TEST_TREE", "/var/tmp/redoubt-tree")
LIB = TOP + "/tests/integration/lib.sh"
NATIVE = open(LIB).read().split("NATIVE='", 1)[1].split("'\n", 1)[0]
LIMIT = 600  # seconds for one command

OTHERS = {  # name: its global options
    "runsc": ["--platform=systrap", "--network=none", "--ignore-cgroups"],
    "runc": [],
    "crun": [],
}


def bundle(directory, args, mounts=()):
    """Writes DIRECTORY/config.json as the integration tests do (lib.sh)."""
    os.makedirs(directory, exist_ok=True)
    env = dict(os.environ, top=TOP, TREE=TREE)
    subprocess.run(["bash", "-c", '. "$top/tests/integration/lib.sh"; spec "$@"', "spec", directory, "false"] + args, env=env, check=True)
    path = directory + "/config.json"
    config = json.load(open(path))
    config["mounts"] += [{"destination": to, "type": "bind", "source": source, "options": ["rbind", mode]} for source, to, mode in mounts]
    json.dump(config, open(path, "w"))
    return directory


def descendants(pids):
    """These processes and all that descend from them."""
    children, out, todo = {}, [], list(pids)
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            children.setdefault(int(open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()[1]), []).append(int(p))
        except OSError:
            pass  # gone in between
    while todo:
        p = todo.pop()
        out.append(p)
        todo += children.get(p, [])
    return list(dict.fromkeys(out))


def pss(pids):
    """KiB of memory, what is shared counted in proportion."""
    total = 0
    for p in pids:
        try:
            total += next(int(l.split()[1]) for l in open(f"/proc/{p}/smaps_rollup") if l.startswith("Pss:"))
        except (OSError, StopIteration):
            pass
    return total


class Running:
    """A program under way whose output is read here; for looking at it in between."""
    def __init__(self, runtime, argv, mounts=()):
        self.process = subprocess.Popen(runtime.argv(argv, mounts), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def lines_until(self, word):
        lines = []
        for line in self.process.stdout:
            if line.strip() == word:
                return lines
            lines.append(line)
        raise RuntimeError(f"ended before '{word}'")

    def memory(self):
        return pss(descendants([self.process.pid])[1:])

    def finish(self):
        out, _ = self.process.communicate(timeout=LIMIT)
        if self.process.returncode:
            raise RuntimeError(f"status {self.process.returncode}")
        return out.splitlines()


class Native:
    name = "native"
    detaches = False

    def argv(self, argv, mounts=()):
        script = NATIVE.replace('/bin/bash -c "$2"', '"$@"').replace("r=$1;", "r=$1; shift;")
        binds = "".join(f"mkdir -p $r{to}; mount --bind {source} $r{to}; " for source, to, _ in mounts)
        script = script.replace("hostname box;", binds + "hostname box;")
        return ["unshare", "-mpfiun", "--kill-child", "sh", "-c", script, "native", TREE, *argv]


class Runtime:
    detaches = True

    def __init__(self, name, command, scratch):
        self.name, self.command, self.scratch, self.made = name, command, f"{scratch}/{name}", 0
        os.makedirs(self.scratch)

    def argv(self, argv, mounts=(), detach=False, id=None):
        self.made += 1
        id = id or f"bench{os.getpid()}-{self.made}"
        directory = bundle(f"{self.scratch}/bundle{self.made}", argv, mounts)
        return [*self.command, "run", *(["--detach"] if detach else []), "--bundle", directory, id]

    def delete(self, id):
        subprocess.run([*self.command, "delete", "--force", id], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def pids(self, id):
        """All processes of a detached container: those that bear its name, its
        first one, and their descendants."""
        out = subprocess.run(["pgrep", "-f", f"{id}( |$)"], stdout=subprocess.PIPE, text=True).stdout.split()
        state = subprocess.run([*self.command, "state", id], stdout=subprocess.PIPE, text=True).stdout
        return descendants([int(p) for p in out] + [json.loads(state)["pid"]])


def run(runtime, argv, mounts=(), before=()):
    """Milliseconds, output."""
    command = [*before, *runtime.argv(list(argv), mounts)]
    begin = time.monotonic()
    p = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=LIMIT)
    ms = (time.monotonic() - begin) * 1e3
    if p.returncode:
        raise RuntimeError(f"{runtime.name}: status {p.returncode}: {p.stderr.strip()[-200:]}")
    return ms, p.stdout


def shell(runtime, script, mounts=(), before=()):
    return run(runtime, ["/bin/bash", "-c", script], mounts, before)


def find(scratch, platforms, wanted):
    """The runtimes there are, and what is left out, why."""
    out, left_out = [Native()], []
    for p in platforms:
        out.append(Runtime(p, [LAUNCHER, "--root", scratch + "/state-" + p, "--platform", p], scratch))
    for name, options in OTHERS.items():
        if shutil.which(name) and (not wanted or name in wanted):
            out.append(Runtime(name, [name, "--root", scratch + "/state-" + name, *options], scratch))
    for r in out[1:]:
        try:
            run(r, ["/bin/true"])
        except (RuntimeError, subprocess.TimeoutExpired) as e:
            out.remove(r)
            left_out.append(str(e).replace("\n", " "))
    return [r for r in out if not wanted or r.name in wanted], left_out
