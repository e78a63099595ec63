/*
 * sweep.c - see sweep.h.
 */
#include "sweep.h"

#include "sandbox.h"

#include "libipc/fd.h"

#include <errno.h>
#include <string.h>

/* "do-PID", which cmd_do.c makes. */
static bool named_by_do(const char *id)
{
	return !strncmp(id, "do-", 3) && id[3] && !id[3 + strspn(id + 3, "0123456789")];
}

static bool has_gone(const struct proc_id *id)
{
	_cleanup_close_ int fd = proc_open(id);

	return fd < 0;
}

/* With its lock, so that no launcher of it lives.  While its controld does, it is ending the sandbox. */
static struct err *remove_left(struct context *c, struct sandbox *s)
{
	struct err *e;

	if (!state_has_record(&s->dir))
		return state_remove(&s->dir); /* killed before it had begun, or when it had almost ended */
	if ((e = state_read(&s->dir, c->pool, &s->state)))
		return e;
	return s->state.transient && has_gone(s->state.controld) ? sandbox_destroy(s) : NULL;
}

static struct err *sweep_one(struct context *c, const char *id)
{
	struct sandbox s = SANDBOX_NONE;
	struct err *e = state_open(c->g->root, id, c->pool, &s.dir);

	if (!e && !(e = state_lock(&s.dir, false)))
		e = remove_left(c, &s);
	sandbox_close(&s);
	return e;
}

/* In use, or just removed by another: nothing to tell. */
static void tell(struct err *e)
{
	if (e && err_errno(e) != EBUSY && err_errno(e) != ENOENT)
		log_debug("what a killed command has left stays: %s", err_text(e));
	err_free(e);
}

void sweep(struct context *c)
{
	struct state_ids ids = { 0 };

	tell(state_list(c->g->root, c->pool, &ids));
	for (size_t i = 0; i < ids.n; i++) {
		if (named_by_do(ids.v[i]))
			tell(sweep_one(c, ids.v[i]));
	}
}
