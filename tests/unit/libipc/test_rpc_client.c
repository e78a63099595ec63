/*
 * test_rpc_client.c - the blocking client, from one thread and from many,
 * against a server in another thread: answers out of order, deadlines, the
 * peer's death, hostile answers.
 */
#include "check_main.h"

#include "libipc/confine.h"
#include "libipc/frame.h"
#include "libipc/protocols.h"
#include "libipc/rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 16
#define CALLS 400

static int pair[2];
static struct rpc_client *client;

static void setup(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	no_error(rpc_client_new(pair[0], &client));
}

static void teardown(void)
{
	rpc_client_free(client);
	if (pair[1] >= 0)
		close(pair[1]);
}

static void answer(const struct frame *q)
{
	struct gofer_attach m;
	struct msg_arena a = { NULL };
	struct frame in = *q, f = { 0 };
	no_error(msg_decode(&gofer_attach_desc, &in, &m, &a));
	struct gofer_attach_reply r = { .root = { .node = m.tree * 7 } };
	no_error(msg_encode(&gofer_attach_reply_desc, &r, &f));
	f.kind = FRAME_REPLY;
	f.sequence = q->sequence;
	f.method = q->method;
	struct err *e = frame_send(pair[1], &f, NULL);
	err_free(e);
	msg_free(&gofer_attach_desc, &m, &a);
	frame_free(&f);
}

/* Collects up to four requests and answers them last first; gets on with fewer
 * when no more come. */
static void *serve(void *arg)
{
	for (;;) {
		struct frame q[4] = { 0 };
		int n = 0;
		bool again = false, eof = false;
		while (n < 4) {
			struct timeval tv = { 0, n ? 500 : 0 };
			setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
			no_error(frame_recv(pair[1], &q[n], &again, &eof));
			if (eof || again)
				break;
			n++;
		}
		for (int i = n; i-- > 0;) {
			if (q[i].kind == FRAME_REQUEST)
				answer(&q[i]);
			frame_free(&q[i]);
		}
		if (eof)
			return NULL;
	}
}

static int call(uint64_t tree, unsigned ms)
{
	struct gofer_attach at = { .tree = tree };
	struct gofer_attach_reply r;
	struct msg_arena a = { NULL };
	struct err *e = RPC_CALL(client, gofer, attach, &at, &r, &a, ms);
	int errnum = e ? err_errno(e) : 0;
	err_free(e);
	if (errnum)
		return errnum;
	bool good = r.root.node == tree * 7;
	msg_free(&gofer_attach_reply_desc, &r, &a);
	return good ? 0 : -1;
}

static struct rpc_ahead *send_half(uint64_t tree)
{
	struct gofer_attach at = { .tree = tree };
	return rpc_client_send(client, gofer_attach_id, &gofer_attach_desc, &at);
}

static int take_half(struct rpc_ahead *p, uint64_t tree)
{
	struct gofer_attach_reply r;
	struct msg_arena a = { NULL };
	int rc = rpc_client_take(client, p, &gofer_attach_reply_desc, &r, &a);
	if (rc)
		return -rc;
	bool good = r.root.node == tree * 7;
	msg_free(&gofer_attach_reply_desc, &r, &a);
	return good ? 0 : -1;
}

/* Every call has another under way meanwhile. */
static void *many_halves(void *arg)
{
	uintptr_t failed = 0;
	for (int i = 0; i < CALLS; i++) {
		struct rpc_ahead *p = send_half((uint64_t)i);
		failed += call(7, 0) != 0;
		failed += !p || take_half(p, (uint64_t)i) != 0;
	}
	return (void *)failed;
}

static void *many(void *arg)
{
	uintptr_t failed = 0;
	for (int i = 0; i < CALLS; i++)
		failed += call((uint64_t)(random() % 1000), i % 3 ? 0 : 20000) != 0;
	return (void *)failed;
}

START_TEST(many_threads)
{
	pthread_t server, t[THREADS];
	setup();
	pthread_create(&server, NULL, serve, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, many, NULL);
	for (int i = 0; i < THREADS; i++) {
		void *failed;
		pthread_join(t[i], &failed);
		ck_assert_ptr_null(failed);
	}
	/* and the callers' errors are the peer's */
	shutdown(pair[0], SHUT_WR);
	pthread_join(server, NULL);
	ck_assert_int_eq(call(1, 0), ECONNRESET);
	teardown();
}
END_TEST

START_TEST(in_two_halves)
{
	pthread_t server, t[THREADS];
	struct rpc_ahead *p;
	setup();
	pthread_create(&server, NULL, serve, NULL);
	p = send_half(5); /* nobody takes it for long: others must not wait for that */
	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, i % 2 ? many : many_halves, NULL);
	for (int i = 0; i < THREADS; i++) {
		void *failed;
		pthread_join(t[i], &failed);
		ck_assert_ptr_null(failed);
	}
	ck_assert_int_eq(take_half(p, 5), 0);
	/* the server goes, once before the answer is taken, once before it is asked */
	p = send_half(6);
	ck_assert_int_eq(call(1, 0), 0);
	shutdown(pair[0], SHUT_WR);
	pthread_join(server, NULL);
	ck_assert_int_eq(take_half(p, 6), 0);
	ck_assert_ptr_null(send_half(7));
	teardown();
	setup();
	p = send_half(8);
	close(pair[1]);
	pair[1] = -1;
	ck_assert_int_eq(take_half(p, 8), ECONNRESET);
	teardown();
}
END_TEST

static void *one_call(void *arg)
{
	return (void *)(uintptr_t)call(1, 0);
}

START_TEST(peer_death)
{
	pthread_t t[4];
	setup();
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, one_call, NULL);
	for (int i = 0; i < 4; i++) {
		struct frame f = { 0 };
		bool eof;
		no_error(frame_recv(pair[1], &f, NULL, &eof));
		frame_free(&f);
	}
	close(pair[1]);
	pair[1] = -1;
	for (int i = 0; i < 4; i++) {
		void *errnum;
		pthread_join(t[i], &errnum);
		ck_assert_uint_eq((uintptr_t)errnum, ECONNRESET);
	}
	teardown();
}
END_TEST

static unsigned restarts;

static bool on_restart(void *arg, struct frame *f)
{
	restarts++;
	return true;
}

/* Another server on the same connection: who waits is told, late answers are dropped, and a tombstone forgotten. */
START_TEST(another_server)
{
	pthread_t t[4], server;
	struct frame f = { 0 }, event = { .kind = FRAME_EVENT, .method = gofer_restarted_id };
	struct gofer_restarted body = { .start = 1 };
	struct rpc_ahead *half;
	bool eof;

	setup();
	rpc_client_on_restart(client, gofer_restarted_id, on_restart, NULL);
	half = send_half(4);
	no_error(frame_recv(pair[1], &f, NULL, &eof));
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, one_call, NULL);
	for (int i = 0; i < 4; i++) {
		frame_free(&f);
		no_error(frame_recv(pair[1], &f, NULL, &eof));
	}
	no_error(msg_encode(&gofer_restarted_desc, &body, &event));
	no_error(frame_send(pair[1], &event, NULL));
	for (int i = 0; i < 4; i++) {
		void *errnum;
		pthread_join(t[i], &errnum);
		ck_assert_uint_eq((uintptr_t)errnum, ERESTART);
	}
	ck_assert_int_eq(take_half(half, 4), ERESTART);
	ck_assert_uint_eq(restarts, 1);
	answer(&f); /* one that had not been received before */
	pthread_create(&server, NULL, serve, NULL);
	ck_assert_int_eq(call(3, 0), 0);
	shutdown(pair[0], SHUT_WR);
	pthread_join(server, NULL);
	frame_free(&f);
	frame_free(&event);
	teardown();
	/* who has not asked for it takes it for what it is not */
	setup();
	no_error(msg_encode(&gofer_restarted_desc, &body, &event));
	no_error(frame_send(pair[1], &event, NULL));
	frame_free(&event);
	ck_assert_int_eq(call(3, 0), EPROTO);
	teardown();
}
END_TEST

START_TEST(deadline)
{
	setup();
	struct gofer_attach at = { .tree = 1 };
	struct gofer_attach_reply r;
	struct msg_arena a = { NULL };
	struct timespec t0, t1;
	clock_gettime(CLOCK_MONOTONIC, &t0);
	error_is(RPC_CALL(client, gofer, attach, &at, &r, &a, 30), "attach: no answer within 30 ms: Connection timed out");
	clock_gettime(CLOCK_MONOTONIC, &t1);
	ck_assert_int_ge((t1.tv_sec - t0.tv_sec) * 1000 + (t1.tv_nsec - t0.tv_nsec) / 1000000, 29);
	/* the peer sees the request and that nobody waits for it */
	struct frame q = { 0 }, c = { 0 };
	bool eof;
	no_error(frame_recv(pair[1], &q, NULL, &eof));
	no_error(frame_recv(pair[1], &c, NULL, &eof));
	ck_assert_int_eq(c.kind, FRAME_CANCEL);
	ck_assert_uint_eq(c.sequence, q.sequence);
	/* its late answer does no harm, the next call works */
	answer(&q);
	pthread_t server;
	pthread_create(&server, NULL, serve, NULL);
	ck_assert_int_eq(call(3, 0), 0);
	/* but an answer a second time is a fault */
	answer(&q);
	ck_assert_int_eq(call(3, 0), EPROTO);
	pthread_join(server, NULL);
	frame_free(&q);
	frame_free(&c);
	teardown();
}
END_TEST

static void nothing(int sig)
{
}

/* Signals do not interrupt waits. */
START_TEST(signals)
{
	struct sigaction sa = { .sa_handler = nothing };
	pthread_t t;
	setup();
	sigaction(SIGUSR1, &sa, NULL);
	pthread_create(&t, NULL, one_call, NULL);
	for (int i = 0; i < 20; i++) {
		usleep(1000);
		pthread_kill(t, SIGUSR1);
	}
	struct frame f = { 0 };
	bool eof;
	no_error(frame_recv(pair[1], &f, NULL, &eof));
	answer(&f);
	void *errnum;
	pthread_join(t, &errnum);
	ck_assert_ptr_null(errnum);
	frame_free(&f);
	teardown();
}
END_TEST

/* The answer is this datagram. */
static struct err *answered_with(const void *p, size_t n)
{
	setup();
	struct gofer_attach at = { .tree = 1 };
	struct gofer_attach_reply r;
	struct msg_arena a = { NULL };
	ck_assert_int_eq(send(pair[1], p, n, 0), (int)n);
	struct err *e = RPC_CALL(client, gofer, attach, &at, &r, &a, 0);
	ck_assert_ptr_null(a.blocks);
	/* every one of these but an error answer ends the connection */
	if (e && err_errno(e) == EPROTO)
		ck_assert_int_eq(call(1, 0), EPROTO);
	teardown();
	return e;
}

START_TEST(answers)
{
	error_is(answered_with("\x95\x01\x02\x01\x01\x92\x02\xc4\x05gone!", 14), "gone!");
	struct err *e = answered_with("\x95\x01\x02\x01\x01\x92\x02\xc4\x05gone!", 14);
	ck_assert_int_eq(err_errno(e), 2);
	err_free(e);
	error_is(answered_with("\x95\x01\x02\x01\x01\x92\xcd\x10\x00\xc4\x00", 11), "error.errno: 4096, at most 4095");
	error_is(answered_with("\x95\x01\x01\x01\x01\x90", 6), "attach_reply: 0 fields, must be 2");
	error_is(answered_with("\x95\x01\x01\x01\x02\x90", 6), "attach: the peer sent what nobody asked for");
	error_is(answered_with("\x95\x01\x01\x02\x01\x90", 6), "attach: the peer sent what nobody asked for");
	error_is(answered_with("\x95\x01\x03\x00\x01\x90", 6), "attach: the peer sent what nobody asked for");
	error_is(answered_with("\x95\x01\x00\x01\x01\x90", 6), "attach: the peer sent what nobody asked for");
	error_is(answered_with("\x95", 1), "attach: unknown version");
}
END_TEST

START_TEST(events_and_errno)
{
	setup();
	uint64_t nodes[2] = { 4, 5 };
	struct gofer_release re = { .nodes = nodes, .n_nodes = 2 };
	ck_assert_int_eq(rpc_client_call_errno(client, gofer_release_id, &gofer_release_desc, &re, NULL, NULL, NULL), 0);
	struct frame f = { 0 };
	bool eof;
	no_error(frame_recv(pair[1], &f, NULL, &eof));
	ck_assert_int_eq(f.kind, FRAME_EVENT);
	ck_assert_uint_eq(f.sequence, 0);
	frame_free(&f);
	ck_assert_int_eq(send(pair[1], "\x95\x01\x02\x01\x01\x92\x02\xc4\x00", 9, 0), 9);
	struct gofer_attach at = { .tree = 1 };
	struct gofer_attach_reply r;
	struct msg_arena a = { NULL };
	ck_assert_int_eq(rpc_client_call_errno(client, gofer_attach_id, &gofer_attach_desc, &at, &gofer_attach_reply_desc, &r, &a), -ENOENT);
	at.tree = 99999;
	ck_assert_int_eq(rpc_client_call_errno(client, gofer_attach_id, &gofer_attach_desc, &at, &gofer_attach_reply_desc, &r, &a), -ERANGE);
	teardown();
}
END_TEST

/* What rpc.h says a sealed process needs is enough. */
START_TEST(under_seccomp)
{
#ifndef REDOUBT_SANITIZE /* has needs of its own */
	static const struct policy_rule rules[] = {
		{ "brk", { { 0 } }, "malloc" },
		{ "close", { { 0 } }, "rpc" },
		{ "exit_group", { { 0 } }, "the end" },
		{ "futex", { { 0 } }, "rpc" },
		{ "poll", { { 0 } }, "rpc" },
		{ "recvmsg", { { 0 } }, "rpc" },
		{ "sendmsg", { { 0 } }, "rpc" },
	};
	static const struct policy policy = { .component = "test", .rules = rules, .n_rules = sizeof rules / sizeof rules[0] };
	pthread_t server;
	int status;
	setup();
	pthread_create(&server, NULL, serve, NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close(pair[1]);
		struct err *e = confine_seal(&policy);
		for (int i = 0; i < 20 && !e; i++)
			if (call(5, i % 2 ? 10000 : 0) != 0)
				_exit(1);
		_exit(e != NULL);
	}
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	shutdown(pair[0], SHUT_WR);
	pthread_join(server, NULL);
	teardown();
#endif
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { many_threads, in_two_halves, peer_death, another_server, deadline, signals, answers, events_and_errno, under_seccomp, NULL };
	return check_main("rpc_client", tests);
}
