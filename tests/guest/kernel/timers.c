/* Clocks, sleeping, interval and POSIX timers. */
#include "../test.h"

#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

static volatile sig_atomic_t fired, value;

static void on_signal(int s, siginfo_t *si, void *uc)
{
	fired++;
	value = si->si_value.sival_int;
}

static void handle(int s)
{
	struct sigaction sa = { .sa_flags = SA_SIGINFO, .sa_sigaction = on_signal };

	sigaction(s, &sa, NULL);
}

static int64_t now(clockid_t c)
{
	struct timespec t;

	CHECK(clock_gettime(c, &t) == 0);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

CASE(clocks)
{
	struct timespec t;

	CHECK(now(CLOCK_MONOTONIC) <= now(CLOCK_MONOTONIC));
	CHECK(now(CLOCK_REALTIME) > 1600000000000000000ll);
	CHECK(now(CLOCK_BOOTTIME) > 0 && now(CLOCK_MONOTONIC_COARSE) > 0 && now(CLOCK_TAI) > 0);
	CHECK(clock_getres(CLOCK_MONOTONIC, &t) == 0 && t.tv_sec == 0 && t.tv_nsec == 1);
	CHECK_ERR(syscall(SYS_clock_gettime, 77, &t), EINVAL);
	CHECK_ERR(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (void *)8), EFAULT);
}

CASE(cpu_clocks)
{
	int64_t a = now(CLOCK_PROCESS_CPUTIME_ID), b = now(CLOCK_THREAD_CPUTIME_ID);
	clockid_t mine;
	struct tms tms;

	for (volatile int i = 0; i < 30000000; i++)
		;
	CHECK(now(CLOCK_PROCESS_CPUTIME_ID) - a > 1000000);
	CHECK(now(CLOCK_THREAD_CPUTIME_ID) - b > 1000000);
	CHECK(clock_getcpuclockid(0, &mine) == 0 && now(mine) > a);
	CHECK(times(&tms) != (clock_t)-1);
	/* sleep is not counted; on a busy machine the way there and back may be, now and then */
	for (int i = 0; i < 20; i++) {
		a = now(CLOCK_PROCESS_CPUTIME_ID);
		usleep(100000);
		if (now(CLOCK_PROCESS_CPUTIME_ID) - a < 60000000)
			return;
	}
	CHECK(!"sleep is no processor time");
}

CASE(sleeping)
{
	struct timespec t = { 0, 50000000 }, bad = { 0, -1 };
	int64_t a = now(CLOCK_MONOTONIC);

	CHECK(nanosleep(&t, NULL) == 0);
	CHECK(now(CLOCK_MONOTONIC) - a >= 50000000);
	CHECK_ERR(nanosleep(&bad, NULL), EINVAL);
	a = now(CLOCK_MONOTONIC) + 50000000;
	t = (struct timespec){ a / 1000000000, a % 1000000000 };
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == 0);
	CHECK(now(CLOCK_MONOTONIC) >= a);
	t.tv_sec = 1;
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == 0); /* long past */
	CHECK(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL) == EINVAL);
}

CASE(interval_timer)
{
	struct itimerval it = { { 0, 20000 }, { 0, 20000 } }, old;

	handle(SIGALRM);
	CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
	while (fired < 3)
		pause();
	CHECK(getitimer(ITIMER_REAL, &old) == 0 && old.it_interval.tv_usec == 20000);
	it = (struct itimerval){ 0 };
	CHECK(setitimer(ITIMER_REAL, &it, &old) == 0 && old.it_interval.tv_usec == 20000);
	CHECK(getitimer(ITIMER_REAL, &old) == 0 && old.it_value.tv_usec == 0);
	CHECK_ERR(setitimer(7, &it, NULL), EINVAL);
	it.it_value.tv_usec = 1000000;
	CHECK_ERR(setitimer(ITIMER_REAL, &it, NULL), EINVAL);
}

CASE(alarms)
{
	sigset_t s, none;
	unsigned left;

	handle(SIGALRM);
	sigemptyset(&none);
	sigemptyset(&s);
	sigaddset(&s, SIGALRM);
	CHECK(sigprocmask(SIG_BLOCK, &s, NULL) == 0); /* it may come before it is waited for */
	alarm(0);
	CHECK(alarm(1000) == 0);
	left = alarm(1);
	CHECK(left <= 1000 && left > 900);
	CHECK_ERR(sigsuspend(&none), EINTR);
	CHECK(fired == 1);
	CHECK(alarm(0) == 0);
}

CASE(cpu_interval_timers)
{
	struct itimerval it = { { 0, 0 }, { 0, 20000 } };

	handle(SIGVTALRM);
	handle(SIGPROF);
	CHECK(setitimer(ITIMER_VIRTUAL, &it, NULL) == 0);
	while (!fired)
		;
	CHECK(setitimer(ITIMER_PROF, &it, NULL) == 0);
	while (fired < 2)
		;
}

CASE(posix_timer)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 77 };
	struct itimerspec it = { { 0, 10000000 }, { 0, 10000000 } }, cur;
	timer_t t;

	handle(SIGUSR1);
	CHECK(timer_create(CLOCK_MONOTONIC, &ev, &t) == 0);
	CHECK(timer_settime(t, 0, &it, NULL) == 0);
	while (fired < 3)
		pause();
	CHECK(value == 77);
	CHECK(timer_gettime(t, &cur) == 0 && cur.it_interval.tv_nsec == 10000000 && cur.it_value.tv_nsec > 0);
	CHECK(timer_delete(t) == 0);
	CHECK_ERR(timer_delete(t), EINVAL);
	ev.sigev_signo = 99;
	CHECK_ERR(timer_create(CLOCK_MONOTONIC, &ev, &t), EINVAL);
	CHECK_ERR(timer_create(55, NULL, &t), EINVAL);
}

CASE(overruns)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec it = { { 0, 5000000 }, { 0, 5000000 } };
	sigset_t s;
	siginfo_t si;
	timer_t t;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigprocmask(SIG_BLOCK, &s, NULL);
	CHECK(timer_create(CLOCK_MONOTONIC, &ev, &t) == 0);
	CHECK(timer_settime(t, 0, &it, NULL) == 0);
	usleep(100000);
	CHECK(sigwaitinfo(&s, &si) == SIGUSR1);
	CHECK(si.si_code == SI_TIMER && si.si_overrun > 5);
	CHECK(timer_getoverrun(t) == si.si_overrun);
}

CASE(nobody_sets_the_clock)
{
	struct timespec t = { 1, 0 };
	pid_t p = fork();
	int st;

	if (!p) {
		setresuid(65534, 65534, 65534);
		CHECK_ERR(clock_settime(CLOCK_REALTIME, &t), EPERM);
		_exit(0);
	}
	CHECK(waitpid(p, &st, 0) == p && st == 0);
}

int main(void) { return run_cases(); }
