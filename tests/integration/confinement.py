#!/usr/bin/env python3
"""confinement.py - holds a live process against its printed policy.

usage: confinement.py SYSCALLS POLICY PID [stub]

SYSCALLS is what `sentry --syscalls` prints (numbers and names), POLICY what
COMPONENT --print-policy prints.  Everything that /proc shows of PID is compared,
and its seccomp filter is fetched from the kernel (PTRACE_SECCOMP_GET_FILTER) and
walked for every call number.  Prints "ok NAME" and "not ok NAME" lines, with "#"
lines for what was found.  With "stub" the process must be as confined as the
policy says in all but its filter, whose calls are printed as "# stub may: ...",
and those of its further threads, which run program code, as "# thread may: ...".
"""
import ctypes, os, re, resource, struct, sys

ALL_CAPS = ("chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable "
            "net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot "
            "sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod").split()
LIMITS = {"CORE": "Max core file size", "NOFILE": "Max open files", "NPROC": "Max processes",
          "MEMLOCK": "Max locked memory", "AS": "Max address space", "FSIZE": "Max file size"}
KILL, ALLOW, ERRNO, TRAP, NOTIFY = 0x80000000, 0x7FFF0000, 0x00050000, 0x00030000, 0x7FC00000
ARCH_X86_64, ARCH_I386 = 0xC000003E, 0x40000003
SEIZE, INTERRUPT, DETACH, GET_FILTER = 0x4206, 0x4207, 17, 0x420C

# What each kind of process may hold open, by what the link of a descriptor names.
COMMON = [r"/dev/null", r"socket:.*", r"pipe:.*", r"anon_inode:\[event(poll|fd)\]", r"/memfd:redoubt-last-words.*"]
OPEN = {
    "controld": COMMON + [r"/dev/fuse", r"anon_inode:\[pidfd\]"],
    "gofer": COMMON + [r"/.*"],  # below its trees: see gofer_descriptor()
    "sentry": COMMON + [r"/memfd:redoubt-[a-z]+.*", r"anon_inode:seccomp notify", r"anon_inode:\[timerfd\]", r"/.*"],  # program files: see sentry_descriptor()
    "stub": [r"/memfd:redoubt-memory.*", r"/memfd:slots.*", r"socket:.*", r"pipe:.*"],
}


def result(good, name, *found):
    print(("ok " if good else "not ok ") + name)
    if not good:
        for f in found[:12]:
            print("#   " + str(f))


def same(name, got, want):
    result(got == want, name, f"{got}, not {want}")


def read_policy(path):
    p = {"allow": {}, "refuse": set(), "rlimit": {}, "text": []}
    for line in open(path):
        line = line.rstrip("\n")
        if line.startswith("# for the sanitizer"):  # its rows count in an instrumented build
            continue
        word, _, rest = line.partition(" ")
        if word == "allow":
            p["allow"].setdefault(rest.split()[0], []).append(rest)
        elif word.startswith("refuse"):
            p["refuse"].add(rest.split()[0])
        elif word == "rlimit":
            name, value = rest.split()[:2]
            p["rlimit"][name] = value
        else:
            p[word] = rest
    return p


class Process:
    def __init__(self, pid):
        self.dir = f"/proc/{pid}"
        self.pid = pid
        self.status = dict(l.rstrip("\n").split(":", 1) for l in open(self.dir + "/status"))
        self.status = {k: v.strip() for k, v in self.status.items()}

    def text(self, name):
        with open(f"{self.dir}/{name}") as f:
            return f.read()

    def ns(self, name):
        return os.readlink(f"{self.dir}/ns/{name}")


def check_ids(p, policy, who):
    uid = p.status["Uid"].split()
    own = "65534" if policy["user"].startswith("65534") else str(os.geteuid())
    if os.geteuid():  # a plain user has its own id mapped
        own = str(os.geteuid())
    same(f"{who}: user", set(uid), {own})
    same(f"{who}: group", len(set(p.status["Gid"].split())), 1)
    same(f"{who}: no supplementary group", p.status["Groups"], "")
    if policy["user"].startswith("65534"):
        for m in ("uid_map", "gid_map"):
            words = p.text(m).split()
            result(len(words) == 3 and words[2] == "1", f"{who}: one id in {m}", words)
        same(f"{who}: setgroups", p.text("setgroups").strip(), "deny")


def check_namespaces(p, policy, who):
    made = set(policy["namespaces"].split())
    for n in ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup"):
        own = p.ns(n) != os.readlink(f"/proc/self/ns/{n}")
        result(own == (n in made), f"{who}: {n} namespace {'of its own' if n in made else 'kept'}", p.ns(n))


def check_privilege(p, policy, who):
    mask = 0
    for c in policy["capabilities"].split():
        if c != "none":
            mask |= 1 << ALL_CAPS.index(c.replace("cap_", ""))
    for s in ("CapEff", "CapPrm"):
        same(f"{who}: {s}", int(p.status[s], 16), mask)
    for s in ("CapBnd", "CapInh", "CapAmb"):
        same(f"{who}: {s}", int(p.status[s], 16), 0)
    same(f"{who}: no_new_privs", p.status["NoNewPrivs"], "1")
    for t in os.listdir(p.dir + "/task"):
        with open(f"{p.dir}/task/{t}/status") as f:
            s = f.read()
        if "\nSeccomp:\t2\n" not in s:
            result(False, f"{who}: thread {t} has a filter", s)
            return
    result(True, f"{who}: every thread has a filter")


def check_root(p, who):
    mounts = p.text("mountinfo").splitlines()
    same(f"{who}: one mount", len(mounts), 1)
    words = mounts[0].split()
    result(words[4] == "/" and "ro" in words[5].split(","), f"{who}: read-only root", mounts[0])
    same(f"{who}: empty root", os.listdir(p.dir + "/root/"), [])


def check_limits(p, policy, who):
    limits = p.text("limits")
    for name, value in policy["rlimit"].items():
        m = re.search(re.escape(LIMITS[name]) + r"\s+(\S+)\s+(\S+)", limits)
        given = resource.getrlimit(getattr(resource, "RLIMIT_" + name))[1]
        want = value if given == resource.RLIM_INFINITY else str(min(int(value), given))  # never more than it was given
        same(f"{who}: limit {name}", m.groups(), (want, want))


def descriptor_flags(p, fd):
    return int(re.search(r"flags:\s+(\d+)", p.text(f"fdinfo/{fd}")).group(1), 8)


def check_descriptors(p, kind, who):
    bad = []
    for fd in os.listdir(p.dir + "/fd"):
        try:
            link = os.readlink(f"{p.dir}/fd/{fd}")
            mode = os.stat(f"{p.dir}/fd/{fd}").st_mode >> 12
            flags = descriptor_flags(p, fd)
        except OSError:
            continue  # closed meanwhile
        if not any(re.fullmatch(r, link) for r in OPEN[kind]):
            bad.append(f"{fd}: {link}")
        elif link.startswith("/") and not link.startswith(("/memfd:", "/dev/null")):
            path = flags & os.O_PATH
            if kind == "sentry" and (mode == 4 or path):
                bad.append(f"{fd}: {link}: a name could be looked up from it")
            if kind == "gofer" and mode != 4 and not path:
                bad.append(f"{fd}: {link}: open for reading or writing between requests")
        if kind != "stub" and int(fd) > 2 and not flags & os.O_CLOEXEC:
            bad.append(f"{fd}: {link}: not close-on-exec")
    result(not bad, f"{who}: descriptors", *bad)


def fetch_filters(pid):
    """The process's seccomp programs, newest first; None where the kernel does not tell."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.restype = ctypes.c_long
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if libc.ptrace(SEIZE, pid, None, None):
        return None
    filters = []
    try:
        libc.ptrace(INTERRUPT, pid, None, None)
        os.waitpid(pid, 0x40000000)  # __WALL
        while True:
            n = libc.ptrace(GET_FILTER, pid, len(filters), None)
            if n < 0:
                return filters or None
            buf = ctypes.create_string_buffer(n * 8)
            libc.ptrace(GET_FILTER, pid, len(filters), buf)
            filters.append([struct.unpack_from("HBBI", buf, i * 8) for i in range(n)])
    finally:
        libc.ptrace(DETACH, pid, None, None)


def outcomes(program, nr, arch):
    """Every value the program may return for a call number, whatever the arguments."""
    found, seen, work = set(), set(), [(0, None)]  # position, accumulator (None: depends on arguments)
    while work:
        at, acc = state = work.pop()
        if state in seen:
            continue
        seen.add(state)
        code, jt, jf, k = program[at]
        kind = code & 7
        if kind == 0:  # load
            acc = {0: nr, 4: arch}.get(k) if code == 0x20 else None
            work.append((at + 1, acc))
        elif kind == 6:
            found.add(k)
        elif kind == 5:
            op = code & 0xF0
            if op == 0x00:
                work.append((at + 1 + k, acc))
                continue
            if acc is None:
                taken = (True, False)
            else:
                taken = ({0x10: acc == k, 0x20: acc > k, 0x30: acc >= k, 0x40: bool(acc & k)}[op],)
            work.extend((at + 1 + (jt if t else jf), acc) for t in taken)
        else:  # arithmetic
            if acc is not None and code == 0x54:
                acc &= k
            else:
                acc = None
            work.append((at + 1, acc))
    return found


def check_filter(tid, policy, names, who, kind):
    """Returns what the filter permits; None where the kernel does not show it."""
    filters = fetch_filters(tid)
    if not filters:
        print(f"ok {who}: filter # skip the kernel does not show it")
        return None
    # a component dies of a forbidden call, a stub's is trapped or told to the sentry
    stopped = {TRAP, NOTIFY, KILL} if kind == "stub" else {KILL}
    allowed, refused, other = set(), set(), []
    for nr in range(0, 1024):
        sets = [outcomes(f, nr, ARCH_X86_64) for f in filters]
        every = set.union(*sets)
        name = names.get(nr, str(nr))
        if all(ALLOW in s for s in sets):
            allowed.add(name)
        for v in every - {ALLOW} - stopped:
            if v & 0xFFFF0000 == ERRNO:
                refused.add(name)
            else:
                other.append(f"{name}: {v:#x}")
    result(not any(all(ALLOW in outcomes(f, nr, arch) for f in filters)
                   for nr, arch in [(nr, ARCH_I386) for nr in range(512)] + [(nr | 0x40000000, ARCH_X86_64) for nr in range(512)]),
           f"{who}: no calls of other ABIs")
    result(not other, f"{who}: other calls are stopped", *other)
    if kind != "stub":
        result(refused == policy["refuse"], f"{who}: the filter refuses what the policy prints", refused, policy["refuse"])
    return allowed


def check_component_filter(p, policy, names, who):
    allowed, want = check_filter(p.pid, policy, names, who, who), set(policy["allow"])
    if allowed is not None:
        result(allowed == want, f"{who}: the kernel's filter allows what the policy prints",
               "more: " + " ".join(sorted(allowed - want)), "less: " + " ".join(sorted(want - allowed)))


def check_stub_filters(p, policy, names, who):
    for t in os.listdir(p.dir + "/task"):
        leader = int(t) == p.pid
        allowed = check_filter(int(t), policy, names, who if leader else f"{who} thread {t}", "stub")
        if allowed is not None:
            print(f"# {'stub' if leader else 'thread'} may: " + " ".join(sorted(allowed)))


def main():
    names = {}
    for line in open(sys.argv[1]):
        words = line.split()
        if len(words) > 1 and words[0].isdigit():
            names[int(words[0])] = words[1]
    policy, p = read_policy(sys.argv[2]), Process(int(sys.argv[3]))
    kind = sys.argv[4] if len(sys.argv) > 4 else policy["component"]
    who = f"{kind} {p.pid}" if kind == "stub" else kind
    check_ids(p, policy, who)
    check_namespaces(p, policy, who)
    check_privilege(p, policy, who)
    check_root(p, who)
    check_limits(p, policy, who)
    check_descriptors(p, kind, who)
    if p.status["TracerPid"] != "0":
        return  # a stub that the sentry traces is stopped before each call
    if kind == "stub":
        check_stub_filters(p, policy, names, who)
    else:
        check_component_filter(p, policy, names, who)


main()
