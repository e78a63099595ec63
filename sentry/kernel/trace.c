/*
 * trace.c - trace sessions and their sinks.  See trace.h.
 *
 * A session lives until it is ended and the last event that is on its way to its sink
 * has come there.  Its sink is a descriptor of the operator's: a socket whose reader
 * is slow loses events, which are counted; one that has gone gets no more.
 */
#include "kernel/trace.h"

#include "kernel/task_table.h"
#include "lib/ref.h"
#include "libipc/fd.h"
#include "libipc/frame_io.h"
#include "libipc/log.h"
#include "libipc/protocols.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct session_sink {
	struct ref ref; /* the list's, and those that are sending */
	TAILQ_ENTRY(session_sink) link; /* [mu] */
	struct trace_options o; /* [I] o.name: own */
	char name[TRACE_NAME_MAX + 1]; /* [I] */
	_Atomic uint64_t sent, dropped;
	_Atomic bool broken;
};

struct tracer {
	struct mutex mu; /* RANK_LEAF */
	TAILQ_HEAD(, session_sink) all; /* [mu] */
	unsigned n; /* [mu] */
	_Atomic uint16_t wanted[TRACE_POINTS]; /* [mu to write] by anybody */
};

struct tracer *tracer_new(void)
{
	struct tracer *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	mutex_init(&r->mu, RANK_LEAF);
	TAILQ_INIT(&r->all);
	return r;
}

unsigned trace_wanted(const struct kernel *k, unsigned point)
{
	return k->tracer ? atomic_load_explicit(&k->tracer->wanted[point], memory_order_relaxed) : 0;
}

/* --- sessions ---------------------------------------------------------------------- */

static void session_put(struct session_sink *s)
{
	if (!ref_put(&s->ref))
		return;
	fd_close(&s->o.sink);
	free(s);
}

static struct session_sink *find_locked(struct tracer *r, const char *name)
{
	struct session_sink *s;

	TAILQ_FOREACH (s, &r->all, link)
		if (!strcmp(s->name, name))
			break;
	return s;
}

/* True: some calls are wanted. */
static bool sum_up_locked(struct tracer *r)
{
	struct session_sink *s;
	bool calls = false;

	for (unsigned p = 0; p < TRACE_POINTS; p++) {
		uint16_t fields = 0;

		TAILQ_FOREACH (s, &r->all, link)
			fields |= s->o.fields[p];
		atomic_store(&r->wanted[p], fields);
		calls |= p >= TRACE_ENTER && fields;
	}
	return calls;
}

/* Programs may be answering some of their calls themselves. */
static void watch_calls(struct kernel *k, bool calls)
{
	if (atomic_exchange(&k->traces_calls, calls) != calls)
		tasks_tell_again(k);
}

int trace_session_begin(struct kernel *k, const struct trace_options *o)
{
	struct tracer *r = k->tracer;
	struct session_sink *s = calloc(1, sizeof(*s));
	bool calls;
	int e = 0;

	if (!s)
		return -ENOMEM;
	s->o = *o;
	ref_init(&s->ref);
	snprintf(s->name, sizeof(s->name), "%s", o->name);
	mutex_lock(&r->mu);
	if (find_locked(r, s->name))
		e = -EEXIST;
	else if (r->n == TRACE_SESSIONS_MAX)
		e = -ENOSPC;
	if (e) {
		mutex_unlock(&r->mu);
		free(s);
		return e;
	}
	TAILQ_INSERT_TAIL(&r->all, s, link);
	r->n++;
	calls = sum_up_locked(r);
	mutex_unlock(&r->mu);
	watch_calls(k, calls);
	return 0;
}

int trace_session_end(struct kernel *k, const char *name)
{
	struct tracer *r = k->tracer;
	struct session_sink *s;
	bool calls = false;

	mutex_lock(&r->mu);
	if ((s = find_locked(r, name))) {
		TAILQ_REMOVE(&r->all, s, link);
		r->n--;
		calls = sum_up_locked(r);
	}
	mutex_unlock(&r->mu);
	if (!s)
		return -ENOENT;
	watch_calls(k, calls);
	session_put(s);
	return 0;
}

unsigned trace_list(struct kernel *k, struct trace_info out[TRACE_SESSIONS_MAX])
{
	struct tracer *r = k->tracer;
	struct session_sink *s;
	unsigned n = 0;

	mutex_lock(&r->mu);
	TAILQ_FOREACH (s, &r->all, link) {
		struct trace_info *i = &out[n++];

		*i = (struct trace_info){ .sent = s->sent, .dropped = s->dropped, .broken = s->broken };
		memcpy(i->name, s->name, sizeof(i->name));
		for (unsigned p = 0; p < TRACE_POINTS; p++)
			i->points += !!s->o.fields[p];
	}
	mutex_unlock(&r->mu);
	return n;
}

/* --- sending ------------------------------------------------------------------------- */

static void give_up(struct session_sink *s, int errnum)
{
	if (!atomic_exchange(&s->broken, true))
		log_warning("trace session %s: its sink takes no more: %s", s->name, strerrorname_np(errnum));
}

/* 0 or a positive errno. */
static int send_to_socket(const struct session_sink *s, const struct frame *f)
{
	int e = frame_send_flags(s->o.sink, f, MSG_DONTWAIT);

	for (unsigned i = 0; e == EAGAIN && i < s->o.retries; i++) {
		poll(&(struct pollfd){ .fd = s->o.sink, .events = POLLOUT }, 1, 1);
		e = frame_send_flags(s->o.sink, f, MSG_DONTWAIT);
	}
	return e;
}

/* In one write, which goes behind all others: the file is open for appending. */
static int append_to_file(const struct session_sink *s, const struct frame *f)
{
	uint8_t envelope[FRAME_ENVELOPE_MAX], *all;
	size_t head = frame_envelope(envelope, f), n = head + f->body_len;
	ssize_t wrote;
	int e = 0;

	if (!(all = malloc(4 + n)))
		return EAGAIN;
	for (int i = 0; i < 4; i++)
		all[i] = (uint8_t)(n >> 8 * i);
	memcpy(all + 4, envelope, head);
	memcpy(all + 4 + head, f->body, f->body_len);
	wrote = write(s->o.sink, all, 4 + n);
	if (wrote != (ssize_t)(4 + n))
		e = wrote < 0 ? errno : ENOSPC; /* half an event: nothing behind it could be read */
	free(all);
	return e;
}

static void send_one(struct session_sink *s, const struct trace_event *e)
{
	struct frame f = { .kind = FRAME_EVENT, .method = e->id };
	struct err *err = msg_encode(e->desc, e->body, &f);
	int r = err ? EMSGSIZE : s->o.file ? append_to_file(s, &f) : send_to_socket(s, &f);

	if (err)
		log_warning("trace session %s: %s", s->name, err_text(err));
	err_free(err);
	frame_free(&f);
	if (!r) {
		atomic_fetch_add(&s->sent, 1);
		return;
	}
	atomic_fetch_add(&s->dropped, 1);
	if (r != EAGAIN && r != ENOBUFS && r != ENOMEM && r != EMSGSIZE)
		give_up(s, r);
}

static void blank_context(struct trace_context *c, unsigned fields)
{
	static const struct trace_ids nobody;

	if (!(fields & TRACE_TIME))
		c->time = 0;
	if (!(fields & TRACE_THREAD))
		c->thread = 0;
	if (!(fields & TRACE_THREAD_START))
		c->thread_start = 0;
	if (!(fields & TRACE_GROUP))
		c->group = 0;
	if (!(fields & TRACE_GROUP_START))
		c->group_start = 0;
	if (!(fields & TRACE_CONTAINER))
		c->container = msg_str("");
	if (!(fields & TRACE_CREDENTIALS)) {
		c->uid = c->gid = nobody;
		c->cap_effective = c->cap_permitted = 0;
	}
	if (!(fields & TRACE_CWD))
		c->cwd = msg_str("");
	if (!(fields & TRACE_PROCESS))
		c->process = msg_str("");
}

static void send_narrowed(struct session_sink *s, const struct trace_event *e)
{
	const unsigned fields = s->o.fields[e->point];
	struct trace_event own = *e;

	if (s->broken || !(own.body = malloc(msg_desc_size(e->desc)))) {
		atomic_fetch_add(&s->dropped, 1);
		return;
	}
	memcpy(own.body, e->body, msg_desc_size(e->desc));
	blank_context(own.body, fields);
	((struct trace_context *)own.body)->dropped = s->dropped;
	if (e->blank)
		e->blank(own.body, fields);
	send_one(s, &own);
	free(own.body);
}

void trace_send(struct kernel *k, const struct trace_event *e)
{
	struct session_sink *s, *to[TRACE_SESSIONS_MAX];
	struct tracer *r = k->tracer;
	unsigned n = 0;

	mutex_lock(&r->mu);
	TAILQ_FOREACH (s, &r->all, link) {
		if (s->o.fields[e->point]) {
			ref_get(&s->ref);
			to[n++] = s;
		}
	}
	mutex_unlock(&r->mu);
	for (unsigned i = 0; i < n; i++) {
		send_narrowed(to[i], e);
		session_put(to[i]);
	}
}
