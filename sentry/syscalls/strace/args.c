/*
 * args.c - arguments as text, by kind (see strace.h).  What is read from the program
 * is only shown: it may be another by the time the call reads it.
 */
#include "syscalls/strace/kinds.h"

#include "abi/fcntl.h"

#include <asm/unistd.h>
#include <inttypes.h>
#include <string.h>

bool strace_fetch(struct strace_line *l, void *to, uint64_t at, size_t n)
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

void strace_address(struct strace_line *l, uint64_t v)
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

	if (!at || !strace_fetch(l, b, at, part))
		strace_address(l, at);
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
		strace_address(l, v);
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
		strace_address(l, v);
	else
		line_string(l, b, n, n == got);
}

static void show_path(struct strace_line *l, uint64_t v) { show_text(l, v, 256); }

static void show_string_out(struct strace_line *l, uint64_t v)
{
	if (l->ret < 0)
		strace_address(l, v);
	else
		show_text(l, v, 256);
}

static void show_strings(struct strace_line *l, uint64_t v)
{
	uint64_t at = 0;

	if (!v || !strace_fetch(l, &at, v, sizeof(at))) {
		strace_address(l, v);
		return;
	}
	line_put(l, "[");
	for (unsigned i = 0; at && i < STRACE_ELEMENTS; i++) {
		line_put(l, i ? ", " : "");
		show_text(l, at, STRACE_STRING);
		v += sizeof(at);
		if (!strace_fetch(l, &at, v, sizeof(at)))
			break;
	}
	line_put(l, at ? ", ...]" : "]");
}

static void show_vector(struct strace_line *l, uint64_t v)
{
	uint64_t n = l->args[l->next + 1];
	struct iovec_user one;

	line_put(l, "[");
	for (uint64_t i = 0; i < n && i < STRACE_ELEMENTS && strace_fetch(l, &one, v + i * sizeof(one), sizeof(one)); i++) {
		line_put(l, i ? ", {" : "{");
		show_bytes(l, one.base, one.len);
		line_put(l, ", %" PRIu64 "}", one.len);
	}
	line_put(l, n > STRACE_ELEMENTS ? ", ...]" : "]");
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
	[OFFSET] = { show_offset }, [HEX] = { show_hex }, [ADDRESS] = { strace_address }, [MODE] = { show_mode }, [PATH] = { show_path },
	[STRINGS] = { show_strings }, [STRING_OUT] = { show_string_out, true }, [DATA] = { show_data }, [DATA_OUT] = { show_data_out, true },
	[VECTOR] = { show_vector }, [STAT] = { strace_stat, true }, [POLLFDS] = { strace_pollfds, true }, [SEEK] = { show_seek }, [PROT] = { show_prot },
	[MAP] = { show_map }, [SIGNAL] = { show_signal }, [ACTION] = { strace_action }, [ACTION_OUT] = { strace_action, true },
	[SIGPROCMASK] = { show_sigprocmask }, [SIGSET] = { strace_sigset }, [SIGSET_OUT] = { strace_sigset, true }, [IOCTL] = { show_ioctl },
	[ACCESS] = { show_access }, [TWO_FDS] = { strace_two_fds, true }, [TIMEVAL] = { strace_timeval }, [TIMESPEC] = { strace_timespec },
	[TIMESPEC_OUT] = { strace_timespec, true }, [MREMAP] = { show_mremap }, [MADVISE] = { show_madvise }, [FAMILY] = { show_family },
	[SOCKET_TYPE] = { show_socket_type }, [SOCKADDR] = { strace_sockaddr }, [SOCKADDR_OUT] = { strace_sockaddr_out, true }, [MSG_FLAGS] = { show_msg },
	[SHUTDOWN] = { show_shutdown }, [LEVEL] = { show_level }, [CLONE_FLAGS] = { show_clone }, [WAIT_STATUS] = { strace_wait_status, true },
	[WAIT_FLAGS] = { show_wait }, [FCNTL] = { show_fcntl }, [RLIMIT] = { show_rlimit }, [RLIMIT_IN] = { strace_rlimits },
	[RLIMIT_OUT] = { strace_rlimits, true }, [PRCTL] = { show_prctl }, [ARCH] = { show_arch }, [MOUNT] = { show_mount }, [UMOUNT] = { show_umount },
	[FUTEX] = { show_futex }, [EPOLL_OP] = { show_epoll_op }, [EPOLL_EVENT] = { strace_epoll_event }, [EPOLL_EVENTS] = { strace_epoll_events, true },
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

bool strace_begins_with_fd(uint64_t nr)
{
	return nr < CALLS && (calls[nr][0] == FD || calls[nr][0] == DIRFD);
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
