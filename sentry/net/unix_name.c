/*
 * unix_name.c - names of unix sockets: paths (the inode remembers its socket in
 * inode->bound, under a_mu) and abstract names (a table in the net_stack).
 * Neither holds a reference: a socket takes its name away when it is closed.
 */
#include "net/stack.h"

#include "vfs/cred.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_OFF offsetof(struct linux_sockaddr_un, path)

/* 0, or -EINVAL; *abstract for names that begin with NUL. */
static int check_addr(const struct sockaddr_buf *a, bool *abstract)
{
	if (a->len <= PATH_OFF || a->len > sizeof(struct linux_sockaddr_un) || a->family != LINUX_AF_UNIX)
		return -EINVAL;
	*abstract = !a->un.path[0];
	return 0;
}

static void path_of(const struct sockaddr_buf *a, char out[sizeof(a->un.path) + 1])
{
	size_t n = a->len - PATH_OFF;

	memcpy(out, a->un.path, n);
	out[n] = '\0';
}

static unsigned bucket_of(const struct sockaddr_buf *a, int type)
{
	uint32_t h = 2166136261u ^ (uint32_t)type;

	for (uint32_t i = 0; i < a->len; i++)
		h = (h ^ a->bytes[i]) * 16777619u;
	return h % NAME_BUCKETS;
}

/* net->mu held */
static struct socket *find_abstract(struct net_stack *n, const struct sockaddr_buf *a, int type)
{
	struct socket *s;

	LIST_FOREACH(s, &n->abstract[bucket_of(a, type)], name_link)
		if (s->type == type && s->name->addr.len == a->len && !memcmp(s->name->addr.bytes, a->bytes, a->len))
			return s;
	return NULL;
}

/* s->name is set already. -EADDRINUSE */
static int insert_abstract(struct socket *s, const struct sockaddr_buf *a)
{
	struct net_stack *n = s->net;
	int r = 0;

	mutex_lock(&n->mu);
	if (find_abstract(n, a, s->type)) {
		r = -EADDRINUSE;
	} else {
		LIST_INSERT_HEAD(&n->abstract[bucket_of(a, s->type)], s, name_link);
		s->named = true;
	}
	mutex_unlock(&n->mu);
	return r;
}

/* Gives s the name unless it has one. 0 or -EINVAL. */
static int claim_name(struct socket *s, struct sock_name *name)
{
	int r = 0;

	mutex_lock(&s->mu);
	if (s->name)
		r = -EINVAL;
	else
		s->name = name;
	mutex_unlock(&s->mu);
	return r;
}

static void unclaim_name(struct socket *s)
{
	struct sock_name *n;

	mutex_lock(&s->mu);
	n = s->name;
	s->name = NULL;
	mutex_unlock(&s->mu);
	sock_name_put(n);
}

static int make_inode(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a)
{
	struct walk w = { .fs = c->fs, .cred = c->cred };
	char name[sizeof(a->un.path) + 1];
	struct inode *i;
	struct path made;
	uint32_t mask;
	int r;

	path_of(a, name);
	mutex_lock(&c->fs->mu);
	mask = c->fs->umask;
	mutex_unlock(&c->fs->mu);
	r = vfs_mknod(&w, name, S_IFSOCK | (0777 & ~mask), 0, &made);
	if (r)
		return r == -EEXIST ? -EADDRINUSE : r;
	i = made.dentry->inode;
	if (!i) { /* unlinked already */
		path_put(&made);
		return 0;
	}
	inode_get(i);
	mutex_lock(&s->mu);
	s->path = made;
	s->inode = i;
	mutex_unlock(&s->mu);
	mutex_lock(&i->a_mu);
	i->bound = (struct unix_bound *)s;
	mutex_unlock(&i->a_mu);
	return 0;
}

static int bind_as(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a, bool abstract)
{
	struct sock_name *n = sock_name_new(a);
	int r;

	if (!n)
		return -ENOMEM;
	r = claim_name(s, n);
	if (r) {
		sock_name_put(n);
		return r;
	}
	r = abstract ? insert_abstract(s, a) : make_inode(s, c, a);
	if (r)
		unclaim_name(s);
	return r;
}

/* Linux gives five hexadecimal digits after the NUL. */
int unix_autobind(struct socket *s)
{
	struct sockaddr_buf a = { .un = { .family = LINUX_AF_UNIX }, .len = PATH_OFF + 6 };
	char digits[8];
	int r = -ENOSPC;

	if (s->name)
		return 0;
	for (unsigned tries = 0; tries < 0x100000; tries++) {
		uint32_t n;

		mutex_lock(&s->net->mu);
		n = s->net->next_autobind++ & 0xfffff;
		mutex_unlock(&s->net->mu);
		snprintf(digits, sizeof(digits), "%05x", n);
		memcpy(a.un.path + 1, digits, 5);
		r = bind_as(s, NULL, &a, true);
		if (r != -EADDRINUSE)
			break;
	}
	return r;
}

int unix_bind(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a)
{
	struct sockaddr_buf b = *a;
	bool abstract;
	int r;

	if (a->len == sizeof(uint16_t) && a->family == LINUX_AF_UNIX)
		return unix_autobind(s);
	r = check_addr(a, &abstract);
	if (r)
		return r;
	if (!abstract) { /* getsockname counts the NUL in */
		b.len = PATH_OFF + strnlen(b.un.path, b.len - PATH_OFF) + 1;
		if (b.len - 1 < sizeof(b.bytes))
			b.bytes[b.len - 1] = 0;
	}
	return bind_as(s, c, &b, abstract);
}

static int find_by_path(const struct sock_caller *c, const struct sockaddr_buf *a, struct socket **out)
{
	struct walk w = { .fs = c->fs, .cred = c->cred, .flags = WALK_FOLLOW };
	char name[sizeof(a->un.path) + 1];
	struct socket *s = NULL;
	struct inode *i;
	struct path p;
	int r;

	path_of(a, name);
	r = vfs_walk(&w, name, &p);
	if (r)
		return r;
	i = p.dentry->inode;
	r = i ? vfs_permission(&p, 2, c->cred) : -ENOENT;
	if (!r) {
		mutex_lock(&i->a_mu);
		if (S_ISSOCK(i->mode) && i->bound) {
			s = (struct socket *)i->bound;
			if (!ref_get_unless_zero(&s->ref))
				s = NULL;
		}
		mutex_unlock(&i->a_mu);
		if (!s)
			r = -ECONNREFUSED;
	}
	path_put(&p);
	*out = s;
	return r;
}

static int find_by_abstract(struct socket *from, const struct sockaddr_buf *a, struct socket **out)
{
	struct net_stack *n = from->net;
	struct socket *s;

	mutex_lock(&n->mu);
	s = find_abstract(n, a, from->type);
	if (s && !ref_get_unless_zero(&s->ref))
		s = NULL;
	mutex_unlock(&n->mu);
	*out = s;
	return s ? 0 : -ECONNREFUSED;
}

int unix_find(struct socket *from, const struct sock_caller *c, const struct sockaddr_buf *a, struct socket **out)
{
	bool abstract;
	int r = check_addr(a, &abstract);

	if (r)
		return r;
	if (!abstract && !c->fs)
		return -EINVAL;
	r = abstract ? find_by_abstract(from, a, out) : find_by_path(c, a, out);
	if (r)
		return r;
	if ((*out)->type != from->type) {
		socket_put(*out);
		return -EPROTOTYPE;
	}
	return 0;
}

void unix_unbind(struct socket *s)
{
	struct inode *i;
	struct path p;

	mutex_lock(&s->net->mu);
	if (s->named)
		LIST_REMOVE(s, name_link);
	s->named = false;
	mutex_unlock(&s->net->mu);
	mutex_lock(&s->mu);
	p = s->path;
	i = s->inode;
	s->path = (struct path){ 0 };
	s->inode = NULL;
	mutex_unlock(&s->mu);
	if (!i)
		return;
	mutex_lock(&i->a_mu);
	if (i->bound == (struct unix_bound *)s)
		i->bound = NULL;
	mutex_unlock(&i->a_mu);
	inode_put(i);
	path_put(&p);
}

int unix_name(struct socket *s, bool peer, struct sockaddr_buf *out)
{
	struct sock_name *n;

	if (peer && !s->peer)
		return -ENOTCONN;
	*out = (struct sockaddr_buf){ .un = { .family = LINUX_AF_UNIX }, .len = sizeof(uint16_t) };
	mutex_lock(&s->mu);
	n = peer ? s->peer_name : s->name;
	if (n)
		*out = n->addr;
	mutex_unlock(&s->mu);
	return 0;
}
