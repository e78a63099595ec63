/*
 * poll.c - poll, ppoll, select, pselect6.
 *
 * A first look at all files registers nothing; only when none is ready does the
 * call put a waiter on each file's queue.  Small sets live on the stack.
 */
#include "abi/poll.h"
#include "abi/resource.h"
#include "abi/time.h"
#include "syscalls/poll_util.h"
#include "syscalls/syscall.h"
#include "vfs/idle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ON_STACK 24
#define IDLE_FDS 8 /* so many a program can look at itself */

struct entry {
	struct file *f; /* referenced; NULL: not looked at */
	uint32_t want, got;
	struct waiter w;
};

int64_t deadline_after(int64_t ns)
{
	int64_t d;

	if (ns == 0)
		return 0;
	return ns < 0 || __builtin_add_overflow(now_monotonic(), ns, &d) ? WAIT_FOREVER : d;
}

/* --- the common part ------------------------------------------------------------- */

/* Entries that are ready now.  With `arm`, those looked at before the first ready one get a waiter. */
static int look(struct entry *e, size_t n, bool arm)
{
	int ready = 0;

	for (size_t i = 0; i < n; i++) {
		if (!e[i].f) {
			ready += e[i].got != 0; /* POLLNVAL */
			continue;
		}
		if (arm && !ready && e[i].f->wq)
			wait_begin(&e[i].w, e[i].f->wq, e[i].want);
		e[i].got = file_poll(e[i].f) & e[i].want;
		ready += e[i].got != 0;
	}
	return ready;
}

/* Waits until something is ready: how many are, 0 at the deadline (0: no waiting), -ERESTARTSYS. */
static int wait_ready(struct entry *e, size_t n, int64_t deadline)
{
	int ready = look(e, n, false), r = 0;

	if (ready || deadline == 0)
		return ready;
	ready = look(e, n, true);
	while (!ready && !r) {
		r = wait_sleep(deadline);
		ready = look(e, n, false);
	}
	for (size_t i = 0; i < n; i++)
		wait_end(&e[i].w);
	if (ready)
		return ready;
	return r == -ETIMEDOUT ? 0 : r;
}

/* Nothing is ready: notes that where it can be, and says how many are ready now after all. */
static int note_idle(struct task *t, const struct linux_pollfd *p, struct entry *e, size_t n)
{
	int ready = 0;

	for (size_t i = 0; i < n; i++)
		if (n > IDLE_FDS || (e[i].f && !file_may_idle(e[i].f, e[i].want)))
			return 0;
	if (!idle_begin(t))
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (e[i].f)
			e[i].got = idle_look(t, p[i].fd, e[i].f, e[i].want);
		ready += e[i].got != 0;
	}
	return ready;
}

static void put_files(struct entry *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (e[i].f)
			file_put(e[i].f);
}

/* --- poll ---------------------------------------------------------------------------- */

static void open_pollfds(struct task *t, const struct linux_pollfd *p, struct entry *e, size_t n)
{
	memset(e, 0, n * sizeof(*e));
	for (size_t i = 0; i < n; i++) {
		if (p[i].fd < 0)
			continue;
		e[i].want = (uint16_t)p[i].events | EVENT_ERR | EVENT_HUP;
		e[i].f = fd_get_io(t->files, p[i].fd);
		if (!e[i].f)
			e[i].got = LINUX_POLLNVAL;
	}
}

/* Count, 0, -EINTR-like codes: -ERESTARTSYS when interrupted. */
static int64_t do_poll(struct task *t, uaddr ufds, uint64_t n, int64_t deadline)
{
	struct linux_pollfd small_p[ON_STACK], *p = small_p;
	struct entry small_e[ON_STACK], *e = small_e;
	int64_t r;

	if (n > rlimit_get(t, LINUX_RLIMIT_NOFILE))
		return -EINVAL;
	if (n > ON_STACK) {
		p = malloc(n * sizeof(*p));
		e = malloc(n * sizeof(*e));
	}
	if (!p || !e) {
		r = -ENOMEM;
		goto out;
	}
	r = n ? copy_from_user(t->mm, p, ufds, n * sizeof(*p)) : 0;
	if (r)
		goto out;
	open_pollfds(t, p, e, n);
	r = wait_ready(e, n, deadline);
	if (!r && !deadline)
		r = note_idle(t, p, e, n);
	put_files(e, n);
	if (r < 0)
		goto out;
	for (size_t i = 0; i < n; i++)
		p[i].revents = (int16_t)e[i].got;
	if (n && copy_to_user(t->mm, ufds, p, n * sizeof(*p)))
		r = -EFAULT;
out:
	if (p != small_p)
		free(p);
	if (e != small_e)
		free(e);
	return r;
}

static int64_t poll_restart(struct task *t, void *state)
{
	const uint64_t *s = state;
	int64_t r = do_poll(t, UADDR(s[0]), s[1], (int64_t)s[2]);

	return r == -ERESTARTSYS ? -ERESTART_RESTARTBLOCK : r;
}

int64_t sys_poll(struct task *t, const uint64_t a[6])
{
	int timeout = (int)a[2];
	int64_t deadline = timeout < 0 ? WAIT_FOREVER : deadline_after(timeout * INT64_C(1000000));
	int64_t r = do_poll(t, UADDR(a[0]), (uint32_t)a[1], deadline);

	if (r != -ERESTARTSYS)
		return r;
	t->restart_fn = poll_restart;
	t->restart_state[0] = a[0];
	t->restart_state[1] = (uint32_t)a[1];
	t->restart_state[2] = (uint64_t)deadline;
	return -ERESTART_RESTARTBLOCK;
}

/* Stores what is left of a timeout, for calls that say so; a call whose timeout cannot be stored is not restarted. */
static int64_t finish(struct task *t, uaddr timeout, bool timeval, int64_t deadline, int64_t r)
{
	int64_t left;
	int bad;

	if (r == -ERESTARTSYS)
		r = -ERESTARTNOHAND;
	if (!timeout.v || deadline == WAIT_FOREVER)
		return r;
	left = deadline ? deadline - now_monotonic() : 0;
	if (left < 0)
		left = 0;
	bad = timeval ? copy_timeval_to_user(t, timeout, left) : copy_timespec_to_user(t, timeout, left);
	return bad && r == -ERESTARTNOHAND ? -EINTR : r;
}

static int get_deadline(struct task *t, uaddr timeout, bool timeval, int64_t *deadline)
{
	int64_t ns;
	int r;

	*deadline = WAIT_FOREVER;
	if (!timeout.v)
		return 0;
	r = timeval ? copy_timeval_from_user(t, timeout, &ns) : copy_timespec_from_user(t, timeout, &ns);
	if (!r)
		*deadline = deadline_after(ns);
	return r;
}

int temp_mask_begin(struct task *t, uaddr mask, uint64_t size)
{
	uint64_t set;
	int r;

	if (!mask.v)
		return 0;
	r = copy_sigset_from_user(t, mask, size, &set);
	if (r)
		return r;
	signal_set_temp_mask(t, set);
	return 0;
}

void temp_mask_end(struct task *t, uaddr mask, int64_t result)
{
	if (mask.v)
		signal_restore_temp_mask(t, result == -ERESTARTSYS || result == -ERESTARTNOHAND || result == -EINTR);
}

int64_t sys_ppoll(struct task *t, const uint64_t a[6])
{
	int64_t deadline, r;

	r = get_deadline(t, UADDR(a[2]), false, &deadline);
	if (!r)
		r = temp_mask_begin(t, UADDR(a[3]), a[4]);
	if (r)
		return r;
	r = finish(t, UADDR(a[2]), false, deadline, do_poll(t, UADDR(a[0]), (uint32_t)a[1], deadline));
	temp_mask_end(t, UADDR(a[3]), r);
	return r;
}

/* --- select ------------------------------------------------------------------------------ */

static const uint32_t select_events[3] = {
	EVENT_IN | EVENT_RDNORM | EVENT_RDBAND | EVENT_HUP | EVENT_ERR,
	EVENT_OUT | EVENT_WRNORM | EVENT_WRBAND | EVENT_ERR,
	EVENT_PRI,
};

struct sets {
	unsigned n; /* descriptors looked at */
	size_t words; /* of each set */
	uint64_t *bits; /* three sets */
};

static bool has(const struct sets *s, unsigned which, unsigned fd)
{
	return s->bits[which * s->words + fd / 64] >> fd % 64 & 1;
}

/* Makes entries (fd numbers in w.mask until it is armed) of what the sets name. Count or -EBADF. */
static int open_sets(struct task *t, const struct sets *s, struct entry *e, unsigned *fds)
{
	int n = 0;

	for (unsigned fd = 0; fd < s->n; fd++) {
		uint32_t want = 0;

		for (unsigned k = 0; k < 3; k++)
			if (has(s, k, fd))
				want |= select_events[k];
		if (!want)
			continue;
		e[n] = (struct entry){ .f = fd_get_io(t->files, (int)fd), .want = want };
		fds[n] = fd;
		if (!e[n].f) {
			put_files(e, n);
			return -EBADF;
		}
		n++;
	}
	return n;
}

static int count_bits(const struct sets *s)
{
	int n = 0;

	for (size_t i = 0; i < s->words; i++)
		n += __builtin_popcountll(s->bits[i] | s->bits[s->words + i] | s->bits[2 * s->words + i]);
	return n;
}

/* Sets the bits of what is ready. */
static int store_sets(struct sets *s, const struct entry *e, const unsigned *fds, int n, const struct sets *asked)
{
	int total = 0;

	for (int i = 0; i < n; i++) {
		for (unsigned k = 0; k < 3; k++) {
			if (!has(asked, k, fds[i]) || !(e[i].got & select_events[k]))
				continue;
			s->bits[k * s->words + fds[i] / 64] |= UINT64_C(1) << fds[i] % 64;
			total++;
		}
	}
	return total;
}

/* Waits for what `asked` names and makes `ready` of it. Bits set or -errno. */
static int64_t select_sets(struct task *t, const struct sets *asked, struct sets *ready, int64_t deadline)
{
	int max = count_bits(asked), n;
	struct entry small_e[ON_STACK], *e = small_e;
	unsigned small_f[ON_STACK], *fds = small_f;
	int64_t r;

	if (max > ON_STACK) {
		e = malloc(max * sizeof(*e));
		fds = malloc(max * sizeof(*fds));
	}
	n = e && fds ? open_sets(t, asked, e, fds) : -ENOMEM;
	r = n;
	if (n >= 0) {
		r = wait_ready(e, n, deadline);
		put_files(e, n);
		if (r >= 0)
			r = store_sets(ready, e, fds, n, asked);
	}
	if (e != small_e)
		free(e);
	if (fds != small_f)
		free(fds);
	return r;
}

static int64_t do_select(struct task *t, int n, const uint64_t sets[3], int64_t deadline)
{
	uint64_t limit = rlimit_get(t, LINUX_RLIMIT_NOFILE), small[6 * LINUX_FD_SETSIZE / 64], *mem = small;
	struct sets asked, ready;
	int64_t r = 0;

	if (n < 0)
		return -EINVAL;
	if (limit < LINUX_FD_SETSIZE)
		limit = LINUX_FD_SETSIZE;
	if ((uint64_t)n > limit) /* no descriptor is higher */
		n = (int)limit;
	asked = ready = (struct sets){ .n = n, .words = ((size_t)n + 63) / 64 };
	if (n > LINUX_FD_SETSIZE)
		mem = malloc(6 * asked.words * sizeof(*mem));
	if (!mem)
		return -ENOMEM;
	memset(mem, 0, 6 * asked.words * sizeof(*mem));
	asked.bits = mem;
	ready.bits = mem + 3 * asked.words;
	for (unsigned k = 0; k < 3 && !r; k++)
		if (sets[k] && n)
			r = copy_from_user(t->mm, asked.bits + k * asked.words, UADDR(sets[k]), asked.words * 8);
	if (!r)
		r = select_sets(t, &asked, &ready, deadline);
	for (unsigned k = 0; k < 3 && r >= 0; k++)
		if (sets[k] && n && copy_to_user(t->mm, UADDR(sets[k]), ready.bits + k * ready.words, ready.words * 8))
			r = -EFAULT;
	if (mem != small)
		free(mem);
	return r;
}

int64_t sys_select(struct task *t, const uint64_t a[6])
{
	int64_t deadline, r = get_deadline(t, UADDR(a[4]), true, &deadline);

	if (r)
		return r;
	return finish(t, UADDR(a[4]), true, deadline, do_select(t, (int)a[0], a + 1, deadline));
}

int64_t sys_pselect6(struct task *t, const uint64_t a[6])
{
	struct {
		uint64_t mask, size;
	} sig = { 0 };
	int64_t deadline, r;

	if (a[5] && copy_from_user(t->mm, &sig, UADDR(a[5]), sizeof(sig)))
		return -EFAULT;
	r = get_deadline(t, UADDR(a[4]), false, &deadline);
	if (!r)
		r = temp_mask_begin(t, UADDR(sig.mask), sig.size);
	if (r)
		return r;
	r = finish(t, UADDR(a[4]), false, deadline, do_select(t, (int)a[0], a + 1, deadline));
	temp_mask_end(t, UADDR(sig.mask), r);
	return r;
}
