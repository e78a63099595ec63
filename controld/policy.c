/*
 * policy.c - controld's whole privilege, declared.
 *
 * It holds sockets and pidfds that were donated to it and accepts connections;
 * it opens nothing, makes no process and no socket, and has no capability.
 * The id it runs as is the sentry's too: that is what lets it kill the sentry.
 */
#include "policy.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define ALLOW(CALL, WHY, ...) { .call = (CALL), .checks = { __VA_ARGS__ }, .why = (WHY) }
#define REFUSE(CALL, ERRNO, WHY) { .call = (CALL), .why = (WHY), .refuse = (ERRNO) }
#define IS(n, v) { POLICY_EQ, n, (uint64_t)(v), 0 }

static const struct policy_rule rules[] = {
	ALLOW("accept4", "the next client of the control socket", IS(3, SOCK_CLOEXEC | SOCK_NONBLOCK)),
	ALLOW("brk", "memory (malloc)"),
	ALLOW("clock_gettime", "log lines and deadlines, where the vDSO cannot answer"),
	ALLOW("close", "clients and descriptors that were passed on"),
	ALLOW("epoll_ctl", "event loop: clients come and go"),
	ALLOW("epoll_wait", "event loop"),
	ALLOW("exit_group", "end"),
	ALLOW("fcntl", "a descriptor to pass on that waits to be sent", IS(1, F_DUPFD_CLOEXEC)),
	ALLOW("fcntl", "whether a connection of FUSE that was donated would block", IS(1, F_GETFL)),
	ALLOW("futex", "locks of the C library"),
	ALLOW("getpid", "log lines"),
	ALLOW("getsockopt", "who a client is", IS(1, SOL_SOCKET), IS(2, SO_PEERCRED)),
	ALLOW("gettid", "abort"),
	ALLOW("ioctl", "the size of the container's terminal", IS(1, TIOCGWINSZ)),
	ALLOW("madvise", "gives its text back when idle", IS(2, MADV_DONTNEED)),
	ALLOW("mmap", "memory (malloc)", IS(2, PROT_READ | PROT_WRITE), { POLICY_MASKED_EQ, 3, MAP_PRIVATE | MAP_ANONYMOUS, MAP_PRIVATE | MAP_ANONYMOUS }),
	ALLOW("munmap", "memory (malloc)"),
	ALLOW("pidfd_send_signal", "ends the sentry and the gofer; holds pidfds of no other process", IS(1, SIGKILL)),
	ALLOW("read", "the signal that the terminal's size has changed; what joiners ask of a container's files (FUSE)"),
	ALLOW("recvmsg", "requests, answers, the lifeline"),
	ALLOW("rt_sigprocmask", "abort"),
	ALLOW("rt_sigreturn", "return from a signal handler"),
	ALLOW("sendmsg", "answers, requests to the sentry"),
	ALLOW("shutdown", "a peer that broke the protocol"),
	ALLOW("tgkill", "abort"),
	ALLOW("waitid", "reaps the sentry and the gofer", IS(0, P_PIDFD)),
	ALLOW("write", "log lines; answers to joiners (FUSE)"),
};

static const struct policy_rule sanitizer_rules[] = {
	ALLOW("getrusage", "runtime"),
	ALLOW("ioctl", "runtime: does a report go to a terminal", IS(1, TCGETS)),
	ALLOW("lseek", "runtime"),
	ALLOW("madvise", "runtime"),
	ALLOW("mmap", "runtime", { POLICY_MASKED_EQ, 2, 0, PROT_EXEC }),
	ALLOW("mprotect", "runtime", { POLICY_MASKED_EQ, 2, 0, PROT_EXEC }),
	REFUSE("open", ENOENT, "runtime: a report wants maps and symbols; the root is empty"),
	REFUSE("openat", ENOENT, "runtime: a report wants maps and symbols; the root is empty"),
	REFUSE("pipe2", EMFILE, "runtime: a report tests an address by writing it to a pipe"),
	ALLOW("pread64", "runtime"),
	ALLOW("readlink", "runtime: its own name"),
	ALLOW("rt_sigaction", "runtime"),
	ALLOW("sched_yield", "runtime"),
	ALLOW("sigaltstack", "runtime"),
};

static const struct policy_rlimit rlimits[] = {
	{ RLIMIT_CORE, 0, "its memory holds what clients sent" },
	{ RLIMIT_NOFILE, 1024, "clients, at most 256, and what they pass through" },
	{ RLIMIT_NPROC, 0, "makes no process" },
};

const struct policy controld_policy = {
	.component = "controld",
	.namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP,
	.user = POLICY_USER_NOBODY,
	.root = POLICY_ROOT_EMPTY,
	.caps = NULL,
	.rlimits = rlimits,
	.n_rlimits = sizeof(rlimits) / sizeof(rlimits[0]),
	.rules = rules,
	.n_rules = sizeof(rules) / sizeof(rules[0]),
	.sanitizer_rules = sanitizer_rules,
	.n_sanitizer_rules = sizeof(sanitizer_rules) / sizeof(sanitizer_rules[0]),
};
