"""suites.py - what scripts/bench measures: each function takes the bench (its
runtimes, options, scratch directory) and prints its tables."""
import os, shutil, subprocess, time

from .runtimes import TOP, TREE, Runtime, pss, run, shell
from .table import Rows, print_table

PROGRAMS = {
    "shell loop, 100 x /bin/true": "i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done",
    "find /usr": "find /usr -type f | wc -l",
    "tar of /usr/include": "tar -C /usr/include -cf - . | wc -c",
    "grep -r in /usr/include": "grep -r -c printf /usr/include | wc -l",
    "python3 starts, 5 times": "for i in 1 2 3 4 5; do python3 -c 'import json, subprocess, asyncio'; done",
    "python3 computes": "python3 -c 'print(sum(i * i for i in range(2000000)))'",
    "gcc compiles and links": "cd /tmp && printf '#include <stdio.h>\\nint main(void) { puts(\"hi\"); }\\n' >h.c && gcc -O1 h.c -o h && ./h",
    "git init, add, commit": "mkdir /tmp/g && cd /tmp/g && git init -q . && cp -r /usr/include/linux . && git add . && git -c user.name=a -c user.email=b commit -qm x",
    "sqlite3, 300 inserts": "(echo 'create table t(a,b);'; for i in {1..300}; do echo \"insert into t values($i,'x');\"; done) | sqlite3 /tmp/s.db",
    "sha256 of 64 MB": "head -c 64000000 /dev/zero | sha256sum",
    "400 MB through a pipe, by 4 KiB": "dd if=/dev/zero bs=4k count=100000 2>/dev/null | wc -c",
    "640 MB through a pipe, by 64 KiB": "dd if=/dev/zero bs=64k count=10000 2>/dev/null | wc -c",
    "xz of 4 MB": "head -c 4000000 /usr/bin/perl /usr/bin/python3.11 | xz -1 | wc -c",
}


def program(bench, name):
    """tests/bench/NAME.c, built; as a mount."""
    directory = bench.scratch + "/" + name
    if not os.path.isdir(directory):
        os.mkdir(directory)
        subprocess.run(["cc", "-O2", "-static", "-pthread", "-o", f"{directory}/{name}", f"{TOP}/tests/bench/{name}.c"], check=True)
    return directory, "/tmp/bench", "ro"


def measure_ops(bench, title, before=()):
    rows = Rows(bench.names)
    mount = program(bench, "ops")
    for _ in range(bench.options.rounds):
        for r in bench.runtimes:
            for line in run(r, ["/tmp/bench/ops"], [mount], before)[1].splitlines():
                name, value = line.split("\t")
                rows.add(name, r.name, float(value) / 1e3)
    print_table(title, "us", rows, bench.options.markdown)


def ops(bench):
    measure_ops(bench, "one operation")


def pinned(bench):
    measure_ops(bench, "one operation, all on one CPU", ["taskset", "-c", "0"])


def busy(bench):
    """As many other processes as there are CPUs, which compute."""
    spinners = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(os.cpu_count())]
    try:
        measure_ops(bench, "one operation, every CPU busy with something else")
    finally:
        for s in spinners:
            s.kill()
            s.wait()


def start(bench):
    names = list(bench.names)
    rows = Rows([n for n in names if n != "native"])
    commands = {r.name: r for r in bench.runtimes if r.name != "native"}
    bwrap = ["bwrap", "--bind", TREE, "/", "--proc", "/proc", "--dev", "/dev", "--unshare-all", "/bin/true"]
    if shutil.which("bwrap"):
        rows.names.append("bwrap")
    for _ in range(bench.options.rounds * 4):
        for name, r in commands.items():
            rows.add("life of a container with /bin/true", name, run(r, ["/bin/true"])[0])
        if shutil.which("bwrap"):
            begin = time.monotonic()
            subprocess.run(bwrap, check=True)
            rows.add("life of a container with /bin/true", "bwrap", (time.monotonic() - begin) * 1e3)
    print_table("start", "ms", rows, bench.options.markdown)


def programs(bench):
    rows = Rows(bench.names)
    for name, command in PROGRAMS.items():
        for _ in range(bench.options.rounds):
            for r in bench.runtimes:
                rows.add(name, r.name, shell(r, command)[0])
    print_table("whole programs", "ms", rows, bench.options.markdown)


def switches(pids):
    n = 0
    for pid in pids:
        try:
            for t in os.listdir(f"/proc/{pid}/task"):
                n += sum(int(l.split()[1]) for l in open(f"/proc/{pid}/task/{t}/status") if "ctxt_switches" in l)
        except OSError:
            pass
    return n


def idle(bench):
    rows = Rows(bench.names)
    for r in filter(lambda r: isinstance(r, Runtime), bench.runtimes):
        id = f"bench-idle-{os.getpid()}-{r.name}"
        # its output is the program's too, which goes on
        subprocess.run(r.argv(["/bin/sleep", "1000"], detach=True, id=id), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        try:
            time.sleep(2)
            pids = r.pids(id)
            before = switches(pids)
            time.sleep(10)
            rows.add("wake-ups in 10 s", r.name, switches(pids) - before)
            rows.add("memory (PSS), KiB", r.name, pss(pids))
        finally:
            r.delete(id)
    print_table("an idle container", "", rows, bench.options.markdown)
