/*
 * Names: walks through a file system that counts what it is asked; mounts, links, rights,
 * negative entries, descriptor tables, records of idle descriptors and record locks.
 *
 * links: sentry/vfs/age.c sentry/vfs/attr.c sentry/vfs/cred.c sentry/vfs/user_ns.c sentry/vfs/dcache.c sentry/vfs/dcache_move.c sentry/vfs/dcache_table.c sentry/vfs/dcache_find.c sentry/vfs/fdtable.c sentry/vfs/file.c sentry/vfs/fs_context.c sentry/vfs/idle.c sentry/vfs/inode.c sentry/vfs/locks.c sentry/vfs/mount.c sentry/vfs/idmap.c sentry/vfs/mount_attr.c sentry/vfs/mount_ns.c sentry/vfs/mount_ops.c sentry/vfs/mount_tree.c sentry/vfs/namei.c sentry/vfs/open.c sentry/vfs/path_name.c sentry/vfs/permission.c sentry/vfs/readdir.c sentry/vfs/rename.c sentry/vfs/named.c sentry/vfs/told.c sentry/vfs/vfs.c sentry/vfs/walk.c sentry/vfs/walk_ask.c sentry/vfs/xattr.c sentry/lib/lock.c sentry/lib/wait.c
 */
#include "abi/fcntl.h"
#include "abi/fs.h"
#include "mm/usercopy.h"
#include "lib/wait.h"
#include "platform/platform.h"
#include "vfs/file.h"
#include "vfs/idle.h"
#include "vfs/vfs.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void uio_kernel(struct uio *u, void *buf, uint64_t len) { *u = (struct uio){ .resid = len, .one = { (uintptr_t)buf, len } }; }

/* One address space's records. */
static _Atomic uint16_t records[4];
static bool records_out;
static const struct platform_records *in_use;

bool platform_records_get(struct platform_ctx *c, struct platform_records *r)
{
	if (records_out)
		return false;
	records_out = true;
	*r = (struct platform_records){ .at = records, .n = 4 };
	return true;
}

void platform_records_put(struct platform_records *r) { records_out = false; }

bool platform_records_use(struct platform_ctx *c, const struct platform_records *r)
{
	in_use = r;
	return r;
}

/* A lower tree of paths; lookups ask this table. */
static const struct {
	const char *path;
	uint32_t mode;
	const char *link;
} tree[] = {
	{ "a", LINUX_S_IFDIR | 0755, NULL },	    { "a/b", LINUX_S_IFDIR | 0755, NULL },    { "a/b/f", LINUX_S_IFREG | 0644, NULL },
	{ "a/private", LINUX_S_IFDIR | 0700, NULL }, { "a/private/f", LINUX_S_IFREG | 0644, NULL }, { "a/up", LINUX_S_IFLNK | 0777, "../a/b" },
	{ "abs", LINUX_S_IFLNK | 0777, "/a/b/f" },   { "loop", LINUX_S_IFLNK | 0777, "loop" },  { "m", LINUX_S_IFDIR | 0755, NULL },
};
static unsigned asked;
static const struct inode_ops ops;

static int lookup(struct inode *dir, const struct qstr *name, struct inode **out)
{
	char path[256];

	asked++;
	snprintf(path, sizeof(path), "%s%s%.*s", (char *)dir->priv, *(char *)dir->priv ? "/" : "", (int)name->len, name->name);
	for (size_t k = 0; k < sizeof(tree) / sizeof(tree[0]); k++)
		if (!strcmp(tree[k].path, path)) {
			*out = inode_new(dir->sb, &ops, k + 2, tree[k].mode);
			(*out)->priv = strdup(path);
			(*out)->link = tree[k].link ? strdup(tree[k].link) : NULL;
			return 0;
		}
	return 0;
}

static int open_file(struct inode *i, struct file *f)
{
	static const struct file_ops none;

	f->ops = &none;
	return 0;
}

static const struct inode_ops ops = { .lookup = lookup, .open = open_file };
static void evict(struct inode *i) { free(i->priv); }
static const struct super_ops super_ops_ = { .evict = evict };
static const struct fs_type type = { .name = "fake" };

static struct superblock *fake(struct vfs *v)
{
	struct superblock *sb = super_new(v, &type, &super_ops_);
	struct inode *i = inode_new(sb, &ops, 1, LINUX_S_IFDIR | 0755);

	i->priv = strdup("");
	sb->root = dentry_make_root(sb, i);
	return sb;
}

static struct vfs *v;
static struct mount_ns *ns;
static struct fs_context *fs;
static struct cred *root, *user;

static void setup(void)
{
	v = vfs_new(3);
	ns = mount_ns_new(fake(v), 0);
	fs = fs_context_new(ns);
	root = cred_new();
	root->cap_effective = ~UINT64_C(0);
	user = cred_dup(root);
	user->fsuid = user->fsgid = 1000;
	user->cap_effective = 0;
	asked = 0;
}

static int walk(const char *name, unsigned flags, struct cred *c, struct path *out)
{
	struct walk w = { .fs = fs, .cred = c, .flags = flags };

	return vfs_walk(&w, name, out);
}

static int try(const char *name, unsigned flags, struct cred *c)
{
	struct path p;
	int r = walk(name, flags, c, &p);

	if (!r)
		path_put(&p);
	return r;
}

START_TEST(cached)
{
	ck_assert_int_eq(try("/a/b/f", 0, root), 0);
	ck_assert_uint_eq(asked, 3);
	ck_assert_int_eq(try("/a/b/f", 0, root), 0);
	ck_assert_int_eq(try("a/./b/../b//f", 0, root), 0);
	ck_assert_uint_eq(asked, 3);
	ck_assert_int_eq(try("/a/none", 0, root), -ENOENT);
	ck_assert_int_eq(try("/a/none", 0, root), -ENOENT);
	ck_assert_uint_eq(asked, 4);
	ck_assert_int_eq(try("/a/new", WALK_CACHED, root), -EAGAIN);
}
END_TEST

START_TEST(errors)
{
	char longname[300];

	memset(longname, 'x', 299);
	longname[299] = 0;
	ck_assert_int_eq(try("", 0, root), -ENOENT);
	ck_assert_int_eq(try("/a/b/f/x", 0, root), -ENOTDIR);
	ck_assert_int_eq(try("/a/b/f/", 0, root), -ENOTDIR);
	ck_assert_int_eq(try("/a/b/", 0, root), 0);
	ck_assert_int_eq(try(longname, 0, root), -ENAMETOOLONG);
	ck_assert_int_eq(try("/loop", WALK_FOLLOW, root), -ELOOP);
	ck_assert_int_eq(try("/loop", 0, root), 0);
	ck_assert_int_eq(try("/a/private/f", 0, user), -EACCES);
	ck_assert_int_eq(try("/a/private/f", 0, root), 0);
	ck_assert_int_eq(try("/../../a", 0, user), 0);
}
END_TEST

START_TEST(links)
{
	struct path p;
	char buf[256];
	struct path top;

	ck_assert_int_eq(walk("/a/up/f", 0, root, &p), 0);
	fs_context_root(fs, &top);
	ck_assert_str_eq(vfs_path_name(&p, &top, buf, sizeof(buf)), "/a/b/f");
	path_put(&p);
	path_put(&top);
	ck_assert_int_eq(walk("/abs", WALK_FOLLOW, root, &p), 0);
	ck_assert_uint_eq(p.dentry->inode->ino, 4);
	path_put(&p);
	ck_assert_int_eq(try("/abs", WALK_FOLLOW | WALK_NO_SYMLINKS, root), -ELOOP);
	ck_assert_int_eq(try("abs", WALK_FOLLOW | WALK_BENEATH, root), -EXDEV);
	ck_assert_int_eq(try("..", WALK_BENEATH, root), -EXDEV);
	ck_assert_int_eq(try("a/..", WALK_BENEATH, root), 0);
}
END_TEST

START_TEST(mounts)
{
	struct path at, p, top;
	char buf[256];

	ck_assert_int_eq(walk("/m", 0, root, &at), 0);
	ck_assert_int_eq(vfs_mount(ns, &at, fake(v), LINUX_MS_RDONLY), 0);
	path_put(&at);
	ck_assert_int_eq(walk("/m/a/b", 0, root, &p), 0);
	fs_context_root(fs, &top);
	ck_assert_str_eq(vfs_path_name(&p, &top, buf, sizeof(buf)), "/m/a/b");
	ck_assert_int_eq(vfs_permission(&p, 2, root), -EROFS);
	ck_assert_int_eq(try("/m/a", WALK_NO_XDEV, root), -EXDEV);
	ck_assert_int_eq(try("/m/../a", 0, root), 0);
	ck_assert_int_eq(walk("/m", 0, root, &at), 0);
	ck_assert(path_is_mount_root(&at));
	ck_assert_int_eq(vfs_umount(ns, &at, 0), -EBUSY); /* p is in it */
	path_put(&p);
	ck_assert_int_eq(vfs_umount(ns, &at, 0), 0);
	path_put(&at);
	ck_assert_int_eq(walk("/m", 0, root, &at), 0);
	ck_assert(!path_is_mount_root(&at));
	path_put(&at);
	path_put(&top);
}
END_TEST

START_TEST(namespaces)
{
	struct path at, from;
	struct path nowhere[2] = { 0 };
	struct mount_ns *copy;

	ck_assert_int_eq(walk("/m", 0, root, &at), 0);
	ck_assert_int_eq(walk("/a", 0, root, &from), 0);
	ck_assert_int_eq(vfs_bind(ns, &from, &at, true), 0);
	ck_assert_int_eq(try("/m/b/f", 0, root), 0);
	copy = mount_ns_dup(ns, NULL, &nowhere[0], &nowhere[1]);
	ck_assert_ptr_nonnull(copy);
	mount_ns_put(copy);
	path_put(&at);
	ck_assert_int_eq(walk("/m", 0, root, &at), 0);
	ck_assert_int_eq(vfs_umount(ns, &at, LINUX_MNT_DETACH), 0);
	ck_assert_int_eq(try("/m/b/f", 0, root), -ENOENT);
	path_put(&at);
	path_put(&from);
}
END_TEST

static struct file *open_it(const char *name)
{
	struct walk w = { .fs = fs, .cred = root };
	struct file *f = NULL;

	ck_assert_int_eq(vfs_open(&w, name, LINUX_O_RDWR, 0, &f), 0);
	return f;
}

START_TEST(descriptors)
{
	struct fdtable *t = fdtable_new(), *u;
	struct file *f = open_it("/a/b/f");

	for (int i = 0; i < 40; i++) {
		file_get(f);
		ck_assert_int_eq(fd_install(t, f, 0, i == 7, 1024), i);
	}
	ck_assert_int_eq(fd_close_one(t, 3, NULL), 0);
	ck_assert_int_eq(fd_close_one(t, 3, NULL), -EBADF);
	ck_assert_ptr_null(fd_get(t, 3));
	u = fdtable_dup(t);
	fdtable_exec(u);
	ck_assert_ptr_null(fd_get(u, 7));
	ck_assert_int_eq(fd_get_cloexec(t, 7), 1);
	file_get(f);
	ck_assert_int_eq(fd_install(t, f, 0, false, 1024), 3);
	ck_assert_int_eq(fd_install(t, f, 0, false, 40), -EMFILE);
	ck_assert_int_eq(fd_close_range(t, 10, UINT32_MAX, false), 0);
	ck_assert_int_eq(fdtable_next(t, 10), -1);
	fdtable_put_table(t);
	fdtable_put_table(u);
	ck_assert_uint_eq(ref_count(&f->ref), 1);
	file_put(f);
}
END_TEST

START_TEST(idle)
{
	struct fdtable *t = fdtable_new(), *u;
	struct file *f = open_it("/a/b/f");
	struct waitq wq;

	waitq_init(&wq);
	f->wq = &wq;
	for (int i = 0; i < 6; i++) {
		file_get(f);
		ck_assert_int_eq(fd_install(t, f, 0, false, 1024), i);
	}
	ck_assert(!fdtable_idle_note(t, 1, f, EVENT_IN)); /* not begun */
	ck_assert(fdtable_idle_begin(t, NULL) && records_out && in_use);
	ck_assert(!fdtable_idle_note(t, 1, f, EVENT_IN)); /* not a file that touches */
	f->mode |= FILE_TOUCHES;
	ck_assert(!fdtable_idle_note(t, 1, f, EVENT_OUT) && !fdtable_idle_note(t, 5, f, EVENT_IN) && !fdtable_idle_note(t, -1, f, EVENT_IN));
	ck_assert(fdtable_idle_note(t, 1, f, EVENT_IN) && fdtable_idle_note(t, 1, f, EVENT_PRI) && fdtable_idle_note(t, 2, f, EVENT_IN));
	ck_assert_uint_eq(records[1], EVENT_IN | EVENT_PRI);
	waitq_touch(&wq, EVENT_OUT);
	ck_assert(!records[1] && !records[2]);
	ck_assert(fdtable_idle_note(t, 1, f, EVENT_IN) && records[1]);
	waitq_wake_one(&wq, EVENT_HUP);
	ck_assert(!records[1]);
	ck_assert(fdtable_idle_note(t, 1, f, EVENT_IN) && fdtable_idle_note(t, 2, f, EVENT_IN));
	fdtable_idle_not(t, 1);
	ck_assert(!records[1] && records[2] && fdtable_idle_note(t, 1, f, EVENT_IN));
	u = fdtable_dup(t);
	ck_assert(!fdtable_idle_begin(u, NULL)); /* another table has them */
	ck_assert_int_eq(fd_close_one(t, 1, NULL), 0);
	ck_assert(!records[1] && !fdtable_idle_note(t, 1, f, EVENT_IN));
	file_get(f);
	ck_assert_int_eq(fd_install_at(t, 2, f, false, 1024), 2);
	ck_assert(!records[2] && fdtable_idle_note(t, 2, f, EVENT_IN));
	fdtable_idle_end(t);
	ck_assert(!records[2] && !records_out && fdtable_idle_begin(u, NULL));
	ck_assert(fdtable_idle_note(u, 3, f, EVENT_IN));
	fdtable_put_table(t);
	fdtable_put_table(u);
	ck_assert(!records_out && !records[3] && TAILQ_EMPTY(&wq.waiters) && !wq.n && !wq.n_early);
	f->wq = NULL;
	file_put(f);
	waitq_destroy(&wq);
}
END_TEST

/* Random POSIX locks of two owners against one byte each in a model. */
START_TEST(lock_ranges)
{
	struct file *f = open_it("/a/b/f");
	char model[2][64] = { { 0 } };
	int owners[2];

	for (int n = 0; n < 20000; n++) {
		unsigned o = (unsigned)rand() % 2, start = (unsigned)rand() % 64, end = start + (unsigned)rand() % (64 - start);
		struct file_lock l = { .type = (int16_t)(rand() % 3), .start = start, .end = end, .owner = &owners[o] };
		bool conflict = false;

		for (unsigned i = start; i <= end; i++)
			if (l.type == LINUX_F_WRLCK ? model[!o][i] != 0 : l.type == LINUX_F_RDLCK && model[!o][i] == 'w')
				conflict = true;
		ck_assert_int_eq(file_lock_set(f, &l, false), conflict ? -EAGAIN : 0);
		if (!conflict)
			memset(model[o] + start, l.type == LINUX_F_UNLCK ? 0 : l.type == LINUX_F_WRLCK ? 'w' : 'r', end - start + 1);
	}
	for (unsigned i = 0; i < 64; i++) {
		struct file_lock l = { .type = LINUX_F_WRLCK, .start = i, .end = i, .owner = "nobody" };

		file_lock_get(f, &l);
		ck_assert_int_eq(l.type == LINUX_F_UNLCK, !model[0][i] && !model[1][i]);
	}
	file_put(f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vfs");
	TCase *c = tcase_create("names");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_test(c, cached);
	tcase_add_test(c, errors);
	tcase_add_test(c, links);
	tcase_add_test(c, mounts);
	tcase_add_test(c, namespaces);
	tcase_add_test(c, descriptors);
	tcase_add_test(c, idle);
	tcase_add_test(c, lock_ranges);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
