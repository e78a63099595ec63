/*
 * Signal masks, changed so often that the sandbox may answer without its kernel:
 * what is blocked stays away, what is let in arrives at once, nothing is lost,
 * and every call that looks at the mask sees the right one.
 */
#include "../test.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>

#define BIT(s) (UINT64_C(1) << ((s) - 1))
#define NEVER (BIT(SIGKILL) | BIT(SIGSTOP))

static long change(int how, const void *set, void *old, size_t size)
{
	return syscall(SYS_rt_sigprocmask, how, set, old, size);
}

static uint64_t mask_now(void)
{
	uint64_t m = 0;

	CHECK(change(SIG_BLOCK, NULL, &m, 8) == 0);
	return m;
}

static void set_mask(uint64_t m)
{
	CHECK(change(SIG_SETMASK, &m, NULL, 8) == 0);
}

/* So that what is learnt of a call site has been learnt. */
static void warm_up(void)
{
	for (int i = 0; i < 50; i++)
		set_mask(i & 1 ? BIT(SIGUSR2) : 0);
	set_mask(0);
}

static _Atomic int count;

static void on_signal(int s)
{
	count++;
}

static void handle(int s, void (*f)(int), uint64_t blocked)
{
	struct sigaction sa = { .sa_handler = f };

	memcpy(&sa.sa_mask, &blocked, sizeof(blocked));
	CHECK(sigaction(s, &sa, NULL) == 0);
}

/* --- the call ------------------------------------------------------------------ */

CASE(sets_as_a_model_does)
{
	uint64_t seed = 88172645463325252u, model = 0, old;

	warm_up();
	for (int i = 0; i < 20000; i++) {
		int how = i % 3;
		uint64_t set;

		seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
		set = seed;
		CHECK(change(how, &set, &old, 8) == 0);
		CHECK(old == model && set == seed);
		model = (how == SIG_BLOCK ? model | set : how == SIG_UNBLOCK ? model & ~set : set) & ~NEVER;
		CHECK(mask_now() == model);
	}
}

CASE(arguments)
{
	uint64_t set = BIT(SIGUSR1), old;

	warm_up();
	CHECK_ERR(change(SIG_BLOCK, &set, &old, 4), EINVAL);
	CHECK_ERR(change(SIG_BLOCK, &set, &old, 16), EINVAL);
	CHECK_ERR(change(3, &set, &old, 8), EINVAL);
	CHECK_ERR(change(-1, &set, &old, 8), EINVAL);
	CHECK(mask_now() == 0);
	CHECK(change(77, NULL, &old, 8) == 0 && old == 0);
	CHECK(change(77, NULL, NULL, 8) == 0);
	set_mask(~UINT64_C(0));
	CHECK(mask_now() == ~NEVER);
}

CASE(pointers)
{
	uint64_t set = BIT(SIGUSR1), other = BIT(SIGUSR2), *fixed;
	char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	warm_up();
	CHECK(mprotect(p + 8192, 4096, PROT_NONE) == 0);
	for (int i = 0; i < 3; i++) {
		CHECK_ERR(change(SIG_BLOCK, (void *)8, NULL, 8), EFAULT);
		CHECK_ERR(change(SIG_BLOCK, p + 8192, NULL, 8), EFAULT);
		CHECK_ERR(change(SIG_BLOCK, p + 8192 - 4, NULL, 8), EFAULT);
		CHECK_ERR(change(SIG_BLOCK, (void *)0x8000000000000000, NULL, 8), EFAULT);
		CHECK(mask_now() == 0);
		CHECK_ERR(change(SIG_BLOCK, &set, p + 8192 - 4, 8), EFAULT); /* blocked all the same */
		CHECK(mask_now() == set);
		CHECK_ERR(change(SIG_SETMASK, &other, (void *)8, 8), EFAULT);
		CHECK(mask_now() == other);
		CHECK_ERR(change(SIG_UNBLOCK, &other, (void *)0x8000000000000000, 8), EFAULT);
		CHECK(mask_now() == 0);
	}
	CHECK(change(SIG_SETMASK, &set, p, 8) == 0 && *(uint64_t *)p == 0); /* not touched before */
	CHECK(change(SIG_SETMASK, &other, p + 4092, 8) == 0 && !memcmp(p + 4092, &set, 8));
	fixed = (uint64_t *)p;
	*fixed = set;
	CHECK(mprotect(p, 4096, PROT_READ) == 0);
	CHECK(change(SIG_SETMASK, fixed, NULL, 8) == 0 && mask_now() == set);
	CHECK_ERR(change(SIG_SETMASK, &other, fixed, 8), EFAULT);
	CHECK(mask_now() == other && *fixed == set);
}

CASE(set_and_oldset_overlap)
{
	uint64_t both = BIT(SIGUSR1), second = BIT(SIGUSR2);
	char raw[24] = { 0 };

	warm_up();
	for (int i = 0; i < 10; i++) {
		set_mask(BIT(SIGHUP));
		both = BIT(SIGUSR1);
		CHECK(change(SIG_SETMASK, &both, &both, 8) == 0);
		CHECK(both == BIT(SIGHUP) && mask_now() == BIT(SIGUSR1));
		memcpy(raw + 8, &second, 8);
		CHECK(change(SIG_SETMASK, raw + 8, raw + 4 + i % 8, 8) == 0);
		CHECK(mask_now() == second);
		both = BIT(SIGUSR1);
		CHECK(!memcmp(raw + 4 + i % 8, &both, 8));
	}
}

/* --- who else looks at it ---------------------------------------------------------- */

static uint64_t shown_mask(void)
{
	char line[256];
	unsigned long m = 0;
	FILE *f = fopen("/proc/thread-self/status", "r");

	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "SigBlk: %lx", &m) == 1)
			break;
	fclose(f);
	return m;
}

static void *thread_mask(void *arg)
{
	*(uint64_t *)arg = mask_now();
	set_mask(BIT(SIGHUP));
	return NULL;
}

CASE(inherited_and_shown)
{
	pthread_t th;
	uint64_t seen;
	int st;
	pid_t p;

	warm_up();
	for (int i = 0; i < 5; i++) {
		uint64_t mine = BIT(SIGUSR1) | BIT(40 + i);

		set_mask(mine);
		CHECK(shown_mask() == mine);
		set_mask(mine | BIT(SIGALRM));
		p = fork();
		if (!p)
			_exit(mask_now() != (mine | BIT(SIGALRM)));
		CHECK(waitpid(p, &st, 0) == p && st == 0);
		set_mask(mine);
		CHECK(pthread_create(&th, NULL, thread_mask, &seen) == 0 && pthread_join(th, NULL) == 0);
		CHECK(seen == mine && mask_now() == mine);
	}
}

CASE(kept_by_exec)
{
	int p[2];
	char line[128] = "";
	unsigned long m = 0;
	FILE *f;

	warm_up();
	CHECK(pipe(p) == 0);
	set_mask(BIT(SIGUSR1) | BIT(SIGWINCH));
	if (!fork()) {
		set_mask(BIT(SIGUSR1));
		dup2(p[1], 1);
		execlp("grep", "grep", "SigBlk", "/proc/self/status", NULL);
		_exit(1);
	}
	close(p[1]);
	f = fdopen(p[0], "r");
	CHECK(fgets(line, sizeof(line), f) && sscanf(line, "SigBlk: %lx", &m) == 1);
	CHECK(m == BIT(SIGUSR1));
	wait(NULL);
}

static uint64_t mask_in_handler;

static void look_and_change(int s)
{
	mask_in_handler = mask_now();
	set_mask(~UINT64_C(0));
	set_mask(BIT(SIGHUP));
	count++;
}

CASE(handlers_have_their_own)
{
	warm_up();
	handle(SIGUSR1, look_and_change, BIT(SIGALRM));
	for (int i = 0; i < 20; i++) {
		set_mask(BIT(SIGUSR2));
		CHECK(raise(SIGUSR1) == 0 && count == i + 1);
		CHECK(mask_in_handler == (BIT(SIGUSR1) | BIT(SIGUSR2) | BIT(SIGALRM)));
		CHECK(mask_now() == BIT(SIGUSR2));
	}
}

/* Waits that have a mask of their own: only SIGUSR1 comes in there. */
CASE(masks_of_waits)
{
	uint64_t during = ~BIT(SIGUSR1);
	struct pollfd pfd = { .fd = -1 };
	int ep = epoll_create1(0);
	sigset_t s;

	warm_up();
	memcpy(&s, &during, 8);
	handle(SIGUSR1, on_signal, 0);
	handle(SIGUSR2, on_signal, 0);
	for (int i = 0; i < 20; i++) {
		set_mask(0);
		set_mask(BIT(SIGUSR1) | BIT(SIGUSR2));
		kill(getpid(), SIGUSR1);
		kill(getpid(), SIGUSR2);
		CHECK(count == 2 * i);
		switch (i % 4) {
		case 0:
			CHECK_ERR(sigsuspend(&s), EINTR);
			break;
		case 1:
			CHECK_ERR(ppoll(&pfd, 1, NULL, &s), EINTR);
			break;
		case 2:
			CHECK_ERR(epoll_pwait(ep, &(struct epoll_event){ 0 }, 1, -1, &s), EINTR);
			break;
		case 3:
			CHECK_ERR(pselect(0, NULL, NULL, NULL, NULL, &s), EINTR);
			break;
		}
		CHECK(count == 2 * i + 1 && mask_now() == (BIT(SIGUSR1) | BIT(SIGUSR2)));
		set_mask(0);
		CHECK(count == 2 * i + 2);
	}
}

/* --- signals that come meanwhile --------------------------------------------------- */

/* SIGCHLD is ignored by default, but not while it is blocked. */
CASE(blocked_is_not_ignored)
{
	uint64_t set = BIT(SIGCHLD), pending = 0;
	struct timespec zero = { 0 };
	int p[2];
	char c;

	warm_up();
	for (int i = 0; i < 20; i++) {
		pid_t child;
		_Atomic int *go = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		CHECK(pipe(p) == 0);
		child = fork();
		if (!child) {
			while (!*go)
				sched_yield();
			_exit(0);
		}
		close(p[1]);
		set_mask(i & 1 ? 0 : set);
		set_mask(i & 1 ? set : 0); /* the last word, and no call after it until the child has ended */
		*go = 1;
		CHECK(read(p[0], &c, 1) == 0);
		CHECK(waitpid(child, NULL, 0) == child);
		CHECK(syscall(SYS_rt_sigpending, &pending, 8) == 0);
		CHECK(pending == (i & 1 ? set : 0));
		CHECK(sigtimedwait((sigset_t *)&set, NULL, &zero) == (i & 1 ? SIGCHLD : -1));
		close(p[0]);
		munmap((void *)go, 4096);
	}
}

/* A signal for the process is taken by the thread that lets it in. */
static _Atomic int stop, taker;

static void take(int s)
{
	taker = (int)syscall(SYS_gettid);
	count++;
}

static void *opener(void *arg)
{
	warm_up();
	while (!stop) {
		set_mask(BIT(SIGUSR2));
		set_mask(BIT(SIGUSR1) | BIT(SIGUSR2));
	}
	return NULL;
}

CASE(a_thread_that_lets_it_in_takes_it)
{
	const time_t end = time(NULL) + 5;
	pthread_t th;

	handle(SIGUSR1, take, 0);
	warm_up();
	set_mask(BIT(SIGUSR1));
	CHECK(pthread_create(&th, NULL, opener, NULL) == 0);
	for (int i = 0; i < 500 && (i < 10 || time(NULL) < end); i++) { /* on one processor each takes its time */
		CHECK(kill(getpid(), SIGUSR1) == 0);
		while (count != i + 1)
			CHECK(mask_now() == BIT(SIGUSR1));
		CHECK(taker != getpid());
	}
	stop = 1;
	pthread_join(th, NULL);
}

/* Threads that block and let in, under a storm of queued signals from outside. */
#define STORM_THREADS 3
#define STORM 4000
static _Thread_local volatile int closed;
static _Atomic int wrong;
static _Atomic int got[STORM_THREADS];
static _Atomic int tids[STORM_THREADS];

static void on_storm(int s, siginfo_t *si, void *uc)
{
	if (closed)
		wrong++;
	got[si->si_value.sival_int]++;
}

static void *in_the_storm(void *arg)
{
	int me = (int)(intptr_t)arg;
	uint64_t set = BIT(SIGRTMIN + 1), old;

	tids[me] = (int)syscall(SYS_gettid);
	while (!stop) {
		CHECK(change(SIG_BLOCK, &set, &old, 8) == 0 && old == 0);
		closed = 1;
		for (int i = 0; i < 20; i++)
			if (mask_now() != set)
				wrong++;
		closed = 0;
		CHECK(change(SIG_UNBLOCK, &set, &old, 8) == 0 && old == set);
	}
	return NULL;
}

CASE(storm)
{
	struct sigaction sa = { .sa_sigaction = on_storm, .sa_flags = SA_SIGINFO | SA_RESTART };
	pthread_t th[STORM_THREADS];
	int st;
	pid_t p;

	sigaction(SIGRTMIN + 1, &sa, NULL);
	warm_up();
	for (int i = 0; i < STORM_THREADS; i++)
		CHECK(pthread_create(&th[i], NULL, in_the_storm, (void *)(intptr_t)i) == 0);
	for (int i = 0; i < STORM_THREADS; i++)
		while (!tids[i])
			sched_yield();
	p = fork();
	if (!p) {
		for (int i = 0; i < STORM; i++) {
			siginfo_t si = { .si_code = SI_QUEUE, .si_signo = SIGRTMIN + 1, .si_value.sival_int = i % STORM_THREADS };

			while (syscall(SYS_rt_tgsigqueueinfo, getppid(), tids[i % STORM_THREADS], SIGRTMIN + 1, &si))
				if (errno != EAGAIN)
					_exit(1);
		}
		_exit(0);
	}
	CHECK(waitpid(p, &st, 0) == p && st == 0);
	stop = 1;
	for (int i = 0; i < STORM_THREADS; i++)
		CHECK(pthread_join(th[i], NULL) == 0);
	CHECK(wrong == 0);
	for (int i = 0; i < STORM_THREADS; i++)
		CHECK(got[i] == STORM / STORM_THREADS + (i < STORM % STORM_THREADS));
}

/* What was sent before the mask lets it in is there when the call returns. */
CASE(delivered_before_the_call_returns)
{
	_Atomic int *turn = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t parent = getpid(), p;

	handle(SIGUSR1, on_signal, 0);
	warm_up();
	set_mask(BIT(SIGUSR1));
	p = fork();
	if (!p) {
		for (int i = 0; i < 300; i++) {
			while (*turn != 2 * i + 1)
				sched_yield();
			kill(parent, SIGUSR1);
			*turn = 2 * i + 2;
		}
		_exit(0);
	}
	for (int i = 0; i < 300; i++) {
		*turn = 2 * i + 1;
		while (*turn != 2 * i + 2)
			sched_yield();
		CHECK(count == i);
		set_mask(0);
		CHECK(count == i + 1);
		set_mask(BIT(SIGUSR1));
	}
	CHECK(waitpid(p, NULL, 0) == p);
}

/* Others come and go while one waits, of the thread and of the process; and it comes when it is let in, by whichever call. */
CASE(changed_while_one_waits)
{
	handle(SIGUSR1, on_signal, 0);
	warm_up();
	for (int i = 0; i < 300; i++) {
		uint64_t waits = BIT(SIGUSR1), others = BIT(SIGUSR2) | BIT(SIGHUP);
		int before = count;

		set_mask(waits);
		CHECK((i & 1 ? raise(SIGUSR1) : kill(getpid(), SIGUSR1)) == 0);
		for (int k = 0; k < 5; k++) {
			CHECK(change(SIG_BLOCK, &others, NULL, 8) == 0 && mask_now() == (waits | others));
			CHECK(change(SIG_UNBLOCK, &others, NULL, 8) == 0 && mask_now() == waits);
		}
		CHECK(count == before);
		if (i % 3)
			CHECK(change(SIG_UNBLOCK, &waits, NULL, 8) == 0);
		else
			set_mask(i % 2 ? others : 0);
		CHECK(count == before + 1);
		set_mask(0);
	}
}

CASE(signalfd_sees_what_is_blocked)
{
	uint64_t set = BIT(SIGUSR1);
	struct signalfd_siginfo si;
	int fd = signalfd(-1, (sigset_t *)&set, SFD_NONBLOCK);

	handle(SIGUSR1, on_signal, 0);
	warm_up();
	for (int i = 0; i < 20; i++) {
		set_mask(set);
		CHECK(raise(SIGUSR1) == 0);
		CHECK(read(fd, &si, sizeof(si)) == sizeof(si) && si.ssi_signo == SIGUSR1);
		set_mask(0);
		CHECK_ERR(read(fd, &si, sizeof(si)), EAGAIN);
		CHECK(count == 0);
	}
}

int main(void)
{
	return run_cases();
}
