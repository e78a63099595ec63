/*
 * flags.c - see flags.h.
 */
#include "flags.h"

#include <stddef.h>
#include <string.h>

#define PREFIX "dev.gvisor.flag."

static const struct flag {
	const char *name;
	size_t offset; /* in struct globals */
	bool is_text; /* else true or false */
} flags[] = {
	{ "debug", offsetof(struct globals, debug), false },
	{ "no-patch", offsetof(struct globals, no_patch), false },
	{ "overlay2", offsetof(struct globals, overlay2), true },
	{ "platform", offsetof(struct globals, platform), true },
	{ "strace", offsetof(struct globals, strace), false },
};

static const struct flag *find(const char *name)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (!strcmp(flags[i].name, name))
			return &flags[i];
	}
	return NULL;
}

static bool allowed(const struct globals *g, const char *name)
{
	for (size_t i = 0; i < g->allow_flags.n; i++) {
		if (!strcmp(g->allow_flags.v[i], name))
			return true;
	}
	return false;
}

static struct err *set(struct globals *g, const char *name, const char *value)
{
	const struct flag *f = find(name);
	bool on = !strcmp(value, "true") || !strcmp(value, "1");

	if (!f)
		return err_new(0, "annotation " PREFIX "%.64s: there is no such flag", name);
	if (!allowed(g, name))
		return err_new(0, "annotation " PREFIX "%s: the operator does not allow it (--allow-flag %s)", name, name);
	if (f->is_text)
		*(const char **)((char *)g + f->offset) = value;
	else if (on || !strcmp(value, "false") || !strcmp(value, "0"))
		*(bool *)((char *)g + f->offset) = on;
	else
		return err_new(0, "annotation " PREFIX "%s: '%.64s' is neither true nor false", name, value);
	return NULL;
}

struct err *flags_apply(struct context *c, const struct jmap *annotations)
{
	struct globals *copy = NULL;
	struct err *e = NULL;

	for (size_t i = 0; !e && i < annotations->n; i++) {
		if (strncmp(annotations->v[i].name, PREFIX, strlen(PREFIX)))
			continue;
		if (!copy) {
			copy = pool_alloc(c->pool, sizeof(*copy));
			*copy = *c->g;
			c->g = copy;
		}
		e = set(copy, annotations->v[i].name + strlen(PREFIX), annotations->v[i].value);
	}
	return e;
}
