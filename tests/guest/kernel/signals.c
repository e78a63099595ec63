/* Signals: masks, queues, handlers, interrupted and restarted calls. */
#include "../test.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static volatile sig_atomic_t count, last, order[16];
static volatile siginfo_t info;

static void on_signal(int s)
{
	if (count < 16)
		order[count] = s;
	last = s;
	count++;
}

static void on_info(int s, siginfo_t *si, void *uc)
{
	info = *si;
	on_signal(s);
}

static void handle(int s, int flags)
{
	struct sigaction sa = { .sa_flags = flags | SA_SIGINFO, .sa_sigaction = on_info };

	sigaction(s, &sa, NULL);
}

static void only(sigset_t *set, int s)
{
	sigemptyset(set);
	sigaddset(set, s);
}

CASE(handler_and_info)
{
	handle(SIGUSR1, 0);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(count == 1 && last == SIGUSR1);
	CHECK(info.si_code == SI_USER && info.si_pid == getpid() && info.si_uid == getuid());
	CHECK(raise(SIGUSR1) == 0 && info.si_code == SI_TKILL);
}

CASE(mask_and_pending)
{
	sigset_t s, p;

	handle(SIGUSR1, 0);
	only(&s, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &s, NULL) == 0);
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK(count == 0);
	CHECK(sigpending(&p) == 0 && sigismember(&p, SIGUSR1) == 1);
	CHECK(sigprocmask(SIG_UNBLOCK, &s, NULL) == 0);
	CHECK(count == 1); /* a standard signal is pending once */
	CHECK(sigpending(&p) == 0 && sigismember(&p, SIGUSR1) == 0);
}

CASE(realtime_queue)
{
	sigset_t s;

	handle(SIGRTMIN, 0);
	handle(SIGRTMIN + 1, 0);
	only(&s, SIGRTMIN);
	sigaddset(&s, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &s, NULL);
	CHECK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = 7 }) == 0);
	CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 8 }) == 0);
	CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 9 }) == 0);
	struct timespec zero = { 0 };
	siginfo_t si;

	CHECK(sigtimedwait(&s, &si, &zero) == SIGRTMIN && si.si_value.sival_int == 8 && si.si_code == SI_QUEUE);
	CHECK(sigtimedwait(&s, &si, &zero) == SIGRTMIN && si.si_value.sival_int == 9);
	CHECK(sigtimedwait(&s, &si, &zero) == SIGRTMIN + 1 && si.si_value.sival_int == 7);
	CHECK_ERR(sigtimedwait(&s, &si, &zero), EAGAIN);
}

static void *poke(void *arg)
{
	until_asleep(getpid());
	kill(getpid(), (int)(long)arg);
	return NULL;
}

/* ... when the caller, the first thread, has come to rest in a call. */
static void poke_later(int s)
{
	sigset_t all, old;
	pthread_t t;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_create(&t, NULL, poke, (void *)(long)s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_detach(t);
}

CASE(read_is_interrupted)
{
	int p[2];
	char c;

	CHECK(pipe(p) == 0);
	handle(SIGUSR1, 0);
	poke_later(SIGUSR1);
	CHECK_ERR(read(p[0], &c, 1), EINTR);
	CHECK(count == 1);
}

static int restart_pipe[2];
static void feed(int s)
{
	count++;
	write(restart_pipe[1], "y", 1);
}

CASE(read_is_restarted)
{
	struct sigaction sa = { .sa_flags = SA_RESTART, .sa_handler = feed };
	char c = 0;

	CHECK(pipe(restart_pipe) == 0);
	sigaction(SIGUSR1, &sa, NULL);
	poke_later(SIGUSR1);
	CHECK(read(restart_pipe[0], &c, 1) == 1 && c == 'y');
	CHECK(count == 1);
}

CASE(wait_is_restarted)
{
	struct sigaction sa = { .sa_flags = SA_RESTART, .sa_handler = feed };
	char c;
	int st;
	pid_t p;

	CHECK(pipe(restart_pipe) == 0);
	sigaction(SIGUSR1, &sa, NULL);
	p = fork();
	if (!p)
		_exit(read(restart_pipe[0], &c, 1) == 1 ? 4 : 1);
	poke_later(SIGUSR1);
	CHECK(waitpid(p, &st, 0) == p && WEXITSTATUS(st) == 4);
	CHECK(count == 1);
}

CASE(nanosleep_interrupted)
{
	struct timespec rem = { 0 }, want = { 20, 0 };

	handle(SIGUSR1, SA_RESTART);
	poke_later(SIGUSR1);
	CHECK_ERR(nanosleep(&want, &rem), EINTR);
	CHECK(rem.tv_sec > 0 && rem.tv_sec < 20);
}

CASE(nanosleep_goes_on_after_a_stop)
{
	struct timespec a, b;
	int st;
	pid_t p = fork();

	clock_gettime(CLOCK_MONOTONIC, &a);
	if (!p)
		_exit(nanosleep(&(struct timespec){ 2, 0 }, NULL) != 0);
	until_asleep(p);
	CHECK(kill(p, SIGSTOP) == 0);
	CHECK(waitpid(p, &st, WUNTRACED) == p && WIFSTOPPED(st));
	CHECK(kill(p, SIGCONT) == 0);
	CHECK(waitpid(p, &st, 0) == p && st == 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	long ms = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
	CHECK(ms >= 1995 && ms < 25000);
}

CASE(sigsuspend_restores_the_mask)
{
	sigset_t block, none, now;

	handle(SIGUSR1, 0);
	only(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	raise(SIGUSR1);
	CHECK(count == 0);
	sigemptyset(&none);
	CHECK_ERR(sigsuspend(&none), EINTR);
	CHECK(count == 1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGUSR1) == 1);
}

CASE(sigtimedwait_times_out)
{
	struct timespec t = { 0, 50000000 };
	sigset_t s;

	only(&s, SIGUSR2);
	sigprocmask(SIG_BLOCK, &s, NULL);
	CHECK_ERR(sigtimedwait(&s, NULL, &t), EAGAIN);
	poke_later(SIGUSR2);
	CHECK(sigwaitinfo(&s, NULL) == SIGUSR2);
	t.tv_nsec = -1;
	CHECK_ERR(sigtimedwait(&s, NULL, &t), EINVAL);
}

static stack_t seen;
static void *handler_sp;
static void on_alt(int s)
{
	int here;

	handler_sp = &here;
	sigaltstack(NULL, &seen);
}

CASE(alternate_stack)
{
	char *mem = malloc(65536);
	stack_t ss = { .ss_sp = mem, .ss_size = 65536 }, old;
	struct sigaction sa = { .sa_flags = SA_ONSTACK, .sa_handler = on_alt };

	CHECK(sigaltstack(NULL, &old) == 0 && old.ss_flags == SS_DISABLE);
	CHECK(sigaltstack(&ss, NULL) == 0);
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	CHECK((char *)handler_sp > mem && (char *)handler_sp < mem + 65536);
	CHECK(seen.ss_flags == SS_ONSTACK);
	CHECK(sigaltstack(NULL, &old) == 0 && old.ss_flags == 0 && old.ss_sp == mem);
	ss.ss_size = 100;
	CHECK_ERR(sigaltstack(&ss, NULL), ENOMEM);
}

CASE(nodefer_resethand)
{
	struct sigaction sa = { .sa_flags = (int)SA_RESETHAND, .sa_handler = on_signal }, now;

	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	CHECK(count == 1);
	sigaction(SIGUSR1, NULL, &now);
	CHECK(now.sa_handler == SIG_DFL);
	CHECK_ERR(sigaction(SIGKILL, &sa, NULL), EINVAL);
	CHECK_ERR(sigaction(65, &sa, NULL), EINVAL);
}

CASE(lowest_number_first)
{
	sigset_t s;

	handle(SIGUSR1, 0);
	handle(SIGHUP, 0);
	handle(SIGUSR2, 0);
	only(&s, SIGUSR1);
	sigaddset(&s, SIGHUP);
	sigaddset(&s, SIGUSR2);
	/* no nesting: each handler runs with the others blocked */
	for (int i = 0; i < 3; i++) {
		struct sigaction sa = { .sa_handler = on_signal, .sa_mask = s };
		sigaction((int[]){ SIGUSR1, SIGHUP, SIGUSR2 }[i], &sa, NULL);
	}
	sigprocmask(SIG_BLOCK, &s, NULL);
	raise(SIGUSR2);
	raise(SIGUSR1);
	raise(SIGHUP);
	sigprocmask(SIG_UNBLOCK, &s, NULL);
	CHECK(count == 3 && order[0] == SIGHUP && order[1] == SIGUSR1 && order[2] == SIGUSR2);
}

CASE(stop_and_continue)
{
	siginfo_t si;
	int st;
	pid_t p = fork();

	if (!p)
		for (;;)
			pause();
	CHECK(kill(p, SIGSTOP) == 0);
	CHECK(waitid(P_PID, p, &si, WSTOPPED) == 0 && si.si_code == CLD_STOPPED && si.si_status == SIGSTOP);
	CHECK(waitpid(p, &st, WUNTRACED | WNOHANG) == 0); /* told once */
	CHECK(kill(p, SIGCONT) == 0);
	CHECK(waitpid(p, &st, WCONTINUED) == p && WIFCONTINUED(st));
	CHECK(kill(p, SIGSTOP) == 0);
	CHECK(waitpid(p, &st, WUNTRACED) == p && WSTOPSIG(st) == SIGSTOP);
	CHECK(kill(p, SIGKILL) == 0); /* reaches the stopped */
	CHECK(waitpid(p, &st, 0) == p && WTERMSIG(st) == SIGKILL);
}

static int echo[2];
static void answer(int s) { CHECK(write(echo[1], "x", 1) == 1); }

/* A stop that is undone before it has begun, or just then, does not come afterwards. */
CASE(stop_and_continue_at_once)
{
	char c;
	pid_t p;

	CHECK(pipe(echo) == 0);
	p = fork();
	if (!p) {
		signal(SIGUSR1, answer);
		answer(0);
		for (;;)
			pause();
	}
	CHECK(read(echo[0], &c, 1) == 1);
	for (int i = 0; i < 2000; i++) {
		CHECK(!kill(p, SIGSTOP));
		for (volatile int n = 0; n < i % 64 * 8; n++)
			;
		CHECK(!kill(p, SIGCONT) && !kill(p, SIGUSR1));
		CHECK(read(echo[0], &c, 1) == 1);
	}
	CHECK(!kill(p, SIGKILL) && waitpid(p, NULL, 0) == p);
}

CASE(sigchld_tells)
{
	sigset_t s;
	siginfo_t si;
	pid_t p;

	only(&s, SIGCHLD);
	sigprocmask(SIG_BLOCK, &s, NULL);
	p = fork();
	if (!p)
		_exit(6);
	CHECK(sigwaitinfo(&s, &si) == SIGCHLD);
	CHECK(si.si_pid == p && si.si_code == CLD_EXITED && si.si_status == 6);
}

CASE(orphaned_group_is_continued)
{
	int p[2];
	char c = 0;
	int st;
	pid_t mid;

	CHECK(pipe(p) == 0);
	mid = fork();
	if (!mid) {
		pid_t low;

		setsid();
		low = fork();
		if (!low) {
			setpgid(0, 0);
			signal(SIGHUP, on_signal);
			kill(getpid(), SIGSTOP);
			write(p[1], last == SIGHUP ? "h" : "n", 1);
			_exit(0);
		}
		CHECK(waitpid(low, &st, WUNTRACED) == low);
		_exit(0); /* low's group is an orphan now, and stopped */
	}
	CHECK(waitpid(mid, &st, 0) == mid);
	close(p[1]);
	CHECK(read(p[0], &c, 1) == 1 && c == 'h');
}

CASE(fatal_in_a_thread_ends_all)
{
	int st;
	pid_t p = fork();

	if (!p) {
		pthread_t t;

		pthread_create(&t, NULL, poke, (void *)(long)SIGTERM);
		for (;;)
			pause();
	}
	CHECK(waitpid(p, &st, 0) == p && WTERMSIG(st) == SIGTERM);
}

CASE(directed_at_a_thread)
{
	CHECK_ERR(syscall(SYS_tgkill, getpid(), NO_PID, SIGUSR1), ESRCH);
	CHECK_ERR(syscall(SYS_tgkill, getpid(), -1, SIGUSR1), EINVAL);
	CHECK_ERR(syscall(SYS_tgkill, getpid(), getpid(), 65), EINVAL);
	handle(SIGUSR1, 0);
	CHECK(syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1) == 0 && count == 1);
}

int main(void) { return run_cases(); }
