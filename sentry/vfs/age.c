/*
 * age.c - how long what is cached of a tree holds that the host changes now and then.
 *
 * An engine that runs a container also writes into its root (podman cp, docker cp).
 * Asking the gofer about every name each time, as for a tree that is shared, would
 * be slow for something so rare.  So such a tree (SUPER_AGES) is cached as one that
 * is ours alone, but what is known has an age, which ends after a second and with
 * each request from outside: what was learned at an earlier age is asked again
 * when it is used next.  A program sees a change within a second, and one that an
 * engine starts or signals sees at once what the engine did before.  There is no
 * timer: who uses the cache looks at the clock.
 *
 * Any thread; no locks.
 */
#include "lib/wait.h"
#include "vfs/internal.h"

#define AGE_NS INT64_C(1000000000)

uint32_t vfs_age(struct vfs *v)
{
	int64_t now = now_monotonic(), began = atomic_load(&v->age_began);

	if (now - began > AGE_NS && atomic_compare_exchange_strong(&v->age_began, &began, now)) {
		atomic_fetch_add(&v->age, 1);
		names_changed(v);
	}
	return atomic_load(&v->age);
}

void vfs_new_age(struct vfs *v)
{
	atomic_store(&v->age_began, now_monotonic());
	atomic_fetch_add(&v->age, 1);
	names_changed(v);
}

int64_t names_hold_for(struct vfs *v)
{
	return atomic_load(&v->age_began) + AGE_NS - now_monotonic();
}

bool super_knows_since(const struct superblock *sb, int64_t when)
{
	if (!(sb->sflags & SUPER_AGES))
		return true;
	vfs_age(sb->vfs);
	return when >= atomic_load(&sb->vfs->age_began);
}

int64_t super_knows_for(const struct superblock *sb, int64_t when)
{
	int64_t left;

	if (!(sb->sflags & SUPER_AGES))
		return INT64_MAX;
	if (!super_knows_since(sb, when))
		return 0;
	left = atomic_load(&sb->vfs->age_began) + AGE_NS - now_monotonic();
	return left > 0 ? left : 0;
}

bool dentry_is_old(const struct dentry *d)
{
	return d->sb->sflags & SUPER_AGES && !(d->flags & (DENTRY_PINNED | DENTRY_KEEPS)) && atomic_load(&d->age) != vfs_age(d->sb->vfs);
}

void dentry_renew(struct dentry *d, uint32_t age) { atomic_store(&d->age, age); }
