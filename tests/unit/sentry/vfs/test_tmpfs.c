/*
 * tmpfs: random writes, truncations, holes and appends against a model; names; the size limit;
 * extended attributes; what is freed.
 *
 * links: sentry/fs/tmpfs/dir.c sentry/fs/tmpfs/file.c sentry/fs/tmpfs/pages.c sentry/fs/tmpfs/super.c sentry/fs/tmpfs/xattr.c sentry/lib/lock.c sentry/lib/wait.c sentry/mm/env.c sentry/mm/fault.c sentry/mm/cow.c sentry/mm/madvise.c sentry/mm/memfile.c sentry/mm/memfile_freed.c sentry/mm/ranges.c sentry/mm/charge.c sentry/mm/huge.c sentry/mm/memobj.c sentry/mm/memobj_anon.c sentry/mm/mlock.c sentry/mm/mm.c sentry/mm/fork.c sentry/mm/mmap.c sentry/mm/mprotect.c sentry/mm/mremap.c sentry/mm/pma.c sentry/mm/safe_code.S sentry/mm/safe_copy.c sentry/mm/stub.c sentry/mm/stub_queue.c sentry/mm/text.c sentry/mm/text_event.c sentry/mm/text_known.c sentry/mm/text_cache.c sentry/mm/uio.c sentry/mm/usercopy.c sentry/mm/peek.c sentry/mm/vma.c sentry/mm/nothing.c sentry/vfs/age.c sentry/vfs/attr.c sentry/vfs/cred.c sentry/vfs/user_ns.c sentry/vfs/dcache.c sentry/vfs/dcache_move.c sentry/vfs/dcache_table.c sentry/vfs/dcache_find.c sentry/vfs/fdtable.c sentry/vfs/file.c sentry/vfs/fs_context.c sentry/vfs/idle.c sentry/vfs/inode.c sentry/vfs/locks.c sentry/vfs/mount.c sentry/vfs/idmap.c sentry/vfs/mount_attr.c sentry/vfs/mount_ns.c sentry/vfs/mount_ops.c sentry/vfs/mount_tree.c sentry/vfs/namei.c sentry/vfs/open.c sentry/vfs/path_name.c sentry/vfs/permission.c sentry/vfs/readdir.c sentry/vfs/rename.c sentry/vfs/named.c sentry/vfs/told.c sentry/vfs/vfs.c sentry/vfs/walk.c sentry/vfs/walk_ask.c sentry/vfs/xattr.c 
 */
#include "../mm/fake_platform.h"
#include "abi/fcntl.h"
#include "abi/fs.h"
#include "fs/tmpfs/tmpfs.h"
#include "mm/memfile.h"
#include "mm/usercopy.h"

#define MODEL (300 * 1024)

static uint64_t baseline; /* what the address spaces themselves use */
static struct vfs *v;
static struct mount_ns *ns;
static struct fs_context *fs;
static struct cred *root;

static void begin(const char *options)
{
	struct superblock *sb;

	fake_env();
	baseline = memfile_allocated(env.mf);
	v = vfs_new(3);
	vfs_mm_env_set(v, &env);
	ck_assert_int_eq(tmpfs_register(v), 0);
	ck_assert_int_eq(tmpfs_new(v, options, &sb), 0);
	ns = mount_ns_new(sb, 0);
	fs = fs_context_new(ns);
	root = cred_new();
	root->cap_effective = ~UINT64_C(0);
}

static struct walk walk_(void) { return (struct walk){ .fs = fs, .cred = root }; }

static struct file *open_it(const char *name, int flags)
{
	struct walk w = walk_();
	struct file *f = NULL;

	ck_assert_int_eq(vfs_open(&w, name, flags, 0644, &f), 0);
	return f;
}

static ssize_t put(struct file *f, const void *buf, size_t n, int64_t at)
{
	union {
		const void *c;
		void *v;
	} p = { .c = buf };
	struct uio u;

	uio_kernel(&u, p.v, n);
	return file_pwrite(f, &u, at);
}

static void one_change(struct file *f, uint8_t *model, size_t *size)
{
	static uint8_t buf[MODEL];
	size_t at = (size_t)rand() % (MODEL - 20000), n = (size_t)rand() % 20000 + 1;

	switch (rand() % 8) {
	case 0:
		ck_assert_int_eq(vfs_truncate_inode(f->inode, at, root), 0);
		if (at > *size)
			memset(model + *size, 0, at - *size);
		*size = at;
		break;
	case 1:
		ck_assert_int_eq(f->ops->fallocate(f, LINUX_FALLOC_FL_PUNCH_HOLE | LINUX_FALLOC_FL_KEEP_SIZE, (int64_t)at, (int64_t)n), 0);
		if (at < *size)
			memset(model + at, 0, at + n < *size ? n : *size - at);
		break;
	default:
		memset(buf, rand(), n);
		ck_assert_int_eq(put(f, buf, n, (int64_t)at), (ssize_t)n);
		if (at > *size)
			memset(model + *size, 0, at - *size);
		memcpy(model + at, buf, n);
		if (at + n > *size)
			*size = at + n;
	}
}

START_TEST(model)
{
	static uint8_t want[MODEL], got[MODEL];
	size_t size = 0;
	struct file *f;

	begin(NULL);
	f = open_it("/f", LINUX_O_CREAT | LINUX_O_RDWR);
	for (int i = 0; i < 3000; i++) {
		one_change(f, want, &size);
		ck_assert_uint_eq(f->inode->size, size);
		if (i % 10)
			continue;
		ck_assert_int_eq(file_read_kernel(f, got, sizeof(got), 0), (ssize_t)size);
		ck_assert(!memcmp(want, got, size));
	}
	file_put(f);
	struct walk w = walk_();
	ck_assert_int_eq(vfs_unlink(&w, "/f", false), 0);
	ck_assert_uint_eq(memfile_allocated(env.mf), baseline);
}
END_TEST

START_TEST(limit)
{
	static uint8_t buf[64 * 1024];
	struct kstatfs s;
	struct path p;
	struct file *f;

	begin("size=32k,nr_inodes=3,mode=0755");
	f = open_it("/f", LINUX_O_CREAT | LINUX_O_RDWR);
	ck_assert_int_eq(put(f, buf, sizeof(buf), 0), 32 * 1024);
	ck_assert_int_eq(put(f, buf, 1, 40 * 1024), -ENOSPC);
	fs_context_root(fs, &p);
	ck_assert_int_eq(vfs_statfs(&p, &s), 0);
	ck_assert_uint_eq(s.blocks, 8);
	ck_assert_uint_eq(s.bfree, 0);
	ck_assert_uint_eq(p.dentry->inode->mode & 07777, 0755);
	path_put(&p);
	struct walk w = walk_();
	ck_assert_int_eq(vfs_mkdir(&w, "/d", 0755), 0);
	w = walk_();
	ck_assert_int_eq(vfs_mkdir(&w, "/e", 0755), -ENOSPC);
	file_put(f);
}
END_TEST

START_TEST(unlinked_and_mapped)
{
	struct backing b;
	struct memobj *o;
	struct file *f;

	begin(NULL);
	f = open_it("/f", LINUX_O_CREAT | LINUX_O_RDWR);
	ck_assert_int_eq(put(f, "data", 4, 5000), 4);
	o = f->inode->obj;
	memobj_get(o);
	ck_assert_int_eq(o->ops->translate(o, 4096, 4096, ACCESS_READ, &b), 0);
	ck_assert(b.in_memfile && b.start <= 4096 && b.start + b.len == 8192);
	ck_assert(!memcmp((char *)memfile_ptr(env.mf, b.off + 4096 - b.start) + 904, "data", 4));
	ck_assert_int_eq(o->ops->translate(o, 8192, 4096, ACCESS_READ, &b), -EFAULT);
	struct walk w = walk_();
	ck_assert_int_eq(vfs_unlink(&w, "/f", false), 0);
	file_put(f);
	ck_assert_uint_gt(memfile_allocated(env.mf), baseline);
	memobj_put(o);
	ck_assert_uint_eq(memfile_allocated(env.mf), baseline);
}
END_TEST

START_TEST(xattrs)
{
	char buf[64];
	struct path p;

	begin(NULL);
	fs_context_root(fs, &p);
	ck_assert_int_eq(vfs_setxattr(&p, "user.a", "1", 1, 0, root), 0);
	ck_assert_int_eq(vfs_setxattr(&p, "trusted.b", "22", 2, 0, root), 0);
	ck_assert_int_eq(vfs_setxattr(&p, "user.a", "x", 1, LINUX_XATTR_CREATE, root), -EEXIST);
	ck_assert_int_eq(vfs_getxattr(&p, "trusted.b", buf, sizeof(buf), root), 2);
	ck_assert_int_eq(vfs_listxattr(&p, buf, sizeof(buf), root), 7 + 10);
	root->cap_effective = 0;
	ck_assert_int_eq(vfs_getxattr(&p, "trusted.b", buf, sizeof(buf), root), -ENODATA);
	ck_assert_int_eq(vfs_listxattr(&p, buf, sizeof(buf), root), 7);
	path_put(&p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tmpfs");
	TCase *c = tcase_create("tmpfs");
	SRunner *r;
	int failed;

	tcase_set_timeout(c, 30);
	tcase_add_test(c, model);
	tcase_add_test(c, limit);
	tcase_add_test(c, unlinked_and_mapped);
	tcase_add_test(c, xattrs);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
