/*
 * FUTEX_WAIT_REQUEUE_PI and FUTEX_CMP_REQUEUE_PI: whoever waits for a word is moved to
 * a lock, and returns as its owner.  The waiters are processes that share the words.
 */
#include "../test.h"

#include <linux/futex.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

struct words {
	_Atomic uint32_t word, lock, other, got, stop;
};

static struct words *shared_words(void)
{
	struct words *w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(w != MAP_FAILED);
	return w;
}

static long wait_move(_Atomic uint32_t *word, uint32_t val, _Atomic uint32_t *lock, const struct timespec *until)
{
	return syscall(SYS_futex, word, FUTEX_WAIT_REQUEUE_PI, val, until, lock, 0);
}

static long move(_Atomic uint32_t *word, _Atomic uint32_t *lock, long n, uint32_t val)
{
	return syscall(SYS_futex, word, FUTEX_CMP_REQUEUE_PI, 1, n, lock, val);
}

static long op(_Atomic uint32_t *word, int o, uint32_t val)
{
	return syscall(SYS_futex, word, o, val, NULL, NULL, 0);
}

/* A process that waits to be moved, notes that it owns the lock, and unlocks it. */
static pid_t waiter(struct words *w)
{
	pid_t p = fork();

	CHECK(p >= 0);
	if (p)
		return p;
	CHECK(wait_move(&w->word, 0, &w->lock, NULL) == 0);
	CHECK((w->lock & FUTEX_TID_MASK) == (uint32_t)getpid());
	w->got++;
	CHECK(op(&w->lock, FUTEX_UNLOCK_PI, 0) == 0);
	_exit(0);
}

static void ended_well(pid_t p)
{
	int st;

	CHECK(waitpid(p, &st, 0) == p && st == 0);
}

CASE(free_lock_is_taken)
{
	struct words *w = shared_words();
	pid_t p = waiter(w);
	long r;

	while ((r = move(&w->word, &w->lock, 0, 0)) == 0)
		usleep(1000);
	CHECK(r == 1);
	ended_well(p);
	CHECK(w->got == 1);
}

CASE(held_lock_is_waited_for)
{
	struct words *w = shared_words();
	pid_t p;
	long r;

	CHECK(op(&w->lock, FUTEX_LOCK_PI, 0) == 0);
	p = waiter(w);
	while ((r = move(&w->word, &w->lock, INT32_MAX, 0)) == 0)
		usleep(1000);
	CHECK(r == 1);
	CHECK(w->lock == ((uint32_t)getpid() | FUTEX_WAITERS) && w->got == 0);
	CHECK(op(&w->word, FUTEX_WAKE, 1) == 0); /* it is there no more */
	CHECK(op(&w->lock, FUTEX_UNLOCK_PI, 0) == 0);
	ended_well(p);
	CHECK(w->got == 1);
}

CASE(all_are_moved)
{
	struct words *w = shared_words();
	pid_t p[4];
	long n = 0, r;

	for (int i = 0; i < 4; i++)
		p[i] = waiter(w);
	while (n < 4) {
		r = move(&w->word, &w->lock, INT32_MAX, 0);
		/* whom we have moved may be gone before we look again */
		CHECK(r >= 0);
		n += r;
		usleep(1000);
	}
	CHECK(n == 4);
	for (int i = 0; i < 4; i++)
		ended_well(p[i]);
	CHECK(w->got == 4);
}

CASE(values_and_mistakes)
{
	struct words *w = shared_words();

	CHECK_ERR(wait_move(&w->word, 1, &w->lock, NULL), EAGAIN);
	CHECK_ERR(wait_move(&w->word, 0, &w->word, NULL), EINVAL);
	CHECK_ERR(wait_move((void *)((char *)w + 2), 0, &w->lock, NULL), EINVAL);
	CHECK_ERR(wait_move(&w->word, 0, (void *)8, NULL), EFAULT);
	CHECK_ERR(move(&w->word, &w->lock, 1, 1), EAGAIN);
	CHECK_ERR(move(&w->word, &w->word, 1, 0), EINVAL);
	CHECK_ERR(move(&w->word, &w->lock, -1, 0), EINVAL);
	CHECK_ERR(syscall(SYS_futex, &w->word, FUTEX_CMP_REQUEUE_PI, 2, 1L, &w->lock, 0), EINVAL);
	CHECK(move(&w->word, &w->lock, 1, 0) == 0);
	CHECK(w->lock == 0);
}

CASE(operations_that_do_not_fit)
{
	struct words *w = shared_words();
	pid_t p = waiter(w), q;
	int error;
	long r;

	while ((r = op(&w->word, FUTEX_WAKE, 1)) == 0) /* not an end of its wait */
		usleep(1000);
	CHECK_ERR(op(&w->word, FUTEX_WAKE, 1), EINVAL);
	CHECK_ERR(move(&w->word, &w->other, 1, 0), EINVAL); /* it waits for another lock */
	CHECK_ERR(syscall(SYS_futex, &w->word, FUTEX_CMP_REQUEUE, 0, 1L, &w->other, 0), EINVAL);
	CHECK(move(&w->word, &w->lock, 1, 0) == 1);
	ended_well(p);

	q = fork();
	CHECK(q >= 0);
	if (!q)
		_exit(op(&w->other, FUTEX_WAIT, 0) != 0);
	while ((r = move(&w->other, &w->lock, 1, 0)) == 0) /* a plain waiter */
		usleep(1000);
	error = errno;
	CHECK(r == -1 && error == EINVAL);
	CHECK(op(&w->other, FUTEX_WAKE, 1) == 1);
	ended_well(q);
}

CASE(until_a_time)
{
	struct words *w = shared_words();
	struct timespec past, soon;
	pid_t p;
	long r;
	int st;

	clock_gettime(CLOCK_MONOTONIC, &past);
	CHECK_ERR(wait_move(&w->word, 0, &w->lock, &past), ETIMEDOUT);
	CHECK(w->lock == 0 && op(&w->word, FUTEX_WAKE, 1) == 0);
	/* the time goes on when it has been moved: that it can be moved at all takes less than two seconds, or it was too late */
	CHECK(op(&w->lock, FUTEX_LOCK_PI, 0) == 0);
	p = fork();
	CHECK(p >= 0);
	if (!p) {
		clock_gettime(CLOCK_MONOTONIC, &soon);
		soon.tv_sec += 2;
		CHECK_ERR(wait_move(&w->word, 0, &w->lock, &soon), ETIMEDOUT);
		_exit(0);
	}
	while ((r = move(&w->word, &w->lock, 1, 0)) == 0 && waitpid(p, &st, WNOHANG) == 0)
		usleep(1000);
	if (r == 1)
		CHECK(waitpid(p, &st, 0) == p);
	CHECK(st == 0);
	CHECK(op(&w->lock, FUTEX_UNLOCK_PI, 0) == 0);
	CHECK(w->lock == 0);
}

static void nothing(int sig)
{
	(void)sig;
}

CASE(signals)
{
	struct words *w = shared_words();
	struct sigaction sa = { .sa_handler = nothing }; /* without SA_RESTART: it begins again nevertheless */
	pid_t p, q;
	long r;

	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	p = waiter(w);
	until_asleep(p);
	for (int i = 0; i < 20; i++) {
		kill(p, SIGUSR1);
		usleep(1000);
	}
	while ((r = move(&w->word, &w->lock, 0, 0)) == 0)
		usleep(1000);
	CHECK(r == 1);
	ended_well(p);
	/* moved, it cannot begin again */
	CHECK(op(&w->lock, FUTEX_LOCK_PI, 0) == 0);
	q = fork();
	CHECK(q >= 0);
	if (!q) {
		CHECK_ERR(wait_move(&w->word, 0, &w->lock, NULL), EAGAIN);
		_exit(0);
	}
	while ((r = move(&w->word, &w->lock, 0, 0)) == 0)
		usleep(1000);
	CHECK(r == 1);
	kill(q, SIGUSR1);
	ended_well(q);
	CHECK(op(&w->lock, FUTEX_UNLOCK_PI, 0) == 0);
}

CASE(owner_dies)
{
	struct words *w = shared_words();
	pid_t owner = fork(), p;
	long r;
	int st;

	CHECK(owner >= 0);
	if (!owner) {
		CHECK(op(&w->lock, FUTEX_LOCK_PI, 0) == 0);
		w->stop = 1;
		pause();
		_exit(0);
	}
	while (!w->stop)
		usleep(1000);
	p = fork();
	CHECK(p >= 0);
	if (!p) {
		CHECK(wait_move(&w->word, 0, &w->lock, NULL) == 0);
		CHECK((w->lock & ~FUTEX_WAITERS) == ((uint32_t)getpid() | FUTEX_OWNER_DIED));
		_exit(0);
	}
	while ((r = move(&w->word, &w->lock, 1, 0)) == 0)
		usleep(1000);
	CHECK(r == 1);
	kill(owner, SIGKILL);
	CHECK(waitpid(owner, &st, 0) == owner);
	ended_well(p);
}

int main(void)
{
	return run_cases();
}
