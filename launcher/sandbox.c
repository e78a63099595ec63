/*
 * sandbox.c - making a sandbox.  See sandbox.h; ending one is sandbox_end.c.
 */
#include "sandbox.h"

#include "client.h"
#include "failure.h"
#include "hooks.h"
#include "host_mounts.h"
#include "idmap.h"
#include "making.h"
#include "network.h"
#include "served.h"
#include "spawn.h"
#include "sweep.h"
#include "trace.h"

#include "libipc/ending.h"
#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define BOOT_MS 60000

/* What creation holds until it has succeeded or failed. */
struct making {
	int listen, boot, boot_sentry, gofer, gofer_sentry, control_sentry, control, lifeline_far, words;
	enum network_source network;
};

struct err *making_pair(int *a, int *b)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_new(errno, "socketpair");
	*a = fds[0];
	*b = fds[1];
	return NULL;
}

static struct err *make_sockets(struct sandbox *s, struct making *m)
{
	struct err *e;

	if ((e = client_listen(&s->dir, &m->listen)) || (e = making_pair(&m->boot, &m->boot_sentry)) ||
		(e = making_pair(&m->gofer, &m->gofer_sentry)) || (e = making_pair(&m->control, &m->control_sentry)) ||
		(e = making_pair(&s->lifeline, &m->lifeline_far)))
		return e;
	return failure_words_file(&m->words);
}

/* Its network namespace is a new one, the sentry's alone, that others put interfaces into. */
static bool is_filled_later(const struct making *m) { return m->network == NETWORK_BY_HOOKS || m->network == NETWORK_UNTIL_START; }

static void making_close(struct making *m)
{
	int *all[] = { &m->listen, &m->boot, &m->boot_sentry, &m->gofer, &m->gofer_sentry, &m->control_sentry, &m->control,
		&m->lifeline_far, &m->words };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		fd_close(all[i]);
}

static const char *now_text(struct pool *p)
{
	struct timespec t;
	struct tm tm;
	char text[64];

	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	return pool_printf(p, "%s.%09ldZ", text, t.tv_nsec);
}

static struct err *making_state(struct context *c, const struct plan *plan, struct sandbox *s)
{
	struct err *e = state_create(c->g->root, plan->spec.id.p, c->pool, &s->dir);

	if (e)
		return e;
	s->state = (struct state){
		.id = plan->spec.id.p, .bundle = plan->bundle, .created = now_text(c->pool), .phase = "creating", .owner = geteuid(),
		.terminal = plan->spec.process.terminal, .transient = plan->host_root, .annotations = plan->annotations, .rootfs = plan->trees.v[0].path, .hooks = plan->hooks,
		.cgroup = plan->cgroup.dirs, .scope = plan->cgroup.scope, .sandbox = plan->sandbox,
	};
	return state_write(&s->dir, &s->state);
}

/* The directories are known once systemd has made the scope; its name was recorded before. */
static struct err *making_scope(struct context *c, const struct plan *plan, struct sandbox *s)
{
	struct cgroup g = { .scope = plan->cgroup.scope };
	const char *path;
	struct err *e = scope_start(&plan->scope, c->pool, &s->scope, &path);

	if (e || (e = cgroup_find(path, plan->spec.id.p, plan->resources, c->pool, &g)))
		return e;
	s->state.cgroup = g.dirs;
	if ((e = state_write(&s->dir, &s->state)) || (e = cgroup_make(&g)))
		return e;
	return plan->resources ? cgroup_limit(&g, plan->resources, c->pool) : NULL;
}

struct err *making_cgroup(struct context *c, const struct plan *plan, struct sandbox *s)
{
	const struct cgroup *g = &plan->cgroup;
	struct err *e = g->scope ? making_scope(c, plan, s) : cgroup_make(g);
	int why;

	if (g->scope)
		return e;
	if (!e)
		return plan->resources ? cgroup_limit(g, plan->resources, c->pool) : NULL;
	why = err_errno(e);
	if (why != EPERM && why != EACCES && why != EROFS)
		return e;
	log_at(geteuid() || idmap_in_user_ns() ? LOG_INFO : LOG_WARNING, "no cgroup, no limits on the host: %s", err_text(e));
	err_free(e);
	if ((e = cgroup_remove(g)))
		return e;
	s->state.cgroup.n = 0;
	return state_write(&s->dir, &s->state);
}

static struct err *start_components(struct context *c, const struct plan *plan, int terminal, struct sandbox *s, struct making *m)
{
	const struct spawn spawn = {
		.g = c->g, .plan = plan, .dir = &s->dir, .state = &s->state, .gofer_sock = m->gofer, .boot_sock = m->boot_sentry,
		.sentry_control = m->control_sentry, .controld_control = m->control, .listen = m->listen, .lifeline = m->lifeline_far,
		.words = m->words, .terminal = terminal, .own_network = is_filled_later(m),
	};
	struct spawn_result r = { 0 };
	struct err *e;

	s->state.served = served_text(plan, m->gofer, c->pool);
	s->state.gofers = 1;
	e = spawn_components(&spawn, &r);
	s->controld = r.controld;
	s->controld_id = r.controld_id;
	s->gofer_id = r.gofer;
	s->sentry_id = r.sentry;
	s->state.controld = &s->controld_id;
	s->state.gofer = &s->gofer_id;
	s->state.sentry = &s->sentry_id;
	/* theirs alone from now on: an end that we held too would never be seen to close */
	fd_close(&m->boot_sentry);
	fd_close(&m->gofer);
	fd_close(&m->control);
	fd_close(&m->control_sentry);
	fd_close(&m->lifeline_far);
	fd_close(&m->listen);
	return e;
}

/* A connection ended in the middle: whose, and why? */
static struct err *explain_death(struct context *c, struct sandbox *s, const struct making *m, struct err *cause)
{
	struct failure f = { .pool = c->pool, .words = m->words, .controld = s->controld, .sentry = (pid_t)s->sentry_id.pid, .gofer = &s->gofer_id };
	struct err *e = failure_explain(&f, cause);

	s->controld = f.controld;
	return e;
}

static bool hung_up(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR);
}

/* Before hooks look into its namespaces, or fill the network's: by then it must be in these for good. */
static struct err *boot_ready(struct rpc_client *rpc)
{
	struct boot_ready request; /* nothing */
	struct boot_ready_reply reply;
	struct msg_arena a = { 0 };
	struct err *e = RPC_CALL(rpc, boot, ready, &request, &reply, &a, BOOT_MS);

	if (!e)
		msg_free(&boot_ready_reply_desc, &reply, &a);
	return e;
}

/* The interfaces that the engine has made for it. */
static struct err *boot_network(struct context *c, const struct plan *plan, struct sandbox *s, const struct making *m, struct rpc_client *rpc)
{
	struct network n;
	struct boot_network request;
	struct boot_network_reply reply;
	struct msg_arena a = { 0 };
	struct err *e;

	if ((e = network_take(c->g, plan, m->network, s->sentry_id.pid, &s->dir, c->pool, &n)))
		return e;
	/* a new one that hooks have left empty is filled later, or never */
	s->state.network = !plan->start_later || !is_filled_later(m) || n.n ? NULL : globals_network_asked(c->g) ? NETWORK_ASKED : NETWORK_UNASKED;
	if (!n.n)
		return NULL;
	request = (struct boot_network){ .links = n.links, .n_links = n.n, .requests = n.requests, .sockets = n.fds, .n_sockets = n.n_fds, .name_server = n.name_server };
	e = RPC_CALL(rpc, boot, network, &request, &reply, &a, BOOT_MS);
	if (!e)
		msg_free(&boot_network_reply_desc, &reply, &a);
	network_close(&n);
	log_timing("network handed over");
	return e;
}

/* Its root is not mounted yet. */
static struct err *hooks_before_boot(struct context *c, const struct sandbox *s, struct rpc_client *rpc)
{
	bool some;
	struct err *e = hooks_come_early(s->state.hooks, c->pool, &some);

	if (e || !some)
		return e;
	e = boot_ready(rpc);
	for (enum hook_kind kind = HOOK_PRESTART; !e && kind <= HOOK_CREATE_CONTAINER; kind++)
		e = hooks_run(&s->state, kind, "creating", s->sentry_id.pid);
	return e;
}

static struct err *setup(const struct plan *plan, int *stdio, unsigned n_stdio, const struct making *m, struct rpc_client *rpc)
{
	_cleanup_close_ int spec = -1;
	struct boot_setup request = { .gofer = m->gofer_sentry, .stdio = stdio, .n_stdio = n_stdio };
	struct boot_setup_reply reply;
	struct msg_arena a = { 0 };
	struct err *e = msg_to_memfd(&boot_spec_desc, &plan->spec, &spec);

	if (e)
		return e;
	request.spec = spec;
	if (!(e = RPC_CALL(rpc, boot, setup, &request, &reply, &a, BOOT_MS)))
		msg_free(&boot_setup_reply_desc, &reply, &a);
	return e;
}

/* Up to what the program starts with. */
static struct err *ask_boot(struct context *c, const struct plan *plan, int *stdio, unsigned n_stdio, struct sandbox *s,
	const struct making *m, struct rpc_client *rpc, int *boot_errno)
{
	struct err *e;

	if ((e = hooks_before_boot(c, s, rpc)) || (e = boot_network(c, plan, s, m, rpc)))
		return e;
	if ((e = setup(plan, stdio, n_stdio, m, rpc)))
		*boot_errno = err_errno(e);
	return e;
}

static struct err *boot(struct context *c, const struct plan *plan, int *stdio, unsigned n_stdio, struct sandbox *s, struct making *m,
	int *boot_errno)
{
	struct rpc_client *rpc;
	struct err *e = rpc_client_new(m->boot, &rpc);

	if (e)
		return e;
	m->boot = -1; /* the client's now */
	e = ask_boot(c, plan, stdio, n_stdio, s, m, rpc, boot_errno);
	if (e && (hung_up(rpc_client_fd(rpc)) || err_errno(e) == ECONNRESET))
		*boot_errno = 0, e = explain_death(c, s, m, e);
	rpc_client_free(rpc);
	return e;
}

static struct err *make(struct context *c, const struct plan *plan, int *stdio, unsigned n_stdio, struct sandbox *s, struct making *m,
	int *boot_errno)
{
	struct err *e;

	if ((e = network_find(c->g, plan, c->pool, &m->network)) || (e = make_sockets(s, m)))
		return e;
	log_timing("state and sockets");
	if ((e = making_cgroup(c, plan, s)))
		return e;
	log_timing("cgroup");
	e = start_components(c, plan, plan->spec.process.terminal ? stdio[0] : -1, s, m);
	scope_release(&s->scope);
	if (e)
		return e;
	log_timing("components started");
	if ((e = boot(c, plan, stdio, n_stdio, s, m, boot_errno)))
		return e;
	log_timing("sentry booted");
	if ((e = trace_init(c, &s->dir)))
		return e;
	s->state.phase = "created";
	if ((e = state_write(&s->dir, &s->state)))
		return e;
	if (!s->state.transient)
		fd_close(&s->dir.lock);
	return NULL;
}

void sandbox_moved(struct sandbox *s)
{
	s->state.controld = &s->controld_id;
	s->state.gofer = &s->gofer_id;
	s->state.sentry = &s->sentry_id;
}

struct err *sandbox_create(struct context *c, struct plan *plan, int *stdio, unsigned n_stdio, struct sandbox *out, int *boot_errno)
{
	struct making m = { -1, -1, -1, -1, -1, -1, -1, -1, -1, NETWORK_NOWHERE };
	struct sandbox s = SANDBOX_NONE;
	struct err *e, *undo;

	*boot_errno = 0;
	sweep(c);
	if ((e = making_state(c, plan, &s)) || (e = host_mounts_make(plan, c->pool))) {
		undo = s.dir.fd >= 0 ? state_remove(&s.dir) : NULL;
	} else {
		e = plan->sandbox ? subcontainer_make(c, plan, stdio, n_stdio, &s, boot_errno) : make(c, plan, stdio, n_stdio, &s, &m, boot_errno);
		making_close(&m);
		scope_release(&s.scope);
		undo = e ? sandbox_destroy(&s) : NULL;
	}
	if (undo) {
		log_warning("undoing: %s", err_text(undo));
		err_free(undo);
	}
	if (e) {
		sandbox_close(&s);
		return e;
	}
	*out = s;
	sandbox_moved(out);
	return NULL;
}
