#!/usr/bin/env python3
"""oci.py LAUNCHER SCRATCH RUNC [NAME...] - run by oci.sh: what config.json asks for, and
what is found of it inside; containers' lives and what is found outside are oci_life.py's."""

import json, os, subprocess, sys, time

from ocirun import *
from oci_life import life_cases
from oci_console import console_cases


def prepare():
    for d in ("data/sub", "etc", "rodir"):
        os.makedirs(ROOT + "/" + d)
    for f, text in (("data/one", "1"), ("data/sub/two", "2"), ("etc/secret", "s"), ("etc/passwd", "five:x:5:6::/data:/bin/sh\n"), ("rodir/file", "x")):
        open(ROOT + "/" + f, "w").write(text)
    os.chmod(ROOT + "/data/one", 0o644)
    os.chown(ROOT + "/data/one", 7, 8)
    for link, to in (("link", "one"), ("dirlink", "sub"), ("nowhere", "none")):
        os.symlink(to, ROOT + "/data/" + link)
    os.makedirs(SCRATCH + "/src/deep")
    open(SCRATCH + "/src/file", "w").write("bound")
    for p in (SCRATCH, ROOT, SCRATCH + "/src"):
        os.chmod(p, 0o755)


def process_cases():
    case("user: ids", put("process.user", {"uid": 5, "gid": 6, "additionalGids": [9, 7]}), "ids", ["uid 5 5 5", "gid 6 6 6", "groups 7 9"])
    case("user: umask", put("process.user.umask", 0o27), "umask", ["umask 0027"])
    case("user: umask of its own", None, "umask", ["umask 0022"])
    case("rlimits", put("process.rlimits", [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
                                            {"type": "RLIMIT_FSIZE", "soft": 1000, "hard": 2000}]),
         "limit 7 limit 4 limit 1", ["limit 7 100 200", "limit 4 0 0", "limit 1 1000 2000"])
    refused("rlimits: twice", put("process.rlimits", [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}] * 2), "process.rlimits[1].type")
    case("capabilities", None, "caps", ["CapInh 0000000000000000", "CapPrm %016x" % BITS, "CapEff %016x" % BITS, "CapBnd %016x" % BITS, "CapAmb 0000000000000000"])
    case("capabilities: ambient", put("process.capabilities", {k: CAPS for k in ("bounding", "effective", "permitted", "inheritable", "ambient")}), "caps",
         ["Cap%s %016x" % (k, BITS) for k in ("Inh", "Prm", "Eff", "Bnd", "Amb")])
    case("capabilities: of another user", both(put("process.user", {"uid": 5, "gid": 6}),
         put("process.capabilities", {k: CAPS for k in ("bounding", "effective", "permitted", "inheritable", "ambient")})), "caps",
         ["Cap%s %016x" % (k, BITS) for k in ("Inh", "Prm", "Eff", "Bnd", "Amb")])
    case("capabilities: none", put("process.capabilities", {}), "caps", ["Cap%s %016x" % (k, 0) for k in ("Inh", "Prm", "Eff", "Bnd", "Amb")])
    case("noNewPrivileges", put("process.noNewPrivileges", True), "nnp", ["NoNewPrivs 1"])
    case("noNewPrivileges: not", None, "nnp", ["NoNewPrivs 0"])
    case("oomScoreAdj", put("process.oomScoreAdj", 321), "content /proc/self/oom_score_adj", ["content /proc/self/oom_score_adj = 321"])
    case("scheduler: batch", put("process.scheduler", {"policy": "SCHED_BATCH", "nice": 7}), "sched", ["sched 3 priority 0 nice 7"], ours=True)
    case("scheduler: fifo", put("process.scheduler", {"policy": "SCHED_FIFO", "priority": 3}), "sched", ["sched 1 priority 3 nice 0"], ours=True)
    case("ioPriority", put("process.ioPriority", {"class": "IOPRIO_CLASS_IDLE", "priority": 0}), "sched", ["sched 0 priority 0 nice 0"], ours=True)
    case("cwd", put("process.cwd", "/data/sub"), "cwd", ["cwd /data/sub"])
    refused("cwd: relative", put("process.cwd", "data"), "process.cwd")
    case("env", put("process.env", ["PATH=/bin", "B=x y", "A=1", "A=2"]), "env B env A env C", None)
    case("env: a home", put("process.env", ["PATH=/bin"]), "env HOME", ["env HOME=/"])
    case("env: a home, in /etc/passwd", both(put("process.env", ["PATH=/bin", "HOME="]), put("process.user", {"uid": 5, "gid": 6})), "env HOME", ["env HOME=/data"])
    case("env: a home that is given", put("process.env", ["PATH=/bin", "HOME=/x"]), "env HOME", ["env HOME=/x"])
    case("args: found by PATH", put("process.args", ["ocicheck", "cwd"]), "", ["cwd /"])
    case("exit status", None, "end 42", [], status=42)
    case("terminal: none", None, "terminal", ["terminal no 0 0 0x0"])
    refused("args: no such program", put("process.args", ["/bin/none"]), "no such file")


def root_cases():
    case("root", None, "write / stat /data/one stat /data/link", ["write / ok", "stat /data/one 100644 7:8 0,0", "stat /data/link 120777 0:0 0,0"])
    case("root.readonly", put("root.readonly", True), "write / mounted / write /dev", ["write / EROFS", "mounted / ro relatime", "write /dev ok"])
    case("root.readonly: a tmpfs on it", both(put("root.readonly", True), mount("/new/place", type="tmpfs", source="t")), "write /new/place write /new",
         ["write /new/place ok", "write /new EROFS"], ours=True)
    case("hostname and domainname", put("domainname", "example"), "names", ["names box example"], ours=True)
    case("hostname: none", lambda d: d.pop("hostname"), "content /proc/sys/kernel/hostname", ["content /proc/sys/kernel/hostname = " + os.uname().nodename])
    case("hostname", None, "content /proc/sys/kernel/hostname", ["content /proc/sys/kernel/hostname = box"])


def mount_cases():
    src = SCRATCH + "/src"
    case("bind: read and write", mount("/mnt", type="bind", source=src, options=["bind"]), "content /mnt/file write /mnt write /mnt/deep",
         ["content /mnt/file = bound", "write /mnt ok", "write /mnt/deep ok"])
    for options, told in ((["ro"], "ro relatime"), (["nosuid", "nodev", "noexec"], "rw nosuid nodev noexec relatime"), (["rro"], "ro relatime"),
                          (["rnosuid", "rnodev"], "rw nosuid nodev relatime"), (["ro", "rw"], "rw relatime"), (["noatime", "nodiratime"], "rw noatime nodiratime"),
                          (["rshared"], "rw relatime"), (["rslave", "ro"], "ro relatime"), (["rnoexec", "rro"], "ro noexec relatime"), (["private", "relatime"], "rw relatime")):
        case("bind: " + " ".join(options), mount("/mnt", type="bind", source=src, options=["rbind"] + options), "mounted /mnt", ["mounted /mnt " + told],
             ours="noatime" in options)
    case("bind: ro cannot be written", mount("/mnt", type="bind", source=src, options=["rbind", "ro"]), "write /mnt content /mnt/file", ["write /mnt EROFS", "content /mnt/file = bound"])
    case("bind: noexec", mount("/mnt", type="bind", source=ROOT + "/bin", options=["bind", "noexec"]), "exec /mnt/ocicheck", ["exec /mnt/ocicheck EACCES"])
    for options in (["nosymfollow"], ["rnosymfollow"], ["symfollow", "nosymfollow"]):
        case("bind: " + " ".join(options), mount("/mnt", type="bind", source=ROOT + "/data", options=["rbind"] + options),
             "mounted /mnt open /mnt/link open /mnt/sub/two stat /mnt/link open /mnt/dirlink/two create /mnt/link create /mnt/nowhere list /mnt",
             ["mounted /mnt rw relatime nosymfollow", "open /mnt/link ELOOP", "open /mnt/sub/two ok", "stat /mnt/link 120777 0:0 0,0", "open /mnt/dirlink/two ELOOP",
              "create /mnt/link ELOOP", "create /mnt/nowhere ELOOP", "list /mnt dirlink link nowhere one sub"], ours=True)
    case("bind: nosymfollow symfollow", mount("/mnt", type="bind", source=ROOT + "/data", options=["rbind", "nosymfollow", "symfollow"]), "mounted /mnt open /mnt/dirlink/two",
         ["mounted /mnt rw relatime", "open /mnt/dirlink/two ok"], ours=True)
    case("bind: a file", mount("/etc/x", type="bind", source=src + "/file", options=["bind", "ro"]), "content /etc/x", ["content /etc/x = bound"])
    refused("bind: no such source", mount("/mnt", type="bind", source=src + "/none", options=["bind"]), "mounts[4].source")
    refused("an unknown option", mount("/mnt", type="tmpfs", source="t", options=["frob"]), "mounts[4].options[0]: unknown option 'frob'")
    case("tmpfs", mount("/t", type="tmpfs", source="tmpfs", options=["nosuid", "size=1m", "mode=1777", "uid=3", "gid=4"]), "mounted /t stat /t size /t list /t write /t",
         ["mounted /t rw nosuid relatime", "stat /t 41777 3:4 0,0", "size /t 1048576", "list /t", "write /t ok"], ours=True)
    case("tmpfs: it covers", mount("/data", type="tmpfs", source="tmpfs"), "list /data", ["list /data"])
    for more in ([], ["ro"]):
        case("tmpfs: tmpcopyup " + " ".join(more), mount("/data", type="tmpfs", source="tmpfs", options=["tmpcopyup", "mode=755"] + more),
             "list /data content /data/one content /data/sub/two stat /data/one stat /data/link write /data",
             ["list /data dirlink link nowhere one sub", "content /data/one = 1", "content /data/sub/two = 2", "stat /data/one 100644 7:8 0,0", "stat /data/link 120777 0:0 0,0",
              "write /data " + ("EROFS" if more else "ok")], ours=bool(more))
    case("proc, devpts, mqueue", mount("/dev/mqueue", type="mqueue", source="mqueue", options=["nosuid", "noexec", "nodev"]),
         "mounted /proc mounted /dev/pts mounted /dev/mqueue mounted /dev/shm",
         ["mounted /proc rw relatime", "mounted /dev/pts rw nosuid noexec relatime", "mounted /dev/mqueue rw nosuid nodev noexec relatime",
          "mounted /dev/shm rw nosuid nodev noexec relatime"])
    case("sysfs", mount("/sys", type="sysfs", source="sysfs", options=["nosuid", "noexec", "nodev", "ro"]), "mounted /sys write /sys", None, ours=True)
    case("mounts: in order", both(mount("/m", type="tmpfs", source="t"), mount("/m/in", type="bind", source=src, options=["rbind"])), "list /m list /m/in",
         ["list /m in", "list /m/in deep file"])
    case("mounts: below what is not there", mount("/a/b/c", type="tmpfs", source="t"), "stat /a/b/c", ["stat /a/b/c 41777 0:0 0,0"], ours=True)
    case("tmpfs: the mode of what it covers", mount("/data/sub", type="tmpfs", source="t"), "stat /data/sub", ["stat /data/sub 40755 0:0 0,0"])
    refused("mounts: relative destination", mount("mnt", type="tmpfs", source="t"), "mounts[4].destination")


def linux_cases():
    case("devices: the standard ones", None, " ".join("stat /dev/" + d for d in ("null", "zero", "full", "random", "urandom", "tty")),
         ["stat /dev/%s 20666 0:0 %s" % d for d in (("null", "1,3"), ("zero", "1,5"), ("full", "1,7"), ("random", "1,8"), ("urandom", "1,9"), ("tty", "5,0"))])
    case("devices: links", None, "stat /dev/fd stat /dev/stdin stat /dev/stdout stat /dev/stderr stat /dev/ptmx",
         ["stat /dev/%s 120777 0:0 0,0" % d for d in ("fd", "stdin", "stdout", "stderr", "ptmx")])
    case("devices: more", put("linux.devices", [{"path": "/dev/mine", "type": "c", "major": 1, "minor": 3, "fileMode": 0o640, "uid": 3, "gid": 4},
                                                {"path": "/dev/deep/er", "type": "c", "major": 1, "minor": 5}, {"path": "/dev/queue", "type": "p", "fileMode": 0o600}]),
         "stat /dev/mine stat /dev/deep/er stat /dev/queue open /dev/deep/er",
         ["stat /dev/mine 20640 3:4 1,3", "stat /dev/deep/er 20666 0:0 1,5", "stat /dev/queue 10600 0:0 0,0", "open /dev/deep/er ok"], ours=True)
    case("maskedPaths", put("linux.maskedPaths", ["/etc/secret", "/data", "/not/there"]), "content /etc/secret list /data", ["content /etc/secret = ", "list /data"])
    case("readonlyPaths", put("linux.readonlyPaths", ["/rodir", "/rodir/file", "/not/there"]), "write /rodir open /rodir/file content /rodir/file",
         ["write /rodir EROFS", "open /rodir/file EROFS", "content /rodir/file = x"])
    told = {"kernel.shmmax": "65536", "kernel.sem": "1 2 3 4", "kernel.msgmni": "7", "fs.mqueue.msg_max": "33", "net.ipv4.ip_unprivileged_port_start": "80", "net.core.somaxconn": "5", "net.ipv4.ping_group_range": "0 7"}
    case("sysctl: of the IPC and network namespaces", put("linux.sysctl", told), " ".join("content /proc/sys/" + n.replace(".", "/") for n in told),
         ["content /proc/sys/%s = %s" % (n.replace(".", "/"), v.replace(" ", "\t")) for n, v in told.items()])
    for name in ("kernel.pid_max", "vm.swappiness", "kernel/shmmax", "fs.file-max"):
        refused("sysctl: the machine's: " + name, put("linux.sysctl", {name: "1"}), "linux.sysctl.%s: is not in a separate kernel namespace" % name)
    case("sysctl: one that is not there is told", put("linux.sysctl", {"net.ipv4.ip_early_demux": "0"}), "pid", ["pid 1 ppid 0"], ours=True)
    case("sysctl", put("linux.sysctl", {"kernel.domainname": "there"}), "content /proc/sys/kernel/domainname", ["content /proc/sys/kernel/domainname = there"])
    for p in ("private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable"):
        case("rootfsPropagation: " + p, put("linux.rootfsPropagation", p), "write /", ["write / ok"], ours=True)
    refused("rootfsPropagation: unknown", put("linux.rootfsPropagation", "x"), "linux.rootfsPropagation")
    case("personality: LINUX32", put("linux.personality", {"domain": "LINUX32"}), "machine", ["machine i686 personality 0x8"], ours=True)
    case("personality: LINUX", put("linux.personality", {"domain": "LINUX"}), "machine", ["machine x86_64 personality 0"], ours=True)
    refused("intelRdt", put("linux.intelRdt", {"closID": "x"}), "linux.intelRdt")
    case("namespaces: pid", None, "pid", ["pid 1 ppid 0"])
    case("annotations", put("annotations", {"a.b": "c"}), "pid", ["pid 1 ppid 0"])
    case("members that nobody knows", both(put("frob", {"a": [1]}), put("process.frob", 1), put("linux.frob", "x")), "pid", ["pid 1 ppid 0"])
    for good, name in (("/redoubt-it-oci", "absolute"), ("redoubt-it-oci", "relative")):
        case("cgroupsPath: " + name, put("linux.cgroupsPath", good), "pid", ["pid 1 ppid 0"], ours=True)
    refused("cgroupsPath: climbs", put("linux.cgroupsPath", "/../x"), "linux.cgroupsPath")


def time_cases():
    """what clockcheck tells, on the host in a time namespace and in a container with the same offsets"""
    if not wanted("timeOffsets"):
        return
    clocks = ["/bin/clockcheck", *(str(int(time.clock_gettime(c))) for c in (time.CLOCK_MONOTONIC, time.CLOCK_BOOTTIME))]
    own = lambda d: d["linux"]["namespaces"].append({"type": "time"})
    run_it = put("process.args", clocks)
    for monotonic, boot in ((1000, 2000), (-50, 100), (0, 0)):
        native = subprocess.run(["unshare", "-T", "--monotonic", str(monotonic), "--boottime", str(boot), ROOT + clocks[0], *clocks[1:]], capture_output=True, text=True)
        offsets = put("linux.timeOffsets", {"monotonic": {"secs": monotonic}, "boottime": {"secs": boot}})
        case("timeOffsets: %d, %d" % (monotonic, boot), both(own, run_it, offsets), "", native.stdout.splitlines() if native.returncode == 0 else None, ours=True)
    case("timeOffsets: none", both(own, run_it), "", subprocess.run([ROOT + clocks[0], *clocks[1:]], capture_output=True, text=True).stdout.splitlines(), ours=True)
    r = run(LAUNCHER, bundle(both(own, put("linux.timeOffsets", {"boottime": {"secs": 500000}})), ["content", "/proc/uptime", "content", "/proc/stat"]))
    btime = [int(l.split()[1]) for l in r.stdout.splitlines() if l.startswith("btime ")]
    report(" = 50000" in r.stdout and btime and 0 <= time.time() - 500000 - btime[0] < 20, "timeOffsets: uptime and btime", r.stdout[:200], btime, r.stderr)
    if wanted("timeOffsets: exec"):
        path = bundle(both(own, put("linux.timeOffsets", {"monotonic": {"secs": 1000}, "boottime": {"secs": 2000}})), ["sleep", "1000"])
        run(LAUNCHER, path, ("run", "--detach"), "timeexec")
        r = launcher("exec", "timeexec", *clocks)
        report("monotonic 1000" in r.stdout and "boottime by a call 2000" in r.stdout, "timeOffsets: exec", r.stdout, r.stderr)
        launcher("delete", "--force", "timeexec")
    refused("timeOffsets: no time namespace", put("linux.timeOffsets", {"monotonic": {"secs": 1}}), "linux.timeOffsets: linux.namespaces has no time namespace")
    refused("timeOffsets: before the beginning", both(own, put("linux.timeOffsets", {"monotonic": {"secs": -4000000000}})), "linux.timeOffsets: Numerical result out of range")
    refused("timeOffsets: too many nanoseconds", both(own, put("linux.timeOffsets", {"monotonic": {"nanosecs": 1000000000}})), "linux.timeOffsets.monotonic.nanosecs")


def seccomp_cases():
    def profile(default, *rules, **more):
        return put("linux.seccomp", {"defaultAction": default, "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
                                     "syscalls": list(rules), **more})

    def rule(action, *names, **more):
        return {"names": list(names), "action": action, **more}
    case("seccomp: none", None, "filter", ["Seccomp 0"])
    case("seccomp: errno", profile("SCMP_ACT_ALLOW", rule("SCMP_ACT_ERRNO", "getppid")), "filter call 110 call 39", ["Seccomp 2", "call 110 EPERM", "call 39 ok"])
    case("seccomp: an errno of its own", profile("SCMP_ACT_ALLOW", rule("SCMP_ACT_ERRNO", "getppid", errnoRet=38)), "call 110", ["call 110 ENOSYS"])
    case("seccomp: no such call anywhere", profile("SCMP_ACT_ALLOW", rule("SCMP_ACT_ERRNO", "frobnicate", "getppid")), "call 110", ["call 110 EPERM"])
    case("seccomp: an argument", profile("SCMP_ACT_ALLOW", rule("SCMP_ACT_ERRNO", "umask", args=[{"index": 0, "value": 7, "op": "SCMP_CMP_EQ"}])),
         "call 95:7 call 95:8", ["call 95:7 EPERM", "call 95:8 ok"])
    case("seccomp: a masked argument", profile("SCMP_ACT_ALLOW", rule("SCMP_ACT_ERRNO", "umask", args=[{"index": 0, "value": 1, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}])),
         "call 95:3 call 95:2", ["call 95:3 EPERM", "call 95:2 ok"])
    case("seccomp: one argument twice", profile("SCMP_ACT_ALLOW", rule("SCMP_ACT_ERRNO", "umask", args=[{"index": 0, "value": v, "op": "SCMP_CMP_EQ"} for v in (1, 2)])),
         "call 95:1 call 95:2 call 95:3", ["call 95:1 EPERM", "call 95:2 EPERM", "call 95:3 ok"])
    case("seccomp: kill", profile("SCMP_ACT_ALLOW", rule("SCMP_ACT_KILL_PROCESS", "getppid")), "call 39 call 110 call 39", ["call 39 ok"], status=159, ours=True)
    case("seccomp: default errno", profile("SCMP_ACT_ERRNO", rule("SCMP_ACT_ALLOW", *"""read write close fstat brk mmap munmap exit_group arch_prctl
         set_tid_address set_robust_list rseq prlimit64 readlink getrandom mprotect execve newfstatat rt_sigreturn capset prctl futex fcntl open openat
         getdents64 lseek epoll_ctl epoll_pwait nanosleep sched_yield tgkill getpid gettid rt_sigprocmask rt_sigaction setgroups setuid setgid
         chdir fchdir faccessat faccessat2 statfs close_range getppid""".split()), defaultErrnoRet=1), "call 39 call 95:0", ["call 39 ok", "call 95:0 EPERM"], ours=True)
    case("seccomp: flags", profile("SCMP_ACT_ALLOW", rule("SCMP_ACT_LOG", "getppid"), flags=["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]), "call 110", ["call 110 ok"], ours=True)
    refused("seccomp: notify", profile("SCMP_ACT_ALLOW", rule("SCMP_ACT_NOTIFY", "getppid")), "SCMP_ACT_NOTIFY is not supported")
    if wanted("seccomp: exec"):
        path = bundle(profile("SCMP_ACT_ALLOW", rule("SCMP_ACT_ERRNO", "getppid")), ["sleep", "1000"])
        run(LAUNCHER, path, ("run", "--detach"), "secexec")
        r = launcher("exec", "secexec", "/bin/ocicheck", "filter", "call", "110")
        report(r.stdout.splitlines() == ["Seccomp 2", "call 110 EPERM"], "seccomp: exec", r.stdout, r.stderr)
        launcher("delete", "--force", "secexec")


prepare()
if run(LAUNCHER, bundle(None, ["pid"])).returncode:
    print("not ok a container to begin with")
    print("0 passed, 1 failed, 0 skipped")
    sys.exit(1)
process_cases()
root_cases()
mount_cases()
linux_cases()
time_cases()
seccomp_cases()
life_cases()
console_cases()
finish()
