/*
 * files.h - serves files that only the sentry has to processes of the host (controld/view.h): a container's
 * /proc, and the tmpfs mounts of its configuration.  Event thread.
 *
 * Nothing is kept between requests: each names a tree (where the tmpfs is mounted; empty: /proc) and a
 * path below it.  Both are resolved anew, so mounts that the program has made or removed since are seen
 * by the caller too.
 */
#ifndef SENTRY_CONTROL_FILES_H
#define SENTRY_CONTROL_FILES_H

#include "control/container.h"
#include "vfs/file.h"

/* A tmpfs as a request finds it. */
struct tree {
	struct container *container;
	struct fs_context *fs; /* the container's root, and no umask */
	struct cred *cred; /* root, with the capabilities that concern files */
	struct path root;
};

/* -ENOENT: no tmpfs is mounted there.  Nothing is held then. */
int tree_enter(struct container *c, const char *where, struct tree *t);
void tree_leave(struct tree *t);
/* A walk that never leaves the tmpfs: by "..", link or mount. */
struct walk tree_walk(const struct tree *t);
/* What is at path, "" being the root; new references. */
int tree_find(const struct tree *t, const char *path, struct path *out);

/* Entries that are gathered for an answer. */
#define GATHERED_MAX 128
#define GATHERED_NAME 256
struct gathering {
	struct dirent_sink sink;
	struct control_file_entry rows[GATHERED_MAX];
	char names[GATHERED_MAX][GATHERED_NAME];
	uint32_t n;
};

/* procview.c: the same of /proc; 0 or -errno. */
int procview_look(struct container *c, const char *path, struct control_file_look_reply *out);
int procview_list(struct container *c, const char *path, int64_t *pos, struct dirent_sink *s);
int procview_read(struct container *c, const char *path, uint64_t offset, uint64_t size, char **text /* malloc'ed */, size_t *len);

#endif
