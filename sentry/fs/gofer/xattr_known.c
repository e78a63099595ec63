/*
 * xattr_known.c - which files lack an extended attribute, as far as that is known: most lack
 * all, and who asks for one asks file after file (ls -l, cp -a, getfacl -R).
 *
 * So who misses one soon after another brings what the files that became known after it say,
 * too: they are in the order in which a directory lists them, and a walk of the tree comes to
 * them.  How many is learnt as in ahead.c, for each attribute by itself.
 *
 * A node has a byte for each attribute, in one word with the tree's age (vfs/age.c) at which all
 * of them were asked for.  In a tree that others change at any time nothing is known.  What a
 * program may set (user.*) counts for XATTR_ANY only: what was asked for before one was set
 * is dropped, and so is what was known of the file.
 *
 * Any thread; the words change under s->mu and are read without.
 */
#include "fs/gofer/internal.h"

#include <string.h>

#define WINDOW_FIRST 8u
#define WINDOW_MAX 64u
#define NEAR 256u /* nodes, in the order of their coming: one miss is soon after another; and so far is looked for others */
#define AHEAD 0x80u /* in a byte: nobody asked for it yet */

static const char *const names[GNODE_XATTRS] = {
	[XATTR_CAPABILITY] = "security.capability",
	[XATTR_ACL_ACCESS] = "system.posix_acl_access",
	[XATTR_ACL_DEFAULT] = "system.posix_acl_default",
	[XATTR_ANY] = "",
};

int xattr_kind(const char *name)
{
	for (int k = 0; k < XATTR_ANY; k++)
		if (!strcmp(name, names[k]))
			return k;
	return -1;
}

static uint64_t byte_of(unsigned v, unsigned k) { return (uint64_t)v << 8 * k; }

/* The byte, or 0 when it does not count any more. */
static unsigned byte_at(const struct gnode *n, unsigned k, uint32_t age)
{
	uint64_t w = n->xattrs;

	return w >> 32 == age ? (unsigned)(w >> 8 * k) & 0xff : 0;
}

unsigned xattr_known(struct gnode *n, unsigned k)
{
	struct gofer_super *s = gsuper(n->sb);
	unsigned v = byte_at(n, k, gofer_age(s));

	if (v & AHEAD && atomic_fetch_and(&n->xattrs, ~byte_of(AHEAD, k)) & byte_of(AHEAD, k))
		atomic_fetch_add(&s->xattrs[k].used, 1);
	return v & ~AHEAD;
}

struct xattr_asking xattr_ask(struct gofer_super *s)
{
	struct xattr_asking a = { .age = gofer_age(s) };

	mutex_lock(&s->mu);
	a.sets = s->xattr_sets;
	mutex_unlock(&s->mu);
	return a;
}

static void learn_locked(struct gofer_super *s, struct gnode *n, unsigned k, unsigned v, const struct xattr_asking *a)
{
	uint64_t old = n->xattrs, w;

	if (k == XATTR_ANY && a->sets != s->xattr_sets)
		return;
	do {
		w = old >> 32 == a->age ? old & ~byte_of(0xff, k) : (uint64_t)a->age << 32;
	} while (!atomic_compare_exchange_weak(&n->xattrs, &old, w | byte_of(v, k)));
}

/* What an errno (or 0: it has one) says of a file. */
static unsigned meaning(uint64_t error)
{
	return error == ENODATA || error == EOPNOTSUPP ? (unsigned)error : error ? 0 : XATTR_HAS;
}

void xattr_learn(struct gnode *n, unsigned k, int error, const struct xattr_asking *a)
{
	struct gofer_super *s = gsuper(n->sb);
	unsigned v = meaning((uint64_t)error);

	if (!v || s->shared)
		return;
	mutex_lock(&s->mu);
	learn_locked(s, n, k, v, a);
	mutex_unlock(&s->mu);
}

void xattr_changing(struct gnode *n)
{
	struct gofer_super *s = gsuper(n->sb);

	mutex_lock(&s->mu);
	s->xattr_sets++;
	atomic_fetch_and(&n->xattrs, ~byte_of(0xff, XATTR_ANY));
	mutex_unlock(&s->mu);
}

/* --- several ------------------------------------------------------------------------- */

struct several {
	struct gnode *node[WINDOW_MAX]; /* a reference to its memobj each, but for the first */
	uint64_t handle[WINDOW_MAX];
	unsigned n;
};

static bool has_xattrs(const struct gnode *n) { return n->inode && (LINUX_S_ISREG(n->inode->mode) || LINUX_S_ISDIR(n->inode->mode)); }

/* Those that came after n. */
static void gather(struct several *v, struct gofer_super *s, struct gnode *n, unsigned k, unsigned window, uint32_t age)
{
	unsigned looks = 0;

	mutex_lock(&s->mu);
	n = n->hashed ? TAILQ_NEXT(n, come) : NULL;
	for (; n && v->n < window && looks++ < NEAR; n = TAILQ_NEXT(n, come)) {
		uint64_t handle = n->handles[0];

		if (!handle || gofer_handle_is_old(s, handle) || !has_xattrs(n) || byte_at(n, k, age))
			continue;
		memobj_get(&n->obj);
		v->node[v->n] = n;
		v->handle[v->n++] = handle;
	}
	mutex_unlock(&s->mu);
}

static void learn_several(struct several *v, struct gofer_super *s, unsigned k, const uint64_t *errors, const struct xattr_asking *a)
{
	mutex_lock(&s->mu);
	for (unsigned i = 0; i < v->n; i++)
		if (meaning(errors[i]))
			learn_locked(s, v->node[i], k, meaning(errors[i]) | (i ? AHEAD : 0), a);
	mutex_unlock(&s->mu);
	atomic_fetch_add(&s->xattrs[k].ahead.asked, v->n - 1);
}

static void ask_several(struct gnode *n, unsigned k, unsigned window)
{
	struct gofer_super *s = gsuper(n->sb);
	struct xattr_asking asking = xattr_ask(s);
	struct several v __attribute__((uninitialized));
	struct gofer_lacking_reply rep;
	struct msg_arena a = { NULL };
	struct gofer_lacking req = { .name = msg_str(names[k]), .nodes = v.handle };

	v.node[0] = n;
	v.handle[0] = gnode_handle(n);
	v.n = 1;
	if (v.handle[0])
		gather(&v, s, n, k, window, asking.age);
	req.n_nodes = v.n;
	if (v.n > 1 && !GCALL(s, lacking, &req, &rep, &a)) {
		if (rep.n_errors == v.n)
			learn_several(&v, s, k, rep.errors, &asking);
		GREPLY_FREE(lacking, &rep, &a);
	}
	for (unsigned i = 1; i < v.n; i++)
		memobj_put(&v.node[i]->obj);
}

unsigned xattr_ahead(struct gnode *n, unsigned k)
{
	struct gofer_super *s = gsuper(n->sb);
	struct gxattr *x = &s->xattrs[k];
	uint32_t before = atomic_exchange(&x->missed, n->number);

	if (s->shared || !before || n->number - before + NEAR > 2 * NEAR)
		return 0;
	ask_several(n, k, ahead_judge(&x->ahead, &x->used, WINDOW_MAX));
	return xattr_known(n, k);
}

void xattr_begin(struct gofer_super *s)
{
	for (unsigned k = 0; k < GNODE_XATTRS; k++)
		s->xattrs[k].ahead.window = WINDOW_FIRST;
}
