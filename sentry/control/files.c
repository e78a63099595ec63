/*
 * files.c - control.file_look, file_list and file_read.  See files.h.
 */
#include "control/files.h"
#include "control/methods.h"

#include "abi/fcntl.h"
#include "abi/fs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- trees --------------------------------------------------------------------------- */

static int find_tmpfs(const struct tree *t, const char *where, struct path *out)
{
	struct walk w = { .fs = t->fs, .cred = t->cred, .flags = WALK_FOLLOW | WALK_DIRECTORY };
	int r = *where == '/' ? vfs_walk(&w, where, out) : -EINVAL;

	if (r || (path_is_mount_root(out) && !strcmp(out->dentry->sb->type->name, "tmpfs")))
		return r;
	path_put(out);
	return -ENOENT;
}

int tree_enter(struct container *c, const char *where, struct tree *t)
{
	int r = -ENOMEM;

	*t = (struct tree){ .container = c, .fs = fs_context_dup(c->fs), .cred = cred_new() };
	if (t->fs && t->cred) {
		t->fs->umask = 0;
		t->cred->cap_effective = t->cred->cap_permitted = 1u << LINUX_CAP_CHOWN | 1u << LINUX_CAP_DAC_OVERRIDE | 1u << LINUX_CAP_DAC_READ_SEARCH |
			1u << LINUX_CAP_FOWNER | 1u << LINUX_CAP_FSETID;
		r = find_tmpfs(t, where, &t->root);
	}
	if (r)
		tree_leave(t);
	return r;
}

void tree_leave(struct tree *t)
{
	if (t->root.mnt)
		path_put(&t->root);
	if (t->cred)
		cred_put(t->cred);
	if (t->fs)
		fs_context_put(t->fs);
	*t = (struct tree){ 0 };
}

struct walk tree_walk(const struct tree *t)
{
	return (struct walk){ .fs = t->fs, .cred = t->cred, .base = &t->root, .flags = WALK_BENEATH | WALK_NO_XDEV | WALK_NO_SYMLINKS };
}

int tree_find(const struct tree *t, const char *path, struct path *out)
{
	struct walk w = tree_walk(t);

	w.flags |= WALK_EMPTY;
	return vfs_walk(&w, path, out);
}

/* --- looking --------------------------------------------------------------------------- */

static int look(const struct path *p, struct control_file_look_reply *out)
{
	struct kstat st;
	int r = vfs_getattr(p, &st);

	if (!r)
		*out = (struct control_file_look_reply){
			.mode = st.mode,
			.inode = st.ino,
			.links = st.nlink,
			.uid = st.uid,
			.gid = st.gid,
			.size = st.size,
			.blocks = st.blocks,
			.atime = st.atime,
			.mtime = st.mtime,
			.ctime = st.ctime,
		};
	return r;
}

static int list(const struct tree *t, const struct path *p, int64_t *pos, struct dirent_sink *s)
{
	struct file *f;
	int r = LINUX_S_ISDIR(p->dentry->inode->mode) ? vfs_open_path(p, LINUX_O_RDONLY | LINUX_O_DIRECTORY, t->cred, &f) : -ENOTDIR;

	if (r)
		return r;
	f->pos = *pos; /* nobody else has f */
	r = f->ops->readdir ? f->ops->readdir(f, s) : -ENOTDIR;
	*pos = f->pos;
	file_put(f);
	return r < 0 ? r : 0;
}

static int read_content(const struct tree *t, const struct path *p, uint64_t offset, uint64_t size, char **text, size_t *len)
{
	struct file *f;
	ssize_t n;
	int r = LINUX_S_ISREG(p->dentry->inode->mode) ? vfs_open_path(p, LINUX_O_RDONLY, t->cred, &f) : -EINVAL;

	if (r)
		return r;
	*text = malloc(size ? size : 1);
	n = *text ? file_read_kernel(f, *text, size, (int64_t)offset) : -ENOMEM;
	file_put(f);
	*len = n < 0 ? 0 : (size_t)n;
	return n < 0 ? (int)n : 0;
}

static int read_some(const struct tree *t, const struct path *p, uint64_t offset, uint64_t size, char **text, size_t *len)
{
	int r;

	if (!LINUX_S_ISLNK(p->dentry->inode->mode))
		return read_content(t, p, offset, size, text, len);
	if (!(r = vfs_readlink(p, text)))
		*len = strnlen(*text, size);
	return r;
}

/* --- the methods ------------------------------------------------------------------------- */

/* Where in which tree; the references of both are held. */
struct found {
	struct tree tree;
	struct path at;
};

static int find(struct container *c, const char *where, const char *path, struct found *f)
{
	int r = tree_enter(c, where, &f->tree);

	if (!r && (r = tree_find(&f->tree, path, &f->at)))
		tree_leave(&f->tree);
	return r;
}

static void lose(struct found *f)
{
	path_put(&f->at);
	tree_leave(&f->tree);
}

static void refuse(struct rpc_call *call, int r, struct msg_str tree, struct msg_str path)
{
	rpc_fail(call, err_new(-r, "%s/%s", tree.len ? tree.p : "/proc", path.p));
}

void control_do_file_look(struct rpc_call *call, void *request)
{
	struct control_file_look *q = request;
	struct container *c = control_find(call, q->id);
	struct control_file_look_reply reply;
	struct found f;
	int r;

	if (!c)
		return;
	if (!q->tree.len) {
		r = procview_look(c, q->path.p, &reply);
	} else if (!(r = find(c, q->tree.p, q->path.p, &f))) {
		r = look(&f.at, &reply);
		lose(&f);
	}
	if (r)
		refuse(call, r, q->tree, q->path);
	else
		rpc_reply(call, &reply);
}

static int add(struct dirent_sink *s, const char *name, size_t len, uint64_t ino, unsigned type, int64_t next)
{
	struct gathering *g = (struct gathering *)s;
	char *copy = g->n < GATHERED_MAX ? g->names[g->n] : NULL;

	if (!copy || len >= GATHERED_NAME)
		return -ENOSPC;
	memcpy(copy, name, len);
	copy[len] = 0;
	g->rows[g->n++] = (struct control_file_entry){ .name = { copy, (uint32_t)len }, .inode = ino, .type = type, .next = (uint64_t)next };
	return 0;
}

void control_do_file_list(struct rpc_call *call, void *request)
{
	struct control_file_list *q = request;
	struct container *c = control_find(call, q->id);
	struct gathering *g = c ? calloc(1, sizeof(*g)) : NULL;
	int64_t pos = (int64_t)q->from;
	struct found f;
	int r = g ? 0 : -ENOMEM;

	if (!c)
		return;
	if (g)
		g->sink.add = add;
	if (g && !q->tree.len) {
		r = procview_list(c, q->path.p, &pos, &g->sink);
	} else if (g && !(r = find(c, q->tree.p, q->path.p, &f))) {
		r = list(&f.tree, &f.at, &pos, &g->sink);
		lose(&f);
	}
	if (r)
		refuse(call, r, q->tree, q->path);
	else
		rpc_reply(call, &(struct control_file_list_reply){ .entries = g->rows, .n_entries = g->n });
	free(g);
}

void control_do_file_read(struct rpc_call *call, void *request)
{
	struct control_file_read *q = request;
	struct container *c = control_find(call, q->id);
	char *text = NULL;
	size_t len = 0;
	struct found f;
	int r;

	if (!c)
		return;
	if (!q->tree.len) {
		r = procview_read(c, q->path.p, q->offset, q->size, &text, &len);
	} else if (!(r = find(c, q->tree.p, q->path.p, &f))) {
		r = read_some(&f.tree, &f.at, q->offset, q->size, &text, &len);
		lose(&f);
	}
	if (r)
		refuse(call, r, q->tree, q->path);
	else
		rpc_reply(call, &(struct control_file_read_reply){ .content = { (const uint8_t *)(len ? text : ""), (uint32_t)len } });
	free(text);
}
