/*
 * mount_ids.c - see mount_ids.h.  Pure.
 */
#include "mount_ids.h"

#include <stdlib.h>
#include <string.h>

#define RANGES_MAX 340 /* lines that the kernel takes */

struct ranges {
	struct oci_id_mapping *v;
	size_t n, cap;
};

/* Three numbers with '-' between; moves *s behind them. */
static bool read_range(const char **s, struct oci_id_mapping *out)
{
	uint64_t *const numbers[] = { &out->container, &out->host, &out->size };

	for (size_t i = 0; i < 3; i++) {
		char *end;

		if (**s < '0' || **s > '9' || (*numbers[i] = strtoul(*s, &end, 10)) > UINT32_MAX)
			return false;
		*s = end;
		if (i < 2 && *(*s)++ != '-')
			return false;
	}
	return out->size > 0;
}

/* The host's id behind the container's; false: it has none, or they do not lie together. */
static bool on_host(const struct oci_id_mappings *container, struct oci_id_mapping *r)
{
	for (size_t i = 0; i < container->n; i++) {
		const struct oci_id_mapping *c = &container->v[i];
		uint64_t within;

		if (r->host < c->container || r->host - c->container >= c->size)
			continue;
		within = r->host - c->container;
		r->host = c->host + within;
		return r->size <= c->size - within;
	}
	return !container->n; /* without a user namespace: the same */
}

/* "A-B-N#A-B-N", to the ';' or the end. */
static bool read_kind(const char **s, const struct oci_id_mappings *container, struct pool *p, struct oci_id_mappings *out)
{
	struct ranges r = { 0 };
	bool inside = **s == '@';

	*s += inside;
	do {
		struct oci_id_mapping one;

		*s += r.n > 0; /* the '#' */
		if (r.n == RANGES_MAX || !read_range(s, &one) || (inside && !on_host(container, &one)))
			return false;
		LIST_ADD(p, &r, one);
	} while (**s == '#');
	*out = (struct oci_id_mappings){ r.v, r.n };
	return true;
}

static bool read_option(const char *s, const struct id_maps *container, struct pool *p, struct id_maps *out)
{
	for (;;) {
		bool uids = !strncmp(s, "uids=", 5), known = uids || !strncmp(s, "gids=", 5);

		s += 5 * known;
		if (!known || !read_kind(&s, uids ? &container->uids : &container->gids, p, uids ? &out->uids : &out->gids))
			return false;
		if (!*s)
			return out->uids.n && out->gids.n;
		if (*s++ != ';')
			return false;
	}
}

struct err *mount_ids(const struct oci_mount *m, const struct mount_meaning *meaning, const struct id_maps *container, const char *where,
	struct pool *p, const struct id_maps **out)
{
	struct id_maps *r = pool_alloc(p, sizeof(*r));

	if (m->uid_mappings.n)
		*r = (struct id_maps){ m->uid_mappings, m->gid_mappings };
	else if (!meaning->id_maps)
		*r = *container;
	else if (!read_option(meaning->id_maps, container, p, r))
		return err_new(0, "%s.options: 'idmap=%.64s' is not uids=A-B-N;gids=A-B-N with ids that the container has", where, meaning->id_maps);
	if (!r->uids.n || !r->gids.n)
		return err_new(0, "%s.options: idmap without a map: the container has no user namespace whose map it could be", where);
	*out = r;
	return NULL;
}
