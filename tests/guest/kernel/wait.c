/* Children: statuses, waitid, orphans, autoreaping, process groups and sessions. */
#include "../target.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

static pid_t child(int code)
{
	pid_t p = fork();

	if (!p)
		_exit(code);
	return p;
}

static void nap(int ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

CASE(exit_status)
{
	int st;
	pid_t p = child(37);

	CHECK(waitpid(p, &st, 0) == p);
	CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 37);
	CHECK_ERR(waitpid(p, &st, 0), ECHILD);
}

CASE(killed_status)
{
	int st;
	pid_t p = fork();

	if (!p)
		for (;;)
			pause();
	CHECK(kill(p, SIGTERM) == 0);
	CHECK(waitpid(p, &st, 0) == p);
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGTERM);
	CHECK_ERR(kill(p, 0), ESRCH);
}

CASE(wnohang)
{
	int st, pipes[2];
	char c;
	pid_t p;

	CHECK(pipe(pipes) == 0);
	p = fork();
	if (!p) {
		close(pipes[1]);
		_exit(read(pipes[0], &c, 1));
	}
	CHECK(waitpid(p, &st, WNOHANG) == 0);
	close(pipes[1]);
	CHECK(waitpid(p, &st, 0) == p && st == 0);
	CHECK_ERR(waitpid(-1, &st, WNOHANG), ECHILD);
}

CASE(waitid_and_wnowait)
{
	siginfo_t si;
	pid_t p = child(5);

	memset(&si, 0, sizeof(si));
	CHECK(waitid(P_PID, p, &si, WEXITED | WNOWAIT) == 0);
	CHECK(si.si_pid == p && si.si_code == CLD_EXITED && si.si_status == 5 && si.si_signo == SIGCHLD);
	CHECK(waitid(P_ALL, 0, &si, WEXITED) == 0 && si.si_pid == p);
	CHECK_ERR(waitid(P_ALL, 0, &si, WEXITED), ECHILD);
	CHECK_ERR(waitid(P_ALL, 0, &si, 0), EINVAL);
	CHECK_ERR(waitid(P_PID, -3, &si, WEXITED), EINVAL);
}

CASE(wait_by_group)
{
	int st;
	pid_t p = fork();

	if (!p) {
		setpgid(0, 0);
		nap(50);
		_exit(1);
	}
	setpgid(p, p);
	CHECK_ERR(waitpid(0, &st, 0), ECHILD);
	CHECK(waitpid(-p, &st, 0) == p);
}

CASE(rusage_of_children)
{
	struct rusage ru;
	int st;
	pid_t p = fork();

	if (!p) {
		clock_t until = clock() + CLOCKS_PER_SEC / 20;

		while (clock() < until)
			;
		_exit(0);
	}
	CHECK(wait4(p, &st, 0, &ru) == p);
	CHECK(ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec + ru.ru_stime.tv_sec * 1000000 + ru.ru_stime.tv_usec >= 40000);
	CHECK(getrusage(RUSAGE_CHILDREN, &ru) == 0);
	CHECK(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec + ru.ru_utime.tv_sec > 0);
}

CASE(ignored_sigchld_reaps)
{
	int st;

	signal(SIGCHLD, SIG_IGN);
	child(1);
	CHECK_ERR(wait(&st), ECHILD);
	signal(SIGCHLD, SIG_DFL);
}

CASE(subreaper_gets_orphans)
{
	int st, got = 0;
	pid_t p;

	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	CHECK(prctl(PR_GET_CHILD_SUBREAPER, &got) == 0 && got == 1);
	p = fork();
	if (!p) {
		if (!fork()) {
			nap(100);
			_exit(getppid() == getpgrp() || 1 ? 9 : 0);
		}
		_exit(3);
	}
	CHECK(waitpid(p, &st, 0) == p && WEXITSTATUS(st) == 3);
	CHECK(wait(&st) > 0 && WEXITSTATUS(st) == 9);
}

CASE(parent_death_signal)
{
	int st, pipes[2];
	char c;

	CHECK(pipe(pipes) == 0);
	if (!fork()) {
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			write(pipes[1], "x", 1);
			for (;;)
				pause();
		}
		read(pipes[0], &c, 1);
		_exit(0);
	}
	close(pipes[1]);
	CHECK(wait(&st) > 0);
	/* the grandchild held the last writing end */
	CHECK(read(pipes[0], &c, 1) == 0);
}

CASE(process_groups)
{
	int st;
	pid_t p = fork();

	if (!p) {
		CHECK(setpgid(0, 0) == 0);
		CHECK(getpgrp() == getpid());
		CHECK(setsid() == -1 && errno == EPERM); /* a group leader */
		_exit(0);
	}
	CHECK(waitpid(p, &st, 0) == p && st == 0);
	CHECK_ERR(setpgid(0, -1), EINVAL);
	CHECK_ERR(setpgid(NO_PID, 0), ESRCH);
	CHECK_ERR(getpgid(NO_PID), ESRCH);
}

CASE(sessions)
{
	int st;
	pid_t p = fork();

	if (!p) {
		CHECK(setsid() == getpid());
		CHECK(getsid(0) == getpid() && getpgrp() == getpid());
		CHECK_ERR(setpgid(0, 0), EPERM);
		CHECK_ERR(setsid(), EPERM);
		_exit(0);
	}
	CHECK(waitpid(p, &st, 0) == p && st == 0);
}

CASE(kill_a_group)
{
	int st;
	pid_t a = fork(), b;

	if (!a) {
		setpgid(0, 0);
		for (;;)
			pause();
	}
	setpgid(a, a);
	b = fork();
	if (!b) {
		setpgid(0, a);
		for (;;)
			pause();
	}
	setpgid(b, a);
	CHECK(kill(-a, SIGHUP) == 0);
	CHECK(waitpid(a, &st, 0) == a && WTERMSIG(st) == SIGHUP);
	CHECK(waitpid(b, &st, 0) == b && WTERMSIG(st) == SIGHUP);
	CHECK_ERR(kill(-a, SIGHUP), ESRCH);
}

CASE(many_children)
{
	int st, n = 0;

	for (int i = 0; i < 50; i++)
		CHECK(child(i & 7) > 0);
	while (wait(&st) > 0)
		n++;
	CHECK(n == 50);
}

/* Any of them by its number, in any order; nobody else's child. */
CASE(one_of_many)
{
	pid_t p[50], other = child(1);
	int st;

	for (int i = 0; i < 50; i++)
		CHECK((p[i] = child(i)) > 0);
	CHECK(waitpid(p[49], &st, 0) == p[49] && WEXITSTATUS(st) == 49);
	CHECK_ERR(waitpid(p[49], &st, 0), ECHILD);
	CHECK_ERR(waitpid(getpid(), &st, 0), ECHILD);
	CHECK_ERR(waitpid(getppid(), &st, 0), ECHILD);
	CHECK_ERR(waitpid(p[20], &st, __WCLONE), ECHILD);
	for (int i = 0; i < 49; i++)
		CHECK(waitpid(p[i], &st, 0) == p[i] && WEXITSTATUS(st) == i);
	CHECK(wait(&st) == other);
	CHECK_ERR(wait(&st), ECHILD);
}

/* A mapped file is held until the process has ended, and no longer. */
CASE(files_end_before_it_is_told)
{
	static const char name[] = "held";
	int st, fd = open(name, O_CREAT | O_RDWR | O_TRUNC, 0600);

	CHECK(fd >= 0 && write(fd, "x", 1) == 1);
	for (int i = 0; i < 100; i++) {
		pid_t p = fork();

		if (!p) {
			int own = open(name, O_RDONLY);
			volatile char *m = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, own, 0);

			_exit(m == MAP_FAILED || flock(own, LOCK_EX | LOCK_NB) || close(own) || *m != 'x' ? 1 : 0);
		}
		CHECK(waitpid(p, &st, 0) == p && st == 0);
		CHECK(flock(fd, LOCK_EX | LOCK_NB) == 0 && flock(fd, LOCK_UN) == 0);
	}
	close(fd);
	CHECK(unlink(name) == 0);
}

static void *sleeps(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void many_threads(void)
{
	pthread_t t;

	for (int i = 0; i < 16; i++)
		CHECK(pthread_create(&t, NULL, sleeps, NULL) == 0);
}

/* Each stop is complete and told, also where the threads have hardly gone on since the last one. */
CASE(threads_stopped_again_and_again)
{
	pid_t p = target(many_threads);
	int st;

	for (int i = 0; i < 200; i++) {
		CHECK(kill(p, SIGSTOP) == 0 && waitpid(p, &st, WUNTRACED) == p && WIFSTOPPED(st));
		CHECK(kill(p, SIGCONT) == 0 && waitpid(p, &st, WCONTINUED) == p && WIFCONTINUED(st));
	}
	CHECK(kill(p, SIGKILL) == 0 && waitpid(p, &st, 0) == p && WIFSIGNALED(st));
}

int main(void) { return run_cases(); }
