/*
 * holder.h - a mount of a single file, as a directory with only that file in it.
 *
 * A file that is known by an O_PATH descriptor alone cannot be opened again
 * without /proc; below a directory it has a name.
 */
#ifndef REDOUBT_LIBIPC_HOLDER_H
#define REDOUBT_LIBIPC_HOLDER_H

#define HOLDER_NAME "file"

/* A detached mount: a directory that has the mount file_mount (detached too, and
 * borrowed) at HOLDER_NAME.  Needs a mount namespace of this process's own, with
 * private mounts and a /proc, in which nothing is changed in the end.  -1, errno:
 * EPERM, ENOSYS or EINVAL where there is no privilege for it. */
int holder_make(int file_mount);

#endif
