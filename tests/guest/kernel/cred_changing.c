/*
 * cred_changing.c - calls that look at the credentials of a process that changes them all the time.
 */
#include "../test.h"

#include <sched.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define ROUNDS 400

static void change_on(void)
{
	for (unsigned i = 0;; i++)
		if (setfsuid(0), setresgid(i % 2, (gid_t)-1, (gid_t)-1))
			_exit(1);
}

CASE(looked_at_by_others)
{
	void *head;
	size_t len;
	cpu_set_t set;
	pid_t p = fork();
	int pfd, st;

	if (!p)
		change_on();
	CHECK(p > 0);
	pfd = (int)syscall(SYS_pidfd_open, p, 0);
	CHECK(pfd >= 0 && sched_getaffinity(0, sizeof(set), &set) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		int fd = (int)syscall(SYS_pidfd_getfd, pfd, 1, 0);

		CHECK(fd >= 0 && close(fd) == 0);
		CHECK(syscall(SYS_get_robust_list, p, &head, &len) == 0 && len == 24);
		CHECK(sched_setaffinity(p, sizeof(set), &set) == 0);
		CHECK(setpriority(PRIO_PROCESS, (id_t)p, 0) == 0);
	}
	CHECK(waitpid(p, &st, WNOHANG) == 0 && kill(p, SIGKILL) == 0 && waitpid(p, &st, 0) == p);
	close(pfd);
}

int main(void) { return run_cases(); }
