/*
 * work.c - the directory workdir/work: what becomes a name of the upper layer is made ready
 * there, and what ceases to be one is taken to pieces there.
 */
#include "fs/union/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORK "work"
#define LEVELS 2 /* as deep as Linux, too, clears what was left: it has no deeper itself */

void union_temp_name(struct usuper *s, struct temp_name *out)
{
	int n = snprintf(out->text, sizeof(out->text), "#%llx", (unsigned long long)atomic_fetch_add(&s->last_temp, 1) + 1);

	out->q = (struct qstr){ out->text, (uint32_t)n };
}

void union_discard(struct usuper *s, const struct qstr *name)
{
	struct dentry *d;
	int r = below_find(s->work, name, s->cred, &d);

	if (r)
		return; /* somebody else was faster */
	if (LINUX_S_ISDIR(d->inode->mode))
		r = union_clear_whiteouts(s, d);
	if (!r)
		r = below_remove(s->work, name, d->inode, s->cred);
	dentry_put(d);
	if (r)
		union_says(s->sb->vfs, "something is left in the work directory");
}

/* --- what an earlier mount has left ---------------------------------------------------------- */

#define NAMES_MAX 64 /* at a time */

struct names {
	struct dirent_sink sink; /* first */
	char name[NAMES_MAX][LINUX_NAME_MAX + 1];
	uint32_t len[NAMES_MAX];
	unsigned n;
};

static int note(struct dirent_sink *sink, const char *name, size_t len, uint64_t ino, unsigned type, int64_t next)
{
	struct names *l = (struct names *)sink;

	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return 0;
	if (l->n == NAMES_MAX || len > LINUX_NAME_MAX)
		return 1;
	memcpy(l->name[l->n], name, len);
	l->len[l->n++] = (uint32_t)len;
	return 0;
}

static int read_names(struct usuper *s, struct dentry *dir, struct names *l)
{
	struct file *f;
	int64_t before;
	int r = below_open(dir, LINUX_O_RDONLY | LINUX_O_DIRECTORY, s->cred, &f);

	l->sink.add = note;
	l->n = 0;
	if (r)
		return r;
	do {
		before = f->pos;
		r = f->ops->readdir ? f->ops->readdir(f, &l->sink) : -ENOTDIR;
	} while (!r && l->n < NAMES_MAX && f->pos != before);
	file_put(f);
	return r;
}

static int remove_tree(struct usuper *s, struct dentry *dir, const struct qstr *name, unsigned level);

/* Batch by batch: each must leave fewer. */
static int remove_children(struct usuper *s, struct dentry *dir, unsigned level)
{
	struct names *l = malloc(sizeof(*l));
	int r = l ? 0 : -ENOMEM;

	while (!r) {
		r = read_names(s, dir, l);
		if (r || !l->n)
			break;
		for (unsigned i = 0; !r && i < l->n; i++)
			r = remove_tree(s, dir, &(struct qstr){ l->name[i], l->len[i] }, level);
	}
	free(l);
	return r;
}

static int remove_tree(struct usuper *s, struct dentry *dir, const struct qstr *name, unsigned level)
{
	struct dentry *d;
	int r = below_find(dir, name, s->cred, &d);

	if (r)
		return r == -ENOENT ? 0 : r;
	if (level == 1 && name->len == 8 && !memcmp(name->name, "incompat", 8) && LINUX_S_ISDIR(d->inode->mode)) {
		union_says(s->sb->vfs, "the work directory was of a volatile mount, or of one with features that are not known: not mounted");
		r = -EINVAL;
	} else if (LINUX_S_ISDIR(d->inode->mode) && level < LEVELS) {
		r = remove_children(s, d, level + 1);
	}
	if (!r)
		r = below_remove(dir, name, d->inode, s->cred);
	dentry_put(d);
	return r;
}

/* --- making it --------------------------------------------------------------------------------- */

int union_make_work(struct usuper *s, struct dentry *workdir, struct dentry **out)
{
	struct below_new n = { .mode = LINUX_S_IFDIR, .by = s->cred, .owner = s->cred };
	struct qstr q = { WORK, sizeof(WORK) - 1 };
	int r = remove_tree(s, workdir, &q, 0);

	return r ? r : below_make(workdir, &q, &n, out);
}

int union_mark_volatile(struct usuper *s)
{
	struct below_new n = { .mode = LINUX_S_IFDIR | 0700, .by = s->cred, .owner = s->cred };
	struct dentry *d;
	int r = below_make(s->work, &(struct qstr){ "incompat", 8 }, &n, &d);

	if (r)
		return r;
	r = below_make(d, &(struct qstr){ "volatile", 8 }, &n, NULL);
	dentry_put(d);
	return r;
}
