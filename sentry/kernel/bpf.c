/*
 * bpf.c - see bpf.h: programs, their numbers and descriptors.  Any thread.
 */
#include "kernel/bpf.h"

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "kernel/kernel.h"
#include "lib/ebpf.h"
#include "lib/lock.h"
#include "lib/sha1.h"
#include "vfs/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bpf_progs {
	struct mutex mu; /* RANK_LEAF */
	LIST_HEAD(, bpf_prog) list; /* [mu] */
	uint32_t n, last_id; /* [mu] */
};

struct bpf_progs *bpf_progs_new(void)
{
	struct bpf_progs *all = calloc(1, sizeof(*all));

	if (all)
		mutex_init(&all->mu, RANK_LEAF);
	return all;
}

int bpf_prog_new(struct kernel *k, uint32_t type, unsigned n, struct bpf_prog **out)
{
	struct bpf_prog *p = calloc(1, sizeof(*p) + n * sizeof(p->insns[0]));

	if (!p)
		return -ENOMEM;
	ref_init(&p->ref);
	p->k = k;
	p->type = type;
	p->n = n;
	*out = p;
	return 0;
}

static struct bpf_prog *find_locked(struct bpf_progs *all, uint32_t id)
{
	struct bpf_prog *p;

	LIST_FOREACH(p, &all->list, link)
		if (p->id == id)
			return p;
	return NULL;
}

int bpf_prog_finish(struct bpf_prog *p, struct ebpf_fault *fault)
{
	static const struct ebpf_given device = { sizeof(struct linux_bpf_cgroup_dev), sizeof(uint32_t) }, nothing;
	struct bpf_progs *all = p->k->bpf;
	uint8_t digest[SHA1_SIZE];
	int r = ebpf_check(p->insns, p->n, p->type == LINUX_BPF_PROG_TYPE_CGROUP_DEVICE ? &device : &nothing, fault);

	if (r)
		return r;
	sha1(p->insns, p->n * sizeof(p->insns[0]), digest);
	memcpy(p->tag, digest, sizeof(p->tag));
	mutex_lock(&all->mu);
	if (all->n == BPF_PROGS_MAX) {
		r = -ENOSPC;
	} else {
		do
			p->id = ++all->last_id;
		while (!p->id || p->id > INT32_MAX || find_locked(all, p->id));
		LIST_INSERT_HEAD(&all->list, p, link);
		all->n++;
	}
	mutex_unlock(&all->mu);
	return r;
}

struct bpf_prog *bpf_prog_get(struct bpf_prog *p)
{
	ref_get(&p->ref);
	return p;
}

void bpf_prog_put(struct bpf_prog *p)
{
	struct bpf_progs *all = p ? p->k->bpf : NULL;

	if (!p || !ref_put(&p->ref))
		return;
	if (p->id) {
		mutex_lock(&all->mu);
		LIST_REMOVE(p, link);
		all->n--;
		mutex_unlock(&all->mu);
	}
	free(p);
}

struct bpf_prog *bpf_prog_find(struct kernel *k, uint32_t id)
{
	struct bpf_progs *all = k->bpf;
	struct bpf_prog *p;

	mutex_lock(&all->mu);
	p = find_locked(all, id);
	if (p && !ref_get_unless_zero(&p->ref))
		p = NULL;
	mutex_unlock(&all->mu);
	return p;
}

uint32_t bpf_prog_next(struct kernel *k, uint32_t id)
{
	struct bpf_progs *all = k->bpf;
	struct bpf_prog *p;
	uint32_t next = 0;

	mutex_lock(&all->mu);
	LIST_FOREACH(p, &all->list, link)
		if (p->id > id && (!next || p->id < next))
			next = p->id;
	mutex_unlock(&all->mu);
	return next;
}

/* --- descriptors ------------------------------------------------------------------------- */

static int show(struct file *f, char *buf, size_t size)
{
	const struct bpf_prog *p = f->priv;
	uint64_t tag;

	memcpy(&tag, p->tag, sizeof(tag));
	return snprintf(buf, size, "prog_type:\t%u\nprog_jited:\t0\nprog_tag:\t%016llx\nmemlock:\t4096\nprog_id:\t%u\n", p->type,
		(unsigned long long)__builtin_bswap64(tag), p->id);
}

static void release(struct file *f)
{
	bpf_prog_put(f->priv);
}

static const struct file_ops prog_ops = {
	.show_fdinfo = show,
	.release = release,
};

int bpf_prog_file(struct bpf_prog *p, const struct cred *c, struct file **out)
{
	int r = file_new_anon(p->k->vfs, &prog_ops, "bpf-prog", 0600, LINUX_O_RDWR, c, p, out);

	if (!r)
		(void)bpf_prog_get(p);
	return r;
}

struct bpf_prog *bpf_prog_of(struct file *f)
{
	return f->ops == &prog_ops ? f->priv : NULL;
}
