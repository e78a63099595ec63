/*
 * structs.c - arguments that point to structures (see strace.h): read from the
 * program's memory, shown in part where they are large.
 */
#include "syscalls/strace/kinds.h"

#include "abi/epoll.h"
#include "abi/fs.h"
#include "abi/poll.h"
#include "abi/socket.h"
#include "abi/time.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

void strace_sigset(struct strace_line *l, uint64_t v)
{
	const char *between = "";
	uint64_t set;

	if (!v || !strace_fetch(l, &set, v, sizeof(set))) {
		strace_address(l, v);
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

void strace_action(struct strace_line *l, uint64_t v)
{
	struct linux_sigaction a;

	if (!v || !strace_fetch(l, &a, v, sizeof(a))) {
		strace_address(l, v);
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

void strace_stat(struct strace_line *l, uint64_t v)
{
	struct linux_stat s;

	if (l->ret < 0 || !strace_fetch(l, &s, v, sizeof(s)))
		strace_address(l, v);
	else
		line_put(l, "{st_mode=0%o, st_size=%" PRId64 ", ...}", s.mode, s.size);
}

void strace_timespec(struct strace_line *l, uint64_t v)
{
	struct linux_timespec ts;

	if (!v || !strace_fetch(l, &ts, v, sizeof(ts)))
		strace_address(l, v);
	else
		line_put(l, "{%" PRId64 ".%09" PRId64 "}", ts.sec, ts.nsec);
}

void strace_timeval(struct strace_line *l, uint64_t v)
{
	int64_t tv[2];

	if (!v || !strace_fetch(l, tv, v, sizeof(tv)))
		strace_address(l, v);
	else
		line_put(l, "{%" PRId64 ".%06" PRId64 "}", tv[0], tv[1]);
}

void strace_two_fds(struct strace_line *l, uint64_t v)
{
	int32_t fd[2];

	if (l->ret < 0 || !strace_fetch(l, fd, v, sizeof(fd)))
		strace_address(l, v);
	else
		line_put(l, "[%d, %d]", fd[0], fd[1]);
}

void strace_wait_status(struct strace_line *l, uint64_t v)
{
	int32_t s;

	if (!v || l->ret <= 0 || !strace_fetch(l, &s, v, sizeof(s)))
		strace_address(l, v);
	else if (s & 0x7f && (s & 0xff) != 0x7f)
		line_put(l, "[killed by %d]", s & 0x7f);
	else
		line_put(l, (s & 0xff) == 0x7f ? "[stopped by %d]" : "[exited %d]", s >> 8 & 0xff);
}

void strace_rlimits(struct strace_line *l, uint64_t v)
{
	struct linux_rlimit r;

	if (!v || (l->over && l->ret < 0) || !strace_fetch(l, &r, v, sizeof(r)))
		strace_address(l, v);
	else
		line_put(l, "{%" PRId64 ", %" PRId64 "}", (int64_t)r.cur, (int64_t)r.max);
}

void strace_pollfds(struct strace_line *l, uint64_t v)
{
	uint64_t n = (uint32_t)l->args[l->next + 1];
	struct linux_pollfd p;

	line_put(l, "[");
	for (uint64_t i = 0; i < n && i < STRACE_ELEMENTS && strace_fetch(l, &p, v + i * sizeof(p), sizeof(p)); i++) {
		line_put(l, "%s{%d, ", i ? ", " : "", p.fd);
		names_put(l, &names_poll, (uint16_t)p.events);
		line_put(l, " -> ");
		names_put(l, &names_poll, (uint16_t)p.revents);
		line_put(l, "}");
	}
	line_put(l, n > STRACE_ELEMENTS ? ", ...]" : "]");
}

static void one_epoll_event(struct strace_line *l, const struct linux_epoll_event *e)
{
	line_put(l, "{");
	names_put(l, &names_epoll, e->events);
	line_put(l, ", 0x%" PRIx64 "}", (uint64_t)e->data);
}

void strace_epoll_event(struct strace_line *l, uint64_t v)
{
	struct linux_epoll_event e;

	if (!v || !strace_fetch(l, &e, v, sizeof(e)))
		strace_address(l, v);
	else
		one_epoll_event(l, &e);
}

void strace_epoll_events(struct strace_line *l, uint64_t v)
{
	struct linux_epoll_event e;

	line_put(l, "[");
	for (int64_t i = 0; i < l->ret && i < STRACE_ELEMENTS && strace_fetch(l, &e, v + (uint64_t)i * sizeof(e), sizeof(e)); i++) {
		line_put(l, i ? ", " : "");
		one_epoll_event(l, &e);
	}
	line_put(l, l->ret > STRACE_ELEMENTS ? ", ...]" : "]");
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
	if (!v || n < 2 || !strace_fetch(l, &a, v, n)) {
		strace_address(l, v);
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
void strace_sockaddr(struct strace_line *l, uint64_t v)
{
	sockaddr_text(l, v, (uint32_t)l->args[l->next + 1]);
}

/* Its length is where the next argument points. */
void strace_sockaddr_out(struct strace_line *l, uint64_t v)
{
	uint64_t at = l->args[l->next + 1];
	uint32_t n = 0;

	if (l->ret < 0 || !at || !strace_fetch(l, &n, at, sizeof(n)))
		strace_address(l, v);
	else
		sockaddr_text(l, v, n);
}
