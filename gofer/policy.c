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

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define RULES_MAX 64
#define FD_MAX 0x7fffffffu

/* which options a rule is for */
enum { ALWAYS = 0, LISTEN = 1, UDS = 2, UDS_CREATE = 4, FCHMODAT2 = 8 };

/* argument checks */
#define DIR_FD(n) { POLICY_LE, n, FD_MAX, 0 } /* AT_FDCWD is larger */
#define IS(n, v) { POLICY_EQ, n, (uint64_t)(v), 0 }
#define ONLY_BITS(n, bits) { POLICY_MASKED_EQ, n, 0, ~(uint64_t)(bits)&0xffffffffu }
#define NO_BITS(n, bits) { POLICY_MASKED_EQ, n, 0, bits }

static const struct {
	unsigned when;
	struct policy_rule rule;
} rules[] = {
	{ LISTEN, { "accept4", { IS(3, SOCK_CLOEXEC | SOCK_NONBLOCK) }, "--listen: the next connection" } },
	{ UDS_CREATE, { "bind", { DIR_FD(0) }, "--host-uds=create: a socket's name in a tree; the root is empty, abstract names are another network namespace's" } },
	{ ALWAYS, { "brk", {}, "memory (malloc)" } },
	{ ALWAYS, { "close", {}, "descriptors no longer used" } },
	{ UDS, { "connect", { DIR_FD(0) }, "--host-uds: a host socket in a tree, by a single component" } },
	{ ALWAYS, { "epoll_ctl", {}, "event loop: sockets come and go" } },
	{ ALWAYS, { "epoll_wait", {}, "event loop" } },
	{ ALWAYS, { "exit_group", {}, "end" } },
	{ ALWAYS, { "fallocate", {}, "request fallocate, on a file just opened" } },
	{ UDS, { "fchdir", {}, "--host-uds: to the socket's directory and back to the empty root" } },
	{ ALWAYS, { "fchmod", { ONLY_BITS(1, 07777) }, "request setattr and exact modes of new files" } },
	{ FCHMODAT2, { "fchmodat2", { DIR_FD(0), ONLY_BITS(2, 07777), IS(3, AT_EMPTY_PATH) }, "the same by an O_PATH descriptor" } },
	{ ALWAYS, { "fchownat", { DIR_FD(0), IS(4, AT_EMPTY_PATH) }, "request setattr and owners of new files, by descriptor only" } },
	{ ALWAYS, { "fcntl", { IS(1, F_DUPFD_CLOEXEC) }, "a reply's descriptor that waits to be sent" } },
	{ ALWAYS, { "fgetxattr", {}, "request getxattr" } },
	{ ALWAYS, { "flistxattr", {}, "request listxattr" } },
	{ ALWAYS, { "fremovexattr", {}, "request removexattr" } },
	{ ALWAYS, { "fsetxattr", {}, "request setxattr" } },
	{ ALWAYS, { "fstatfs", {}, "request statfs" } },
	{ ALWAYS, { "fsync", {}, "request fsync" } },
	{ ALWAYS, { "ftruncate", {}, "request setattr of a size, open with O_TRUNC" } },
	{ ALWAYS, { "getdents64", {}, "request readdir" } },
	{ ALWAYS, { "getpid", {}, "log lines" } },
	{ ALWAYS, { "linkat", { DIR_FD(0), DIR_FD(2), ONLY_BITS(4, AT_EMPTY_PATH) }, "request link; never follows" } },
	{ ALWAYS, { "lseek", { IS(2, SEEK_SET) }, "request readdir from a cookie" } },
	{ ALWAYS, { "mkdirat", { DIR_FD(0) }, "request mkdir" } },
	{ ALWAYS, { "mknodat", { DIR_FD(0) }, "request mknod; devices need CAP_MKNOD" } },
	{ ALWAYS, { "mmap", { NO_BITS(2, PROT_EXEC), IS(3, MAP_PRIVATE | MAP_ANONYMOUS) }, "memory, when the heap cannot grow" } },
	{ ALWAYS, { "openat2", { DIR_FD(0), IS(3, sizeof(struct open_how)) }, "every opening: one component below a directory, no links" } },
	{ ALWAYS, { "readlinkat", { DIR_FD(0) }, "request readlink" } },
	{ ALWAYS, { "recvmsg", {}, "requests" } },
	{ ALWAYS, { "renameat2", { DIR_FD(0), DIR_FD(2), ONLY_BITS(4, 3) }, "request rename; NOREPLACE and EXCHANGE, no whiteouts" } },
	{ ALWAYS, { "sendmsg", {}, "replies" } },
	{ ALWAYS, { "shutdown", {}, "end of a connection" } },
	{ UDS, { "socket", { IS(0, AF_UNIX), IS(2, 0) }, "--host-uds: UNIX sockets only" } },
	{ ALWAYS, { "statx", { DIR_FD(0), ONLY_BITS(2, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) }, "attributes, and is it still the same file" } },
	{ ALWAYS, { "symlinkat", { DIR_FD(1) }, "request symlink" } },
	{ ALWAYS, { "unlinkat", { DIR_FD(0), ONLY_BITS(2, AT_REMOVEDIR) }, "request unlink" } },
	{ ALWAYS, { "utimensat", { DIR_FD(0), IS(3, AT_EMPTY_PATH) }, "request setattr of times, by descriptor only" } },
	{ ALWAYS, { "write", {}, "log lines, to the log's descriptor" } },
};

static const struct policy_rule sanitizer_rules[] = {
	{ "clock_gettime", {}, "sanitizer" },
	{ "futex", {}, "sanitizer" },
	{ "getpid", {}, "sanitizer" },
	{ "gettid", {}, "sanitizer" },
	{ "madvise", {}, "sanitizer" },
	{ "mmap", { NO_BITS(2, PROT_EXEC) }, "sanitizer: shadow memory" },
	{ "mprotect", { NO_BITS(2, PROT_EXEC) }, "sanitizer" },
	{ "mremap", {}, "sanitizer" },
	{ "munmap", {}, "sanitizer" },
	{ "readlink", {}, "sanitizer: reports" },
	{ "rt_sigaction", {}, "sanitizer: reports" },
	{ "rt_sigprocmask", {}, "sanitizer" },
	{ "sched_yield", {}, "sanitizer" },
	{ "sigaltstack", {}, "sanitizer: end" },
	{ "write", {}, "sanitizer: reports" },
};

static const char *const caps[] = { "cap_chown", "cap_dac_override", "cap_dac_read_search", "cap_fowner", "cap_fsetid", NULL };
static const char *const caps_mknod[] = { "cap_chown", "cap_dac_override", "cap_dac_read_search", "cap_fowner", "cap_fsetid", "cap_mknod", NULL };

static const struct policy_rlimit rlimits[] = {
	{ RLIMIT_CORE, 0, "a core file would hold the container's data" },
	{ RLIMIT_NPROC, 0, "makes no process or thread" },
};

static struct policy_rule chosen[RULES_MAX];
_Static_assert(sizeof(rules) / sizeof(*rules) <= RULES_MAX, "more rules than fit");

static struct policy policy = {
	.component = "gofer",
	.namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
	.user = POLICY_USER_KEEP,
	.root = POLICY_ROOT_EMPTY,
	.rlimits = rlimits,
	.n_rlimits = sizeof(rlimits) / sizeof(*rlimits),
	.rules = chosen,
	.sanitizer_rules = sanitizer_rules,
	.n_sanitizer_rules = sizeof(sanitizer_rules) / sizeof(*sanitizer_rules),
};

const struct policy *gofer_policy(const struct options *o)
{
	unsigned when = 0;

	if (o->listen)
		when |= LISTEN;
	if (o->host_uds != HOST_UDS_NONE)
		when |= UDS;
	if (o->host_uds == HOST_UDS_CREATE)
		when |= UDS_CREATE;
	if (attr_have_fchmodat2())
		when |= FCHMODAT2;
	policy.caps = o->allow_mknod ? caps_mknod : caps;
	policy.n_rules = 0;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		if ((rules[i].when & when) == rules[i].when)
			chosen[policy.n_rules++] = rules[i].rule;
	}
	for (size_t i = 0; i < policy.n_rules; i++) {
		if (!strcmp(chosen[i].call, "write"))
			chosen[i].checks[0] = (struct policy_check)IS(0, o->log_fd);
	}
	return &policy;
}
