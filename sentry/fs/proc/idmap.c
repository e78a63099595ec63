/*
 * idmap.c - /proc/PID/uid_map, gid_map and setgroups: the numbers of a process's
 * user namespace (user_namespaces(7)).
 */
#include "fs/proc/internal.h"

#include "abi/capability.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE UINT32_MAX /* how many ids the root has */

/* c->t's, a new reference (NULL: the root's). False: it has none any more. */
static bool user_ns_of(struct pctx *c, struct user_ns **out)
{
	struct cred *cr = c->t ? task_get_cred(c->t) : NULL;

	if (!cr)
		return false;
	user_ns_get(*out = cr->user_ns);
	cred_put(cr);
	return true;
}

/* As the reader counts what it maps to; its own namespace is shown as its parent counts. */
static int show_map(struct pctx *c, struct pbuf *b, bool group)
{
	const struct task *me = task_current();
	const struct user_ns *reader = me ? me->cred->user_ns : NULL;
	struct user_ns *ns;
	const struct id_map *m;

	if (!user_ns_of(c, &ns))
		return 0;
	if (!ns)
		pprintf(b, "%10u %10u %10u\n", 0, 0, WHOLE);
	else if (reader == ns)
		reader = ns->parent;
	m = ns ? group ? &ns->gids : &ns->uids : NULL;
	for (uint32_t i = 0, n = m ? atomic_load(&m->n) : 0; i < n; i++)
		pprintf(b, "%10u %10u %10u\n", m->v[i].first, user_ns_number(reader, group, m->v[i].kernel), m->v[i].count);
	user_ns_put(ns);
	return 0;
}

SHOW(show_uid_map)
{
	return show_map(c, b, false);
}

SHOW(show_gid_map)
{
	return show_map(c, b, true);
}

SHOW(show_setgroups)
{
	struct user_ns *ns;

	if (!user_ns_of(c, &ns))
		return 0;
	pprintf(b, "%s\n", ns && ns->no_setgroups ? "deny" : "allow");
	user_ns_put(ns);
	return 0;
}

static bool parse_number32(char **at, uint32_t *out)
{
	unsigned long long v;
	char *end;

	while (**at == ' ' || **at == '\t')
		++*at;
	if (**at < '0' || **at > '9')
		return false;
	v = strtoull(*at, &end, 10);
	*at = end;
	*out = (uint32_t)v;
	return v <= UINT32_MAX && (*end == ' ' || *end == '\t' || *end == '\n' || !*end);
}

/* "FIRST LOWER COUNT" a line. How many, or -EINVAL. */
static int parse_map(char *text, struct id_extent *v)
{
	int n = 0;

	for (char *at = text; *at; at += *at == '\n') {
		if (n == USER_NS_EXTENTS || !parse_number32(&at, &v[n].first) || !parse_number32(&at, &v[n].kernel) || !parse_number32(&at, &v[n].count))
			return -EINVAL;
		while (*at == ' ' || *at == '\t')
			at++;
		if (*at && *at != '\n')
			return -EINVAL;
		n++;
	}
	return n ? n : -EINVAL;
}

static ssize_t store_map(struct pctx *c, char *text, size_t n, bool group)
{
	struct id_extent *v = calloc(USER_NS_EXTENTS, sizeof(*v));
	struct user_ns *ns = NULL;
	int r = -EPERM;

	if (!v)
		return -ENOMEM;
	if (n >= PAGE_SIZE)
		r = -EINVAL;
	else if (user_ns_of(c, &ns) && ns && (r = parse_map(text, v)) > 0)
		r = user_ns_set_map(ns, group, v, (uint32_t)r, task_current()->cred);
	user_ns_put(ns);
	free(v);
	return r ? r : (ssize_t)n;
}

ssize_t store_uid_map(struct pctx *c, char *text, size_t n)
{
	return store_map(c, text, n, false);
}

ssize_t store_gid_map(struct pctx *c, char *text, size_t n)
{
	return store_map(c, text, n, true);
}

ssize_t store_setgroups(struct pctx *c, char *text, size_t n)
{
	const bool allow = !strncmp(text, "allow", 5), deny = !strncmp(text, "deny", 4);
	const char *rest = text + (allow ? 5 : 4);
	struct user_ns *ns = NULL;
	int r = -EPERM;

	if (n > 7 || (!allow && !deny) || strspn(rest, " \t\n") != strlen(rest))
		return -EINVAL;
	if (user_ns_of(c, &ns) && cred_capable_in(task_current()->cred, ns, LINUX_CAP_SYS_ADMIN))
		r = ns ? user_ns_set_setgroups(ns, allow) : allow ? 0 : -EPERM;
	user_ns_put(ns);
	return r ? r : (ssize_t)n;
}
