/* System V semaphores. */
#include "../test.h"

#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/time.h>
#include <time.h>

static int op(int id, int num, int n, int flags)
{
	struct sembuf b = { .sem_num = num, .sem_op = n, .sem_flg = flags };

	return semop(id, &b, 1);
}

static pid_t spawn(int id, int num, int n, int flags)
{
	pid_t p = fork();

	if (!p)
		_exit(op(id, num, n, flags) ? errno : 0);
	return p;
}

static int end_of(pid_t p)
{
	int st;

	CHECK(waitpid(p, &st, 0) == p);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

static void wait_count(int id, int num, int cmd, int n)
{
	while (semctl(id, num, cmd) != n)
		usleep(1000);
}

CASE(sem_get_values)
{
	int id = semget(IPC_PRIVATE, 3, 0600);
	unsigned short all[3] = { 1, 2, 3 };
	struct semid_ds ds;

	CHECK(id >= 0);
	CHECK(semctl(id, 0, SETALL, all) == 0);
	CHECK(semctl(id, 1, GETVAL) == 2);
	CHECK(semctl(id, 1, SETVAL, 7) == 0);
	memset(all, 0, sizeof(all));
	CHECK(semctl(id, 0, GETALL, all) == 0 && all[0] == 1 && all[1] == 7 && all[2] == 3);
	CHECK_ERR(semctl(id, 1, SETVAL, 32768), ERANGE);
	CHECK_ERR(semctl(id, 1, SETVAL, -1), ERANGE);
	CHECK_ERR(semctl(id, 3, GETVAL), EINVAL);
	CHECK_ERR(semctl(id, 0, 99), EINVAL);
	CHECK(semctl(id, 0, IPC_STAT, &ds) == 0 && ds.sem_nsems == 3 && ds.sem_otime == 0);
	CHECK(op(id, 0, -1, 0) == 0 && semctl(id, 0, GETPID) == getpid());
	CHECK(semctl(id, 0, IPC_STAT, &ds) == 0 && ds.sem_otime != 0);
	CHECK_ERR(semget(IPC_PRIVATE, 0, 0600), EINVAL);
	CHECK_ERR(semget(IPC_PRIVATE, 32001, 0600), EINVAL);
	CHECK(semctl(id, 0, IPC_RMID) == 0);
	CHECK_ERR(semctl(id, 0, GETVAL), EINVAL);
}

CASE(sem_op_errors)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	struct sembuf many[501] = { { 0 } };

	CHECK_ERR(op(id, 1, 1, 0), EFBIG);
	CHECK_ERR(op(id, 0, -1, IPC_NOWAIT), EAGAIN);
	CHECK_ERR(semop(id, many, 501), E2BIG);
	CHECK(semop(id, many, 500) == 0);
	CHECK_ERR(semop(id, many, 0), EINVAL);
	CHECK_ERR(semop(-1, many, 1), EINVAL);
	CHECK_ERR(semop(id, (void *)8, 1), EFAULT);
	CHECK(op(id, 0, 32767, 0) == 0);
	CHECK_ERR(op(id, 0, 1, 0), ERANGE);
	CHECK(semctl(id, 0, IPC_RMID) == 0);
}

CASE(sem_all_or_none)
{
	int id = semget(IPC_PRIVATE, 2, 0600);
	struct sembuf b[3] = { { 0, 5, 0 }, { 0, -1, 0 }, { 1, -1, IPC_NOWAIT } };

	CHECK_ERR(semop(id, b, 3), EAGAIN);
	CHECK(semctl(id, 0, GETVAL) == 0);
	b[2].sem_op = 0;
	CHECK(semop(id, b, 3) == 0);
	CHECK(semctl(id, 0, GETVAL) == 4);
	CHECK(semctl(id, 0, IPC_RMID) == 0);
}

CASE(sem_wait_and_wake)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	pid_t a = spawn(id, 0, -3, 0), b;

	wait_count(id, 0, GETNCNT, 1);
	b = spawn(id, 0, -1, 0);
	wait_count(id, 0, GETNCNT, 2);
	CHECK(op(id, 0, 1, 0) == 0);
	CHECK(end_of(b) == 0);
	CHECK(semctl(id, 0, GETNCNT) == 1);
	CHECK(op(id, 0, 3, 0) == 0);
	CHECK(end_of(a) == 0);
	CHECK(semctl(id, 0, GETVAL) == 0);
	CHECK(semctl(id, 0, SETVAL, 1) == 0);
	a = spawn(id, 0, 0, 0);
	wait_count(id, 0, GETZCNT, 1);
	CHECK(semctl(id, 0, SETVAL, 0) == 0);
	CHECK(end_of(a) == 0);
	a = spawn(id, 0, -1, 0);
	wait_count(id, 0, GETNCNT, 1);
	CHECK(semctl(id, 0, IPC_RMID) == 0);
	CHECK(end_of(a) == EIDRM);
}

CASE(sem_undo)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	pid_t p;

	CHECK(semctl(id, 0, SETVAL, 5) == 0);
	CHECK(end_of(spawn(id, 0, -2, SEM_UNDO)) == 0);
	CHECK(semctl(id, 0, GETVAL) == 5);
	CHECK(end_of(spawn(id, 0, -2, 0)) == 0);
	CHECK(semctl(id, 0, GETVAL) == 3);
	CHECK(end_of(spawn(id, 0, 4, SEM_UNDO)) == 0);
	CHECK(semctl(id, 0, GETVAL) == 3);
	/* held over exec, given back at the end, also by a kill */
	p = fork();
	if (!p) {
		op(id, 0, -3, SEM_UNDO);
		execl("/bin/sleep", "sleep", "100", NULL);
		_exit(1);
	}
	while (semctl(id, 0, GETVAL) != 0)
		usleep(1000);
	usleep(50000);
	CHECK(semctl(id, 0, GETVAL) == 0);
	kill(p, SIGKILL);
	CHECK(op(id, 0, -3, 0) == 0);
	CHECK(end_of(p) == -1);
	CHECK(semctl(id, 0, IPC_RMID) == 0);
}

static void on_alarm(int s) { (void)s; }

CASE(sem_timeout_and_signal)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	struct timespec ts = { 0, 50000000 }, bad = { 0, 1000000000 };
	struct sembuf b = { 0, -1, 0 };
	struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	const struct itimerval often = { { 0, 300000 }, { 0, 300000 } }; /* the first may come before the wait */

	CHECK_ERR(semtimedop(id, &b, 1, &ts), EAGAIN);
	CHECK_ERR(semtimedop(id, &b, 1, &bad), EINVAL);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	CHECK_ERR(op(id, 0, -1, 0), EINTR);
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	CHECK(semctl(id, 0, GETNCNT) == 0);
	CHECK(semctl(id, 0, IPC_RMID) == 0);
}

CASE(sem_mutex_under_load)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	pid_t p[4];

	CHECK(semctl(id, 0, SETVAL, 1) == 0);
	for (int i = 0; i < 4; i++) {
		p[i] = fork();
		if (!p[i]) {
			for (int n = 0; n < 200; n++)
				if (op(id, 0, -1, SEM_UNDO) || op(id, 0, 1, SEM_UNDO))
					_exit(1);
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		CHECK(end_of(p[i]) == 0);
	CHECK(semctl(id, 0, GETVAL) == 1);
	CHECK(semctl(id, 0, IPC_RMID) == 0);
}

int main(void) { return run_cases(); }
