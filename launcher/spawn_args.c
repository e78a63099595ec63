/*
 * spawn_args.c - the command lines of gofer, sentry and controld: which options
 * and which descriptors each is started with, and in which user namespace.
 * Runs in the forked child that starts them (spawn.c).
 */
#include "spawn_internal.h"

#include "libipc/fd.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static struct err *begin_program(struct program *g, const char *name, bool namespaces_made, const struct spawn *s, struct pool *p)
{
	*g = (struct program){ 0 };
	program_arg(g, p, pool_printf(p, "redoubt-%s %s", name, s->dir->id));
	if (namespaces_made)
		program_arg(g, p, "--namespaces-made");
	return program_find(name, p, &g->path);
}

static void add_log(struct program *g, const struct spawn *s, struct pool *p)
{
	/* without a log of the user's, warnings go where the last words go */
	int fd = s->g->log_fd >= 0 ? s->g->log_fd : STDERR_FILENO;

	program_arg(g, p, "--log-fd");
	program_arg(g, p, pool_printf(p, "%d", fd));
	if (fd > STDERR_FILENO)
		LIST_ADD(p, &g->keep, fd);
	program_arg(g, p, "--log-format");
	program_arg(g, p, s->g->format == LOG_JSON ? "json" : "text");
	if (s->g->debug)
		program_arg(g, p, "--debug");
	if (s->g->panic_fd >= 0)
		program_fd(g, p, "--panic-fd", s->g->panic_fd);
}

static void add_trees(struct program *g, const struct plan *plan, struct pool *p)
{
	bool writable_bind = false;

	program_arg(g, p, "--root");
	program_arg(g, p, plan->trees.v[0].path);
	for (size_t i = 1; i < plan->trees.n; i++) {
		const struct plan_tree *t = &plan->trees.v[i];

		writable_bind |= !t->readonly;
		if (t->fd) {
			program_fd(g, p, t->holder ? "--tree-file-fd" : "--tree-fd", t->fd);
			continue;
		}
		program_arg(g, p, t->readonly ? "--tree-ro" : "--tree");
		program_arg(g, p, t->path);
	}
	/* a read-only root with a writable bind stays read-only by its mount flag in the sentry */
	if (plan->trees.v[0].readonly && !writable_bind)
		program_arg(g, p, "--read-only");
}

struct err *spawn_gofer_program(struct program *g, const struct spawn *s, struct pool *p)
{
	struct err *e = begin_program(g, "gofer", s->namespaces_made, s, p);

	if (e)
		return e;
	add_trees(g, s->plan, p);
	program_fd(g, p, "--ipc-fd", s->gofer_sock);
	program_arg(g, p, "--keeper");
	if (s->gofer_go)
		program_fd(g, p, "--go-fd", s->gofer_go);
	if (s->gofer_start) {
		program_arg(g, p, "--start");
		program_arg(g, p, pool_printf(p, "%u", s->gofer_start));
	}
	add_log(g, s, p);
	LIST_ADD(p, &g->args, NULL);
	/* on the host's own tree everybody stays who they are */
	if (s->plan->ids.uids.n)
		g->user_ns = USER_NS_MAPPED;
	else if (geteuid())
		g->user_ns = USER_NS_OWN_ID_CAPABLE;
	g->ids = &s->plan->ids;
	return NULL;
}

/* A connection of which the sentry holds both ends: see sentry/control/adopt.c. */
static struct err *add_adoption(struct program *g, const struct spawn *s, struct pool *p)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_new(errno, "socketpair");
	program_fd(g, p, "--adopt-fd", fds[0]);
	program_fd(g, p, "--adopt-peer-fd", fds[1]);
	s->state->adopt_fd = (uint64_t)fds[1];
	return NULL;
}

struct err *spawn_sentry_program(struct program *g, const struct spawn *s, struct pool *p)
{
	struct err *e = begin_program(g, "sentry", s->namespaces_made && !s->own_network, s, p);

	if (e)
		return e;
	program_fd(g, p, "--boot-fd", s->boot_sock);
	program_fd(g, p, "--control-fd", s->sentry_control);
	if ((e = add_adoption(g, s, p)))
		return e;
	if (s->g->platform) {
		program_arg(g, p, "--platform");
		program_arg(g, p, s->g->platform);
	}
	if (s->g->strace)
		program_arg(g, p, "--strace");
	if (s->g->no_patch)
		program_arg(g, p, "--no-patch");
	if (s->g->user_fd >= 0)
		program_fd(g, p, "--user-log-fd", s->g->user_fd);
	add_log(g, s, p);
	LIST_ADD(p, &g->args, NULL);
	g->sibling = true;
	g->user_ns = geteuid() ? USER_NS_OWN_ID : USER_NS_OURS;
	return NULL;
}

struct err *spawn_controld_program(struct program *g, const struct spawn *s, struct pool *p)
{
	struct err *e = begin_program(g, "controld", s->namespaces_made, s, p);

	if (e)
		return e;
	program_arg(g, p, "--id");
	program_arg(g, p, s->dir->id);
	program_fd(g, p, "--listen-fd", s->listen);
	program_fd(g, p, "--sentry-fd", s->controld_control);
	program_fd(g, p, "--lifeline-fd", s->lifeline);
	add_log(g, s, p);
	return NULL;
}
