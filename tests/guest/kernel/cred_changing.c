/*
 * cred_changing.c - calls that look at the credentials of a process that changes them all the time.
 */
#include "../test.h"

#include <linux/kcmp.h>
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

/* As its ids are at that moment: it may be looked into, or by CAP_SYS_PTRACE only. */
static int looked_or_not(long r) { return r >= 0 || errno == EPERM; }

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
		int fd;

		CHECK(looked_or_not(fd = (int)syscall(SYS_pidfd_getfd, pfd, 1, 0)));
		if (fd >= 0)
			close(fd);
		CHECK(looked_or_not(syscall(SYS_get_robust_list, p, &head, &len)));
		CHECK(looked_or_not(syscall(SYS_kcmp, p, p, KCMP_VM, 0, 0)));
		CHECK(sched_setaffinity(p, sizeof(set), &set) == 0);
		CHECK(setpriority(PRIO_PROCESS, (id_t)p, 0) == 0);
	}
	CHECK(waitpid(p, &st, WNOHANG) == 0 && kill(p, SIGKILL) == 0 && waitpid(p, &st, 0) == p);
	close(pfd);
}

int main(void) { return run_cases(); }
