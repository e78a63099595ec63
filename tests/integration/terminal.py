#!/usr/bin/env python3
"""terminal.py - drives an interactive shell in a sandbox through a terminal.

usage: terminal.py WAY COMMAND...     WAY is a name for the cases; "native" for
                                      a COMMAND that needs no outer terminal

COMMAND must start an interactive bash (--norc --noprofile --noediting) on the
terminal it is given.  Prints "ok" and "not ok" lines.  The outer terminal must be
the same before and after, however COMMAND ends.
"""
import fcntl, os, re, select, signal, struct, sys, termios, time

WAY, COMMAND = sys.argv[1], sys.argv[2:]
PROMPT = "<2> "  # PS1='<$((1+1))> ': never part of an echoed command
PATIENCE = 60  # seconds, which only a failure takes


class Terminal:
    """A pty, COMMAND on its slave as controlling terminal, and what came out of it."""

    def __init__(self, command, rows=24, columns=80):
        self.master, self.slave = os.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.seen = ""
        self.status = None
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(self.slave, fd)
            os.closerange(3, 256)
            os.execvp(command[0], command)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, text):
        os.write(self.master, text.encode())

    def pump(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            self.seen += os.read(self.master, 65536).decode(errors="replace")

    def expect(self, pattern):
        """What came before the pattern, which is taken off with it; None when it does not come."""
        end = time.monotonic() + PATIENCE
        while True:
            m = re.search(pattern, self.seen)
            if m:
                before, self.seen = self.seen[:m.start()], self.seen[m.end():]
                return before
            left = end - time.monotonic()
            if left <= 0 or (self.ended() and not select.select([self.master], [], [], 0)[0]):
                return None
            self.pump(min(left, 0.05))

    def ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def wait(self):
        end = time.monotonic() + PATIENCE
        while not self.ended() and time.monotonic() < end:
            self.pump(0.05)
        while select.select([self.master], [], [], 0)[0]:
            self.pump(0)
        return self.status

    def prompt(self):
        return self.expect(re.escape(PROMPT))

    def ask(self, command):
        """What a command prints, without its echo."""
        self.send(command + "\n")
        out = self.prompt()
        return None if out is None else out.replace("\r", "").split("\n", 1)[-1].strip()

    def job(self, seconds):
        """Starts a program in the foreground and returns once it has the terminal, which it says itself: a key
        before that is the shell's, which forgets it; what it is to the shell's jobs."""
        program = f"perl -e '$| = 1; print \"u\", \"p\\n\"; sleep {seconds}'"
        self.send(program + "\n")
        self.expect(r"up\r\n")
        return re.escape(program)

    def same_modes(self):
        return termios.tcgetattr(self.slave) == self.before

    def close(self):
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)
        os.close(self.slave)


def result(good, name, found=""):
    print(("ok " if good else "not ok ") + f"{WAY}: {name}", flush=True)
    if not good:
        print("#   " + repr(found)[:400], flush=True)
    return good


def same(name, got, want):
    return result(got == want, name, f"{got!r}, not {want!r}")


def shell():
    t = Terminal(COMMAND)
    if t.expect(r"[#$] $") is None:
        result(False, "prompt appears", t.seen)
        t.close()
        return None
    t.send("PS1='<$((1+1))> '\n")
    t.prompt()
    return t


def session():
    t = shell()
    if not t:
        return
    result(True, "prompt appears")
    if WAY != "native":
        result(not t.same_modes(), "the outer terminal is raw meanwhile")
    same("a command", t.ask("echo one $((40+2))"), "one 42")
    result(re.fullmatch(r"/dev/(pts/\d+|console)", t.ask("tty") or ""), "tty names the terminal", t.ask("tty"))
    same("all three are terminals", t.ask("for i in 0 1 2; do test -t $i && echo $i; done"), "0\n1\n2")
    same("a controlling terminal", t.ask("echo to it >/dev/tty"), "to it")
    same("its size", t.ask("stty size"), "24 80")
    t.resize(50, 132)
    end = time.monotonic() + PATIENCE
    while (size := t.ask("stty size")) == "24 80" and time.monotonic() < end:
        pass
    same("its size after a resize", size, "50 132")
    t.send("sh -c 'trap \"echo resized; r=1\" WINCH; echo armed; for i in $(seq 100); do [ \"$r\" ] && break; sleep .2; done; stty size'\n")
    t.expect(r"armed\r\n")
    t.resize(33, 99)
    result(t.expect(r"resized\r\n") is not None, "SIGWINCH reaches the foreground", t.seen)
    result(t.expect(r"33 99\r\n") is not None, "the new size with it", t.seen)
    t.prompt()
    t.job(120)
    t.send("\x03")
    result(t.prompt() is not None, "^C interrupts a sleep and not the shell", t.seen)
    same("its status", t.ask("echo $?"), "130")
    t.send("cat | cat\n")
    t.send("through both\n")  # both have begun when it comes out
    t.expect(r"through both\r\n[^$]*through both\r\n")
    t.send("\x03")
    result(t.prompt() is not None, "^C interrupts a pipeline", t.seen)
    job = t.job(121)
    t.send("\x1a")
    result(t.expect(r"\[1\]\+\s+Stopped\s+" + job) is not None and t.prompt() is not None, "^Z stops a job", t.seen)
    result(re.search(r"\[1\]\+\s+Stopped\s+" + job, t.ask("jobs") or ""), "jobs lists it", t.seen)
    result(re.search(r"\[1\]\+ " + job + " &", t.ask("bg") or ""), "bg runs it on", t.seen)
    result(re.search(r"\[1\]\+\s+Running\s+" + job, t.ask("jobs") or ""), "it runs", t.seen)
    for _ in range(5):  # the shell says so, and then makes it so: a key between the two is its own
        t.send("fg\n")
        t.expect(job)
        time.sleep(0.4)
        t.send("\x03")
        back = t.prompt() is not None
        if not back or "Running" not in (t.ask("jobs") or ""):
            break
    result(back, "fg brings it back, ^C ends it", t.seen)
    same("no job is left", t.ask("jobs"), "")
    t.job(122)
    t.send("\x1c")
    t.prompt()
    same("^\\ quits", t.ask("echo $?"), "131")
    t.send("cat\n")
    t.expect("cat\r\n")
    t.send("abX\x7fc\n")
    result(t.expect(r"\r\nabc\r\n") is not None, "erase edits the line", t.seen)
    t.send("nothing\x15line\n")
    result(t.expect(r"\r\nline\r\n") is not None, "kill drops the line", t.seen)
    t.send("\x04")
    result(t.prompt() is not None, "^D ends cat", t.seen)
    t.send("stty raw -echo; echo raw; head -c 3 | od -An -tx1; stty sane\n")
    t.expect(r"raw\r?\n")
    t.send("\x03\x1ba")
    result(t.expect(r"03 1b 61") is not None, "a raw terminal passes every key on", t.seen)
    t.prompt()
    t.ask("stty -echo")
    t.seen = ""
    t.send("read -r secret; echo got $secret\n")
    t.send("word\n")
    out = t.expect(r"got word")
    result(out is not None and "word" not in out, "nothing is echoed without echo", out)
    t.prompt()
    t.ask("stty echo")
    t.ask("stty sane")
    lines = t.ask("seq 5000 | tail -n 4990 | wc -l; seq 3000")
    result(lines and lines.split("\n")[-1] == "3000" and len(lines.split("\n")) == 3001, "much output", lines and lines[-60:])
    t.send("read -t 2 x </dev/tty & wait\n")
    result(t.prompt() is not None, "a background job that reads the terminal does not get it", t.seen)
    t.ask("kill -9 %1; wait")
    t.send("bash --norc --noprofile\n")  # readline: raw mode, cursor keys
    t.expect(r"[#$] $")
    t.send("echo previous\r")
    t.expect(r"previous\r\nprevious\r\n")
    t.send("\x1b[A\r")
    result(t.expect(r"previous\r\n(\x1b\[\?2004l\r?)?previous\r\n") is not None, "the up key brings the last command back", t.seen)
    t.send("exit\r")
    t.prompt()
    t.send("exit 7\n")
    same("its exit status", t.wait(), 7)
    result(WAY == "native" or t.same_modes(), "the outer terminal is as it was", termios.tcgetattr(t.slave)[:4])
    t.close()


def ends():
    t = shell()
    if not t:
        return
    t.send("\x04")
    same("^D ends the shell", t.wait(), 0)
    result(t.same_modes(), "the outer terminal is as it was after ^D")
    t.close()
    for sig in (signal.SIGTERM, signal.SIGHUP):
        t = shell()
        if not t:
            return
        # process 1 gets only signals that it catches
        t.send("exec sh -c 'trap \"exit 9\" TERM HUP; echo ar''med; while :; do sleep .2; done'\n")
        t.expect("armed")
        os.kill(t.pid, sig)
        same(f"{sig.name} to the launcher ends it", t.wait(), 9)
        result(t.same_modes(), f"the outer terminal is as it was after {sig.name}")
        t.close()


session()
ends()
