/*
 * bpf.h - programs of bpf(2), and control groups' programs that say which devices their processes may use.
 *
 * A program is checked as it is made (lib/ebpf.h), never changes, and lives as long as somebody has it: a
 * descriptor, or a group that it is attached to.  Those of a sandbox have numbers, by which root finds them.
 */
#ifndef SENTRY_KERNEL_BPF_H
#define SENTRY_KERNEL_BPF_H

#include "abi/bpf.h"
#include "lib/ref.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct bpf_progs;
struct cgroup;
struct cred;
struct ebpf_fault;
struct file;
struct kernel;

#define BPF_PROGS_MAX 1024u /* of a sandbox: with the bound of their instructions, 32 MB that the programs' limit does not count */

struct bpf_prog {
	struct ref ref;
	struct kernel *k; /* [I] as all others */
	uint32_t id, type;
	uint32_t uid; /* who made it */
	int64_t made; /* ns, monotonic */
	char name[LINUX_BPF_NAME_LEN];
	bool gpl;
	uint8_t tag[LINUX_BPF_TAG_SIZE];
	LIST_ENTRY(bpf_prog) link; /* [the list's mu] */
	unsigned n;
	struct linux_bpf_insn insns[];
};

struct bpf_progs *bpf_progs_new(void); /* NULL: no memory */

/* Of n (1..EBPF_MAX) instructions, without a number: a new reference in *out.  -ENOMEM */
int bpf_prog_new(struct kernel *k, uint32_t type, unsigned n, struct bpf_prog **out);
/* Its instructions are there: checks them, with *fault if they are refused, and gives it its number. As ebpf_check. -ENOSPC */
int bpf_prog_finish(struct bpf_prog *p, struct ebpf_fault *fault);
struct bpf_prog *bpf_prog_get(struct bpf_prog *p);
void bpf_prog_put(struct bpf_prog *p); /* NULL is fine */
struct bpf_prog *bpf_prog_find(struct kernel *k, uint32_t id); /* a new reference, or NULL */
uint32_t bpf_prog_next(struct kernel *k, uint32_t id); /* the least number above; 0: none */

int bpf_prog_file(struct bpf_prog *p, const struct cred *c, struct file **out); /* takes a reference. -ENOMEM ... */
struct bpf_prog *bpf_prog_of(struct file *f); /* borrowed while f is held; NULL: it is none */

/* --- programs that are attached together: never changed, replaced (cgroup_bpf.c) --- */

struct bpf_set;
void bpf_set_put(struct bpf_set *s); /* NULL is fine */

/* flags: LINUX_BPF_F_*, which fit each other; replace: with LINUX_BPF_F_REPLACE.
 * -EPERM: what is attached here or above does not allow it; -EINVAL: it is attached; -ENOENT: replace is not,
 * or g was removed; -E2BIG; -ENOMEM. */
int cgroup_attach_device(struct cgroup *g, struct bpf_prog *p, unsigned flags, struct bpf_prog *replace);
/* p: NULL for the only one, of a group that was attached to without LINUX_BPF_F_ALLOW_MULTI. -EINVAL, -ENOENT, -ENOMEM */
int cgroup_detach_device(struct cgroup *g, struct bpf_prog *p);
/* Their numbers, at most max of them, in ids: those of g, or those that are asked for its processes. How many there are. */
unsigned cgroup_query_device(struct cgroup *g, bool effective, uint32_t *ids, unsigned max, unsigned *flags);

#endif
