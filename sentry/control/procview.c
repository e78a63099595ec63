/*
 * procview.c - a container's /proc by path, for processes of the host.  See files.h.
 *
 * An answer is one frame at most; a longer text is requested piece by piece, and made anew for each.
 */
#include "control/files.h"
#include "fs/proc/proc.h"
#include "kernel/ns.h"

#include <errno.h>
#include <string.h>

int procview_look(struct container *c, const char *path, struct control_file_look_reply *out)
{
	struct proc_attr a;
	int64_t now = now_realtime();
	int r = proc_look(c->k, c->proxy->pid_for_children, path, &a);

	if (!r)
		*out = (struct control_file_look_reply){
			.mode = a.mode, .inode = a.ino, .links = a.nlink, .uid = a.uid, .gid = a.gid, .atime = now, .mtime = now, .ctime = now
		};
	return r;
}

int procview_list(struct container *c, const char *path, int64_t *pos, struct dirent_sink *s)
{
	return proc_list(c->k, c->proxy->pid_for_children, path, pos, s);
}

int procview_read(struct container *c, const char *path, uint64_t offset, uint64_t size, char **text, size_t *len)
{
	struct path root;
	int r;

	fs_context_root(c->fs, &root);
	r = proc_text(c->k, c->proxy->pid_for_children, &root, path, text, len);
	path_put(&root);
	if (r)
		return r;
	*len = *text && offset < *len ? *len - offset : 0;
	if (*len)
		memmove(*text, *text + offset, *len);
	if (*len > size)
		*len = size;
	return 0;
}
