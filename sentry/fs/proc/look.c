/*
 * look.c - /proc by path, without a mount and without a program that reads it, for the control protocol
 * (control/procview.c).  Any thread; no permission is checked, and nothing here waits for a program.
 */
#include "fs/proc/internal.h"
#include "fs/proc/proc.h"

#include "abi/fs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The node that path leads to; links are not followed. */
static int walk(struct kernel *k, struct pid_ns *ns, const char *path, struct pnode *n)
{
	*n = (struct pnode){ .e = &proc_root_entry, .fd = -1 };
	while (*path) {
		const struct pnode dir = *n;
		const struct qstr name = { path, (uint32_t)strcspn(path, "/") };
		struct pctx c;
		int r;

		path += name.len;
		if (!name.len || dir.e->kind != P_DIR)
			return name.len ? -ENOTDIR : -ENOENT;
		if (*path == '/' && !*++path)
			return -ENOENT;
		if ((r = pctx_begin_in(&c, k, ns, &dir)))
			return r;
		r = pnode_find(&c, &name, n);
		pctx_end(&c);
		if (r)
			return r;
	}
	return 0;
}

static int begin(struct pctx *c, struct kernel *k, struct pid_ns *ns, const char *path, struct pnode *n)
{
	int r = walk(k, ns, path, n);

	return r ? r : pctx_begin_in(c, k, ns, n);
}

int proc_look(struct kernel *k, struct pid_ns *ns, const char *path, struct proc_attr *out)
{
	struct pnode n;
	struct pctx c;
	int r = begin(&c, k, ns, path, &n);

	if (r)
		return r;
	*out = (struct proc_attr){ .ino = pnode_ino(&n), .mode = pnode_mode(&n), .nlink = n.e->kind == P_DIR ? 2 : 1 };
	out->nlink += n.e->count ? n.e->count(&c) : 0;
	pnode_owner(&c, &out->uid, &out->gid);
	pctx_end(&c);
	return 0;
}

int proc_list(struct kernel *k, struct pid_ns *ns, const char *path, int64_t *pos, struct dirent_sink *s)
{
	struct pnode n;
	struct pctx c;
	int r = begin(&c, k, ns, path, &n);

	if (r)
		return r;
	if (n.e->kind == P_DIR)
		pnode_list(&c, pos, s);
	else
		r = -ENOTDIR;
	pctx_end(&c);
	return r;
}

/* What the entry's own function makes. */
static int made(struct pctx *c, char **text, size_t *len)
{
	const struct pentry *e = c->node->e;
	struct pbuf b = { 0 };
	int r = e->kind == P_LINK ? e->link(c, &b) : e->show(c, &b);

	if (!r && b.failed)
		r = -ENOMEM;
	if (r) {
		free(b.p);
		return r;
	}
	*text = b.p;
	*len = b.len;
	return 0;
}

int proc_text(struct kernel *k, struct pid_ns *ns, const struct path *root, const char *path, char **text, size_t *len)
{
	struct pnode n;
	struct pctx c;
	int r = begin(&c, k, ns, path, &n);

	if (r)
		return r;
	*text = NULL;
	*len = 0;
	if (n.e->kind == P_MAGIC) {
		r = pctx_link_text(&c, n.e, root, text);
		*len = *text ? strlen(*text) : 0;
	} else if (n.e->kind == P_DIR) {
		r = -EISDIR;
	} else if (n.e->flags & PE_READER || (n.e->kind == P_FILE && !n.e->show)) {
		r = -EACCES; /* of the reader, who is none; or memory and the like */
	} else {
		r = made(&c, text, len);
	}
	pctx_end(&c);
	return r;
}
