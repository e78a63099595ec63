/*
 * socket_cmsg.c - control messages (cmsg(3), unix(7)): SCM_RIGHTS and
 * SCM_CREDENTIALS; those of datagrams are in socket_packet.c.  On the thread of
 * the task that calls; owns what it has read until the message is sent.
 */
#include "syscalls/socket_cmsg.h"

#include "abi/capability.h"
#include "abi/resource.h"
#include "kernel/pid.h"
#include "kernel/task_table.h"
#include "net/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONTROL_MAX 20480u /* net.core.optmem_max */
#define HDR sizeof(struct linux_cmsghdr)

/* --- sending -------------------------------------------------------------------------- */

static int import_rights(struct task *t, const uint8_t *data, uint64_t len, struct scm *scm)
{
	unsigned n = len / sizeof(int32_t);
	struct file **files;

	if (n > LINUX_SCM_MAX_FD - scm->n_files)
		return -EINVAL;
	if (!n)
		return 0;
	files = realloc(scm->files, (scm->n_files + n) * sizeof(*files));
	if (!files)
		return -ENOMEM;
	scm->files = files;
	for (unsigned i = 0; i < n; i++) {
		int32_t fd;
		struct file *f;

		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		f = fd_get(t->files, fd);
		if (!f)
			return -EBADF;
		scm->files[scm->n_files++] = f;
	}
	return 0;
}

/* c: with the kernel's ids. */
static bool may_claim(struct task *t, const struct sock_id *c)
{
	const struct cred *o = t->cred;
	bool uid_ok = c->uid == o->ruid || c->uid == o->euid || c->uid == o->suid || cred_capable_own(o, LINUX_CAP_SETUID);
	bool gid_ok = c->gid == o->rgid || c->gid == o->egid || c->gid == o->sgid || cred_capable_own(o, LINUX_CAP_SETGID);

	return uid_ok && gid_ok && (c->pid == t->tg->own_tgid || cred_capable_in(o, t->tg->pid_ns->owner, LINUX_CAP_SYS_ADMIN));
}

static int import_cred(struct task *t, const uint8_t *data, uint64_t len, struct sock_id *out)
{
	struct thread_group *tg;
	struct linux_ucred c;
	struct sock_id id;

	if (len != sizeof(c))
		return -EINVAL;
	memcpy(&c, data, sizeof(c));
	id = (struct sock_id){ .pid = c.pid, .uid = user_ns_kernel_id(t->cred->user_ns, false, c.uid),
		.gid = user_ns_kernel_id(t->cred->user_ns, true, c.gid), .pid_ns = task_pid_ns(t)->ino };
	if (id.uid == ID_NONE || id.gid == ID_NONE)
		return -EINVAL;
	if (!may_claim(t, &id))
		return -EPERM;
	tg = c.pid == t->tg->own_tgid ? NULL : tg_find(task_pid_ns(t), c.pid);
	id.tgid = tg ? tg->tgid : c.pid == t->tg->own_tgid ? t->tg->tgid : 0;
	if (tg)
		tg_put(tg);
	*out = id;
	return id.tgid ? 0 : -ESRCH;
}

static int import_one(struct task *t, struct socket *s, const struct linux_cmsghdr *h, const uint8_t *data, struct socket_msg *m,
	struct sock_id *cred)
{
	uint64_t len = h->len - HDR;

	if (h->level != LINUX_SOL_SOCKET)
		return packet_import(s, h->level, h->type, data, len, &m->choice);
	if (h->type == LINUX_SCM_RIGHTS)
		return s->family == LINUX_AF_UNIX ? import_rights(t, data, len, &m->scm) : 0;
	if (h->type == LINUX_SCM_CREDENTIALS)
		return s->family == LINUX_AF_UNIX || s->family == LINUX_AF_NETLINK ? import_cred(t, data, len, cred) : 0;
	return -EINVAL;
}

int cmsg_import(struct task *t, struct socket *s, uaddr control, uint64_t len, struct socket_msg *m, struct sock_id *cred)
{
	uint8_t *buf;
	uint64_t off = 0;
	int r;

	if (len > CONTROL_MAX)
		return -ENOBUFS;
	if (len < HDR)
		return 0;
	buf = malloc(len);
	if (!buf)
		return -ENOMEM;
	r = copy_from_user(t->mm, buf, control, len);
	while (!r && len - off >= HDR) {
		struct linux_cmsghdr h;

		memcpy(&h, buf + off, sizeof(h));
		if (h.len < HDR || h.len > len - off) {
			r = -EINVAL;
			break;
		}
		r = import_one(t, s, &h, buf + off + HDR, m, cred);
		if (LINUX_CMSG_ALIGN(h.len) >= len - off)
			break;
		off += LINUX_CMSG_ALIGN(h.len);
	}
	free(buf);
	if (r)
		scm_drop(&m->scm);
	return r;
}

/* --- receiving ------------------------------------------------------------------------- */

static int put_header(struct control *c, int level, int type, uint64_t n)
{
	struct linux_cmsghdr h = { .len = HDR + n, .level = level, .type = type };

	return copy_to_user(c->t->mm, c->at, &h, sizeof(h));
}

static void advance(struct control *c, uint64_t n)
{
	uint64_t step = LINUX_CMSG_ALIGN(HDR + n);

	if (step > c->left)
		step = c->left;
	c->at = uaddr_add(c->at, step);
	c->left -= step;
	c->used += step;
}

int cmsg_put(struct control *c, int level, int type, const void *data, uint64_t n)
{
	if (c->left < HDR) {
		*c->flags |= LINUX_MSG_CTRUNC;
		return 0;
	}
	if (c->left < HDR + n) {
		*c->flags |= LINUX_MSG_CTRUNC;
		n = c->left - HDR;
	}
	if (put_header(c, level, type, n) || copy_to_user(c->t->mm, uaddr_add(c->at, HDR), data, n))
		return -EFAULT;
	advance(c, n);
	return 0;
}

static int put_cred(struct control *c, const struct sock_id *id)
{
	struct linux_ucred cred;

	sock_id_show(id, &cred);
	return cmsg_put(c, LINUX_SOL_SOCKET, LINUX_SCM_CREDENTIALS, &cred, sizeof(cred));
}

/* Gives the files numbers while they fit; the rest is closed. */
static int put_rights(struct control *c, struct scm *scm, bool cloexec)
{
	uint64_t limit = rlimit_get(c->t, LINUX_RLIMIT_NOFILE);
	uint64_t max = c->left < HDR ? 0 : (c->left - HDR) / sizeof(int32_t);
	unsigned i;
	int r = 0;

	for (i = 0; i < scm->n_files && i < max; i++) {
		int32_t fd = fd_install(c->t->files, scm->files[i], 0, cloexec, limit);

		if (fd < 0)
			break;
		scm->files[i] = NULL; /* the table's now */
		r = copy_to_user(c->t->mm, uaddr_add(c->at, HDR + i * sizeof(fd)), &fd, sizeof(fd));
		if (r) {
			fd_close_one(c->t->files, fd, c->t->files);
			break;
		}
	}
	if (i < scm->n_files)
		*c->flags |= LINUX_MSG_CTRUNC;
	if (i && !put_header(c, LINUX_SOL_SOCKET, LINUX_SCM_RIGHTS, i * sizeof(int32_t)))
		advance(c, i * sizeof(int32_t));
	return 0;
}

int cmsg_export(struct task *t, struct socket *s, struct socket_msg *m, uaddr control, uint64_t len, uint64_t *used, int *flags)
{
	struct control c = { .t = t, .at = control, .left = control.v ? len : 0, .flags = flags };
	struct scm *scm = &m->scm;
	int r = 0;

	*used = 0;
	if (m->ended)
		return 0;
	if (s->type != LINUX_SOCK_STREAM)
		r = packet_export(&c, s, m);
	if (!r && s->family == LINUX_AF_UNIX && sock_flag(s, LINUX_SO_PASSCRED))
		r = put_cred(&c, &scm->cred);
	if (!r && scm->n_files)
		r = put_rights(&c, scm, m->flags & LINUX_MSG_CMSG_CLOEXEC);
	scm_drop(scm);
	*used = c.used;
	return r;
}
