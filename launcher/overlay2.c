/*
 * overlay2.c - see overlay2.h.
 */
#include "overlay2.h"

#include <string.h>
#include <sys/stat.h>

struct meaning {
	bool root, binds;
	const char *options; /* of the upper layer, a tmpfs */
};

/* ":memory", ":memory,size=N" */
static struct err *understand_medium(const char *value, const char *medium, struct meaning *out)
{
	static const char memory[] = ":memory";
	size_t len = strcspn(medium, ",=");

	if (len != strlen(memory) || strncmp(medium, memory, len))
		return err_new(0, "--overlay2: '%.64s': changes are kept in memory only (:memory), not in a file or directory of the host", value);
	medium += len;
	if (*medium && strncmp(medium, ",size=", 6))
		return err_new(0, "--overlay2: '%.64s' is not supported: size=N is the only option", value);
	out->options = *medium ? medium + 1 : "";
	if (strchr(out->options, ','))
		return err_new(0, "--overlay2: '%.64s': one size= is enough", value);
	return NULL;
}

static struct err *understand(const char *value, struct meaning *out)
{
	size_t len;

	*out = (struct meaning){ 0 };
	if (!value || !strcmp(value, "none"))
		return NULL;
	len = strcspn(value, ":");
	out->root = true;
	out->binds = len == 3 && !strncmp(value, "all", 3);
	if (!out->binds && (len != 4 || strncmp(value, "root", 4)))
		return err_new(0, "--overlay2: '%.64s' must be none, root:memory or all:memory", value);
	return understand_medium(value, value + len, out);
}

/* A bind that could be written to.  Single files are as they are: a mount of a
 * file has no names to put anything under.  So is what a hint of the pod's names:
 * its containers talk to each other in it. */
static bool takes_overlay(const struct plan *plan, const struct boot_mount *m)
{
	const struct plan_tree *t = &plan->trees.v[m->tree];
	struct stat st;

	if (strcmp(m->type.p, "gofer") || (m->volume.len && !strncmp(m->volume.p, "hint ", 5)) || t->readonly)
		return false;
	return t->overlay || (!stat(t->path, &st) && S_ISDIR(st.st_mode));
}

static void put_over(struct plan *plan, struct boot_mount *m, const char *options)
{
	m->overlay = 1;
	m->volume = msg_str(""); /* the changes are this mount's own */
	m->options = msg_str(options);
	plan->trees.v[m->tree].readonly = true; /* nobody writes to it any more */
}

struct err *overlay2_apply(const char *value, struct plan *plan)
{
	struct meaning meaning;
	struct err *e = understand(value, &meaning);

	if (e)
		return e;
	if (meaning.root)
		put_over(plan, &plan->mounts.v[0], meaning.options);
	for (size_t i = 1; meaning.binds && i < plan->mounts.n; i++) {
		if (takes_overlay(plan, &plan->mounts.v[i]))
			put_over(plan, &plan->mounts.v[i], meaning.options);
	}
	return NULL;
}
