/* System V message queues. */
#include "../test.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/time.h>

struct text {
	long type;
	char t[8192];
};

static int put(int id, long type, const char *s, int flags)
{
	struct text m = { .type = type };

	strcpy(m.t, s);
	return msgsnd(id, &m, strlen(s) + 1, flags);
}

static const char *take(int id, long type, int flags)
{
	static struct text m;

	memset(&m, 0, sizeof(m));
	return msgrcv(id, &m, sizeof(m.t), type, flags) < 0 ? NULL : m.t;
}

CASE(msg_types)
{
	int id = msgget(IPC_PRIVATE, 0600);
	struct msqid_ds ds;

	CHECK(id >= 0);
	CHECK(put(id, 3, "three", 0) == 0 && put(id, 1, "one", 0) == 0 && put(id, 2, "two", 0) == 0 && put(id, 3, "more", 0) == 0);
	CHECK(msgctl(id, IPC_STAT, &ds) == 0 && ds.msg_qnum == 4 && ds.__msg_cbytes == 19 && ds.msg_lspid == getpid() && ds.msg_qbytes == 16384);
	CHECK(!strcmp(take(id, 2, 0), "two"));
	CHECK(!strcmp(take(id, -3, 0), "one"));
	CHECK(!strcmp(take(id, 0, 0), "three"));
	CHECK(!take(id, 3, IPC_NOWAIT | MSG_EXCEPT) && errno == ENOMSG);
	CHECK(!strcmp(take(id, 7, MSG_EXCEPT), "more"));
	CHECK(!take(id, 0, IPC_NOWAIT) && errno == ENOMSG);
	CHECK(msgctl(id, IPC_RMID, NULL) == 0);
	CHECK_ERR(put(id, 1, "x", 0), EINVAL);
}

CASE(msg_sizes)
{
	int id = msgget(IPC_PRIVATE, 0600);
	struct text m = { .type = 1 };

	CHECK_ERR(msgsnd(id, &m, 8193, 0), EINVAL);
	m.type = 0;
	CHECK_ERR(msgsnd(id, &m, 1, 0), EINVAL);
	m.type = 1;
	CHECK_ERR(msgsnd(id, (void *)8, 1, 0), EFAULT);
	CHECK(msgsnd(id, &m, 8192, 0) == 0 && msgsnd(id, &m, 8192, 0) == 0);
	CHECK_ERR(msgsnd(id, &m, 1, IPC_NOWAIT), EAGAIN);
	CHECK_ERR(msgrcv(id, &m, 10, 0, 0), E2BIG);
	CHECK(msgrcv(id, &m, 10, 0, MSG_NOERROR) == 10);
	CHECK(msgsnd(id, &m, 0, IPC_NOWAIT) == 0);
	CHECK(msgrcv(id, &m, 8192, 0, 0) == 8192 && msgrcv(id, &m, 8192, 0, 0) == 0);
	CHECK(msgctl(id, IPC_RMID, NULL) == 0);
}

CASE(msg_blocking)
{
	int id = msgget(IPC_PRIVATE, 0600), st;
	struct text m = { .type = 1 };
	pid_t p = fork();

	if (!p) {
		const char *s = take(id, 9, 0);

		_exit(!s || strcmp(s, "nine"));
	}
	until_asleep(p);
	CHECK(put(id, 8, "eight", 0) == 0 && put(id, 9, "nine", 0) == 0);
	CHECK(waitpid(p, &st, 0) == p && st == 0);
	CHECK(!strcmp(take(id, 0, 0), "eight"));
	CHECK(msgsnd(id, &m, 8192, 0) == 0 && msgsnd(id, &m, 8192, 0) == 0);
	p = fork();
	if (!p)
		_exit(msgsnd(id, &m, 100, 0) ? errno : 0);
	until_asleep(p);
	CHECK(msgrcv(id, &m, 8192, 0, 0) == 8192);
	CHECK(waitpid(p, &st, 0) == p && st == 0);
	p = fork();
	if (!p)
		_exit(take(id, 77, 0) ? 0 : errno);
	until_asleep(p);
	CHECK(msgctl(id, IPC_RMID, NULL) == 0);
	CHECK(waitpid(p, &st, 0) == p && WEXITSTATUS(st) == EIDRM);
}

static void on_alarm(int s) { (void)s; }

CASE(msg_signal)
{
	int id = msgget(IPC_PRIVATE, 0600);
	struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	const struct itimerval often = { { 0, 300000 }, { 0, 300000 } }; /* the first may come before the wait */
	struct msqid_ds ds;

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	CHECK(!take(id, 0, 0) && errno == EINTR);
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	CHECK(msgctl(id, IPC_STAT, &ds) == 0);
	ds.msg_qbytes = 100;
	ds.msg_perm.mode = 0666;
	CHECK(msgctl(id, IPC_SET, &ds) == 0 && msgctl(id, IPC_STAT, &ds) == 0 && ds.msg_qbytes == 100 && ds.msg_perm.mode == 0666);
	CHECK(msgctl(id, IPC_RMID, NULL) == 0);
}

int main(void) { return run_cases(); }
