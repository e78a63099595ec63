/*
 * readdir.c - listing a directory of a union: a snapshot of all layers, without what whiteouts
 * hide, made when reading begins at 0; a position counts its entries.
 */
#include "fs/union/internal.h"

#include <stdlib.h>
#include <string.h>

#define DT_CHR 2

struct entry {
	uint64_t ino;
	uint32_t name, len; /* offset in names */
	uint8_t type;
	bool upper; /* the upper layer has it, */
	bool again; /* and a lower one too */
	bool hidden; /* a whiteout */
};

struct snapshot {
	struct dirent_sink sink; /* first */
	struct entry *e;
	uint32_t n, room;
	char *names;
	uint32_t used, size;
	uint32_t *index, n_index; /* by name: entry + 1; a power of 2, or 0 */
	bool upper; /* which is being read */
	int error;
};

static uint32_t hash(const char *name, uint32_t len)
{
	uint32_t h = 2166136261u;

	for (uint32_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)name[i]) * 16777619u;
	return h ^ h >> 15;
}

static bool is_named(const struct snapshot *s, const struct entry *e, const char *name, uint32_t len)
{
	return e->len == len && !memcmp(s->names + e->name, name, len);
}

/* The place of a name in the index, which has room. */
static uint32_t *slot(const struct snapshot *s, const char *name, uint32_t len)
{
	uint32_t mask = s->n_index - 1, i = hash(name, len) & mask;

	while (s->index[i] && !is_named(s, &s->e[s->index[i] - 1], name, len))
		i = (i + 1) & mask;
	return &s->index[i];
}

static int grow_index(struct snapshot *s)
{
	uint32_t n = s->n_index ? s->n_index * 2 : 128, *old = s->index;

	s->index = n ? calloc(n, sizeof(*s->index)) : NULL;
	if (!s->index) {
		s->index = old;
		return -ENOMEM;
	}
	s->n_index = n;
	for (uint32_t i = 0; i < s->n; i++)
		*slot(s, s->names + s->e[i].name, s->e[i].len) = i + 1;
	free(old);
	return 0;
}

static int make_room(struct snapshot *s, uint32_t len)
{
	int r = s->n_index / 2 <= s->n ? grow_index(s) : 0;

	if (!r && s->n == s->room) {
		uint32_t room = s->room ? s->room * 2 : 64;
		struct entry *e = room > s->room ? reallocarray(s->e, room, sizeof(*e)) : NULL;

		if (!e)
			return -ENOMEM;
		s->e = e;
		s->room = room;
	}
	if (!r && s->size - s->used < len) {
		uint32_t size = s->size * 2 + 4096;
		char *p = size > s->size ? realloc(s->names, size) : NULL;

		if (!p)
			return -ENOMEM;
		s->names = p;
		s->size = size;
	}
	return r;
}

/* What layers above have stays as it is. */
static int add(struct dirent_sink *sink, const char *name, size_t len, uint64_t ino, unsigned type, int64_t next)
{
	struct snapshot *s = (struct snapshot *)sink;
	uint32_t *at;

	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return 0;
	s->error = make_room(s, (uint32_t)len);
	if (s->error)
		return 1;
	at = slot(s, name, (uint32_t)len);
	if (*at) {
		s->e[*at - 1].again |= s->e[*at - 1].upper;
		return 0;
	}
	memcpy(s->names + s->used, name, len);
	s->e[s->n] = (struct entry){ .ino = ino, .name = s->used, .len = (uint32_t)len, .type = (uint8_t)type, .upper = s->upper };
	s->used += (uint32_t)len;
	*at = ++s->n;
	return 0;
}

static struct qstr entry_name(const struct snapshot *s, const struct entry *e) { return (struct qstr){ s->names + e->name, e->len }; }

/* Entries from `from` on are dir's, a layer's. */
static int find_whiteouts(struct snapshot *s, uint32_t from, struct dentry *dir, const struct cred *c)
{
	for (uint32_t i = from; i < s->n; i++) {
		struct qstr q = entry_name(s, &s->e[i]);
		struct dentry *d;
		int r;

		if (s->e[i].type != DT_CHR)
			continue;
		r = below_find(dir, &q, c, &d);
		if (r && r != -ENOENT)
			return r;
		s->e[i].hidden = r || is_whiteout(d->inode); /* or gone meanwhile */
		if (!r)
			dentry_put(d);
	}
	return 0;
}

static int read_layer(struct snapshot *s, struct dentry *dir, const struct cred *c)
{
	uint32_t first = s->n;
	struct file *f;
	int64_t before;
	int r = below_open(dir, LINUX_O_RDONLY | LINUX_O_DIRECTORY | LINUX_O_NOATIME, c, &f);

	if (r)
		return r;
	do {
		before = f->pos;
		r = f->ops->readdir ? f->ops->readdir(f, &s->sink) : -ENOTDIR; /* nobody else has f: no pos_mu */
	} while (!r && !s->error && f->pos != before);
	file_put(f);
	if (!r)
		r = s->error;
	return r ? r : find_whiteouts(s, first, dir, c);
}

static void free_snapshot(struct snapshot *s)
{
	if (!s)
		return;
	free(s->e);
	free(s->names);
	free(s->index);
	free(s);
}

static struct snapshot *new_snapshot(void)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (s)
		s->sink.add = add;
	return s;
}

static int take(struct inode *dir, struct snapshot **out)
{
	const struct cred *c = usuper(dir->sb)->cred;
	struct snapshot *s = new_snapshot();
	struct unode *n = unode(dir);
	struct dentry *upper = node_upper(n);
	int r = s ? 0 : -ENOMEM;

	if (!r && upper) {
		s->upper = true;
		r = read_layer(s, upper, c);
		s->upper = false;
	}
	for (unsigned l = 0; !r && l < n->n_lower; l++)
		r = read_layer(s, n->lower[l].d, c);
	if (r) {
		free_snapshot(s);
		return r;
	}
	*out = s;
	return 0;
}

int union_is_empty(struct inode *dir)
{
	struct snapshot *s;
	int r = take(dir, &s);

	if (r)
		return r;
	r = 1;
	for (uint32_t i = 0; i < s->n; i++)
		r &= s->e[i].hidden;
	free_snapshot(s);
	return r;
}

int union_clear_whiteouts(struct usuper *s, struct dentry *dir)
{
	struct snapshot *list = new_snapshot();
	int r = list ? read_layer(list, dir, s->cred) : -ENOMEM;

	for (uint32_t i = 0; !r && i < list->n; i++) {
		struct qstr q = entry_name(list, &list->e[i]);
		struct dentry *d;

		if (!list->e[i].hidden) {
			r = -ENOTEMPTY;
			break;
		}
		r = below_find(dir, &q, s->cred, &d);
		if (!r) {
			r = below_remove(dir, &q, d->inode, s->cred);
			dentry_put(d);
		} else if (r == -ENOENT) {
			r = 0;
		}
	}
	free_snapshot(list);
	return r;
}

/* --- open directories ---------------------------------------------------------------- */

/* What was copied up has the number of the lower one, which only the union's inode knows. */
static void number(struct snapshot *s, struct dentry *dir)
{
	for (uint32_t i = 0; i < s->n; i++) {
		struct qstr q = entry_name(s, &s->e[i]);
		struct dentry *d;

		if (!s->e[i].again || s->e[i].hidden || dentry_lookup(dir, &q, &d))
			continue;
		if (d->inode)
			s->e[i].ino = unode(d->inode)->ino;
		dentry_put(d);
	}
}

static void list(struct file *f, const struct snapshot *s, struct dirent_sink *sink)
{
	struct dentry *dir = f->path.dentry;

	if (f->pos == 0) {
		if (sink->add(sink, ".", 1, unode(dir->inode)->ino, LINUX_DT_DIR, 1))
			return;
		f->pos = 1;
	}
	if (f->pos == 1) {
		char name[LINUX_NAME_MAX + 1];
		struct dentry *up = dentry_parent(dir, name);
		bool full = sink->add(sink, "..", 2, unode((up ? up : dir)->inode)->ino, LINUX_DT_DIR, 2);

		dentry_put(up);
		if (full)
			return;
		f->pos = 2;
	}
	for (; f->pos - 2 < (int64_t)s->n; f->pos++) {
		const struct entry *e = &s->e[f->pos - 2];

		if (!e->hidden && sink->add(sink, s->names + e->name, e->len, e->ino, e->type, f->pos + 1))
			break;
	}
}

static int union_readdir(struct file *f, struct dirent_sink *sink)
{
	struct snapshot *s = f->priv;
	int r = 0;

	if (f->inode->iflags & INODE_DEAD)
		return -ENOENT;
	if (f->pos == 0 || !s) {
		r = take(f->inode, &s);
		if (r)
			return r;
		number(s, f->path.dentry);
		free_snapshot(f->priv);
		f->priv = s;
	}
	list(f, s, sink);
	return 0;
}

static int64_t dir_llseek(struct file *f, int64_t off, int whence)
{
	return whence == LINUX_SEEK_SET || whence == LINUX_SEEK_CUR ? llseek_size(f, off, whence, 0) : -EINVAL;
}

static int dir_fsync(struct file *f, bool data_only)
{
	struct usuper *s = usuper(f->inode->sb);
	struct dentry *upper = node_upper(unode(f->inode));
	struct file *real;
	int r;

	if (s->no_sync || !upper)
		return 0;
	r = below_open(upper, LINUX_O_RDONLY | LINUX_O_DIRECTORY, s->cred, &real);
	if (r)
		return r;
	r = real->ops->fsync ? real->ops->fsync(real, data_only) : 0;
	file_put(real);
	return r;
}

static void dir_release(struct file *f) { free_snapshot(f->priv); }

static const struct file_ops union_dir_ops = {
	.readdir = union_readdir,
	.llseek = dir_llseek,
	.fsync = dir_fsync,
	.release = dir_release,
};

int union_open_dir(struct file *f)
{
	f->ops = &union_dir_ops;
	return 0;
}
