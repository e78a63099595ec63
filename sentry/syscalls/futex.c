/*
 * futex.c - futex, futex_waitv, robust lists, rseq.
 */
#include "kernel/futex.h"

#include "abi/time.h"
#include "kernel/posix_timer.h"
#include "kernel/ptrace.h"
#include "kernel/task_table.h"
#include "syscalls/syscall.h"

#include <errno.h>

enum {
	OP_WAIT, OP_WAKE, OP_FD, OP_REQUEUE, OP_CMP_REQUEUE, OP_WAKE_OP, OP_LOCK_PI, OP_UNLOCK_PI, OP_TRYLOCK_PI, OP_WAIT_BITSET,
	OP_WAKE_BITSET, OP_WAIT_REQUEUE_PI, OP_CMP_REQUEUE_PI, OP_LOCK_PI2,
};
#define FLAG_PRIVATE 128
#define FLAG_REALTIME 256

static bool has_timeout(int op)
{
	return op == OP_WAIT || op == OP_WAIT_BITSET || op == OP_LOCK_PI || op == OP_LOCK_PI2 || op == OP_WAIT_REQUEUE_PI;
}

/* The deadline on the host's monotonic clock. WAIT's is relative, the others absolute. */
static int read_timeout(struct task *t, uaddr at, int op, int flags, int64_t *deadline)
{
	int64_t ns;
	int r, clock;

	*deadline = WAIT_FOREVER;
	if (!at.v || !has_timeout(op))
		return 0;
	r = copy_timespec_from_user(t, at, &ns);
	if (r)
		return r;
	if (op == OP_WAIT) {
		if (__builtin_add_overflow(now_monotonic(), ns, deadline))
			*deadline = WAIT_FOREVER;
		return 0;
	}
	clock = flags & FLAG_REALTIME || op == OP_LOCK_PI ? LINUX_CLOCK_REALTIME : LINUX_CLOCK_MONOTONIC;
	*deadline = clock_to_monotonic(t, clock, ns);
	return 0;
}

struct wait_args {
	uint64_t addr, val, priv, bitset;
	int64_t deadline;
};

/* restart_syscall of a relative wait: until the first deadline. */
static int64_t restart_wait(struct task *t, void *state)
{
	const uint64_t *s = state;
	int r = futex_wait(t, UADDR(s[0]), (uint32_t)s[1], s[2], (uint32_t)s[3], (int64_t)s[4]);

	return r == -ERESTARTSYS ? -ERESTART_RESTARTBLOCK : r;
}

static int64_t do_wait(struct task *t, uaddr a, uint32_t val, bool priv, uint32_t bitset, int64_t deadline)
{
	int r = futex_wait(t, a, val, priv, bitset, deadline);

	if (r != -ERESTARTSYS || deadline == WAIT_FOREVER)
		return r;
	t->restart_fn = restart_wait;
	t->restart_state[0] = a.v;
	t->restart_state[1] = val;
	t->restart_state[2] = priv;
	t->restart_state[3] = bitset;
	t->restart_state[4] = (uint64_t)deadline;
	return -ERESTART_RESTARTBLOCK;
}

int64_t sys_futex(struct task *t, const uint64_t a[6])
{
	uaddr at = UADDR(a[0]), at2 = UADDR(a[4]);
	int flags = (int)a[1], op = flags & 127, r;
	uint32_t val = (uint32_t)a[2], val3 = (uint32_t)a[5];
	bool priv = flags & FLAG_PRIVATE;
	int64_t deadline;

	if (flags & FLAG_REALTIME && op != OP_WAIT_BITSET && op != OP_WAIT_REQUEUE_PI && op != OP_LOCK_PI2)
		return -ENOSYS;
	r = read_timeout(t, UADDR(a[3]), op, flags, &deadline);
	if (r)
		return r;
	switch (op) {
	case OP_WAIT:
		return do_wait(t, at, val, priv, LINUX_FUTEX_BITSET_ALL, deadline);
	case OP_WAIT_BITSET:
		return do_wait(t, at, val, priv, val3, deadline);
	case OP_WAKE:
		return futex_wake(t, at, priv, (int)val, LINUX_FUTEX_BITSET_ALL);
	case OP_WAKE_BITSET:
		return futex_wake(t, at, priv, (int)val, val3);
	case OP_REQUEUE:
		return futex_requeue(t, at, at2, priv, (int)val, (int)a[3], NULL);
	case OP_CMP_REQUEUE:
		return futex_requeue(t, at, at2, priv, (int)val, (int)a[3], &val3);
	case OP_WAKE_OP:
		return futex_wake_op(t, at, at2, priv, (int)val, (int)a[3], val3);
	case OP_LOCK_PI:
	case OP_LOCK_PI2:
		return futex_lock_pi(t, at, priv, deadline, false);
	case OP_TRYLOCK_PI:
		return futex_lock_pi(t, at, priv, WAIT_FOREVER, true);
	case OP_UNLOCK_PI:
		return futex_unlock_pi(t, at, priv);
	case OP_WAIT_REQUEUE_PI:
		return futex_wait_requeue_pi(t, at, val, priv, deadline, at2);
	case OP_CMP_REQUEUE_PI:
		return futex_cmp_requeue_pi(t, at, at2, priv, (int)val, (int)a[3], val3);
	default:
		return -ENOSYS;
	}
}

#define FUTEX2_32 2u
#define FUTEX2_PRIVATE 128u

struct linux_futex_waitv {
	uint64_t val, uaddr;
	uint32_t flags, reserved;
};

static int read_wants(struct task *t, uaddr at, unsigned n, struct futex_want *want)
{
	struct linux_futex_waitv v[FUTEX_MANY_MAX];

	if (copy_from_user(t->mm, v, at, n * sizeof(*v)))
		return -EFAULT;
	for (unsigned i = 0; i < n; i++) {
		if (v[i].flags & ~(FUTEX2_32 | FUTEX2_PRIVATE) || !(v[i].flags & FUTEX2_32) || v[i].reserved)
			return -EINVAL;
		want[i] = (struct futex_want){ UADDR(v[i].uaddr), (uint32_t)v[i].val, v[i].flags & FUTEX2_PRIVATE };
	}
	return 0;
}

int64_t sys_futex_waitv(struct task *t, const uint64_t a[6])
{
	struct futex_want want[FUTEX_MANY_MAX];
	unsigned n = (unsigned)a[1];
	int clock = (int)a[4], r;
	int64_t ns, deadline = WAIT_FOREVER;

	if ((uint32_t)a[2] || !n || n > FUTEX_MANY_MAX || !a[0])
		return -EINVAL;
	if (a[3]) {
		if (clock != LINUX_CLOCK_REALTIME && clock != LINUX_CLOCK_MONOTONIC)
			return -EINVAL;
		r = copy_timespec_from_user(t, UADDR(a[3]), &ns);
		if (r)
			return r;
		deadline = clock_to_monotonic(t, clock, ns);
	}
	r = read_wants(t, UADDR(a[0]), n, want);
	return r ? r : futex_wait_many(t, want, n, deadline);
}

#define ROBUST_HEAD_SIZE 24

int64_t sys_set_robust_list(struct task *t, const uint64_t a[6])
{
	if (a[1] != ROBUST_HEAD_SIZE)
		return -EINVAL;
	futex_set_robust_list(t, a[0]);
	return 0;
}

int64_t sys_get_robust_list(struct task *t, const uint64_t a[6])
{
	pid_t pid = (pid_t)a[0];
	uint64_t head = futex_robust_list(t), len = ROBUST_HEAD_SIZE;
	struct task *o;
	bool may;

	if (pid) {
		o = task_find(task_pid_ns(t), pid);
		if (!o)
			return -ESRCH;
		may = ptrace_may_access(t, o);
		tasks_lock(t->k); /* o may end */
		head = futex_robust_list(o);
		tasks_unlock(t->k);
		task_put(o);
		if (!may)
			return -EPERM;
	}
	if (copy_to_user(t->mm, UADDR(a[2]), &len, sizeof(len)))
		return -EFAULT;
	return copy_to_user(t->mm, UADDR(a[1]), &head, sizeof(head));
}

/* Restartable sequences need the processor's number kept right at every switch;
 * C libraries do without when refused. */
int64_t sys_rseq(struct task *t, const uint64_t a[6])
{
	return -ENOSYS;
}
