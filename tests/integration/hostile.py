#!/usr/bin/env python3
"""hostile.py PLATFORM - judges every host call that stubs executed.

Reads from standard input, as tracefs prints them, the events raw_syscalls:sys_enter of
tasks named redoubt-stub, and of all tasks when they fork and exit; looks at what is
a descendant of the one that wrote "begin" to trace_marker.  The host's kernel makes the
first event only for a call that it goes on to execute: neither a call that a filter
traps nor one that ptrace(PTRACE_SYSEMU) catches is among them.

Each task has a role from its first call on, and each role a table of what it may
do.  Program code runs in "thread" (systrap) or in "stub" (ptrace), so that any
call which hostile code got executed is a call in a wrong role, with wrong arguments,
or a mapping made where the stub's own pages lie.  Prints "bad: ..." a violation and then
a line of counts; exit status 1 if there was a violation or if events were lost.
"""
import collections, re, sys

GUEST_END, STUB_END = 0x7FFF00000000, 0x7FFFE0008000
SLOTS, ORDERS, FILTER = 0x7FFF80000000, 0x7FFFD0000000, 0x7FFFE0004000
NAMES, NAMES_END = 0x7FFFD8000000, 0x7FFFD8021000
SLOT_SIZE, WORDS_END = 0x8000, 256
PAGE = 4096
READ, WRITE, MMAP, MPROTECT, MUNMAP, CLOSE, RT_SIGRETURN, SCHED_YIELD, PAUSE, SENDMSG, RECVMSG = 0, 1, 9, 10, 11, 3, 15, 24, 34, 46, 47
CLONE, EXIT, GETPPID, PRCTL, ARCH_PRCTL, FUTEX, EXIT_GROUP, SECCOMP = 56, 60, 110, 157, 158, 202, 231, 317
SIGKILL, SIGCHLD, PR_SET_PDEATHSIG, SHARED_FIXED, POPULATE = 9, 17, 1, 0x11, 0x8000
MAPPER_WORD, MAPPER_TOKEN = 0x7FFFD0000FC0, 0x7FFFD0000FD0 # ST_NEAR_SEQ, ST_NEAR_TOKEN
THREAD_FLAGS, STUB_FLAGS = 0x850F00, 0x01008000 | SIGCHLD


def anything(a):
    return True


def of_program(a):
    return a[0] + a[1] <= GUEST_END


def of_slot(a):
    return SLOTS <= a[0] and a[0] + a[1] <= ORDERS


def of_names(a):
    return NAMES <= a[0] and a[0] + a[1] <= NAMES_END


def map_program(a):
    return of_program(a) and a[3] & ~POPULATE == SHARED_FIXED


def map_stub(a):
    """The program's memory, a slot, and once the page of orders, which only the sentry writes; and what it writes of names."""
    return (map_program(a) or a[3] == SHARED_FIXED and (of_slot(a) or a[:3] == [ORDERS, 2 * PAGE, 1]) or
            a[2:4] == [1, SHARED_FIXED | POPULATE] and of_names(a))


def slot_word(a):
    """Waiting or waking on the words in a slot's head."""
    return a[1] in (0, 1) and SLOTS <= a[0] < ORDERS and a[0] % SLOT_SIZE < WORDS_END


def mapper_word(a):
    """The same for the word that the mapper waits for, in the page of orders: only the sentry changes it."""
    return a[1] in (0, 1) and a[0] == MAPPER_WORD


def wait_or_wake(a):
    return slot_word(a) or mapper_word(a)


def first(*values):
    return lambda a: a[:len(values)] == list(values)


ZYGOTE = {READ: anything, WRITE: anything, CLONE: first(STUB_FLAGS), EXIT_GROUP: anything}
STUB_BEGINS = {PRCTL: first(PR_SET_PDEATHSIG, SIGKILL), GETPPID: anything, CLOSE: anything}
RULES = {
    "systrap": {
        "zygote": ZYGOTE,
        "stub": STUB_BEGINS | {MMAP: map_stub, MUNMAP: lambda a: of_program(a) or of_slot(a) or of_names(a), MPROTECT: of_program, RECVMSG: first(1),
                               FUTEX: wait_or_wake, WRITE: first(4, MAPPER_TOKEN, 8), SECCOMP: first(1, 8), SENDMSG: first(2), CLONE: first(THREAD_FLAGS), EXIT_GROUP: anything},
        "thread": {RT_SIGRETURN: anything, SCHED_YIELD: anything, FUTEX: wait_or_wake, ARCH_PRCTL: lambda a: a[0] in (0x1001, 0x1002)},
    },
    "ptrace": {
        "zygote": ZYGOTE,
        "stub": STUB_BEGINS | {MMAP: map_program, MUNMAP: of_program, MPROTECT: of_program, RECVMSG: first(1), WRITE: first(1),
                               CLONE: first(THREAD_FLAGS), PAUSE: anything, EXIT: anything, EXIT_GROUP: anything},
    },
}


class Judge:
    def __init__(self, platform):
        self.rules = RULES[platform]
        self.roles = {} # of descendants; None: not known yet
        self.calls, self.tasks = collections.Counter(), collections.Counter()
        self.bad = self.lost = 0

    def begin(self, tid, nr, args):
        """The role of a task by its first call, which some are told by; None: that call is all there is to say."""
        if nr == MUNMAP and args[:2] == [0, GUEST_END]:
            role = "making of the zygote"
        elif nr == SECCOMP and args[:3] == [1, 0, FILTER] and "thread" in self.rules:
            role = "thread"
        else:
            role = "stub"
        self.tasks[role] += 1
        self.roles[tid] = role
        return role if role == "stub" else None

    def call(self, tid, nr, args):
        if tid not in self.roles:
            return
        role = self.roles[tid] or self.begin(tid, nr, args)
        if role == "making of the zygote": # no program is there yet
            if nr == SECCOMP and args[:2] == [1, 0]:
                self.roles[tid] = "zygote"
        elif role:
            self.calls[role] += 1
            may = self.rules[role].get(nr)
            if not may or not may(args):
                self.bad += 1
                if self.bad <= 20:
                    print(f"bad: task {tid}, a {role}, executed call {nr} ({', '.join(hex(a) for a in args)})")

    BEGIN = re.compile(r"-(\d+) .*: tracing_mark_write: begin")
    CALL = re.compile(r"-(\d+) .* sys_enter: NR (-?\d+) \(([0-9a-f, ]+)\)")
    FORK = re.compile(r" sched_process_fork: .* pid=(\d+) .* child_pid=(\d+)")
    EXIT = re.compile(r" sched_process_exit: .* pid=(\d+) ")

    def line(self, line):
        if m := self.CALL.search(line):
            self.call(int(m[1]), int(m[2]), [int(a, 16) for a in m[3].split(", ")])
        elif m := self.FORK.search(line):
            if int(m[1]) in self.roles:
                self.roles[int(m[2])] = None
        elif m := self.EXIT.search(line):
            self.roles.pop(int(m[1]), None)
        elif m := self.BEGIN.search(line):
            self.roles[int(m[1])] = None
        elif "LOST" in line:
            self.lost += 1
            print("bad: " + line.strip())

    def end(self):
        print("; ".join(f"{n} {role}" for role, n in self.tasks.items()), "-", ", ".join(f"{n} calls by {r}" for r, n in self.calls.items()))
        return 1 if self.bad or self.lost else 0


def main():
    judge = Judge(sys.argv[1])
    for line in sys.stdin:
        judge.line(line)
    sys.exit(judge.end())


main()
