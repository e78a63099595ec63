/*
 * mounts.c - /proc/PID/{mounts,mountinfo,mountstats}.
 */
#include "fs/proc/internal.h"

#include "abi/fs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX (5 * LINUX_PATH_MAX) /* all that mount(2) takes, escaped */

struct lines {
	struct pbuf *b;
	bool info;
};

/* Space, tab, newline, backslash and # are written in octal. */
static void escaped(struct pbuf *b, const char *s)
{
	for (; *s; s++) {
		if (strchr(" \t\n\\#", *s))
			pprintf(b, "\\%03o", (unsigned)*s);
		else
			pappend(b, s, 1);
	}
}

static void options(struct pbuf *b, unsigned flags)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {
		{ LINUX_MS_NOSUID, ",nosuid" }, { LINUX_MS_NODEV, ",nodev" }, { LINUX_MS_NOEXEC, ",noexec" }, { LINUX_MS_NOATIME, ",noatime" },
		{ LINUX_MS_NODIRATIME, ",nodiratime" }, { LINUX_MS_RELATIME, ",relatime" }, { LINUX_MS_NOSYMFOLLOW, ",nosymfollow" },
	};

	if (!(flags & (LINUX_MS_NOATIME | LINUX_MS_STRICTATIME))) /* what a mount has that asks for nothing else */
		flags |= LINUX_MS_RELATIME;
	pprintf(b, "%s", flags & LINUX_MS_RDONLY ? "ro" : "rw");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (flags & names[i].flag)
			pprintf(b, "%s", names[i].name);
}

static void super_options(struct pbuf *b, struct superblock *sb)
{
	char *extra = sb->ops->show_options ? malloc(OPTIONS_MAX) : NULL;
	int n = extra ? sb->ops->show_options(sb, extra, OPTIONS_MAX) : 0;

	if (n > 0)
		pappend(b, extra, (size_t)n < OPTIONS_MAX ? (size_t)n : OPTIONS_MAX - 1);
	free(extra);
}

static int one(const struct mount_info *m, void *arg)
{
	struct lines *l = arg;
	struct pbuf *b = l->b;
	const char *source = m->sb->source ? m->sb->source : m->sb->type->name;

	if (l->info) {
		pprintf(b, "%d %d %u:%u ", m->id, m->parent_id, (unsigned)(m->dev >> 8 & 0xfff), (unsigned)((m->dev & 0xff) | (m->dev >> 12 & 0xfff00)));
		escaped(b, m->root);
		pappend(b, " ", 1);
		escaped(b, m->point);
		pappend(b, " ", 1);
		options(b, m->flags);
		pprintf(b, " - %s ", m->sb->type->name);
		escaped(b, source);
		pprintf(b, " %s", m->sb->flags & LINUX_MS_RDONLY ? "ro" : "rw");
		super_options(b, m->sb);
		pappend(b, "\n", 1);
		return 0;
	}
	escaped(b, source);
	pappend(b, " ", 1);
	escaped(b, m->point);
	pprintf(b, " %s ", m->sb->type->name);
	options(b, m->flags | (m->sb->flags & LINUX_MS_RDONLY));
	super_options(b, m->sb);
	pprintf(b, " 0 0\n");
	return 0;
}

static int show(struct pctx *c, struct pbuf *b, bool info, int (*fn)(const struct mount_info *, void *))
{
	struct fs_context *fs = c->t ? task_get_fs(c->t) : NULL;
	struct lines l = { b, info };
	struct mount_ns *ns;
	struct path root;
	int ret;

	if (!fs)
		return -EINVAL;
	ns = fs_context_get_ns(fs); /* the task may leave it meanwhile */
	fs_context_root(fs, &root);
	ret = mount_ns_for_each(ns, &root, fn, &l);
	path_put(&root);
	mount_ns_put(ns);
	fs_context_put(fs);
	return ret;
}

static int stats_of(const struct mount_info *m, void *arg)
{
	struct lines *l = arg;

	pappend(l->b, "device ", 7);
	escaped(l->b, m->sb->source ? m->sb->source : m->sb->type->name);
	pappend(l->b, " mounted on ", 12);
	escaped(l->b, m->point);
	pprintf(l->b, " with fstype %s\n", m->sb->type->name);
	return 0;
}

SHOW(show_mountstats)
{
	return show(c, b, false, stats_of);
}

SHOW(show_mounts)
{
	return show(c, b, false, one);
}

SHOW(show_mountinfo)
{
	return show(c, b, true, one);
}

static void put_ns(void *ns)
{
	mount_ns_put(ns);
}

/* Those that the process is in as the file is opened. */
int watch_mounts(struct pctx *c, struct pwatch *out)
{
	struct fs_context *fs = c->t ? task_get_fs(c->t) : NULL;

	if (!fs)
		return -EINVAL;
	out->owner = fs_context_get_ns(fs);
	out->put = put_ns;
	out->changes = mount_ns_changes(out->owner, &out->wq);
	fs_context_put(fs);
	return 0;
}
