"""growth.py - how time and memory grow with the number of threads, mappings,
processes, files and sandboxes.  Each table has a column a step; "growth" is what one
of them costs at the last step over what it costs at the second: 1 is linear.  The last
column is the growth of the same on the host itself."""
import concurrent.futures, os, statistics, subprocess, time

from .runtimes import LIMIT, Running, Runtime, pss, run
from .suites import program
from .table import number, print_lines

STEPS = {
    "threads": [1, 10, 100, 1000],
    "mappings": [10, 100, 1000, 10000],
    "processes": [1, 10, 100, 1000],
}
FILES = [50, 500, 5000, 50000]
SANDBOXES = [1, 10, 100]
# What is beyond this costs more than in proportion: the noise of two measurements is within.
LINEAR = 2.0


def table(title, unit, steps, values, runtime, bench, native=None):
    """values: (name, step) -> numbers.  native: what this has returned for the host.  Returns name -> growth."""
    names = list(dict.fromkeys(name for name, _ in values))
    head = [f"{title}, {runtime} ({unit})"] + [str(s) for s in steps] + ["growth"] + (["native's"] if native else [])
    lines, grown = [], {}
    for name in names:
        medians = [statistics.median(values[name, s]) if (name, s) in values else None for s in steps]
        line = [name] + [number(m) if m is not None else "-" for m in medians]
        base = medians[1] if len(medians) > 2 else medians[0]
        growth = medians[-1] / base if medians[-1] and base else None
        line.append(("%.2f" % growth + (" !" if growth > LINEAR else "")) if growth is not None else "-")
        if growth is not None:
            grown[name] = growth
        if native:
            line.append("%.2f" % native[name] if name in native else "-")
        lines.append(line)
    print_lines(head, lines, bench.options.markdown)
    return grown


def collect(values, lines, step):
    for line in lines:
        name, _, value = line.strip().partition("\t")
        if value:
            values.setdefault((name, step), []).append(float(value) / 1e3)


def of_kind(bench, kind, steps):
    """One of tests/bench/growth.c's, with the memory that it takes at its peak."""
    mount = program(bench, "growth")
    native = None
    for r in bench.runtimes:
        values, empty = {}, None
        for _ in range(min(bench.options.rounds, 3)):
            for step in steps:
                try:
                    p = Running(r, ["/tmp/bench/growth", kind, str(step)], [mount])
                    lines = p.lines_until("peak")
                    kib = p.memory()
                    if empty is None:
                        empty = kib
                    collect(values, lines, step)
                    if step > 1:
                        values.setdefault(("memory of each, KiB", step), []).append(max(kib - empty, 0) / step)
                    collect(values, p.finish(), step)
                except (RuntimeError, subprocess.TimeoutExpired) as e:
                    print(f"! {r.name}, {step} {kind}: {e}")
                    p.process.kill()
                    p.process.wait()
        grown = table(kind, "us each", steps, values, r.name, bench, native)
        native = native or (grown if r.name == "native" else None)


def files(bench, where, directory, mounts):
    mount = program(bench, "growth")
    native = None
    for r in bench.runtimes:
        values = {}
        for step in FILES:
            for _ in range(min(bench.options.rounds, 3)):
                try:
                    collect(values, run(r, ["/tmp/bench/growth", "files", str(step), directory], [mount, *mounts])[1].splitlines(), step)
                except (RuntimeError, subprocess.TimeoutExpired) as e:
                    print(f"! {r.name}, {step} files: {e}")
        grown = table(f"files in {where}", "us each", FILES, values, r.name, bench, native)
        native = native or (grown if r.name == "native" else None)


def one_sandbox(r, id):
    subprocess.run(r.argv(["/bin/sleep", "1000"], detach=True, id=id), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, timeout=LIMIT)


def sandboxes(bench):
    """Made all at once, as many at a time as there are CPUs to make them."""
    for r in filter(lambda r: isinstance(r, Runtime), bench.runtimes):
        values = {}
        for n in SANDBOXES:
            ids = [f"bench-many-{os.getpid()}-{n}-{i}x" for i in range(n)]
            with concurrent.futures.ThreadPoolExecutor(2 * os.cpu_count()) as pool:
                begin = time.monotonic()
                try:
                    list(pool.map(lambda id: one_sandbox(r, id), ids))
                    values["started, ms each", n] = [(time.monotonic() - begin) * 1e3 / n]
                    pids = set().union(*(r.pids(id) for id in ids))
                    values["memory (PSS), KiB each", n] = [pss(pids) / n]
                except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as e:
                    print(f"! {r.name}, {n} sandboxes: {e}")
                begin = time.monotonic()
                list(pool.map(r.delete, ids))
                values["deleted, ms each", n] = [(time.monotonic() - begin) * 1e3 / n]
        table("sandboxes at once", "each", SANDBOXES, values, r.name, bench)


def growth(bench):
    for kind, steps in STEPS.items():
        of_kind(bench, kind, steps)
    files(bench, "memory (tmpfs)", "/tmp/growth", [])
    shared = bench.scratch + "/files"
    os.makedirs(shared, exist_ok=True)
    files(bench, "a directory of the host", "/tmp/host/growth", [(shared, "/tmp/host", "rw")])
    sandboxes(bench)
