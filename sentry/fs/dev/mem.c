/*
 * mem.c - the memory devices: null, zero, full, random, urandom.
 */
#include "fs/dev/dev.h"

#include "mm/mm.h"
#include "mm/usercopy.h"
#include "vfs/file.h"

#include <errno.h>
#include <sys/random.h>

#define MINOR_NULL 3
#define MINOR_ZERO 5
#define MINOR_FULL 7
#define MINOR_RANDOM 8
#define MINOR_URANDOM 9

static ssize_t null_read(struct file *f, struct uio *u, int64_t *pos)
{
	return 0;
}

static ssize_t null_write(struct file *f, struct uio *u, int64_t *pos)
{
	ssize_t n = (ssize_t)u->resid;

	uio_advance(u, u->resid);
	return n;
}

static ssize_t full_write(struct file *f, struct uio *u, int64_t *pos)
{
	return -ENOSPC;
}

static ssize_t zero_read(struct file *f, struct uio *u, int64_t *pos)
{
	static const uint8_t zeros[PAGE_SIZE];
	ssize_t done = 0;

	while (u->resid) {
		ssize_t n = uio_copy_out(u, zeros, u->resid < sizeof(zeros) ? u->resid : sizeof(zeros));

		if (n <= 0)
			return done ? done : n;
		done += n;
	}
	return done;
}

static ssize_t random_read(struct file *f, struct uio *u, int64_t *pos)
{
	ssize_t done = 0;

	while (u->resid) {
		uint8_t b[256];
		size_t want = u->resid < sizeof(b) ? u->resid : sizeof(b);
		ssize_t n;

		if (getrandom(b, want, 0) != (ssize_t)want)
			return done ? done : -EIO;
		n = uio_copy_out(u, b, want);
		if (n <= 0)
			return done ? done : n;
		done += n;
	}
	return done;
}

/* Entropy from the program is taken and not used. */
static ssize_t random_write(struct file *f, struct uio *u, int64_t *pos)
{
	return null_write(f, u, pos);
}

static int64_t no_llseek(struct file *f, int64_t off, int whence)
{
	return 0;
}

/* Mappings of /dev/zero are anonymous memory. */
static int zero_mmap(struct file *f, int prot, bool shared, struct memobj **obj)
{
	*obj = NULL;
	return 0;
}

static const struct file_ops null_ops = { .read = null_read, .write = null_write, .llseek = no_llseek };
static const struct file_ops zero_ops = { .read = zero_read, .write = null_write, .llseek = no_llseek, .mmap = zero_mmap };
static const struct file_ops full_ops = { .read = zero_read, .write = full_write, .llseek = no_llseek };
static const struct file_ops random_ops = { .read = random_read, .write = random_write, .llseek = no_llseek };

static int mem_open(struct inode *i, struct file *f)
{
	switch (i->rdev & 0xff) {
	case MINOR_NULL: f->ops = &null_ops; return 0;
	case MINOR_ZERO: f->ops = &zero_ops; return 0;
	case MINOR_FULL: f->ops = &full_ops; return 0;
	case MINOR_RANDOM:
	case MINOR_URANDOM: f->ops = &random_ops; return 0;
	default: return -ENXIO;
	}
}

int dev_register(struct vfs *v)
{
	return vfs_register_chrdev(v, 1, MINOR_NULL, MINOR_URANDOM - MINOR_NULL + 1, mem_open);
}
