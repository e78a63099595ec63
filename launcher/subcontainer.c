/*
 * subcontainer.c - makes a container in a sandbox that is already running.
 *
 * The container gets a gofer of its own, whose connection is passed to the running sentry through
 * controld, and a stand-in, the host process that engines know it by.  The gofer is accounted in the
 * sandbox's cgroup, for it may outlive its container (volumes that others share), the stand-in in the
 * container's own.  If the launcher is killed meanwhile, the gofer ends with its socket, and what the
 * sentry has made is removed by `delete`.
 */
#include "client.h"
#include "failure.h"
#include "hooks.h"
#include "making.h"
#include "served.h"
#include "spawn.h"
#include "stand_in.h"

#include "libipc/fd.h"

#include <errno.h>
#include <string.h>

#define CREATE_MS 60000

static struct err *start_gofer(struct context *c, const struct plan *plan, struct sandbox *s, int sock, int words)
{
	const struct spawn spawn = { .g = c->g, .plan = plan, .dir = &s->dir, .gofer_sock = sock, .words = words };
	struct err *e = spawn_gofer(&spawn, &plan->sandbox_cgroup, &s->gofer_id);

	s->state.gofer = &s->gofer_id;
	s->state.served = served_text(plan, sock, c->pool);
	s->state.gofers = 1;
	return e ? e : state_write(&s->dir, &s->state);
}

static struct err *ask_create(const struct plan *plan, struct sandbox *s, int gofer, int *stdio, unsigned n_stdio)
{
	struct control_create request = { .id = plan->spec.id, .gofer = gofer, .stdio = stdio, .n_stdio = n_stdio };
	struct control_create_reply reply;
	_cleanup_close_ int spec = -1;
	struct msg_arena a = { 0 };
	struct rpc_client *rpc;
	struct err *e = msg_to_memfd(&boot_spec_desc, &plan->spec, &spec);

	if (e || (e = client_connect(&s->dir, &rpc)))
		return e;
	request.spec = spec;
	e = RPC_CALL(rpc, control, create, &request, &reply, &a, CREATE_MS);
	if (!e)
		msg_free(&control_create_reply_desc, &reply, &a);
	rpc_client_free(rpc);
	return e;
}

static struct err *start_stand_in(struct context *c, const struct plan *plan, const int *stdio, struct sandbox *s)
{
	const struct attach_options ao = { .dir = &s->dir, .master = -1, .terminal = plan->spec.process.terminal ? stdio[0] : 0 };
	const struct cgroup cgroup = cgroup_of(&s->state);
	pid_t pid;
	struct err *e = stand_in_start(&ao, pool_printf(c->pool, "redoubt-container %s", s->dir.id), c->g->log_fd, &cgroup, &pid);

	if (e)
		return e;
	s->sentry_id = proc_identify(pid);
	s->state.sentry = &s->sentry_id;
	return cgroup_add(&cgroup, pid);
}

/* Up to what the sentry knows of it. */
static struct err *make_inside(struct context *c, const struct plan *plan, int *stdio, unsigned n_stdio, struct sandbox *s, int *boot_errno)
{
	_cleanup_close_ int gofer = -1, gofer_sentry = -1, words = -1;
	struct failure f = { .pool = c->pool, .gofer = &s->gofer_id, .gofer_is_ours = true };
	struct err *e;

	if ((e = making_pair(&gofer, &gofer_sentry)) || (e = failure_words_file(&words)) || (e = start_gofer(c, plan, s, gofer, words)))
		return e;
	fd_close(&gofer);
	if (!(e = ask_create(plan, s, gofer_sentry, stdio, n_stdio)))
		return NULL;
	*boot_errno = err_errno(e);
	f.words = words;
	return err_errno(e) == ECONNRESET ? failure_explain(&f, e) : e;
}

struct err *subcontainer_make(struct context *c, const struct plan *plan, int *stdio, unsigned n_stdio, struct sandbox *s, int *boot_errno)
{
	struct err *e;

	if ((e = state_enter_sandbox(&s->dir, plan->sandbox)) || (e = making_cgroup(c, plan, s)) ||
		(e = make_inside(c, plan, stdio, n_stdio, s, boot_errno)) || (e = start_stand_in(c, plan, stdio, s)))
		return e;
	for (enum hook_kind kind = HOOK_PRESTART; kind <= HOOK_CREATE_CONTAINER; kind++) {
		if ((e = hooks_run(&s->state, kind, "creating", s->sentry_id.pid)))
			return e;
	}
	s->state.phase = "created";
	if ((e = state_write(&s->dir, &s->state)))
		return e;
	fd_close(&s->dir.lock);
	return NULL;
}
