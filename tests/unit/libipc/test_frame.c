/*
 * test_frame.c - frames on a socketpair: round trip, every broken envelope,
 * surplus descriptors, and that nothing is ever leaked.
 */
#include "check_main.h"

#include "libipc/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static int pair[2];

static void setup(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void teardown(void)
{
	close(pair[0]);
	close(pair[1]);
}

START_TEST(round_trip)
{
	setup();
	uint8_t body[] = { 0x92, 0x01, 0x90 };
	struct frame f = { .kind = FRAME_REPLY, .sequence = UINT64_MAX, .method = UINT32_MAX, .body = body, .body_len = 3, .nfds = 2, .fds = { 0, 1 } };
	struct frame g = { 0 };
	bool eof;
	int before = open_fds();
	no_error(frame_send(pair[0], &f, NULL));
	no_error(frame_recv(pair[1], &g, NULL, &eof));
	ck_assert(!eof);
	ck_assert_int_eq(g.kind, FRAME_REPLY);
	ck_assert_uint_eq(g.sequence, UINT64_MAX);
	ck_assert_uint_eq(g.method, UINT32_MAX);
	ck_assert_uint_eq(g.body_len, 3);
	ck_assert_mem_eq(g.body, body, 3);
	ck_assert_uint_eq(g.nfds, 2);
	ck_assert_int_eq(fcntl(g.fds[0], F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(open_fds(), before + 2);
	frame_free(&g);
	ck_assert_int_eq(open_fds(), before);
	/* the largest, with the most descriptors */
	uint8_t *big = calloc(1, FRAME_MAX);
	f = (struct frame){ .kind = FRAME_REQUEST, .sequence = 1, .body = big, .body_len = FRAME_MAX - 20, .nfds = FRAME_FDS_MAX };
	no_error(frame_send(pair[0], &f, NULL));
	no_error(frame_recv(pair[1], &g, NULL, &eof));
	ck_assert_uint_eq(g.body_len, FRAME_MAX - 20);
	ck_assert_uint_eq(g.nfds, FRAME_FDS_MAX);
	frame_free(&g);
	f.body_len = FRAME_MAX;
	struct err *e = frame_send(pair[0], &f, NULL);
	ck_assert_int_eq(err_errno(e), EMSGSIZE);
	err_free(e);
	free(big);
	teardown();
}
END_TEST

static void broken(const void *p, size_t n, const char *why)
{
	struct frame f = { 0 };
	bool eof;
	ck_assert_int_eq(send(pair[0], p, n, 0), (int)n);
	char want[256];
	snprintf(want, sizeof want, "received a broken frame: %s", why);
	error_is(frame_recv(pair[1], &f, NULL, &eof), want);
	ck_assert_ptr_null(f.buf);
}

START_TEST(broken_envelopes)
{
	setup();
	broken("\xc0", 1, "not an array of 5");
	broken("\x94\x01\x00\x01\x01", 5, "not an array of 5");
	broken("\x96\x01\x00\x01\x01\xc0\xc0", 7, "not an array of 5");
	broken("\x95\x02\x00\x01\x01\x90", 6, "unknown version");
	broken("\x95", 1, "unknown version");
	broken("\x95\x01\x05\x01\x01\x90", 6, "unknown kind");
	broken("\x95\x01", 2, "unknown kind");
	broken("\x95\x01\x00\xff\x01\x90", 6, "sequence is not a number");
	broken("\x95\x01\x00\xcf\x00", 5, "sequence is not a number");
	broken("\x95\x01\x00\x01\xcf\x00\x00\x00\x01\x00\x00\x00\x00\x90", 14, "method is not a 32-bit number");
	broken("\x95\x01\x00\x01", 4, "method is not a 32-bit number");
	broken("\x95\x01\x00\x01\x01", 5, "body is missing");
	broken("\x95\x01\x03\x01\x01\x90", 6, "an event with a sequence number");
	broken("\x95\x01\x04\x01\x01\x90", 6, "a cancel with a body");
	uint8_t *big = calloc(1, FRAME_MAX + 1);
	memcpy(big, "\x95\x01\x00\x01\x01", 5);
	broken(big, FRAME_MAX + 1, "longer than a frame may be");
	free(big);
	teardown();
}
END_TEST

/* Sends a datagram with n copies of descriptor 0. */
static void send_fds(const void *p, size_t len, int n)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * 253)];
	} control;
	struct iovec iov = { (void *)(uintptr_t)p, len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf, .msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n) };
	memset(&control, 0, sizeof control);
	struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n);
	ck_assert_int_eq(sendmsg(pair[0], &mh, 0), (int)len);
}

START_TEST(surplus_descriptors)
{
	setup();
	struct frame f = { 0 };
	bool eof;
	int before = open_fds();
	send_fds("\x95\x01\x00\x01\x01\x90", 6, FRAME_FDS_MAX + 1);
	error_is(frame_recv(pair[1], &f, NULL, &eof), "received a broken frame: more descriptors than a frame may have");
	ck_assert_int_eq(open_fds(), before);
	send_fds("\x95\x01\x00\x01\x01\x90", 6, 200);
	err_free(frame_recv(pair[1], &f, NULL, &eof));
	ck_assert_int_eq(open_fds(), before);
	/* a broken frame's descriptors are closed */
	send_fds("\x95\x09", 2, 3);
	error_is(frame_recv(pair[1], &f, NULL, &eof), "received a broken frame: unknown version");
	ck_assert_int_eq(open_fds(), before);
	/* an error may not bring any */
	send_fds("\x95\x01\x02\x01\x01\x90", 6, 1);
	error_is(frame_recv(pair[1], &f, NULL, &eof), "received a broken frame: descriptors where none may be");
	ck_assert_int_eq(open_fds(), before);
	teardown();
}
END_TEST

/* Our own limit is not the peer's fault. */
START_TEST(no_room_for_descriptors)
{
	setup();
	struct frame f = { 0 };
	struct rlimit old, few;
	bool eof;
	int before = open_fds();
	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = (rlim_t)pair[1] + 2;
	send_fds("\x95\x01\x01\x01\x05\x90", 6, 3);
	setrlimit(RLIMIT_NOFILE, &few);
	no_error(frame_recv(pair[1], &f, NULL, &eof));
	setrlimit(RLIMIT_NOFILE, &old);
	ck_assert(f.fds_lost);
	ck_assert_uint_eq(f.nfds, 0);
	ck_assert_int_eq(open_fds(), before);
	frame_free(&f);
	teardown();
}
END_TEST

/* Other ancillary data is refused (credentials, if someone switched them on). */
START_TEST(foreign_ancillary_data)
{
	setup();
	int on = 1;
	struct frame f = { 0 };
	bool eof;
	setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
	ck_assert_int_eq(send(pair[0], "\x95\x01\x00\x01\x01\x90", 6, 0), 6);
	struct err *e = frame_recv(pair[1], &f, NULL, &eof);
	ck_assert_int_eq(err_errno(e), EPROTO);
	err_free(e);
	teardown();
}
END_TEST

START_TEST(would_block_and_end)
{
	setup();
	struct frame f = { 0 };
	bool again, eof;
	uint8_t body[4096] = { 0x90 };
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	fcntl(pair[1], F_SETFL, O_NONBLOCK);
	no_error(frame_recv(pair[1], &f, &again, &eof));
	ck_assert(again);
	ck_assert_ptr_null(f.buf);
	struct frame out = { .kind = FRAME_REQUEST, .body = body, .body_len = sizeof body };
	int sent = 0;
	do {
		no_error(frame_send(pair[0], &out, &again));
		sent += !again;
	} while (!again && sent < 10000);
	ck_assert(again);
	while (sent--) {
		no_error(frame_recv(pair[1], &f, &again, &eof));
		ck_assert(!again && !eof);
		frame_free(&f);
	}
	close(pair[0]);
	no_error(frame_recv(pair[1], &f, &again, &eof));
	ck_assert(eof);
	struct err *e = frame_send(pair[1], &out, &again);
	ck_assert_int_eq(err_errno(e), EPIPE); /* and no SIGPIPE */
	err_free(e);
	pair[0] = -1;
	teardown();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { round_trip, broken_envelopes, surplus_descriptors, no_room_for_descriptors, foreign_ancillary_data, would_block_and_end, NULL };
	return check_main("frame", tests);
}
