/*
 * foreign_ids.c - numbers of users and processes that one namespace tells another:
 * each sees them as its own has them.
 */
#include "../test.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define SEVEN 7 /* what the caller's user is inside */

static void say(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* A user namespace where the caller's ids are 7. */
static void inside(void)
{
	char uid[32], gid[32];

	snprintf(uid, sizeof(uid), "%d %d 1", SEVEN, geteuid());
	snprintf(gid, sizeof(gid), "%d %d 1", SEVEN, getegid());
	CHECK(unshare(CLONE_NEWUSER) == 0);
	say("/proc/self/setgroups", "deny");
	say("/proc/self/uid_map", uid);
	say("/proc/self/gid_map", gid);
	CHECK(getuid() == SEVEN && getgid() == SEVEN);
}

static void ended_well(pid_t c)
{
	int st;

	CHECK(c > 0 && waitpid(c, &st, 0) == c && st == 0);
}

static void take(siginfo_t *info)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	CHECK(sigwaitinfo(&s, info) == SIGUSR1);
}

static void block(void)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &s, NULL) == 0);
}

CASE(signals)
{
	pid_t me = getpid(), c;
	uid_t uid = getuid();
	siginfo_t info;

	block();
	c = fork();
	if (!c) {
		inside();
		CHECK(kill(me, SIGUSR1) == 0);
		take(&info);
		CHECK(info.si_uid == SEVEN && info.si_pid == me);
		_exit(0);
	}
	take(&info);
	CHECK(info.si_uid == uid && info.si_pid == c);
	CHECK(kill(c, SIGUSR1) == 0);
	ended_well(c);
}

/* A child is the parent's to see as the parent sees it. */
CASE(waitid_and_sigchld)
{
	siginfo_t info;
	uid_t uid;
	pid_t c;
	sigset_t s;

	inside();
	uid = getuid();
	sigemptyset(&s);
	sigaddset(&s, SIGCHLD);
	CHECK(sigprocmask(SIG_BLOCK, &s, NULL) == 0);
	c = fork();
	if (!c)
		_exit(0);
	CHECK(sigwaitinfo(&s, &info) == SIGCHLD && info.si_uid == uid && info.si_pid == c);
	CHECK(waitid(P_PID, (id_t)c, &info, WEXITED) == 0 && info.si_uid == uid);
}

/* --- sockets ---------------------------------------------------------------------- */

static void send_byte(int s)
{
	CHECK(send(s, "x", 1, 0) == 1);
}

static struct ucred receive(int s)
{
	char c, room[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec io = { &c, 1 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	struct ucred u;

	CHECK(recvmsg(s, &m, 0) == 1 && CMSG_FIRSTHDR(&m) && CMSG_FIRSTHDR(&m)->cmsg_type == SCM_CREDENTIALS);
	memcpy(&u, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(u));
	return u;
}

static int claim(int s, pid_t pid, uid_t uid, gid_t gid)
{
	char c = 'x', room[CMSG_SPACE(sizeof(struct ucred))] = { 0 };
	struct iovec io = { &c, 1 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	struct ucred u = { pid, uid, gid };

	*CMSG_FIRSTHDR(&m) = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(u)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_CREDENTIALS };
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &u, sizeof(u));
	return (int)sendmsg(s, &m, 0);
}

static void pair(int s[2])
{
	int one = 1;

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) == 0);
	CHECK(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) == 0);
}

CASE(credentials)
{
	uid_t uid = getuid();
	gid_t gid = getgid();
	pid_t me = getpid(), c;
	struct ucred u;
	int s[2];

	pair(s);
	c = fork();
	if (!c) {
		inside();
		send_byte(s[1]);
		CHECK(claim(s[1], getpid(), SEVEN, SEVEN) == 1);
		CHECK_ERR(claim(s[1], getpid(), SEVEN + 1, SEVEN), EINVAL); /* nobody has that number */
		u = receive(s[1]);
		CHECK(u.uid == SEVEN && u.gid == SEVEN && u.pid == me);
		_exit(0);
	}
	for (int i = 0; i < 2; i++) {
		u = receive(s[0]);
		CHECK(u.uid == uid && u.gid == gid && u.pid == c);
	}
	send_byte(s[0]);
	ended_well(c);
}

CASE(credentials_between_pid_namespaces)
{
	pid_t c;
	struct ucred u;
	int s[2];

	pair(s);
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0);
	c = fork();
	if (!c) {
		CHECK(getpid() == 1);
		send_byte(s[1]);
		u = receive(s[1]);
		CHECK(u.pid == 0); /* one that has no number here */
		_exit(0);
	}
	u = receive(s[0]);
	CHECK(u.pid == c);
	send_byte(s[0]);
	ended_well(c);
}

CASE(peer)
{
	uid_t uid = geteuid();
	struct ucred u;
	socklen_t n = sizeof(u);
	pid_t me = getpid(), c;
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	c = fork();
	if (!c) {
		inside();
		CHECK(getsockopt(s[1], SOL_SOCKET, SO_PEERCRED, &u, &n) == 0 && u.uid == SEVEN && u.pid == me);
		_exit(0);
	}
	ended_well(c);
	CHECK(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &u, &n) == 0 && u.uid == uid);
}

/* --- System V objects ------------------------------------------------------------------ */

CASE(ipc_objects)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	uid_t uid = geteuid();
	struct shmid_ds d;
	pid_t c;

	CHECK(id >= 0);
	c = fork();
	if (!c) {
		inside();
		CHECK(shmctl(id, IPC_STAT, &d) == 0 && d.shm_perm.uid == SEVEN && d.shm_perm.cgid == SEVEN);
		d.shm_perm.uid = SEVEN + 1;
		CHECK_ERR(shmctl(id, IPC_SET, &d), EINVAL);
		d.shm_perm.uid = SEVEN;
		CHECK(shmctl(id, IPC_SET, &d) == 0);
		_exit(0);
	}
	ended_well(c);
	CHECK(shmctl(id, IPC_STAT, &d) == 0 && d.shm_perm.uid == uid);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
}

int main(void)
{
	return run_cases();
}
