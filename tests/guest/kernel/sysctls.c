/*
 * sysctls.c - settings of the IPC and network namespaces below /proc/sys: what
 * may be written, and that it counts.  Natively the test makes namespaces of its
 * own for that; inside they are the sandbox's, and each setting is put back.
 */
#include "../put.h"
#include "../test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>

static char *get(const char *name)
{
	static char text[128];
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n - (text[n - 1] == '\n') : 0] = 0;
	close(fd);
	return text;
}

/* 0 or errno */
static int set(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	return put_text(path, value);
}

static int wait_status(void)
{
	int st = -1;

	wait(&st);
	return st;
}

static const struct {
	const char *name, *good, *shown, *bad[6];
} settings[] = {
	{ "kernel/shmmax", "65536\n", "65536", { "-1", "x", "5x", "99999999999999999999" } },
	{ "kernel/shmmax", "18446744073709551615", "18446744073709551615", { "-1" } },
	{ "kernel/shmall", "16", "16", { "-1", "x" } },
	{ "kernel/shmmni", "32768", "32768", { "32769", "-1", "4294967296" } },
	{ "kernel/msgmax", "100", "100", { "-1", "2147483648", "5x" } },
	{ "kernel/msgmnb", " 7 8", "7", { "-1", "2147483648" } },
	{ "kernel/msgmni", "0", "0", { "32769", "-1" } },
	{ "kernel/sem", "1 2 3 4", "1\t2\t3\t4", { "x" } },
	{ "kernel/sem", "70000 1", "70000\t1\t", { "x" } },
	{ "fs/mqueue/msg_max", "65536", "65536", { "0", "65537", "-1", "x" } },
	{ "fs/mqueue/msg_default", "1", "1", { "0", "65537" } },
	{ "fs/mqueue/msgsize_max", "128", "128", { "127", "16777217", "7 8" } },
	{ "fs/mqueue/msgsize_default", "16777216", "16777216", { "127", "16777217" } },
	{ "fs/mqueue/queues_max", "0", "0", { "x", "4294967296" } },
	{ "net/core/somaxconn", "5", "5", { "-1", "x" } },
	{ "net/ipv4/ip_local_port_range", "40000 40010", "40000\t40010", { "5 4", "0 9", "1 65536", "x" } },
	{ "net/ipv4/ip_unprivileged_port_start", "80", "80", { "-1", "65536", "50000" } },
};

CASE(values)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		const char *name = settings[i].name;
		char old[128];

		strcpy(old, get(name));
		CHECK(old[0] && set(name, settings[i].good) == 0);
		if (strncmp(get(name), settings[i].shown, strlen(settings[i].shown)))
			fprintf(stderr, "# %s shows %s\n", name, get(name));
		CHECK(!strncmp(get(name), settings[i].shown, strlen(settings[i].shown)));
		for (unsigned k = 0; settings[i].bad[k]; k++) {
			int e = set(name, settings[i].bad[k]);

			if (e != EINVAL)
				fprintf(stderr, "# %s takes '%s': %d\n", name, settings[i].bad[k], e);
			CHECK(e == EINVAL && !strncmp(get(name), settings[i].shown, strlen(settings[i].shown)));
		}
		CHECK(set(name, old) == 0 && !strcmp(get(name), old));
	}
}

CASE(nothing_is_nothing)
{
	char old[128];

	strcpy(old, get("kernel/msgmax"));
	CHECK(set("kernel/msgmax", "") == 0 && set("kernel/msgmax", " ") == EINVAL && !strcmp(get("kernel/msgmax"), old));
}

CASE(shared_memory)
{
	char old[128], all[128];
	struct shminfo info;
	int id;

	strcpy(old, get("kernel/shmmax"));
	strcpy(all, get("kernel/shmall"));
	CHECK(set("kernel/shmmax", "8192") == 0);
	CHECK_ERR(shmget(IPC_PRIVATE, 8193, 0600), EINVAL);
	CHECK((id = shmget(IPC_PRIVATE, 8192, 0600)) >= 0 && shmctl(id, IPC_RMID, NULL) == 0);
	CHECK(shmctl(0, IPC_INFO, (struct shmid_ds *)&info) >= 0 && info.shmmax == 8192);
	CHECK(set("kernel/shmmax", old) == 0 && set("kernel/shmall", "1") == 0);
	CHECK_ERR(shmget(IPC_PRIVATE, 8192, 0600), ENOSPC);
	CHECK(set("kernel/shmall", all) == 0 && set("kernel/shmmni", "0") == 0);
	CHECK_ERR(shmget(IPC_PRIVATE, 4096, 0600), ENOSPC);
	CHECK(set("kernel/shmmni", "4096") == 0);
}

CASE(messages)
{
	struct { long type; char text[128]; } m = { .type = 1 };
	struct msqid_ds ds;
	int id;

	CHECK(set("kernel/msgmax", "100") == 0 && set("kernel/msgmnb", "300") == 0);
	CHECK((id = msgget(IPC_PRIVATE, 0600)) >= 0 && msgctl(id, IPC_STAT, &ds) == 0 && ds.msg_qbytes == 300);
	CHECK_ERR(msgsnd(id, &m, 101, IPC_NOWAIT), EINVAL);
	for (int i = 0; i < 3; i++)
		CHECK(msgsnd(id, &m, 100, IPC_NOWAIT) == 0);
	CHECK_ERR(msgsnd(id, &m, 1, IPC_NOWAIT), EAGAIN);
	CHECK(msgctl(id, IPC_RMID, NULL) == 0);
	CHECK(set("kernel/msgmni", "0") == 0);
	CHECK_ERR(msgget(IPC_PRIVATE, 0600), ENOSPC);
	CHECK(set("kernel/msgmni", "32000") == 0 && set("kernel/msgmax", "8192") == 0 && set("kernel/msgmnb", "16384") == 0);
}

CASE(semaphores)
{
	struct sembuf ops[4] = { { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 } };
	struct seminfo info;
	char old[128];
	int id;

	strcpy(old, get("kernel/sem"));
	CHECK(set("kernel/sem", "5 8 3 32769") == ERANGE);
	CHECK(set("kernel/sem", "5 8 3 10") == 0);
	CHECK_ERR(semget(IPC_PRIVATE, 6, 0600), EINVAL);
	CHECK((id = semget(IPC_PRIVATE, 5, 0600)) >= 0);
	CHECK_ERR(semget(IPC_PRIVATE, 4, 0600), ENOSPC);
	CHECK(semop(id, ops, 3) == 0);
	CHECK_ERR(semop(id, ops, 4), E2BIG);
	CHECK(semctl(0, 0, IPC_INFO, &info) >= 0 && info.semmsl == 5 && info.semmns == 8 && info.semopm == 3 && info.semmni == 10);
	CHECK(semctl(id, 0, IPC_RMID) == 0 && set("kernel/sem", old) == 0);
}

/* Those without privileges keep to the limits; the defaults are never above them. */
CASE(message_queues)
{
	struct mq_attr a = { .mq_maxmsg = 11, .mq_msgsize = 64 };
	mqd_t q;

	CHECK(set("fs/mqueue/msg_default", "20") == 0 && set("fs/mqueue/msgsize_default", "256") == 0);
	q = mq_open("/sysctls", O_CREAT | O_RDWR, 0600, NULL);
	CHECK(q >= 0 && mq_getattr(q, &a) == 0 && a.mq_maxmsg == 10 && a.mq_msgsize == 256);
	CHECK(mq_close(q) == 0 && mq_unlink("/sysctls") == 0);
	CHECK(set("fs/mqueue/msg_default", "10") == 0 && set("fs/mqueue/msgsize_default", "8192") == 0);
	if (fork() == 0) {
		struct mq_attr eleven = { .mq_maxmsg = 11, .mq_msgsize = 64 };

		_exit(setuid(1000) || mq_open("/sysctls", O_CREAT | O_RDWR, 0600, &eleven) >= 0 || errno != EINVAL);
	}
	CHECK(wait_status() == 0);
	CHECK(set("fs/mqueue/msg_max", "11") == 0);
	if (fork() == 0) {
		struct mq_attr eleven = { .mq_maxmsg = 11, .mq_msgsize = 64 };

		_exit(setuid(1000) || mq_open("/sysctls", O_CREAT | O_RDWR, 0600, &eleven) < 0 || mq_unlink("/sysctls"));
	}
	CHECK(wait_status() == 0);
	CHECK(set("fs/mqueue/msg_max", "10") == 0);
}

static int bind_to(unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int s = socket(AF_INET, SOCK_STREAM, 0), r = bind(s, (struct sockaddr *)&a, sizeof(a)) ? -errno : 0;
	socklen_t len = sizeof(a);

	if (!r && !getsockname(s, (struct sockaddr *)&a, &len))
		r = ntohs(a.sin_port);
	close(s);
	return r;
}

CASE(ports)
{
	CHECK(set("net/ipv4/ip_local_port_range", "40000 40001") == 0);
	for (int i = 0; i < 5; i++) {
		int port = bind_to(0);

		CHECK(port == 40000 || port == 40001);
	}
	CHECK(set("net/ipv4/ip_local_port_range", "32768 60999") == 0);
	for (int allowed = 0; allowed < 2; allowed++) {
		CHECK(set("net/ipv4/ip_unprivileged_port_start", allowed ? "80" : "81") == 0);
		if (fork() == 0)
			_exit(setuid(1000) || bind_to(80) != (allowed ? 80 : -EACCES));
		CHECK(wait_status() == 0);
	}
	CHECK(set("net/ipv4/ip_unprivileged_port_start", "1024") == 0);
}

CASE(only_root_writes)
{
	if (fork() == 0)
		_exit(setuid(1000) || set("kernel/shmmax", "1") != EACCES || set("net/core/somaxconn", "1") != EACCES);
	CHECK(wait_status() == 0);
}

int main(void)
{
	/* never the host's: without the privilege, which it has not inside, it could not write there either */
	if (unshare(CLONE_NEWIPC | CLONE_NEWNET) && errno != EPERM)
		return 1;
	return run_cases();
}
