/*
 * policy.c - scope's whole privilege, declared.
 *
 * Who it is was told to the bus at its connection; from then on it speaks over
 * that one socket and needs neither ids, capabilities nor files.  What it reads
 * comes from the bus and from systemd.
 */
#include "policy.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define ALLOW(CALL, WHY, ...) { .call = (CALL), .checks = { __VA_ARGS__ }, .why = (WHY) }
#define REFUSE(CALL, ERRNO, WHY) { .call = (CALL), .why = (WHY), .refuse = (ERRNO) }
#define IS(n, v) { POLICY_EQ, n, (uint64_t)(v), 0 }

static const struct policy_rule rules[] = {
	ALLOW("brk", "memory (malloc)"),
	ALLOW("clock_gettime", "deadlines of calls, where the vDSO cannot answer"),
	ALLOW("close", "the bus, at the end"),
	ALLOW("exit_group", "end"),
	ALLOW("futex", "locks of the C library"),
	ALLOW("getpid", "the bus library looks whether it has been forked; log lines"),
	ALLOW("getrandom", "seeds of the library's tables"),
	ALLOW("gettid", "abort"),
	ALLOW("mmap", "memory (malloc)", IS(2, PROT_READ | PROT_WRITE), { POLICY_MASKED_EQ, 3, MAP_PRIVATE | MAP_ANONYMOUS, MAP_PRIVATE | MAP_ANONYMOUS }),
	ALLOW("mremap", "memory (realloc)"),
	ALLOW("munmap", "memory (malloc)"),
	REFUSE("newfstatat", ENOENT, "the C library looks for another time zone, and its stdout at what it is"),
	REFUSE("openat", ENOENT, "the library looks for /proc files; the root is empty"),
	ALLOW("poll", "waits for the bus"),
	ALLOW("ppoll", "waits for the bus"),
	ALLOW("read", "standard input, whose end is the sign to go"),
	ALLOW("recvmsg", "answers and signals of the bus", { POLICY_MASKED_EQ, 2, MSG_CMSG_CLOEXEC, MSG_CMSG_CLOEXEC }),
	ALLOW("rt_sigprocmask", "abort"),
	ALLOW("sendmsg", "requests"),
	ALLOW("shutdown", "the bus, at the end"),
	ALLOW("tgkill", "abort"),
	ALLOW("write", "the scope's path, and what went wrong"),
};

static const struct policy_rule sanitizer_rules[] = {
	ALLOW("getrusage", "runtime"),
	ALLOW("ioctl", "runtime: does a report go to a terminal"),
	ALLOW("lseek", "runtime"),
	ALLOW("madvise", "runtime"),
	ALLOW("mmap", "runtime", { POLICY_MASKED_EQ, 2, 0, PROT_EXEC }),
	ALLOW("mprotect", "runtime", { POLICY_MASKED_EQ, 2, 0, PROT_EXEC }),
	ALLOW("pread64", "runtime"),
	ALLOW("readlink", "runtime: its own name"),
	ALLOW("rt_sigaction", "runtime"),
	ALLOW("sched_yield", "runtime"),
	ALLOW("sigaltstack", "runtime"),
};

static const struct policy_rlimit rlimits[] = {
	{ RLIMIT_CORE, 0, "of no use to anybody" },
	{ RLIMIT_NOFILE, 64, "the bus" },
	{ RLIMIT_NPROC, 0, "makes no process" },
};

const struct policy scope_policy = {
	.component = "scope",
	.namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS,
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
