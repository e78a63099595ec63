/* Unix sockets: credentials and names that come with data; SO_PEEK_OFF. */
#include "../test.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static pid_t sender_of(int s)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} c;
	struct iovec v = { &(char[8]){ 0 }, 8 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c) };
	struct ucred u;

	CHECK(recvmsg(s, &m, 0) == 1);
	CHECK(CMSG_FIRSTHDR(&m) && CMSG_FIRSTHDR(&m)->cmsg_type == SCM_CREDENTIALS);
	memcpy(&u, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(u));
	return u.pid;
}

CASE(write_carries_the_writer)
{
	int s[2], st;
	pid_t p;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)) == 0);
	p = fork();
	if (!p)
		_exit(write(s[1], "x", 1) == 1 ? 0 : 1);
	CHECK(waitpid(p, &st, 0) == p && st == 0);
	CHECK(sender_of(s[0]) == p);
	CHECK(write(s[1], "y", 1) == 1);
	CHECK(sender_of(s[0]) == getpid());
}

CASE(stream_tells_the_named_sender)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX }, from;
	socklen_t n = sizeof(sa_family_t) + 1 + snprintf(a.sun_path + 1, 60, "redoubt-sender-%d", getpid()), fn = sizeof(from);
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0), s;
	char ch;

	CHECK(bind(l, (void *)&a, n) == 0 && listen(l, 1) == 0 && connect(c, (void *)&a, n) == 0);
	s = accept(l, NULL, NULL);
	CHECK(write(s, "x", 1) == 1 && write(c, "y", 1) == 1);
	CHECK(recvfrom(c, &ch, 1, 0, (void *)&from, &fn) == 1 && fn == n && !memcmp(&from, &a, n));
	fn = sizeof(from);
	CHECK(recvfrom(s, &ch, 1, 0, (void *)&from, &fn) == 1 && fn == 0);
}

static int peek_off(int s)
{
	socklen_t n = sizeof(int);
	int v;

	CHECK(getsockopt(s, SOL_SOCKET, SO_PEEK_OFF, &v, &n) == 0);
	return v;
}

CASE(peek_offset_stream)
{
	char buf[16];
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK(peek_off(s[0]) == -1);
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_PEEK_OFF, &(int){ 2 }, sizeof(int)) == 0);
	CHECK(write(s[1], "abcd", 4) == 4 && write(s[1], "efgh", 4) == 4);
	CHECK(recv(s[0], buf, 3, MSG_PEEK) == 3 && !memcmp(buf, "cde", 3) && peek_off(s[0]) == 5);
	CHECK(recv(s[0], buf, 2, 0) == 2 && !memcmp(buf, "ab", 2) && peek_off(s[0]) == 3);
	CHECK(recv(s[0], buf, 16, MSG_PEEK) == 3 && !memcmp(buf, "fgh", 3) && peek_off(s[0]) == 6);
	CHECK_ERR(recv(s[0], buf, 16, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	CHECK(write(s[1], "i", 1) == 1);
	CHECK(recv(s[0], buf, 16, MSG_PEEK) == 1 && buf[0] == 'i');
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_PEEK_OFF, &(int){ -1 }, sizeof(int)) == 0);
	CHECK(recv(s[0], buf, 16, MSG_PEEK) == 7);
	CHECK(recv(s[0], buf, 16, 0) == 7 && !memcmp(buf, "cdefghi", 7));
}

CASE(peek_offset_records)
{
	char buf[16];
	int s[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_PEEK_OFF, &(int){ 0 }, sizeof(int)) == 0);
	CHECK(write(s[1], "abcd", 4) == 4 && write(s[1], "efgh", 4) == 4);
	CHECK(recv(s[0], buf, 2, MSG_PEEK) == 2 && !memcmp(buf, "ab", 2));
	CHECK(recv(s[0], buf, 16, MSG_PEEK) == 2 && !memcmp(buf, "cd", 2));
	CHECK(recv(s[0], buf, 16, MSG_PEEK) == 4 && !memcmp(buf, "efgh", 4) && peek_off(s[0]) == 8);
	CHECK(recv(s[0], buf, 16, 0) == 4 && !memcmp(buf, "abcd", 4) && peek_off(s[0]) == 4);
	CHECK_ERR(recv(s[0], buf, 16, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	CHECK(recv(s[0], buf, 16, 0) == 4 && !memcmp(buf, "efgh", 4) && peek_off(s[0]) == 0);
}

int main(void) { return run_cases(); }
