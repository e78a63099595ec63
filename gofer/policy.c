/*
 * policy.c - the gofer's whole privilege, declared.
 *
 * It holds the trees' descriptors and works below them by *at calls; its root
 * is empty, so that a path in any call leads nowhere else.  openat2's flags lie
 * in memory where a filter cannot see them, but not the size of that memory nor
 * AT_FDCWD: a directory must be a descriptor.
 */
#include "policy.h"

#include "attr.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define RULES_MAX 64
#define FD_MAX 0x7fffffffu

/* which options a rule is for */
enum { ALWAYS = 0, LISTEN = 1, UDS = 2, UDS_CREATE = 4, FCHMODAT2 = 8, NO_FCHMODAT2 = 16, KEEPER = 32, PANIC = 64, ONE_PEER = 128 };

/* argument checks */
#define DIR_FD(n) { POLICY_LE, n, FD_MAX, 0 } /* AT_FDCWD is larger */
#define IS(n, v) { POLICY_EQ, n, (uint64_t)(v), 0 }
#define ONLY_BITS(n, bits) { POLICY_MASKED_EQ, n, 0, ~(uint64_t)(bits)&0xffffffffu }
#define NO_BITS(n, bits) { POLICY_MASKED_EQ, n, 0, bits }

#define RULE(name, reason, ...) { .call = name, .checks = { __VA_ARGS__ }, .why = reason }
#define REFUSE(name, error, reason) { .call = name, .why = reason, .refuse = error }
#define ROW(options, ...) { options, RULE(__VA_ARGS__) }

static const struct {
	unsigned when;
	struct policy_rule rule;
} rules[] = {
	ROW(LISTEN, "accept4", "--listen: the next connection", IS(3, SOCK_CLOEXEC | SOCK_NONBLOCK)),
	ROW(UDS_CREATE, "bind", "--host-uds=create: a socket in a tree; abstract names are of our own network", DIR_FD(0)),
	ROW(ALWAYS, "brk", "memory (malloc)"),
	ROW(ALWAYS, "clock_gettime", "log lines, the event loop: where the host's clock is not in the vDSO"),
	ROW(KEEPER, "clone", "--keeper: the process that serves, when it is started again; never a thread", IS(0, SIGCHLD)),
	ROW(ALWAYS, "close", "descriptors no longer used"),
	ROW(UDS, "connect", "--host-uds: a host socket in a tree, by a single component", DIR_FD(0)),
	ROW(ALWAYS, "epoll_ctl", "event loop: sockets come and go"),
	ROW(ALWAYS, "epoll_wait", "event loop"),
	ROW(ALWAYS, "exit_group", "end"),
	ROW(ALWAYS, "fallocate", "request fallocate, on a file just opened"),
	ROW(UDS, "fchdir", "--host-uds: to the socket's directory and back to the empty root"),
	ROW(NO_FCHMODAT2, "fchmod", "request setattr and exact modes of new files", ONLY_BITS(1, 07777)),
	ROW(FCHMODAT2, "fchmodat2", "request setattr and exact modes of new files, by descriptor only",
	    DIR_FD(0), ONLY_BITS(2, 07777), IS(3, AT_EMPTY_PATH)),
	ROW(ALWAYS, "fchownat", "request setattr and owners of new files, by descriptor only", DIR_FD(0), IS(4, AT_EMPTY_PATH)),
	ROW(ALWAYS, "fcntl", "a reply's descriptor that waits to be sent", IS(1, F_DUPFD_CLOEXEC)),
	ROW(ALWAYS, "fgetxattr", "request getxattr"),
	ROW(ALWAYS, "flistxattr", "request listxattr"),
	ROW(ALWAYS, "fremovexattr", "request removexattr"),
	ROW(ALWAYS, "fsetxattr", "request setxattr"),
	ROW(ALWAYS, "fstatfs", "request statfs"),
	ROW(ALWAYS, "fsync", "request fsync"),
	ROW(ALWAYS, "ftruncate", "request setattr of a size, open with O_TRUNC"),
	ROW(ALWAYS, "getdents64", "request readdir"),
	ROW(ALWAYS, "linkat", "request link; never follows", DIR_FD(0), DIR_FD(2), ONLY_BITS(4, AT_EMPTY_PATH)),
	ROW(ALWAYS, "lseek", "request readdir from a cookie", IS(2, SEEK_SET)),
	ROW(ALWAYS, "madvise", "gives its text back when idle", IS(2, MADV_DONTNEED)),
	ROW(ALWAYS, "mkdirat", "request mkdir", DIR_FD(0)),
	ROW(ALWAYS, "mknodat", "request mknod; devices need CAP_MKNOD", DIR_FD(0)),
	ROW(ALWAYS, "mmap", "memory, when the heap cannot grow", NO_BITS(2, PROT_EXEC), IS(3, MAP_PRIVATE | MAP_ANONYMOUS)),
	ROW(ALWAYS, "openat2", "every opening: one component below a directory, no links", DIR_FD(0), IS(3, sizeof(struct open_how))),
	ROW(KEEPER, "prctl", "--keeper: the next one's filter, on top of this one", IS(0, PR_SET_NO_NEW_PRIVS)),
	ROW(KEEPER, "prctl", "--keeper: the next one's filter, on top of this one", IS(0, PR_SET_SECCOMP)),
	ROW(KEEPER, "prlimit64", "--keeper: the next one's limits, set by itself", IS(0, 0)),
	ROW(ALWAYS, "readlinkat", "request readlink", DIR_FD(0)),
	ROW(ALWAYS, "recvmsg", "requests"),
	ROW(ALWAYS, "renameat2", "request rename; NOREPLACE and EXCHANGE, no whiteouts", DIR_FD(0), DIR_FD(2), ONLY_BITS(4, 3)),
	ROW(ONE_PEER, "sched_setaffinity", "event near: on which processor this thread runs", IS(0, 0), IS(1, sizeof(cpu_set_t))),
	ROW(ALWAYS, "sendmsg", "replies"),
	ROW(ALWAYS, "shutdown", "end of a connection"),
	ROW(UDS, "socket", "--host-uds: UNIX sockets only", IS(0, AF_UNIX), IS(2, 0)),
	ROW(ALWAYS, "statx", "attributes, and is it still the same file",
	    DIR_FD(0), ONLY_BITS(2, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT)),
	ROW(ALWAYS, "symlinkat", "request symlink", DIR_FD(1)),
	ROW(ALWAYS, "unlinkat", "request unlink", DIR_FD(0), ONLY_BITS(2, AT_REMOVEDIR)),
	ROW(ALWAYS, "utimensat", "request setattr of times, by descriptor only", DIR_FD(0), IS(3, AT_EMPTY_PATH)),
	ROW(KEEPER, "wait4", "--keeper: the end of the one that serves"),
	ROW(ALWAYS, "write", "log lines, to the log's descriptor"),
	ROW(PANIC, "write", "--panic-fd: last words"),
};

static const struct policy_rule sanitizer_rules[] = {
	RULE("futex", "sanitizer"),
	RULE("getpid", "sanitizer"),
	RULE("gettid", "sanitizer"),
	RULE("ioctl", "sanitizer: does a report go to a terminal", IS(1, TCGETS)),
	RULE("madvise", "sanitizer"),
	RULE("mmap", "sanitizer: shadow memory", NO_BITS(2, PROT_EXEC)),
	RULE("mprotect", "sanitizer", NO_BITS(2, PROT_EXEC)),
	RULE("mremap", "sanitizer"),
	RULE("munmap", "sanitizer"),
	REFUSE("open", ENOENT, "sanitizer: a report wants maps and symbols"),
	REFUSE("openat", ENOENT, "sanitizer: a report wants maps and symbols"),
	REFUSE("pipe2", EMFILE, "sanitizer: a report tests an address by writing it to a pipe"),
	REFUSE("process_vm_readv", ENOSYS, "sanitizer: a report tests an address"),
	REFUSE("read", EBADF, "sanitizer: a report reads what it opened"),
	RULE("readlink", "sanitizer: reports"),
	RULE("rt_sigaction", "sanitizer: reports"),
	RULE("rt_sigprocmask", "sanitizer"),
	RULE("sched_yield", "sanitizer"),
	RULE("sigaltstack", "sanitizer: end"),
	RULE("write", "sanitizer: reports"),
};

static const char *const caps[] = { "cap_chown", "cap_dac_override", "cap_dac_read_search", "cap_fowner", "cap_fsetid", NULL };
static const char *const caps_mknod[] = { "cap_chown", "cap_dac_override", "cap_dac_read_search", "cap_fowner", "cap_fsetid", "cap_mknod", NULL };

/* The keeper has but the first: it makes processes. */
static const struct policy_rlimit rlimits[] = {
	{ RLIMIT_CORE, 0, "a core file would hold the container's data" },
	{ RLIMIT_NPROC, 0, "makes no process or thread" },
};

_Static_assert(sizeof(rules) / sizeof(*rules) <= RULES_MAX, "more rules than fit");

/* Those of the two kinds of process. */
static struct made {
	struct policy policy;
	struct policy_rule rules[RULES_MAX];
} server, keeper;

static unsigned conditions(const struct options *o)
{
	unsigned when = o->listen ? LISTEN : ONE_PEER;

	if (o->host_uds != HOST_UDS_NONE)
		when |= UDS;
	if (o->host_uds == HOST_UDS_CREATE)
		when |= UDS_CREATE;
	if (o->panic_fd >= 0 && o->panic_fd != o->log_fd)
		when |= PANIC;
	return when | (attr_have_fchmodat2() ? FCHMODAT2 : NO_FCHMODAT2);
}

static const struct policy *make(struct made *m, const struct options *o, unsigned when, size_t n_rlimits)
{
	m->policy = (struct policy){
		.component = "gofer",
		.namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
		.user = POLICY_USER_KEEP,
		.root = POLICY_ROOT_EMPTY,
		.caps = o->allow_mknod ? caps_mknod : caps,
		.rlimits = rlimits,
		.n_rlimits = n_rlimits,
		.rules = m->rules,
		.sanitizer_rules = sanitizer_rules,
		.n_sanitizer_rules = sizeof(sanitizer_rules) / sizeof(*sanitizer_rules),
	};
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		struct policy_rule *r = &m->rules[m->policy.n_rules];

		if ((rules[i].when & when) != rules[i].when)
			continue;
		*r = rules[i].rule;
		if (!strcmp(r->call, "write"))
			r->checks[0] = (struct policy_check)IS(0, rules[i].when & PANIC ? o->panic_fd : o->log_fd);
		m->policy.n_rules++;
	}
	return &m->policy;
}

const struct policy *gofer_policy(const struct options *o)
{
	return make(&server, o, conditions(o), sizeof(rlimits) / sizeof(*rlimits));
}

const struct policy *gofer_keeper_policy(const struct options *o)
{
	return make(&keeper, o, conditions(o) | KEEPER, 1);
}
