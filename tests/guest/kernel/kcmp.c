/* kcmp(2): what two processes or descriptors share. */
#include "../test.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/syscall.h>

static long same(pid_t a, pid_t b, int what, long x, long y) { return syscall(SYS_kcmp, a, b, what, x, y); }

CASE(a_child)
{
	pid_t me = getpid(), p = fork();
	int id, st;
	struct sembuf up = { 0, 1, SEM_UNDO };

	if (!p) {
		pause();
		_exit(0);
	}
	for (int what = KCMP_VM; what < KCMP_SYSVSEM; what++)
		CHECK(same(me, me, what, 0, 0) == 0);
	CHECK(same(me, p, KCMP_VM, 0, 0) > 0 && same(me, p, KCMP_FILES, 0, 0) > 0);
	CHECK(same(me, p, KCMP_FS, 0, 0) > 0 && same(me, p, KCMP_SIGHAND, 0, 0) > 0);
	CHECK(same(me, p, KCMP_FILES, 0, 0) + same(p, me, KCMP_FILES, 0, 0) == 3); /* an order */
	CHECK(same(me, p, KCMP_SYSVSEM, 0, 0) == 0);
	CHECK((id = semget(IPC_PRIVATE, 1, 0600)) >= 0 && semop(id, &up, 1) == 0);
	CHECK(same(me, p, KCMP_SYSVSEM, 0, 0) > 0 && same(me, me, KCMP_SYSVSEM, 0, 0) == 0);
	CHECK(semctl(id, 0, IPC_RMID) == 0);
	kill(p, SIGKILL);
	CHECK(waitpid(p, &st, 0) == p);
	CHECK_ERR(same(me, p, KCMP_VM, 0, 0), ESRCH);
}

CASE(descriptors)
{
	pid_t me = getpid();
	int a = open("/dev/null", O_RDWR), b = dup(a), c = open("/dev/null", O_RDWR);

	CHECK(same(me, me, KCMP_FILE, a, b) == 0 && same(me, me, KCMP_FILE, a, c) > 0);
	CHECK_ERR(same(me, me, KCMP_FILE, a, 99), EBADF);
	CHECK_ERR(same(me, me, 99, 0, 0), EINVAL);
}

int main(void) { return run_cases(); }
