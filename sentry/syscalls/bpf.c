/*
 * bpf.c - bpf(2): programs that say which devices the processes of a control group may use.  Programs of a group
 * for packets can be made, which libraries try before anything else, but not attached: there are no packets.
 */
#include "abi/bpf.h"

#include "abi/capability.h"
#include "fs/cgroup/cgroup.h"
#include "kernel/bpf.h"
#include "lib/ebpf.h"
#include "syscalls/fd_util.h"
#include "syscalls/fs_util.h"
#include "syscalls/syscall.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INSNS_MAX 1000000u /* of Linux: more are too many, whatever they are */
#define LICENSE_MAX 128
#define FLAGS_HINTS 15u /* about alignment, and for tests of the verifier: they change nothing */
#define ATTACH_FLAGS (LINUX_BPF_F_ALLOW_OVERRIDE | LINUX_BPF_F_ALLOW_MULTI | LINUX_BPF_F_REPLACE)
#define QUERY_MAX 4160u /* as many as can be asked for one group */

/* What follows a command's last field must be zero. */
#define REST_IS_ZERO(a, member, last) rest_is_zero(a, offsetof(union linux_bpf_attr, member) + offsetof(__typeof__((a)->member), last) + sizeof((a)->member.last))
static bool rest_is_zero(const union linux_bpf_attr *a, size_t from)
{
	const uint8_t *p = (const uint8_t *)a;

	for (size_t i = from; i < sizeof(*a); i++)
		if (p[i])
			return false;
	return true;
}

static bool may_bpf(const struct task *t)
{
	return cred_capable(t->cred, LINUX_CAP_BPF) || cred_capable(t->cred, LINUX_CAP_SYS_ADMIN);
}

static bool may_net(const struct task *t)
{
	return cred_capable(t->cred, LINUX_CAP_NET_ADMIN) || cred_capable(t->cred, LINUX_CAP_SYS_ADMIN);
}

/* A descriptor of p, or -errno. */
static int64_t give(struct task *t, struct bpf_prog *p)
{
	struct file *f;
	int r = bpf_prog_file(p, t->cred, &f);

	return r ? r : install_new(t, f, true);
}

/* The program that t's descriptor is, of that type (0: any): a new reference. -EBADF, -EINVAL */
static int prog_by_fd(struct task *t, int fd, uint32_t type, struct bpf_prog **out)
{
	struct file *f = fd_get(t->files, fd);
	struct bpf_prog *p = f ? bpf_prog_of(f) : NULL;
	int r = !f ? -EBADF : !p || (type && p->type != type) ? -EINVAL : 0;

	if (!r)
		*out = bpf_prog_get(p);
	if (f)
		file_put(f);
	return r;
}

/* --- making ------------------------------------------------------------------------------ */

static bool name_fits(const char name[LINUX_BPF_NAME_LEN])
{
	size_t n = strnlen(name, LINUX_BPF_NAME_LEN);

	return n < LINUX_BPF_NAME_LEN && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") == n;
}

static int check_load(const struct task *t, const struct linux_bpf_load *l)
{
	if (l->prog_flags & ~FLAGS_HINTS || l->prog_btf_fd || l->func_info_cnt || l->line_info_cnt || l->core_relo_cnt || l->attach_btf_id || l->attach_prog_fd ||
	    l->prog_ifindex || !name_fits(l->prog_name))
		return -EINVAL;
	if (!may_bpf(t))
		return -EPERM;
	if (!l->insn_cnt || l->insn_cnt > INSNS_MAX)
		return -E2BIG;
	if (l->prog_type == LINUX_BPF_PROG_TYPE_CGROUP_DEVICE)
		return !may_net(t) ? -EPERM : l->insn_cnt > EBPF_MAX ? -E2BIG : 0;
	if (l->prog_type != LINUX_BPF_PROG_TYPE_CGROUP_SKB || l->expected_attach_type > LINUX_BPF_CGROUP_INET_EGRESS)
		return -EINVAL;
	return l->insn_cnt > EBPF_MAX ? -E2BIG : 0;
}

static bool is_gpl(const char *license)
{
	static const char *const such[] = { "GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL" };

	for (size_t i = 0; i < sizeof(such) / sizeof(such[0]); i++)
		if (!strcmp(license, such[i]))
			return true;
	return false;
}

static int read_license(struct task *t, uaddr at, bool *gpl)
{
	char text[LICENSE_MAX] = "";

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		if (copy_from_user(t->mm, &text[i], uaddr_add(at, i), 1))
			return -EFAULT;
		if (!text[i])
			break;
	}
	*gpl = is_gpl(text);
	return 0;
}

/* What is wrong with it, where the program wants to know. */
static int write_log(struct task *t, const struct linux_bpf_load *l, const struct ebpf_fault *fault)
{
	char text[160];
	int n = snprintf(text, sizeof(text), "%u: %s\n", fault->at, fault->what);

	if (!l->log_level || !fault->what)
		return 0;
	if (copy_to_user(t->mm, UADDR(l->log_buf), text, (size_t)n + 1 < l->log_size ? (size_t)n + 1 : l->log_size))
		return -EFAULT;
	return (size_t)n + 1 > l->log_size ? -ENOSPC : 0;
}

static int fill(struct task *t, const struct linux_bpf_load *l, struct bpf_prog *p)
{
	struct ebpf_fault fault = { 0 };
	int logged, r;

	if (copy_from_user(t->mm, p->insns, UADDR(l->insns), p->n * sizeof(p->insns[0])) || read_license(t, UADDR(l->license), &p->gpl))
		return -EFAULT;
	memcpy(p->name, l->prog_name, sizeof(p->name));
	p->uid = t->cred->ruid;
	p->made = now_monotonic();
	r = bpf_prog_finish(p, &fault);
	logged = write_log(t, l, &fault);
	return logged ? logged : r;
}

static int64_t load(struct task *t, const union linux_bpf_attr *a)
{
	const struct linux_bpf_load *l = &a->load;
	struct bpf_prog *p;
	int64_t r = check_load(t, l);

	if (r)
		return r;
	if ((l->log_level && (!l->log_buf || !l->log_size)) || l->log_level > 7)
		return -EINVAL;
	if ((r = bpf_prog_new(t->k, l->prog_type, l->insn_cnt, &p)))
		return r;
	r = fill(t, l, p);
	if (!r)
		r = give(t, p);
	bpf_prog_put(p);
	return r;
}

/* --- attaching ------------------------------------------------------------------------------ */

static int64_t attach(struct task *t, const union linux_bpf_attr *at)
{
	const struct linux_bpf_attach *a = &at->attach;
	const unsigned both = LINUX_BPF_F_ALLOW_OVERRIDE | LINUX_BPF_F_ALLOW_MULTI;
	struct bpf_prog *p = NULL, *replace = NULL;
	struct cgroup *g = NULL;
	int64_t r;

	if (a->attach_type != LINUX_BPF_CGROUP_DEVICE || a->attach_flags & ~ATTACH_FLAGS || a->relative_fd || a->expected_revision)
		return -EINVAL;
	if (!may_net(t))
		return -EPERM;
	r = prog_by_fd(t, (int)a->attach_bpf_fd, LINUX_BPF_PROG_TYPE_CGROUP_DEVICE, &p);
	if (!r)
		r = cgroup_of_fd(t, (int)a->target_fd, &g);
	if (!r && a->attach_flags & LINUX_BPF_F_ALLOW_MULTI && a->attach_flags & LINUX_BPF_F_REPLACE)
		r = prog_by_fd(t, (int)a->replace_bpf_fd, LINUX_BPF_PROG_TYPE_CGROUP_DEVICE, &replace);
	if (!r && ((a->attach_flags & both) == both || (a->attach_flags & LINUX_BPF_F_REPLACE && !replace)))
		r = -EINVAL;
	if (!r)
		r = cgroup_attach_device(g, p, a->attach_flags, replace);
	bpf_prog_put(replace);
	cgroup_put(g);
	bpf_prog_put(p);
	return r;
}

static int64_t detach(struct task *t, const union linux_bpf_attr *at)
{
	const struct linux_bpf_attach *a = &at->attach;
	struct bpf_prog *p = NULL;
	struct cgroup *g;
	int64_t r;

	if (a->attach_type != LINUX_BPF_CGROUP_DEVICE)
		return -EINVAL;
	if (!may_net(t))
		return -EPERM;
	if ((r = cgroup_of_fd(t, (int)a->target_fd, &g)))
		return r;
	(void)prog_by_fd(t, (int)a->attach_bpf_fd, LINUX_BPF_PROG_TYPE_CGROUP_DEVICE, &p);
	r = cgroup_detach_device(g, p);
	bpf_prog_put(p);
	cgroup_put(g);
	return r;
}

/* --- looking ------------------------------------------------------------------------------------ */

static int64_t answer_query(struct task *t, const struct linux_bpf_query *q, struct cgroup *g, uaddr at)
{
	uint32_t *ids = malloc(QUERY_MAX * sizeof(*ids));
	unsigned flags, n, given;
	int64_t r = 0;

	if (!ids)
		return -ENOMEM;
	n = cgroup_query_device(g, q->query_flags & LINUX_BPF_F_QUERY_EFFECTIVE, ids, QUERY_MAX, &flags);
	given = n < q->prog_cnt ? n : q->prog_cnt;
	if (copy_to_user(t->mm, uaddr_add(at, offsetof(struct linux_bpf_query, attach_flags)), &flags, sizeof(flags)) ||
	    copy_to_user(t->mm, uaddr_add(at, offsetof(struct linux_bpf_query, prog_cnt)), &n, sizeof(n)))
		r = -EFAULT;
	else if (q->prog_cnt && q->prog_ids && n)
		r = copy_to_user(t->mm, UADDR(q->prog_ids), ids, given * sizeof(*ids)) ? -EFAULT : given < n ? -ENOSPC : 0;
	free(ids);
	return r;
}

static int64_t query(struct task *t, const union linux_bpf_attr *a, uaddr at)
{
	const struct linux_bpf_query *q = &a->query;
	struct cgroup *g;
	int64_t r;

	if (!may_net(t))
		return -EPERM;
	if (!REST_IS_ZERO(a, query, revision) || q->query_flags & ~LINUX_BPF_F_QUERY_EFFECTIVE || q->attach_type != LINUX_BPF_CGROUP_DEVICE)
		return -EINVAL;
	if ((r = cgroup_of_fd(t, (int)q->target_fd, &g)))
		return r;
	r = answer_query(t, q, g, at);
	cgroup_put(g);
	return r;
}

static int64_t by_id(struct task *t, const union linux_bpf_attr *a)
{
	struct bpf_prog *p;
	int64_t r;

	if (!REST_IS_ZERO(a, by_id, id))
		return -EINVAL;
	if (!cred_capable(t->cred, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	if (!(p = bpf_prog_find(t->k, a->by_id.id)))
		return -ENOENT;
	r = give(t, p);
	bpf_prog_put(p);
	return r;
}

static int64_t next_id(struct task *t, const union linux_bpf_attr *a, uaddr at)
{
	uint32_t id;

	if (!REST_IS_ZERO(a, by_id, next_id) || a->by_id.id >= INT32_MAX)
		return -EINVAL;
	if (!cred_capable(t->cred, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	if (!(id = bpf_prog_next(t->k, a->by_id.id)))
		return -ENOENT;
	return copy_to_user(t->mm, uaddr_add(at, sizeof(id)), &id, sizeof(id)) ? -EFAULT : 0;
}

static int64_t tell(struct task *t, const struct bpf_prog *p, const union linux_bpf_attr *a, uaddr at)
{
	uint32_t size = a->info.info_len < sizeof(struct linux_bpf_prog_info) ? a->info.info_len : sizeof(struct linux_bpf_prog_info);
	const uint32_t bytes = (uint32_t)(p->n * sizeof(p->insns[0]));
	struct linux_bpf_prog_info asked, info = { .type = p->type, .id = p->id, .xlated_prog_len = bytes, .load_time = (uint64_t)(p->made - t->k->boot_monotonic),
		.created_by_uid = uid_shown(t->cred->user_ns, p->uid), .gpl_compatible = p->gpl, .verified_insns = p->n };
	int r = copy_struct_from_user(t->mm, &asked, sizeof(asked), UADDR(a->info.info), a->info.info_len);

	if (r)
		return r;
	memcpy(info.tag, p->tag, sizeof(info.tag));
	memcpy(info.name, p->name, sizeof(info.name));
	info.xlated_prog_insns = asked.xlated_prog_insns;
	if (asked.xlated_prog_len &&
	    copy_to_user(t->mm, UADDR(asked.xlated_prog_insns), p->insns, asked.xlated_prog_len < bytes ? asked.xlated_prog_len : bytes))
		return -EFAULT;
	if (copy_to_user(t->mm, UADDR(a->info.info), &info, size) || copy_to_user(t->mm, uaddr_add(at, sizeof(a->info.fd)), &size, sizeof(size)))
		return -EFAULT;
	return 0;
}

static int64_t info_by_fd(struct task *t, const union linux_bpf_attr *a, uaddr at)
{
	struct bpf_prog *p;
	int64_t r;

	if (!REST_IS_ZERO(a, info, info))
		return -EINVAL;
	if ((r = prog_by_fd(t, (int)a->info.fd, 0, &p)))
		return r;
	r = tell(t, p, a, at);
	bpf_prog_put(p);
	return r;
}

int64_t sys_bpf(struct task *t, const uint64_t a[6])
{
	const uaddr at = UADDR(a[1]);
	union linux_bpf_attr attr;
	int r = copy_struct_from_user(t->mm, &attr, sizeof(attr), at, (unsigned)a[2]);

	if (r)
		return r;
	if ((int)a[0] == LINUX_BPF_MAP_CREATE && !may_bpf(t))
		return -EPERM;
	switch ((int)a[0]) {
	case LINUX_BPF_PROG_LOAD: return load(t, &attr);
	case LINUX_BPF_PROG_ATTACH: return REST_IS_ZERO(&attr, attach, expected_revision) ? attach(t, &attr) : -EINVAL;
	case LINUX_BPF_PROG_DETACH: return REST_IS_ZERO(&attr, attach, expected_revision) ? detach(t, &attr) : -EINVAL;
	case LINUX_BPF_PROG_QUERY: return query(t, &attr, at);
	case LINUX_BPF_PROG_GET_FD_BY_ID: return by_id(t, &attr);
	case LINUX_BPF_PROG_GET_NEXT_ID: return next_id(t, &attr, at);
	case LINUX_BPF_OBJ_GET_INFO_BY_FD: return info_by_fd(t, &attr, at);
	default: return -EINVAL;
	}
}
