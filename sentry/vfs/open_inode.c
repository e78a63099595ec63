/*
 * open_inode.c - opens an inode that has no name in any directory (donated
 * host files): its dentry stands alone and shows the name given.
 */
#include "vfs/internal.h"

int file_open_inode(struct inode *i, const char *name, int flags, const struct cred *c, struct file **out)
{
	struct path p = { NULL, NULL };
	int ret;

	inode_get(i);
	p.dentry = dentry_new_anon(i->sb, name, i);
	if (!p.dentry) {
		inode_put(i);
		return -ENOMEM;
	}
	ret = vfs_open_path(&p, flags, c, out);
	path_put(&p);
	return ret;
}
