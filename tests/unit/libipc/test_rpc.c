/*
 * test_rpc.c - both ends of a connection on one loop: answers out of order,
 * deadlines, cancelling, unknown methods, hostile peers, the peer's death, and
 * freeing from within callbacks.
 */
#include "check_main.h"

#include "libipc/frame.h"
#include "libipc/protocols.h"
#include "libipc/rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct event_base *base;
static struct rpc *server, *client;
static int raw = -1; /* a raw end instead of client */

/* what happened */
static struct rpc_call *held[2048];
static int n_held, n_done, n_ok, n_cancelled, n_closed, n_events;
static int done_errnum[4096];
static char done_text[256], closed_text[256];
static uint64_t order[64];

static void serve_getattr(struct rpc_call *c, void *request)
{
	held[n_held++] = c;
}

static void serve_attach(struct rpc_call *c, void *request)
{
	struct gofer_attach *m = request;
	struct gofer_attach_reply r = { .root = { .node = m->tree + 100 }, .read_only = true };
	if (m->tree == 13)
		rpc_fail(c, err_new(ENOENT, "tree %d", 13));
	else
		rpc_reply(c, &r);
}

static void serve_open(struct rpc_call *c, void *request)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct gofer_open_reply r = { .fd = fd };
	rpc_reply(c, &r);
	close(fd);
}

static void serve_release(struct rpc_call *c, void *request)
{
	struct gofer_release *m = request;
	n_events += (int)m->n_nodes;
}

static void serve_statfs(struct rpc_call *c, void *request)
{
	rpc_free(server);
	server = NULL;
	ck_assert_ptr_eq(rpc_call_arg(c), &n_closed);
	rpc_fail(c, err_new(EIO, "dropped"));
}

static const struct rpc_method methods[] = {
	RPC_METHOD(gofer, attach, serve_attach),
	RPC_METHOD(gofer, getattr, serve_getattr),
	RPC_METHOD(gofer, open, serve_open),
	RPC_METHOD(gofer, statfs, serve_statfs),
	RPC_METHOD(gofer, readlink, serve_getattr),
	RPC_EVENT(gofer, release, serve_release),
};

static void on_closed(struct rpc *r, const struct err *why, void *arg)
{
	n_closed++;
	snprintf(closed_text, sizeof closed_text, "%s", why ? err_text(why) : "");
	if (r == server) {
		rpc_free(r);
		server = NULL;
	}
}

static void setup(bool with_client)
{
	int pair[2];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	base = event_base_new();
	n_held = n_done = n_ok = n_cancelled = n_closed = n_events = 0;
	closed_text[0] = 0;
	no_error(rpc_new(base, pair[0], methods, sizeof methods / sizeof methods[0], on_closed, &n_closed, &server));
	raw = pair[1];
	if (with_client) {
		no_error(rpc_new(base, pair[1], NULL, 0, on_closed, NULL, &client));
		raw = -1;
	}
}

static void teardown(void)
{
	rpc_free(server);
	rpc_free(client);
	server = client = NULL;
	if (raw >= 0)
		close(raw);
	event_base_free(base);
}

static void run(void)
{
	for (int i = 0; i < 300; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void done(void *arg, void *reply, struct err *e)
{
	order[n_done % 64] = (uint64_t)(uintptr_t)arg;
	done_errnum[n_done % 4096] = e ? err_errno(e) : 0;
	snprintf(done_text, sizeof done_text, "%s", e ? err_text(e) : "");
	n_done++;
	n_ok += !e;
	ck_assert(!reply == !!e);
	err_free(e);
}

#define ARG(n) ((void *)(uintptr_t)(n))

START_TEST(answers)
{
	setup(true);
	struct gofer_attach at = { .tree = 5 };
	RPC_ASK(client, gofer, attach, &at, 0, done, ARG(1));
	at.tree = 13;
	RPC_ASK(client, gofer, attach, &at, 0, done, ARG(2));
	run();
	ck_assert_int_eq(n_done, 2);
	ck_assert_int_eq(done_errnum[0], 0);
	ck_assert_int_eq(done_errnum[1], ENOENT);
	ck_assert_str_eq(done_text, "tree 13: No such file or directory");
	/* what cannot be encoded fails at once */
	at.tree = 5000;
	ck_assert_uint_eq(RPC_ASK(client, gofer, attach, &at, 0, done, ARG(3)), 0);
	ck_assert_int_eq(n_done, 3);
	teardown();
}
END_TEST

static void done_fd(void *arg, void *reply, struct err *e)
{
	struct gofer_open_reply *r = reply;
	no_error(e);
	*(int *)arg = r->fd;
	r->fd = -1;
}

START_TEST(descriptors)
{
	setup(true);
	struct gofer_open op = { .node = 1 };
	int fd = -1, before = open_fds();
	RPC_ASK(client, gofer, open, &op, 0, done_fd, &fd);
	run();
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(open_fds(), before + 1);
	close(fd);
	RPC_ASK(client, gofer, open, &op, 0, done, NULL); /* not taken: closed */
	run();
	ck_assert_int_eq(n_ok, 1);
	ck_assert_int_eq(open_fds(), before);
	teardown();
}
END_TEST

START_TEST(out_of_order)
{
	setup(true);
	struct gofer_getattr ga = { .node = 1 };
	struct gofer_getattr_reply r = { .attr = { .ino = 1 } };
	for (int i = 0; i < 10; i++)
		RPC_ASK(client, gofer, getattr, &ga, 0, done, ARG(i));
	run();
	ck_assert_int_eq(n_held, 10);
	for (int i = 9; i >= 0; i--)
		rpc_reply(held[i], &r);
	run();
	ck_assert_int_eq(n_ok, 10);
	for (unsigned i = 0; i < 10; i++)
		ck_assert_uint_eq(order[i], 9 - i);
	teardown();
}
END_TEST

static void on_cancel(struct rpc_call *c, void *arg)
{
	n_cancelled++;
	if (arg)
		rpc_fail(c, err_new(EINTR, "cancelled"));
}

START_TEST(deadline)
{
	setup(true);
	struct gofer_getattr ga = { .node = 1 };
	struct gofer_getattr_reply r = { 0 };
	RPC_ASK(client, gofer, getattr, &ga, 1000, done, NULL); /* less than a stall of the machine would not do */
	run();
	ck_assert_int_eq(n_held, 1);
	rpc_on_cancel(held[0], on_cancel, NULL);
	for (int i = 0; i < 10000 && !n_done; i++) {
		usleep(2000);
		run();
	}
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(done_errnum[0], ETIMEDOUT);
	ck_assert_str_eq(done_text, "getattr: no answer within 1000 ms: Connection timed out");
	run();
	ck_assert_int_eq(n_cancelled, 1);
	/* the late answer is taken without complaint */
	rpc_reply(held[0], &r);
	run();
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(n_closed, 0);
	teardown();
}
END_TEST

START_TEST(cancel)
{
	setup(true);
	struct gofer_getattr ga = { .node = 1 };
	uint64_t h = RPC_ASK(client, gofer, getattr, &ga, 0, done, NULL);
	run();
	rpc_on_cancel(held[0], on_cancel, ARG(1));
	rpc_cancel(client, h);
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(done_errnum[0], ECANCELED);
	rpc_cancel(client, h);
	run();
	ck_assert_int_eq(n_cancelled, 1);
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(n_closed, 0);
	teardown();
}
END_TEST

START_TEST(events)
{
	setup(true);
	uint64_t nodes[3] = { 1, 2, 3 };
	struct gofer_release re = { .nodes = nodes, .n_nodes = 3 };
	no_error(rpc_event(client, gofer_release_id, &gofer_release_desc, &re));
	run();
	ck_assert_int_eq(n_events, 3);
	teardown();
}
END_TEST

START_TEST(unknown_method)
{
	setup(true);
	struct gofer_fsync fs = { .node = 1 };
	RPC_ASK(client, gofer, fsync, &fs, 0, done, NULL);
	run();
	ck_assert_int_eq(done_errnum[0], ENOSYS);
	ck_assert_str_eq(done_text, "unknown method 21");
	teardown();
}
END_TEST

/* The peer goes while calls are under way in both directions. */
START_TEST(peer_death)
{
	setup(true);
	struct gofer_getattr ga = { .node = 1 };
	struct gofer_getattr_reply r = { 0 };
	for (int i = 0; i < 3; i++)
		RPC_ASK(client, gofer, getattr, &ga, 0, done, NULL);
	run();
	rpc_on_cancel(held[0], on_cancel, NULL);
	rpc_on_cancel(held[1], on_cancel, ARG(1));
	rpc_free(client);
	client = NULL;
	ck_assert_int_eq(n_done, 3);
	ck_assert_int_eq(done_errnum[2], ECANCELED);
	run();
	ck_assert_int_eq(n_closed, 1);
	ck_assert_str_eq(closed_text, "");
	ck_assert_int_eq(n_cancelled, 2);
	/* orphans are answered into the void */
	rpc_reply(held[0], &r);
	rpc_fail(held[2], err_new(EIO, "late"));
	teardown();
}
END_TEST

START_TEST(server_gone)
{
	setup(true);
	struct gofer_getattr ga = { .node = 1 };
	struct gofer_statfs sf = { .node = 1 };
	RPC_ASK(client, gofer, getattr, &ga, 0, done, NULL);
	RPC_ASK(client, gofer, statfs, &sf, 0, done, NULL); /* its handler frees the server */
	run();
	ck_assert_ptr_null(server);
	ck_assert_int_eq(n_done, 2);
	ck_assert_int_eq(n_closed, 1);
	ck_assert_int_eq(done_errnum[0], ECONNRESET);
	/* asking on is an error at once */
	ck_assert_uint_eq(RPC_ASK(client, gofer, getattr, &ga, 0, done, NULL), 0);
	ck_assert_int_eq(n_done, 3);
	struct gofer_release re = { 0 };
	struct err *e = rpc_event(client, gofer_release_id, &gofer_release_desc, &re);
	ck_assert_int_eq(err_errno(e), ECONNRESET);
	err_free(e);
	struct gofer_getattr_reply r = { 0 };
	rpc_reply(held[0], &r);
	teardown();
}
END_TEST

/* Sends bytes to the server: NULL if the connection lives on, else why it ended. */
static const char *hostile(const void *p, size_t n)
{
	setup(false);
	ck_assert_int_eq(send(raw, p, n, 0), (int)n);
	run();
	static char why[300];
	snprintf(why, sizeof why, "%s", n_closed ? closed_text : "");
	bool ended = n_closed;
	teardown();
	return ended ? why : NULL;
}

START_TEST(hostile_peers)
{
	ck_assert_str_eq(hostile("\x95\x09", 2), "received a broken frame: unknown version");
	/* an answer to nothing */
	ck_assert_str_eq(hostile("\x95\x01\x01\x01\x01\x90", 6), "an answer (sequence 1, method 1) to no request");
	/* a bad event cannot be answered */
	ck_assert_str_eq(hostile("\x95\x01\x03\x00\x18\x90", 6), "release: 0 fields, must be 1");
	ck_assert_str_eq(hostile("\x95\x01\x03\x00\x63\x90", 6), "unknown method 99");
	/* a bad request can */
	ck_assert_ptr_null(hostile("\x95\x01\x00\x01\x01\x90", 6));
	/* cancelling what is not there is a race, not a fault */
	ck_assert_ptr_null(hostile("\x95\x01\x04\x07\x01\xc0", 6));
}
END_TEST

START_TEST(same_sequence_twice)
{
	setup(false);
	ck_assert_int_eq(send(raw, "\x95\x01\x00\x05\x03\x91\x01", 7, 0), 7);
	ck_assert_int_eq(send(raw, "\x95\x01\x00\x05\x03\x91\x01", 7, 0), 7);
	run();
	ck_assert_int_eq(n_closed, 1);
	ck_assert_str_eq(closed_text, "sequence 5 is under way already");
	rpc_fail(held[0], err_new(EIO, "x"));
	teardown();
}
END_TEST

/* A peer that asks and does not read: calls are bounded, then the queue, and
 * then it is not read any more. */
START_TEST(flood)
{
	setup(false);
	struct gofer_attach at = { .tree = 1 };
	struct frame f = { .kind = FRAME_REQUEST, .method = gofer_attach_id };
	bool again = false;
	int sent = 0;
	no_error(msg_encode(&gofer_attach_desc, &at, &f));
	for (int idle = 0; idle < 20 && sent < 100000;) {
		f.sequence = (uint64_t)sent;
		no_error(frame_send(raw, &f, &again));
		sent += !again;
		idle = again ? idle + 1 : 0;
		if (again)
			run();
	}
	ck_assert(again); /* it stopped reading */
	ck_assert_int_lt(sent, 5000);
	/* once the peer reads, every request gets its answer */
	int got = 0;
	for (int idle = 0; idle < 20;) {
		struct frame g = { 0 };
		bool eof;
		no_error(frame_recv(raw, &g, &again, &eof));
		ck_assert(!eof);
		if (again) {
			run();
			idle++;
			continue;
		}
		idle = 0;
		got++;
		frame_free(&g);
	}
	ck_assert_int_eq(got, sent);
	frame_free(&f);
	teardown();
}
END_TEST

START_TEST(too_many_calls)
{
	setup(true);
	struct gofer_getattr ga = { .node = 1 };
	struct gofer_getattr_reply r = { 0 };
	for (int i = 0; i < 1030; i++)
		RPC_ASK(client, gofer, getattr, &ga, 0, done, NULL);
	run();
	ck_assert_int_eq(n_held, 1024);
	ck_assert_int_eq(n_done, 6);
	ck_assert_int_eq(done_errnum[0], EAGAIN);
	for (int i = 0; i < n_held; i++)
		rpc_reply(held[i], &r);
	run();
	ck_assert_int_eq(n_ok, 1024);
	teardown();
}
END_TEST

/* Descriptors of queued answers are copies. */
START_TEST(queued_descriptors)
{
	setup(false);
	struct gofer_open op = { .node = 1 };
	struct frame f = { .kind = FRAME_REQUEST, .method = gofer_open_id };
	bool again = false, eof;
	int before = open_fds(), sent = 0;
	no_error(msg_encode(&gofer_open_desc, &op, &f));
	/* more answers than the socket holds */
	for (int i = 0; i < 600; i++) {
		f.sequence = (uint64_t)i;
		no_error(frame_send(raw, &f, &again));
		sent += !again;
		run();
	}
	int got = 0;
	for (int idle = 0; idle < 20;) {
		struct frame g = { 0 };
		no_error(frame_recv(raw, &g, &again, &eof));
		if (again || eof) {
			run();
			idle++;
			continue;
		}
		ck_assert_uint_eq(g.nfds, 1);
		ck_assert_int_ge(fcntl(g.fds[0], F_GETFD), 0);
		frame_free(&g);
		got++;
	}
	ck_assert_int_eq(got, sent);
	ck_assert_int_eq(open_fds(), before);
	frame_free(&f);
	teardown();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { answers, descriptors, out_of_order, deadline, cancel, events, unknown_method, peer_death, server_gone, hostile_peers,
		same_sequence_twice, flood, too_many_calls, queued_descriptors, NULL };
	return check_main("rpc", tests);
}
