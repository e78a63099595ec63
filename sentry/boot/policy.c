/*
 * policy.c - everything the sentry may do on the host, and why.
 *
 * The sentry runs hostile programs' system calls: it is the first wall and may
 * fall.  After confine_seal it can open nothing by name, make no socket, exec
 * nothing, and holds no capability (DESIGN.md I3).
 */
#include "boot/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

#ifndef PTRACE_SYSEMU
#define PTRACE_SYSEMU 31
#define PTRACE_SYSEMU_SINGLESTEP 32
#endif
#define NT_X86_XSTATE 0x202
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

/* argument checks */
#define IS(a, v) { POLICY_EQ, a, (uint64_t)(v), 0 }
#define NO_BITS(a, bits) { POLICY_MASKED_EQ, a, 0, (uint64_t)(bits) }
#define ALL_BITS(a, bits) { POLICY_MASKED_EQ, a, (uint64_t)(bits), (uint64_t)(bits) }
#define ONLY_BITS(a, bits) { POLICY_MASKED_EQ, a, 0, ~(uint64_t)(bits) & 0xffffffffu }
/* an int argument with any of `extra`, which is v without them */
#define WITH(a, v, extra) { POLICY_MASKED_EQ, a, (uint64_t)(v), ~(uint64_t)(extra) & 0xffffffffu }

#define RULE(CALL, WHY, ...) { .call = (CALL), .checks = { __VA_ARGS__ }, .why = (WHY) }
#define REFUSE(CALL, ERRNO, WHY) { .call = (CALL), .why = (WHY), .refuse = (ERRNO) }

#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)
#define FUTEX_EXTRA (FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)

static const struct policy_rule rules[] = {
	RULE("brk", "its heap"),
	RULE("clock_gettime", "processor time of stubs and threads; the clocks, where the vDSO cannot answer"),
	RULE("clone", "a host thread for each task; never a process", ALL_BITS(0, THREAD_FLAGS)),
	REFUSE("clone3", ENOSYS, "its flags cannot be checked: the C library falls back to clone"),
	RULE("close", "files the program closed"),
	RULE("copy_file_range", "copies between the program's host files", IS(5, 0)),
	RULE("epoll_ctl", "watches donated descriptors"),
	RULE("epoll_wait", "the event loop"),
	RULE("exit", "a task's thread ends"),
	RULE("exit_group", "the sandbox ends"),
	RULE("fallocate", "gives program memory back to the host; the program's fallocate"),
	RULE("fcntl", "flags of donated descriptors", IS(1, F_GETFL)),
	RULE("fcntl", "a host file reopened through /proc/self/fd; a file on its way to a stub", IS(1, F_DUPFD_CLOEXEC)),
	RULE("fdatasync", "the program's fdatasync, sync_file_range"),
	RULE("fstat", "sizes of host files; memory used"),
	RULE("fsync", "the program's fsync"),
	RULE("ftruncate", "the program's truncate"),
	RULE("futex", "tasks and locks sleep", WITH(1, FUTEX_WAIT, FUTEX_EXTRA)),
	RULE("futex", "tasks and locks wake", WITH(1, FUTEX_WAKE, FUTEX_EXTRA)),
	RULE("futex", "tasks and locks sleep until a time", WITH(1, FUTEX_WAIT_BITSET, FUTEX_EXTRA)),
	RULE("getpid", "log lines; abort"),
	RULE("getrandom", "the program's getrandom, ASLR, canaries"),
	RULE("gettid", "abort"),
	RULE("ioctl", "is a donated descriptor a terminal", IS(1, TCGETS)),
	RULE("ioctl", "size of the host side's terminal", IS(1, TIOCGWINSZ)),
	RULE("ioctl", "bytes waiting in a donated pipe or terminal", IS(1, FIONREAD)),
	RULE("ioctl", "drives stubs: their mappers' reports", IS(1, SECCOMP_IOCTL_NOTIF_RECV)),
	RULE("ioctl", "drives stubs: their mappers' next orders", IS(1, SECCOMP_IOCTL_NOTIF_SEND)),
	RULE("ioctl", "drives stubs: how their mappers are woken", IS(1, SECCOMP_IOCTL_NOTIF_SET_FLAGS)),
	RULE("lseek", "position of a donated file; SEEK_DATA and SEEK_HOLE of host files"),
	RULE("madvise", "gives its own heap and thread stacks back", IS(2, MADV_DONTNEED)),
	RULE("madvise", "takes program memory at once where it will all be used", IS(2, MADV_POPULATE_WRITE)),
	RULE("mmap", "its heap, thread stacks, windows on files; never executable", NO_BITS(2, PROT_EXEC)),
	RULE("mprotect", "guard pages", NO_BITS(2, PROT_EXEC)),
	REFUSE("mremap", ENOMEM, "malloc tries it for large blocks, and copies instead"),
	RULE("munmap", "its heap, thread stacks"),
	REFUSE("openat", ENOENT, "malloc asks for /proc/sys/vm/overcommit_memory when a heap shrinks; the root is empty"),
	RULE("poll", "readiness of donated descriptors; answers of gofer and stubs"),
	RULE("pread64", "host files"),
	RULE("preadv2", "host files straight into program memory, at a position or (-1) at the file's own", IS(5, 0)),
	/* No capability: only stubs, children in the same user namespace, can be traced. */
	RULE("ptrace", "drives stubs: runs one until its next system call", IS(0, PTRACE_SYSEMU)),
	RULE("ptrace", "drives stubs: registers, to the stub", IS(0, PTRACE_SETREGS)),
	RULE("ptrace", "drives stubs: registers, from the stub", IS(0, PTRACE_GETREGS)),
	RULE("ptrace", "drives stubs: runs one up to a breakpoint in its own text", IS(0, PTRACE_CONT)),
	RULE("ptrace", "drives stubs: which fault it was", IS(0, PTRACE_GETSIGINFO)),
	RULE("ptrace", "drives stubs: floating-point registers, from the stub", IS(0, PTRACE_GETREGSET), IS(2, NT_X86_XSTATE)),
	RULE("ptrace", "drives stubs: floating-point registers, to the stub", IS(0, PTRACE_SETREGSET), IS(2, NT_X86_XSTATE)),
	RULE("ptrace", "drives stubs: was it a 64-bit call", IS(0, PTRACE_GET_SYSCALL_INFO)),
	RULE("ptrace", "drives stubs: takes a new thread over; it dies with us, and no other event is asked for",
		IS(0, PTRACE_SEIZE), IS(3, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)),
	RULE("ptrace", "drives stubs: stops a thread just taken over", IS(0, PTRACE_INTERRUPT)),
	RULE("ptrace", "drives stubs: before one is let go to sleep", IS(0, PTRACE_SETOPTIONS), IS(3, 0)),
	RULE("ptrace", "drives stubs: lets one sleep untraced", IS(0, PTRACE_DETACH), IS(3, 0)),
	RULE("ptrace", "drives stubs: the program's single steps", IS(0, PTRACE_SYSEMU_SINGLESTEP)),
	RULE("pwritev2", "host files straight from program memory; appending", ONLY_BITS(5, RWF_APPEND)),
	RULE("read", "donated pipes, terminals; the event loop's and the zygote's channels"),
	RULE("recvmsg", "frames from gofer and controld; files that a dead stub did not take",
		ONLY_BITS(2, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)),
	RULE("restart_syscall", "after a stop of the sentry itself"),
	RULE("rseq", "the C library registers each thread, and gives up where it may not"),
	RULE("rt_sigaction", "fault handlers of the copy functions"),
	RULE("rt_sigprocmask", "the C library's thread start"),
	RULE("rt_sigreturn", "return from the fault handlers"),
	RULE("sched_setaffinity", "on which processors a task's thread and its stub's run", IS(1, sizeof(cpu_set_t))),
	RULE("sched_yield", "short waits for another thread; the program's sched_yield"),
	RULE("sendmsg", "frames to gofer and controld; files to stubs", ONLY_BITS(2, MSG_DONTWAIT | MSG_NOSIGNAL)),
	REFUSE("set_robust_list", ENOSYS, "the C library registers each thread; it has no robust locks"),
	RULE("shutdown", "a program that says no more to a forwarded port", IS(1, SHUT_WR)),
	RULE("shutdown", "ends a connection whose peer is gone or broke the protocol", IS(1, SHUT_RDWR)),
	RULE("tgkill", "interrupts a stub's thread (SIGCHLD means nothing to one that is not traced)", IS(2, SIGCHLD)),
	RULE("tgkill", "ends a stub", IS(2, SIGKILL)),
	RULE("tgkill", "asks its own threads where they are (control.stacks, control.profile)", IS(2, SIGPROF)),
	RULE("tgkill", "abort", IS(2, SIGABRT)),
	RULE("wait4", "the end of a stub", IS(2, (unsigned)__WALL)),
	RULE("wait4", "events of a stub of the task's own", IS(2, (unsigned)__WALL | __WNOTHREAD)),
	RULE("write", "donated pipes, terminals; the log; the event loop's and the zygote's channels"),
};

static const struct policy_rule sanitizer_rules[] = {
	RULE("clock_nanosleep", "sanitizer runtime: its locks"),
	RULE("getrlimit", "sanitizer runtime: stack bounds"),
	RULE("gettimeofday", "sanitizer runtime: its interceptor knows no vDSO"),
	RULE("madvise", "sanitizer runtime: its shadow memory", IS(2, MADV_DONTDUMP)),
	RULE("madvise", "sanitizer runtime: its shadow memory", IS(2, MADV_FREE)),
	RULE("madvise", "sanitizer runtime: its shadow memory", IS(2, MADV_NOHUGEPAGE)),
	REFUSE("open", ENOENT, "sanitizer runtime: a report wants maps and symbols; the root is empty"),
	REFUSE("pipe2", EMFILE, "sanitizer runtime: a report tests an address by writing it to a pipe"),
	RULE("nanosleep", "sanitizer runtime: its background thread"),
	RULE("prctl", "sanitizer runtime: thread names"),
	RULE("prlimit64", "sanitizer runtime: stack bounds"),
	RULE("process_vm_readv", "sanitizer runtime: checks whether memory is readable"),
	RULE("readlink", "sanitizer runtime: its own path, in the empty root"),
	RULE("sched_getaffinity", "sanitizer runtime: stack bounds"),
	RULE("sigaltstack", "sanitizer runtime: its fault handlers"),
};

static const struct policy_rlimit rlimits[] = {
	{ RLIMIT_CORE, 0, "a core would hold program memory" },
	{ RLIMIT_NOFILE, 65536, "as many files and processes of programs as may be: shells allow 1024" },
};

const struct policy sentry_policy = {
	.component = "sentry",
	.namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP,
	.user = POLICY_USER_NOBODY,
	.root = POLICY_ROOT_ROOM,
	.caps = (const char *const[]){ NULL },
	.rlimits = rlimits,
	.n_rlimits = sizeof(rlimits) / sizeof(*rlimits),
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(*rules),
	.sanitizer_rules = sanitizer_rules,
	.n_sanitizer_rules = sizeof(sanitizer_rules) / sizeof(*sanitizer_rules),
};
