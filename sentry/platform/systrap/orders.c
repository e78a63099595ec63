/*
 * orders.c - what the mapper of a stub process is told.
 *
 * The mapper waits in a system call that its filter turns into a notification
 * to us; our answer is the number of orders in its page, and its next
 * notification carries how many it has done and the last result, in registers
 * that no program code can touch.  Any thread may give orders; as->mu is held.
 * No program thread takes part or need be stopped: when the mapper has changed
 * a mapping, the host has changed it for all threads of the process.
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1ul << 0)
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

/* Room for what newer hosts may add. */
union notif {
	struct seccomp_notif n;
	uint8_t room[256];
};
union answer {
	struct seccomp_notif_resp r;
	uint8_t room[256];
};

/* The mapper's next report: 0 or -ESRCH. */
static int wait_report(struct st_as *as, uint64_t *done, int64_t *result)
{
	struct pollfd pfd = { .fd = as->notify_fd, .events = POLLIN };
	union notif u;

	for (;;) {
		if (poll(&pfd, 1, -1) < 0 && errno != EINTR)
			break;
		if (!(pfd.revents & POLLIN)) {
			if (pfd.revents)
				break; /* hung up: all its threads have ended */
			continue;
		}
		memset(&u, 0, sizeof(u));
		if (ioctl(as->notify_fd, SECCOMP_IOCTL_NOTIF_RECV, &u)) {
			if (errno == EINTR)
				continue;
			break; /* it was killed just now */
		}
		as->notify_id = u.n.id;
		*done = u.n.data.args[0];
		*result = (int64_t)u.n.data.args[1];
		return 0;
	}
	st_as_kill_locked(as);
	return -ESRCH;
}

int st_orders_first(struct st_as *as)
{
	uint64_t done;
	int64_t result;

	/* Wakes the mapper on this CPU, as we are going to wait for it. Linux 6.6; else it works without. */
	(void)ioctl(as->notify_fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	return wait_report(as, &done, &result);
}

int st_orders_run(struct st_as *as, const struct st_order *o, unsigned n, int64_t *result)
{
	uint8_t *page = as->p->slots + (size_t)as->orders_slot * ST_SLOT_SIZE;
	union answer a = { .r = { .id = as->notify_id, .val = n } };
	uint64_t done;

	if (atomic_load(&as->dead))
		return -ESRCH;
	memcpy(page, o, n * sizeof(*o));
	if (ioctl(as->notify_fd, SECCOMP_IOCTL_NOTIF_SEND, &a)) {
		st_as_kill_locked(as);
		return -ESRCH;
	}
	return wait_report(as, &done, result);
}

/* --- files ------------------------------------------------------------------------ */

static int send_file(struct st_platform *p, int fd)
{
	union {
		struct cmsghdr h;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte = 'm';
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf, .msg_controllen = sizeof(control.buf) };

	control.h.cmsg_len = CMSG_LEN(sizeof(int));
	control.h.cmsg_level = SOL_SOCKET;
	control.h.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&control.h), &fd, sizeof(fd));
	return sendmsg(p->channel, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -errno;
}

/* Takes a file back that the stub did not receive. */
static void unsend_file(struct st_platform *p)
{
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	/* Without room for it, the descriptor is dropped with the message. */
	while (recvmsg(p->channel_stubs, &m, MSG_DONTWAIT) > 0)
		;
}

#define CLOSE_ORDER { .nr = SYS_close, .arg = { ST_FD_FILE } }

/* The mapper receives the file, maps it and closes it. */
static int map_file(struct st_as *as, const struct st_order *map, int fd, int64_t *result)
{
	const struct st_order o[] = {
		{ .nr = SYS_recvmsg, .arg = { ST_FD_CHANNEL, ST_SCRATCH, MSG_DONTWAIT } },
		*map,
		CLOSE_ORDER,
	}, again = CLOSE_ORDER;
	struct st_platform *p = as->p;
	int64_t ignored;
	int r;

	mutex_lock_nested(&p->mu);
	*result = send_file(p, fd);
	if (*result) {
		mutex_unlock(&p->mu);
		return 0;
	}
	r = st_orders_run(as, o, 3, result);
	if (r || *result < 0)
		unsend_file(p);
	mutex_unlock(&p->mu);
	if (!r && *result < 0)
		r = st_orders_run(as, &again, 1, &ignored);
	return r;
}

/* --- mapping ----------------------------------------------------------------------- */

/* The process has been killed: an order is done when it has ended. */
static int await_end(struct st_as *as)
{
	while (as->pid && !as->reaped)
		pthread_cond_wait(&as->ended, &as->mu.m);
	return 0;
}

static int run_one(struct st_as *as, const struct st_order *o, int file)
{
	int64_t result = 0;
	int r;

	if (file >= 0)
		r = map_file(as, o, file, &result);
	else
		r = st_orders_run(as, o, 1, &result);
	if (r)
		return await_end(as);
	return result < 0 ? (int)result : 0;
}

int st_as_map(struct platform_as *base, uint64_t addr, uint64_t len, int prot, int fd, uint64_t off)
{
	struct st_as *as = (struct st_as *)base;
	bool memory = fd == as->p->mem_fd;
	struct st_order o = { .nr = SYS_mmap, .arg = { addr, len, (uint64_t)prot, MAP_SHARED | MAP_FIXED, memory ? ST_FD_MEMORY : ST_FD_FILE, off } };
	int r;

	mutex_lock(&as->mu);
	r = st_as_start_locked(as);
	if (!r)
		r = run_one(as, &o, memory ? -1 : fd);
	else if (r == -ESRCH)
		r = await_end(as);
	mutex_unlock(&as->mu);
	return r;
}

static int change(struct st_as *as, const struct st_order *o)
{
	int r = 0;

	mutex_lock(&as->mu);
	if (atomic_load(&as->dead))
		r = await_end(as);
	else if (as->pid)
		r = run_one(as, o, -1);
	mutex_unlock(&as->mu);
	return r;
}

int st_as_unmap(struct platform_as *as, uint64_t addr, uint64_t len)
{
	return change((struct st_as *)as, &(struct st_order){ .nr = SYS_munmap, .arg = { addr, len } });
}

int st_as_protect(struct platform_as *as, uint64_t addr, uint64_t len, int prot)
{
	return change((struct st_as *)as, &(struct st_order){ .nr = SYS_mprotect, .arg = { addr, len, (uint64_t)prot } });
}
