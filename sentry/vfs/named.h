/*
 * named.h - what programs may be told of names: the attributes that a path leads to, or that
 * it leads nowhere (platform_tell_name).  Their stubs then answer by themselves.
 *
 * All that was ever told ends at once when a word is counted up, `changes`: whoever changes what
 * any path may lead to does so.  Most of these places are few and known:
 *	names that come, go and move, and mounts: under the dcache lock, as its writer;
 *	who may search a directory: vfs_setattr;
 *	attributes of what was told of: inode_changed(), for inodes that are marked;
 *	an age that begins (age.c), for what the host changes.
 * Who tells of a name takes the word's value before it walks, marks the inode before it looks at the
 * attributes, and tells with that value: what has changed meanwhile has ended it before it began.
 *
 * The other word, `roots`, is counted up when a root directory becomes another one, or somebody's
 * rights: who was told of names must then ask to be so again.
 *
 * Any thread; both words are atomic, and lie where stubs can read them.
 */
#ifndef SENTRY_VFS_NAMED_H
#define SENTRY_VFS_NAMED_H

#include "vfs/vfs.h"

/* At boot: where they are from now on; else they are the vfs's own. */
void names_words_set(struct vfs *v, _Atomic uint64_t *changes, _Atomic uint64_t *roots);
/* For what is told now: of an age that has not ended. */
uint64_t names_changes(struct vfs *v);
uint64_t names_roots(const struct vfs *v);
void names_changed(struct vfs *v);
void names_roots_changed(struct vfs *v);
/* How long the present age lasts, ns. */
int64_t names_hold_for(struct vfs *v);

/* Changes of its attributes end what was told, from here on. */
static inline void inode_mark_named(struct inode *i) { atomic_store(&i->named, true); }
/* The attributes of p, as just looked at, hold until inode_changed() says otherwise, or the age ends. */
bool named_is_steady(const struct path *p);

#endif
