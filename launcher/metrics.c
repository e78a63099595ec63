/*
 * metrics.c - see metrics.h.
 *
 * The sandbox is not trusted: names and labels with characters that the format does not allow are left
 * out, and no more is printed of a sandbox than fits into its answer.
 */
#include "metrics.h"

#include "client.h"

#include <errno.h>
#include <string.h>

#define PREFIX "redoubt_"

/* One sandbox's answer. */
struct answer {
	const char *id;
	struct control_metrics_reply reply;
	struct msg_arena arena;
};

struct answers {
	struct answer *v;
	size_t n, cap;
};

static bool is_name(const struct msg_str *s)
{
	return s->len && strspn(s->p, "abcdefghijklmnopqrstuvwxyz0123456789_") == s->len && (s->p[0] < '0' || s->p[0] > '9');
}

static bool is_label(const struct msg_str *s)
{
	return strcspn(s->p, "\"\\\n") == s->len;
}

static struct err *ask(const struct state_dir *d, struct answer *out)
{
	const struct control_metrics request = { .id = msg_str(d->id) };
	struct rpc_client *rpc;
	struct err *e = client_connect(d, &rpc);

	if (e)
		return e;
	e = RPC_CALL(rpc, control, metrics, &request, &out->reply, &out->arena, CLIENT_QUICK_MS);
	rpc_client_free(rpc);
	return e;
}

static void print_samples(const struct answer *a, const struct control_metric *m, FILE *f)
{
	for (uint32_t i = 0; i < m->n_samples; i++) {
		const struct control_sample *s = &m->samples[i];

		if (!is_label(&s->label) || !s->label.len != !m->key.len)
			continue;
		fprintf(f, PREFIX "%s{sandbox=\"%s\"", m->name.p, a->id);
		if (m->key.len)
			fprintf(f, ",%s=\"%s\"", m->key.p, s->label.p);
		fprintf(f, "} %llu\n", (unsigned long long)s->value);
	}
}

/* A metric of the first sandbox that tells it, with those of the others. */
static void print_metric(const struct answers *all, size_t first, const struct control_metric *m, FILE *f)
{
	fprintf(f, "# HELP " PREFIX "%s %.*s\n# TYPE " PREFIX "%s %s\n", m->name.p, (int)strcspn(m->help.p, "\\\n"), m->help.p, m->name.p,
		m->counter ? "counter" : "gauge");
	for (size_t i = first; i < all->n; i++) {
		const struct control_metrics_reply *r = &all->v[i].reply;

		for (uint32_t k = 0; k < r->n_metrics; k++) {
			if (!strcmp(r->metrics[k].name.p, m->name.p) && (!r->metrics[k].key.len || is_name(&r->metrics[k].key)))
				print_samples(&all->v[i], &r->metrics[k], f);
		}
	}
}

static bool told_before(const struct answers *all, size_t n, uint32_t k)
{
	const char *name = all->v[n].reply.metrics[k].name.p;

	for (size_t i = 0; i <= n; i++) {
		for (uint32_t j = 0; j < (i < n ? all->v[i].reply.n_metrics : k); j++)
			if (!strcmp(all->v[i].reply.metrics[j].name.p, name))
				return true;
	}
	return false;
}

static void print_all(const struct answers *all, FILE *f)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct control_metrics_reply *r = &all->v[i].reply;

		for (uint32_t k = 0; k < r->n_metrics; k++)
			if (is_name(&r->metrics[k].name) && !told_before(all, i, k))
				print_metric(all, i, &r->metrics[k], f);
	}
}

/* One that has no sandbox of its own, or whose sandbox has gone, has no metrics: no error unless it was asked for. */
static struct err *gather(struct context *c, const char *id, bool must, struct answers *all)
{
	struct answer a = { .id = id };
	struct sandbox s = SANDBOX_NONE;
	struct err *e = sandbox_open(c, id, &s);

	if (!e && (must || !s.state.sandbox)) {
		if (!(e = ask(&s.dir, &a)))
			LIST_ADD(c->pool, all, a);
	}
	sandbox_close(&s);
	if (e && !must) {
		log_debug("%s: %s", id, err_text(e));
		err_free(e);
		e = NULL;
	}
	return e;
}

struct err *metrics_print(struct context *c, const char *only, FILE *f)
{
	struct answers all = { 0 };
	struct state_ids ids = { 0 };
	struct err *e = only ? gather(c, only, true, &all) : state_list(c->g->root, c->pool, &ids);

	for (size_t i = 0; !e && i < ids.n; i++)
		e = gather(c, ids.v[i], false, &all);
	if (!e)
		print_all(&all, f);
	for (size_t i = 0; i < all.n; i++)
		msg_free(&control_metrics_reply_desc, &all.v[i].reply, &all.v[i].arena);
	return e;
}
