/*
 * policy.c - controld's whole privilege, declared.
 *
 * It holds sockets and pidfds that were donated to it and accepts connections;
 * it opens nothing, makes no process and no socket, and has no capability.
 * The id it runs as is the sentry's too: that is what lets it kill the sentry.
 */
#include "policy.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define ANY { { POLICY_END, 0, 0, 0 } }
#define IS(n, v) { POLICY_EQ, n, (uint64_t)(v), 0 }

static const struct policy_rule rules[] = {
	{ "accept4", { IS(3, SOCK_CLOEXEC | SOCK_NONBLOCK) }, "the next client of the control socket" },
	{ "brk", ANY, "memory (malloc)" },
	{ "clock_gettime", ANY, "log lines and deadlines, where the vDSO cannot answer" },
	{ "close", ANY, "clients and descriptors that were passed on" },
	{ "epoll_ctl", ANY, "event loop: clients come and go" },
	{ "epoll_wait", ANY, "event loop" },
	{ "exit_group", ANY, "end" },
	{ "fcntl", { IS(1, F_DUPFD_CLOEXEC) }, "a descriptor to pass on that waits to be sent" },
	{ "futex", ANY, "locks of the C library" },
	{ "getpid", ANY, "log lines" },
	{ "getsockopt", { IS(1, SOL_SOCKET), IS(2, SO_PEERCRED) }, "who a client is" },
	{ "gettid", ANY, "abort" },
	{ "mmap", { IS(2, PROT_READ | PROT_WRITE), { POLICY_MASKED_EQ, 3, MAP_PRIVATE | MAP_ANONYMOUS, MAP_PRIVATE | MAP_ANONYMOUS } },
		"memory (malloc)" },
	{ "munmap", ANY, "memory (malloc)" },
	{ "pidfd_send_signal", { IS(1, SIGKILL) }, "ends the sentry and the gofer; holds pidfds of no other process" },
	{ "recvmsg", ANY, "requests, answers, the lifeline" },
	{ "rt_sigprocmask", ANY, "abort" },
	{ "rt_sigreturn", ANY, "return from a signal handler" },
	{ "sendmsg", ANY, "answers, requests to the sentry" },
	{ "shutdown", ANY, "a peer that broke the protocol" },
	{ "tgkill", ANY, "abort" },
	{ "waitid", { IS(0, P_PIDFD) }, "reaps the sentry and the gofer" },
	{ "write", ANY, "log lines" },
};

static const struct policy_rule sanitizer_rules[] = {
	{ "clone", ANY, "leak check: a tracer process" },
	{ "getrusage", ANY, "runtime" },
	{ "lseek", ANY, "runtime" },
	{ "madvise", ANY, "runtime" },
	{ "mmap", { { POLICY_MASKED_EQ, 2, 0, PROT_EXEC } }, "runtime" },
	{ "mprotect", { { POLICY_MASKED_EQ, 2, 0, PROT_EXEC } }, "runtime" },
	{ "open", ANY, "runtime: reports" },
	{ "openat", ANY, "runtime: /proc/self/maps for reports" },
	{ "prctl", ANY, "leak check" },
	{ "pread64", ANY, "runtime" },
	{ "read", ANY, "runtime" },
	{ "readlink", ANY, "runtime: its own name" },
	{ "rt_sigaction", ANY, "runtime" },
	{ "sched_yield", ANY, "runtime" },
	{ "sigaltstack", ANY, "runtime" },
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
