/*
 * volumes.c - file systems that containers of the sandbox share: mounts of the
 * same volume are one superblock, so that locks, sockets, fifos and caches are
 * the same for all.  Event thread.
 *
 * The first to mount a volume brings its file system (and its gofer serves it);
 * it lives until the last container that uses it has gone.  What was made
 * read-only by its gofer is not shared with who may write.
 */
#include "control/container.h"

#include "abi/fs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct volume {
	LIST_ENTRY(volume) link; /* kernel's list */
	char *name;
	struct superblock *sb; /* referenced */
	unsigned users; /* containers, each mount counted */
};

struct volume_use {
	SLIST_ENTRY(volume_use) link;
	struct volume *volume;
};

static struct volume *find(struct kernel *k, const char *name, bool writable)
{
	struct volume *v;

	LIST_FOREACH (v, &k->volumes, link) {
		if (!strcmp(v->name, name) && !(writable && v->sb->flags & LINUX_MS_RDONLY))
			return v;
	}
	return NULL;
}

static void volume_put(struct volume *v)
{
	if (--v->users)
		return;
	LIST_REMOVE(v, link);
	super_put(v->sb);
	free(v->name);
	free(v);
}

static int use(struct container *c, struct volume *v)
{
	struct volume_use *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->volume = v;
	v->users++;
	SLIST_INSERT_HEAD(&c->volumes, u, link);
	return 0;
}

int volume_find(struct container *c, const char *name, bool writable, struct superblock **out)
{
	struct volume *v = find(c->k, name, writable);
	int ret = v ? use(c, v) : -ENOENT;

	if (ret)
		return ret;
	ref_get(&v->sb->ref);
	*out = v->sb;
	return 0;
}

int volume_add(struct container *c, const char *name, struct superblock *sb)
{
	struct volume *v = calloc(1, sizeof(*v));
	int ret = -ENOMEM;

	if (v && (v->name = strdup(name)))
		ret = use(c, v);
	if (ret) {
		if (v)
			free(v->name);
		free(v);
		return ret;
	}
	v->sb = sb;
	ref_get(&sb->ref);
	LIST_INSERT_HEAD(&c->k->volumes, v, link);
	return 0;
}

void volumes_leave(struct container *c)
{
	struct volume_use *u;

	while ((u = SLIST_FIRST(&c->volumes))) {
		SLIST_REMOVE_HEAD(&c->volumes, link);
		volume_put(u->volume);
		free(u);
	}
}
