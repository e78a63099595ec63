/*
 * policy.c - everything the sentry may do on the host, and why.
 *
 * The sentry runs hostile programs' system calls: it is the first wall and may
 * fall.  After confine_seal it can open nothing by name, make no socket, exec
 * nothing, and holds no capability (DESIGN.md I3).
 */
#include "boot/policy.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>

#ifndef PTRACE_SYSEMU
#define PTRACE_SYSEMU 31
#define PTRACE_SYSEMU_SINGLESTEP 32
#endif

#define EQ(a, v) { POLICY_EQ, a, v, 0 }
#define MASKED(a, m, v) { POLICY_MASKED_EQ, a, v, m }
#define ANY { { POLICY_END, 0, 0, 0 } }
#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static const struct policy_rule rules[] = {
	{ "brk", ANY, "its heap" },
	{ "clock_gettime", ANY, "the program's clocks, where the vDSO cannot answer" },
	{ "clock_nanosleep", ANY, "bounded back-off of kernel threads" },
	{ "clone", { MASKED(0, THREAD_FLAGS, THREAD_FLAGS) }, "a host thread for each task; never a process" },
	{ "clone3", ANY, "its flags cannot be checked: the C library falls back to clone", .refuse = ENOSYS },
	{ "close", ANY, "files the program closed" },
	{ "copy_file_range", ANY, "copies between the program's host files" },
	{ "epoll_create1", ANY, "the event loop" },
	{ "epoll_ctl", ANY, "watches donated descriptors" },
	{ "epoll_wait", ANY, "the event loop" },
	{ "exit", ANY, "a task's thread ends" },
	{ "exit_group", ANY, "the sandbox ends" },
	{ "fallocate", ANY, "gives program memory back to the host; the program's fallocate" },
	{ "fcntl", { EQ(1, 3) }, "F_GETFL of donated descriptors" },
	{ "fcntl", { EQ(1, 1030) }, "F_DUPFD_CLOEXEC: a host file reopened through /proc/self/fd" },
	{ "fdatasync", ANY, "the program's fdatasync" },
	{ "fstat", ANY, "sizes of host files; memory used" },
	{ "fsync", ANY, "the program's fsync" },
	{ "ftruncate", ANY, "the program's truncate" },
	{ "futex", ANY, "tasks sleep and wake" },
	{ "getpid", ANY, "signals to its own threads" },
	{ "getrandom", ANY, "the program's getrandom, ASLR, canaries" },
	{ "gettid", ANY, "thread identity" },
	{ "ioctl", { EQ(1, FIONREAD) }, "bytes waiting in a donated pipe or terminal" },
	{ "ioctl", { EQ(1, TCGETS) }, "is a donated descriptor a terminal" },
	{ "ioctl", { EQ(1, TIOCGWINSZ) }, "size of the host side's terminal" },
	{ "lseek", ANY, "SEEK_DATA and SEEK_HOLE of host files" },
	{ "madvise", ANY, "gives its own heap back" },
	{ "mmap", { MASKED(2, PROT_EXEC, 0) }, "its heap, thread stacks, windows on files; never executable" },
	{ "mprotect", { MASKED(2, PROT_EXEC, 0) }, "guard pages" },
	{ "mremap", ANY, "its heap" },
	{ "munmap", ANY, "its heap, thread stacks" },
	{ "openat", ANY, "malloc asks for /proc/sys/vm/overcommit_memory when a heap shrinks; the root is empty", .refuse = ENOENT },
	{ "poll", ANY, "readiness of donated descriptors" },
	{ "ppoll", ANY, "readiness of donated descriptors" },
	{ "pread64", ANY, "host files" },
	{ "preadv", ANY, "host files straight into program memory" },
	{ "ptrace", ANY, "drives the stubs; no capability: only its own children's user namespace" },
	{ "pwrite64", ANY, "host files" },
	{ "pwritev", ANY, "host files straight from program memory" },
	{ "pwritev2", ANY, "appending to host files (RWF_APPEND)" },
	{ "read", ANY, "donated pipes, terminals" },
	{ "readv", ANY, "donated pipes, terminals" },
	{ "recvmsg", ANY, "frames from gofer and controld" },
	{ "restart_syscall", ANY, "after a stop of the sentry itself" },
	{ "rseq", ANY, "the C library registers each thread" },
	{ "rt_sigaction", ANY, "fault handlers of the copy functions" },
	{ "rt_sigprocmask", ANY, "the C library's thread start" },
	{ "rt_sigreturn", ANY, "return from the fault handlers" },
	{ "sched_getaffinity", ANY, "processors to show" },
	{ "sched_yield", ANY, "short waits for another thread" },
	{ "sendmsg", ANY, "frames to gofer and controld; descriptors to stubs" },
	{ "set_robust_list", ANY, "the C library registers each thread" },
	{ "shutdown", ANY, "ends a connection whose peer is gone or broke the protocol" },
	{ "sigaltstack", ANY, "fault handlers run on a stack of their own" },
	{ "sync_file_range", ANY, "the program's sync_file_range" },
	{ "sysinfo", ANY, "glibc's qsort asks how much memory there is, and copes", .refuse = ENOSYS },
	{ "tgkill", ANY, "interrupts a stub or a thread of its own" },
	{ "timerfd_settime", ANY, "the event loop's next timer" },
	{ "wait4", ANY, "events of stubs" },
	{ "write", ANY, "donated pipes, terminals; the log" },
	{ "writev", ANY, "donated pipes, terminals" },
};

static const struct policy_rule sanitizer_rules[] = {
	{ "getrlimit", ANY, "sanitizer runtime: stack bounds" },
	{ "prctl", ANY, "sanitizer runtime: thread names" },
	{ "prlimit64", ANY, "sanitizer runtime: stack bounds" },
	{ "process_vm_readv", ANY, "sanitizer runtime: checks whether memory is readable" },
	{ "readlink", ANY, "sanitizer runtime: its own path, in the empty root" },
};

static const struct policy_rlimit rlimits[] = {
	{ RLIMIT_CORE, 0, "a core would hold program memory" },
};

const struct policy sentry_policy = {
	.component = "sentry",
	.namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP,
	.user = POLICY_USER_NOBODY,
	.root = POLICY_ROOT_EMPTY,
	.caps = (const char *const[]){ NULL },
	.rlimits = rlimits,
	.n_rlimits = sizeof(rlimits) / sizeof(*rlimits),
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(*rules),
	.sanitizer_rules = sanitizer_rules,
	.n_sanitizer_rules = sizeof(sanitizer_rules) / sizeof(*sanitizer_rules),
};
