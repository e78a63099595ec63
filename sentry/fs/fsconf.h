/*
 * fsconf.h - the descriptors of fsopen(2) and fspick(2): a file system that is being
 * configured, made or changed, with the messages that say why it was not.
 */
#ifndef SENTRY_FS_FSCONF_H
#define SENTRY_FS_FSCONF_H

#include "vfs/vfs.h"

struct fsconf;

/* fsopen: to make one of the type; fspick: to change sb. *out: a new file. */
int fsconf_new(struct vfs *v, const struct fs_type *type, const struct cred *c, struct file **out);
int fsconf_pick(struct superblock *sb, const struct cred *c, struct file **out);
struct fsconf *fsconf_of(const struct file *f); /* borrowed; NULL: not such a file */
const struct fs_type *fsconf_type(const struct fsconf *c);
struct user_ns *fsconf_owner(struct fsconf *c); /* of the file system that is to be changed; as long as c; NULL: the container's */

/* What a parameter is given as. */
enum fsconf_kind { FSCONF_FLAG, FSCONF_STRING, FSCONF_OTHER /* data, a path or a descriptor: no type takes one */ };

/* who: the caller (cred, fs). -EINVAL: not known, or not such a value; -EBUSY: not the time for it. */
int fsconf_set(struct fsconf *c, const struct fs_context_args *who, const char *key, enum fsconf_kind kind, char *value);
/* Makes the file system; may: the caller has the right to. -EPERM, -EBUSY, or the type's error. */
int fsconf_create(struct fsconf *c, const struct fs_context_args *who, bool may);
/* Takes the options as the file system's new ones. */
int fsconf_reconfigure(struct fsconf *c, bool may);
/* fsmount: a detached mount of what was made, in *out. may: whether it may be mounted with these flags (LINUX_MS_*).
 * -EINVAL: nothing was made; -EBUSY: it was mounted already. */
int fsconf_mount(struct fsconf *c, struct mount_ns *ns, unsigned flags, bool may, struct path *out);

#endif
