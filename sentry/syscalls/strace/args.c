/*
 * args.c - arguments as text, by kind (see strace.h).  What is read from the program
 * is only shown: it may be another by the time the call reads it.
 */
#include "syscalls/strace/strace.h"

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "abi/epoll.h"
#include "abi/poll.h"
#include "abi/socket.h"
#include "abi/time.h"

#include <arpa/inet.h>
#include <asm/unistd.h>
#include <inttypes.h>
#include <string.h>

#define ELEMENTS 8 /* of an array that are shown */

typedef void show_fn(struct strace_line *l, uint64_t v);

static bool fetch(struct strace_line *l, void *to, uint64_t at, size_t n)
{
	return !copy_from_user(l->t->mm, to, UADDR(at), n);
}

/* --- numbers ------------------------------------------------------------------------- */

static void show_nothing(struct strace_line *l, uint64_t v) { }
static void show_int(struct strace_line *l, uint64_t v) { line_put(l, "%d", (int)v); }
static void show_size(struct strace_line *l, uint64_t v) { line_put(l, "%" PRIu64, v); }
static void show_offset(struct strace_line *l, uint64_t v) { line_put(l, "%" PRId64, (int64_t)v); }
static void show_hex(struct strace_line *l, uint64_t v) { line_put(l, v ? "0x%" PRIx64 : "%" PRIu64, v); }
static void show_mode(struct strace_line *l, uint64_t v) { line_put(l, "0%o", (unsigned)v); }
static void show_signal(struct strace_line *l, uint64_t v) { line_signal(l, (int)v); }

static void show_address(struct strace_line *l, uint64_t v)
{
	if (v)
		line_put(l, "0x%" PRIx64, v);
	else
		line_put(l, "NULL");
}

static void show_dirfd(struct strace_line *l, uint64_t v)
{
	if ((int)v == LINUX_AT_FDCWD)
		line_put(l, "AT_FDCWD");
	else
		show_int(l, v);
}

#define NAMED(what)                                                                                                                                  \
	static void show_##what(struct strace_line *l, uint64_t v) { names_put(l, &names_##what, (uint32_t)v); }
NAMED(open)
NAMED(prot)
NAMED(map)
NAMED(clone)
NAMED(at)
NAMED(access)
NAMED(seek)
NAMED(wait)
NAMED(family)
NAMED(socket_type)
NAMED(msg)
NAMED(futex)
NAMED(clock)
NAMED(rlimit)
NAMED(fcntl)
NAMED(madvise)
NAMED(sigprocmask)
NAMED(epoll_op)
NAMED(mremap)
NAMED(shutdown)
NAMED(level)
NAMED(ioctl)
NAMED(prctl)
NAMED(arch)
NAMED(mount)
NAMED(umount)

/* --- bytes ------------------------------------------------------------------------------ */

static void show_bytes(struct strace_line *l, uint64_t at, uint64_t n)
{
	char b[STRACE_STRING];
	size_t part = n < sizeof(b) ? n : sizeof(b);

	if (!at || !fetch(l, b, at, part))
		show_address(l, at);
	else
		line_string(l, b, part, n > part);
}

/* Its length is the next argument. */
static void show_data(struct strace_line *l, uint64_t v)
{
	show_bytes(l, v, l->args[l->next + 1]);
}

/* As long as the result says. */
static void show_data_out(struct strace_line *l, uint64_t v)
{
	if (l->ret < 0)
		show_address(l, v);
	else
		show_bytes(l, v, (uint64_t)l->ret);
}

static void show_text(struct strace_line *l, uint64_t v, size_t most)
{
	char b[256];
	size_t got, n;

	if (most > sizeof(b))
		most = sizeof(b);
	got = v ? copy_from_user_partial(l->t->mm, b, UADDR(v), most) : 0;
	n = strnlen(b, got);
	if (!got)
		show_address(l, v);
	else
		line_string(l, b, n, n == got);
}

static void show_path(struct strace_line *l, uint64_t v) { show_text(l, v, 256); }

static void show_string_out(struct strace_line *l, uint64_t v)
{
	if (l->ret < 0)
		show_address(l, v);
	else
		show_text(l, v, 256);
}

static void show_strings(struct strace_line *l, uint64_t v)
{
	uint64_t at = 0;

	if (!v || !fetch(l, &at, v, sizeof(at))) {
		show_address(l, v);
		return;
	}
	line_put(l, "[");
	for (unsigned i = 0; at && i < ELEMENTS; i++) {
		line_put(l, i ? ", " : "");
		show_text(l, at, STRACE_STRING);
		v += sizeof(at);
		if (!fetch(l, &at, v, sizeof(at)))
			break;
	}
	line_put(l, at ? ", ...]" : "]");
}

static void show_vector(struct strace_line *l, uint64_t v)
{
	uint64_t n = l->args[l->next + 1];
	struct iovec_user one;

	line_put(l, "[");
	for (uint64_t i = 0; i < n && i < ELEMENTS && fetch(l, &one, v + i * sizeof(one), sizeof(one)); i++) {
		line_put(l, i ? ", {" : "{");
		show_bytes(l, one.base, one.len);
		line_put(l, ", %" PRIu64 "}", one.len);
	}
	line_put(l, n > ELEMENTS ? ", ...]" : "]");
}

/* --- structures ----------------------------------------------------------------------------- */

static void show_sigset(struct strace_line *l, uint64_t v)
{
	const char *between = "";
	uint64_t set;

	if (!v || !fetch(l, &set, v, sizeof(set))) {
		show_address(l, v);
		return;
	}
	if (__builtin_popcountll(set) > LINUX_NSIG / 2) {
		line_put(l, "~");
		set = ~set;
	}
	line_put(l, "[");
	for (int s = 1; s <= LINUX_NSIG; s++) {
		if (!(set & SIGBIT(s)))
			continue;
		line_put(l, "%s", between);
		line_signal(l, s);
		between = " ";
	}
	line_put(l, "]");
}

static void show_action(struct strace_line *l, uint64_t v)
{
	struct linux_sigaction a;

	if (!v || !fetch(l, &a, v, sizeof(a))) {
		show_address(l, v);
		return;
	}
	if (a.handler <= LINUX_SIG_IGN)
		line_put(l, "{%s", a.handler ? "SIG_IGN" : "SIG_DFL");
	else
		line_put(l, "{0x%" PRIx64, a.handler);
	line_put(l, ", ");
	names_put(l, &names_sigaction, a.flags);
	line_put(l, "}");
}

static void show_stat(struct strace_line *l, uint64_t v)
{
	struct linux_stat s;

	if (l->ret < 0 || !fetch(l, &s, v, sizeof(s)))
		show_address(l, v);
	else
		line_put(l, "{st_mode=0%o, st_size=%" PRId64 ", ...}", s.mode, s.size);
}

static void show_timespec(struct strace_line *l, uint64_t v)
{
	struct linux_timespec ts;

	if (!v || !fetch(l, &ts, v, sizeof(ts)))
		show_address(l, v);
	else
		line_put(l, "{%" PRId64 ".%09" PRId64 "}", ts.sec, ts.nsec);
}

static void show_timeval(struct strace_line *l, uint64_t v)
{
	int64_t tv[2];

	if (!v || !fetch(l, tv, v, sizeof(tv)))
		show_address(l, v);
	else
		line_put(l, "{%" PRId64 ".%06" PRId64 "}", tv[0], tv[1]);
}

static void show_two_fds(struct strace_line *l, uint64_t v)
{
	int32_t fd[2];

	if (l->ret < 0 || !fetch(l, fd, v, sizeof(fd)))
		show_address(l, v);
	else
		line_put(l, "[%d, %d]", fd[0], fd[1]);
}

static void show_wait_status(struct strace_line *l, uint64_t v)
{
	int32_t s;

	if (!v || l->ret <= 0 || !fetch(l, &s, v, sizeof(s)))
		show_address(l, v);
	else if (s & 0x7f && (s & 0xff) != 0x7f)
		line_put(l, "[killed by %d]", s & 0x7f);
	else
		line_put(l, (s & 0xff) == 0x7f ? "[stopped by %d]" : "[exited %d]", s >> 8 & 0xff);
}

static void show_rlimits(struct strace_line *l, uint64_t v)
{
	struct linux_rlimit r;

	if (!v || (l->over && l->ret < 0) || !fetch(l, &r, v, sizeof(r)))
		show_address(l, v);
	else
		line_put(l, "{%" PRId64 ", %" PRId64 "}", (int64_t)r.cur, (int64_t)r.max);
}

static void show_pollfds(struct strace_line *l, uint64_t v)
{
	uint64_t n = (uint32_t)l->args[l->next + 1];
	struct linux_pollfd p;

	line_put(l, "[");
	for (uint64_t i = 0; i < n && i < ELEMENTS && fetch(l, &p, v + i * sizeof(p), sizeof(p)); i++) {
		line_put(l, "%s{%d, ", i ? ", " : "", p.fd);
		names_put(l, &names_poll, (uint16_t)p.events);
		line_put(l, " -> ");
		names_put(l, &names_poll, (uint16_t)p.revents);
		line_put(l, "}");
	}
	line_put(l, n > ELEMENTS ? ", ...]" : "]");
}

static void one_epoll_event(struct strace_line *l, const struct linux_epoll_event *e)
{
	line_put(l, "{");
	names_put(l, &names_epoll, e->events);
	line_put(l, ", 0x%" PRIx64 "}", (uint64_t)e->data);
}

static void show_epoll_event(struct strace_line *l, uint64_t v)
{
	struct linux_epoll_event e;

	if (!v || !fetch(l, &e, v, sizeof(e)))
		show_address(l, v);
	else
		one_epoll_event(l, &e);
}

static void show_epoll_events(struct strace_line *l, uint64_t v)
{
	struct linux_epoll_event e;

	line_put(l, "[");
	for (int64_t i = 0; i < l->ret && i < ELEMENTS && fetch(l, &e, v + (uint64_t)i * sizeof(e), sizeof(e)); i++) {
		line_put(l, i ? ", " : "");
		one_epoll_event(l, &e);
	}
	line_put(l, l->ret > ELEMENTS ? ", ...]" : "]");
}

/* Of a unix socket: an abstract one begins with a 0. */
static void show_name(struct strace_line *l, const char *name, size_t n)
{
	line_put(l, ", ");
	line_string(l, name, *name ? strnlen(name, n) : n, false);
}

static void sockaddr_text(struct strace_line *l, uint64_t v, size_t n)
{
	union {
		uint16_t family;
		struct linux_sockaddr_un un;
		struct linux_sockaddr_in in;
		struct linux_sockaddr_in6 in6;
		char bytes[128];
	} a = { 0 };
	char text[64];

	if (n > sizeof(a))
		n = sizeof(a);
	if (!v || n < 2 || !fetch(l, &a, v, n)) {
		show_address(l, v);
		return;
	}
	line_put(l, "{");
	names_put(l, &names_family, a.family);
	if (a.family == LINUX_AF_UNIX && n > 2)
		show_name(l, a.bytes + 2, n - 2);
	else if (a.family == LINUX_AF_INET && n >= 8 && inet_ntop(AF_INET, a.bytes + 4, text, sizeof(text)))
		line_put(l, ", %s:%u", text, ntohs(a.in.port));
	else if (a.family == LINUX_AF_INET6 && n >= 24 && inet_ntop(AF_INET6, a.bytes + 8, text, sizeof(text)))
		line_put(l, ", [%s]:%u", text, ntohs(a.in6.port));
	line_put(l, "}");
}

/* Its length is the next argument. */
static void show_sockaddr(struct strace_line *l, uint64_t v)
{
	sockaddr_text(l, v, (uint32_t)l->args[l->next + 1]);
}

/* Its length is where the next argument points. */
static void show_sockaddr_out(struct strace_line *l, uint64_t v)
{
	uint64_t at = l->args[l->next + 1];
	uint32_t n = 0;

	if (l->ret < 0 || !at || !fetch(l, &n, at, sizeof(n)))
		show_address(l, v);
	else
		sockaddr_text(l, v, n);
}

/* --- which call has which ------------------------------------------------------------------------ */

enum kind {
	NONE, NOTHING, INT, FD, DIRFD, SIZE, OFFSET, HEX, ADDRESS, MODE, PATH, STRINGS, STRING_OUT, DATA, DATA_OUT, VECTOR, STAT, POLLFDS, SEEK, PROT, MAP,
	SIGNAL, ACTION, ACTION_OUT, SIGPROCMASK, SIGSET, SIGSET_OUT, IOCTL, ACCESS, TWO_FDS, TIMEVAL, TIMESPEC, TIMESPEC_OUT, MREMAP, MADVISE, FAMILY,
	SOCKET_TYPE, SOCKADDR, SOCKADDR_OUT, MSG_FLAGS, SHUTDOWN, LEVEL, CLONE_FLAGS, WAIT_STATUS, WAIT_FLAGS, FCNTL, RLIMIT, RLIMIT_IN, RLIMIT_OUT, PRCTL,
	ARCH, MOUNT, UMOUNT, FUTEX, EPOLL_OP, EPOLL_EVENT, EPOLL_EVENTS, CLOCK, OPEN_FLAGS, OPEN_MODE, AT_FLAGS,
};

static const struct {
	show_fn *show;
	bool out; /* the call fills it in */
} kinds[] = {
	[NONE] = { show_hex }, [NOTHING] = { show_nothing }, [INT] = { show_int }, [FD] = { show_int }, [DIRFD] = { show_dirfd }, [SIZE] = { show_size },
	[OFFSET] = { show_offset }, [HEX] = { show_hex }, [ADDRESS] = { show_address }, [MODE] = { show_mode }, [PATH] = { show_path },
	[STRINGS] = { show_strings }, [STRING_OUT] = { show_string_out, true }, [DATA] = { show_data }, [DATA_OUT] = { show_data_out, true },
	[VECTOR] = { show_vector }, [STAT] = { show_stat, true }, [POLLFDS] = { show_pollfds, true }, [SEEK] = { show_seek }, [PROT] = { show_prot },
	[MAP] = { show_map }, [SIGNAL] = { show_signal }, [ACTION] = { show_action }, [ACTION_OUT] = { show_action, true },
	[SIGPROCMASK] = { show_sigprocmask }, [SIGSET] = { show_sigset }, [SIGSET_OUT] = { show_sigset, true }, [IOCTL] = { show_ioctl },
	[ACCESS] = { show_access }, [TWO_FDS] = { show_two_fds, true }, [TIMEVAL] = { show_timeval }, [TIMESPEC] = { show_timespec },
	[TIMESPEC_OUT] = { show_timespec, true }, [MREMAP] = { show_mremap }, [MADVISE] = { show_madvise }, [FAMILY] = { show_family },
	[SOCKET_TYPE] = { show_socket_type }, [SOCKADDR] = { show_sockaddr }, [SOCKADDR_OUT] = { show_sockaddr_out, true }, [MSG_FLAGS] = { show_msg },
	[SHUTDOWN] = { show_shutdown }, [LEVEL] = { show_level }, [CLONE_FLAGS] = { show_clone }, [WAIT_STATUS] = { show_wait_status, true },
	[WAIT_FLAGS] = { show_wait }, [FCNTL] = { show_fcntl }, [RLIMIT] = { show_rlimit }, [RLIMIT_IN] = { show_rlimits },
	[RLIMIT_OUT] = { show_rlimits, true }, [PRCTL] = { show_prctl }, [ARCH] = { show_arch }, [MOUNT] = { show_mount }, [UMOUNT] = { show_umount },
	[FUTEX] = { show_futex }, [EPOLL_OP] = { show_epoll_op }, [EPOLL_EVENT] = { show_epoll_event }, [EPOLL_EVENTS] = { show_epoll_events, true },
	[CLOCK] = { show_clock }, [OPEN_FLAGS] = { show_open }, [OPEN_MODE] = { show_mode }, [AT_FLAGS] = { show_at },
};

#define CALLS 470
static const uint8_t calls[CALLS][6] = {
#define ARGS(call, ...) [__NR_##call] = { __VA_ARGS__ },
#define ADDRESS(call)
#include "syscalls/strace/args.def"
#undef ARGS
#undef ADDRESS
};

static const bool addresses[CALLS] = {
#define ARGS(call, ...)
#define ADDRESS(call) [__NR_##call] = true,
#include "syscalls/strace/args.def"
#undef ARGS
#undef ADDRESS
};

bool strace_result_is_address(uint64_t nr)
{
	return nr < CALLS && addresses[nr];
}

void strace_args(struct strace_line *l, uint64_t nr)
{
	static const uint8_t unknown[6];
	const uint8_t *kind = nr < CALLS ? calls[nr] : unknown;
	bool known = kind[0] != NONE;

	for (; l->next < 6 && (!known || kind[l->next] != NONE); l->next++) {
		unsigned i = l->next;

		if (kinds[kind[i]].out && !l->over)
			return;
		if (kind[i] == OPEN_MODE && !(l->args[i - 1] & (LINUX_O_CREAT | LINUX_O_TMPFILE_BIT)))
			continue; /* nobody looks at it */
		line_put(l, i ? ", " : "");
		kinds[kind[i]].show(l, l->args[i]);
	}
}
