"""oci_console.py - of the runtime specification: process.terminal and consoleSize, the console
socket as engines use it, exec --process, what is accepted and not applied, and CRI-O's pods.
What a console shows is compared with runc's."""

import array, fcntl, select, socket, struct, termios
from ocirun import *

SIZE = {"height": 17, "width": 93}


def take_console(listener):
    """the descriptor that a runtime sends to the console socket"""
    c, _ = listener.accept()
    with c:
        fds = array.array("i")
        _, control, _, _ = c.recvmsg(4096, socket.CMSG_SPACE(fds.itemsize))
        for level, kind, data in control:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(data)
    return fds[0]


def read_until(fd, word):
    """what a terminal shows, until that; or what there is after 30 s"""
    shown, end = b"", time.time() + 30
    while word not in shown and time.time() < end:
        if select.select([fd], [], [], 1)[0]:
            try:
                some = os.read(fd, 4096)
            except OSError:
                break  # EIO: its last user has ended
            if not some:
                break
            shown += some
    return shown.decode().replace("\r\n", "\n")


def on_console(runtime, *words):
    """a command with a console socket -> its status, what it prints itself, the console"""
    path = SCRATCH + "/console.sock"
    root = STATE if runtime == LAUNCHER else SCRATCH + "/runc"
    with socket.socket(socket.AF_UNIX) as listener, open(SCRATCH + "/said", "w+") as said:
        listener.bind(path)
        listener.listen()
        listener.settimeout(60)
        p = subprocess.Popen([runtime, "--root", root, *words[:1], "--console-socket", path, *words[1:]], stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            fd = take_console(listener)
        except OSError:
            fd = -1
        status = p.wait(60)
        os.unlink(path)
        said.seek(0)
        return status, said.read(), fd


def size_of(fd):
    return struct.unpack("HHHH", fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8)))[:2]


def one_console(runtime, path):
    """a life at consoles -> what was seen of it"""
    root = STATE if runtime == LAUNCHER else SCRATCH + "/runc"
    status, said, fd = on_console(runtime, "create", "--bundle", path, "con")
    seen = {"create": (status, said), "size": size_of(fd)}
    subprocess.run([runtime, "--root", root, "start", "con"], stdin=subprocess.DEVNULL, timeout=60)
    seen["shown"] = read_until(fd, b"17x93\n")
    process = {**json.load(open(path + "/config.json"))["process"], "args": ["/bin/ocicheck", "terminal", "env", "A"], "env": ["A=more"]}
    json.dump(process, open(path + "/process.json", "w"))
    status, said, more = on_console(runtime, "exec", "--detach", "--tty", "--process", path + "/process.json", "con")
    seen["exec"] = (status, said, read_until(more, b"env A=more\n"))
    os.close(more)
    subprocess.run([runtime, "--root", root, "delete", "--force", "con"], stdin=subprocess.DEVNULL, timeout=60)
    os.close(fd)
    return seen


def terminal_cases():
    if not wanted("console"):
        return
    path = bundle(both(put("process.terminal", True), put("process.consoleSize", SIZE)), ["terminal", "sleep", "1000"])
    ours = one_console(LAUNCHER, path)
    report(ours["create"] == (0, ""), "console: create hands it over, and says nothing", ours["create"])
    report(ours["size"] == (17, 93), "console: consoleSize", ours["size"])
    report(ours["shown"].endswith("17x93\n"), "console: the program finds that size", ours["shown"])
    report(ours["exec"][:2] == (0, "") and ours["exec"][2].endswith("17x93\nenv A=more\n"), "console: exec --process", ours["exec"])
    if RUNC:
        theirs = one_console(RUNC, path)
        report(theirs == ours, "console: as runc", "runc %s" % theirs, "ours %s" % ours)


def unapplied_cases():
    """labels of security modules that this kernel has not: told, not applied"""
    for member in ("process.apparmorProfile", "process.selinuxLabel", "linux.mountLabel"):
        name = "labels: " + member
        if wanted(name):
            r = run(LAUNCHER, bundle(put(member, "some-label"), ["pid"]))
            report(r.returncode == 0 and r.stdout == "pid 1 ppid 0\n" and member + ": is not applied" in r.stderr, name, r.returncode, r.stdout, r.stderr)


def crio_cases():
    """CRI-O's annotations, as containerd's in pods.sh"""
    def role(kind):
        return put("annotations", {"io.kubernetes.cri-o.ContainerType": kind, "io.kubernetes.cri-o.SandboxID": "crio"})
    if not wanted("cri-o"):
        return
    first = run(LAUNCHER, bundle(role("sandbox"), ["sleep", "1000"]), ("run", "--detach"), "crio")
    second = run(LAUNCHER, bundle(role("container"), ["sleep", "1000"]), ("run", "--detach"), "crio-c")
    report(first.returncode == 0 and second.returncode == 0, "cri-o: a container comes into its sandbox", first.stderr, second.stderr)
    record = open(STATE + "/crio-c/state.json").read()
    report('"sandbox": "crio"' in record, "cri-o: it is one of the pod's", record)
    launcher("delete", "--force", "crio-c")
    launcher("delete", "--force", "crio")


def console_cases():
    terminal_cases()
    unapplied_cases()
    crio_cases()
