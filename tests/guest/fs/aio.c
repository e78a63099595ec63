/*
 * Asynchronous input and output: io_setup, io_submit, io_getevents and their like
 * (linux/aio_abi.h), and the ring as libaio and fio read it.
 */
#include "../test.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

struct ring {
	unsigned id, nr, head, tail, magic, compat, incompat, header_length;
	struct io_event events[];
};

static long setup(unsigned nr, aio_context_t *c) { return syscall(SYS_io_setup, nr, c); }
static long destroy(aio_context_t c) { return syscall(SYS_io_destroy, c); }
static long submit(aio_context_t c, long n, struct iocb **v) { return syscall(SYS_io_submit, c, n, v); }
static long getevents(aio_context_t c, long min, long n, struct io_event *e, struct timespec *ts)
{
	return syscall(SYS_io_getevents, c, min, n, e, ts);
}

static int file_of(const char *text)
{
	char name[] = "aio.XXXXXX";
	int fd = mkstemp(name);

	CHECK(fd >= 0 && !unlink(name) && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

static struct iocb request(int fd, int op, void *buf, uint64_t n, int64_t off, uint64_t data)
{
	return (struct iocb){
		.aio_fildes = (uint32_t)fd, .aio_lio_opcode = (uint16_t)op, .aio_buf = (uint64_t)(uintptr_t)buf, .aio_nbytes = n, .aio_offset = off, .aio_data = data,
	};
}

CASE(read_and_write)
{
	aio_context_t c = 0;
	char buf[16] = "";
	int fd = file_of("hello, world");
	struct iocb r = request(fd, IOCB_CMD_PREAD, buf, 5, 7, 42), w = request(fd, IOCB_CMD_PWRITE, (char *)"HELLO", 5, 0, 43);
	struct iocb *v[] = { &r, &w };
	struct io_event e[4];

	CHECK(!setup(8, &c) && c);
	CHECK(submit(c, 2, v) == 2);
	CHECK(getevents(c, 2, 4, e, NULL) == 2);
	CHECK(e[0].data == 42 && e[0].obj == (uint64_t)(uintptr_t)&r && e[0].res == 5 && !e[0].res2);
	CHECK(e[1].data == 43 && e[1].res == 5);
	CHECK(!memcmp(buf, "world", 5) && pread(fd, buf, 5, 0) == 5 && !memcmp(buf, "HELLO", 5));
	CHECK(lseek(fd, 0, SEEK_CUR) == 12); /* it has an offset of its own */
	CHECK(!destroy(c));
	CHECK_ERR(destroy(c), EINVAL);
	CHECK_ERR(submit(c, 1, v), EINVAL);
	CHECK_ERR(getevents(c, 0, 1, e, NULL), EINVAL);
}

CASE(vectors_and_syncs)
{
	aio_context_t c = 0;
	char a[3], b[4];
	struct iovec in[] = { { a, 3 }, { b, 4 } }, out[] = { { (char *)"12", 2 }, { (char *)"345", 3 } };
	int fd = file_of("0123456789");
	struct iocb q[] = {
		request(fd, IOCB_CMD_PREADV, in, 2, 1, 1), request(fd, IOCB_CMD_PWRITEV, out, 2, 10, 2),
		request(fd, IOCB_CMD_FSYNC, NULL, 0, 0, 3), request(fd, IOCB_CMD_FDSYNC, NULL, 0, 0, 4),
	};
	struct iocb *v[] = { &q[0], &q[1], &q[2], &q[3] };
	long long res[5] = { 0 };
	struct io_event e[4];

	CHECK(!setup(4, &c) && submit(c, 4, v) == 4 && getevents(c, 4, 4, e, NULL) == 4);
	for (int i = 0; i < 4; i++)
		res[e[i].data] = e[i].res;
	CHECK(res[1] == 7 && res[2] == 5 && !res[3] && !res[4]);
	CHECK(!memcmp(a, "123", 3) && !memcmp(b, "4567", 4) && lseek(fd, 0, SEEK_END) == 15);
	CHECK(!destroy(c));
}

CASE(refused_requests)
{
	aio_context_t c = 0, bad = 0x1234000;
	char buf[4];
	int fd = file_of("x"), ro = open("/dev/null", O_RDONLY);
	struct iocb q = request(fd, 99, buf, 1, 0, 0), good = request(fd, IOCB_CMD_PREAD, buf, 1, 0, 0);
	struct iocb *v[] = { &q }, *two[] = { &good, &q }, *wild[] = { (struct iocb *)8 };
	struct io_event e;

	CHECK_ERR(setup(0, &c), EINVAL);
	CHECK_ERR(setup(1, (void *)8), EFAULT);
	CHECK_ERR(setup(1, &bad), EINVAL);
	CHECK_ERR(setup(0x7fffffff, &c), EINVAL);
	CHECK(!setup(2, &c));
	CHECK_ERR(submit(c, 1, v), EINVAL);
	CHECK_ERR(submit(c, -1, v), EINVAL);
	CHECK(submit(c, 0, v) == 0);
	CHECK(submit(c, 2, two) == 1);
	CHECK_ERR(submit(c, 1, wild), EFAULT);
	q = request(99, IOCB_CMD_PREAD, buf, 1, 0, 0);
	CHECK_ERR(submit(c, 1, v), EBADF);
	q = request(ro, IOCB_CMD_PWRITE, buf, 1, 0, 0);
	CHECK_ERR(submit(c, 1, v), EBADF);
	q = request(fd, IOCB_CMD_PREAD, buf, 1, 0, 0);
	q.aio_reserved2 = 1;
	CHECK_ERR(submit(c, 1, v), EINVAL);
	q = request(fd, IOCB_CMD_PREAD, buf, 1, 0, 0);
	q.aio_flags = IOCB_FLAG_RESFD;
	q.aio_resfd = (uint32_t)fd;
	CHECK_ERR(submit(c, 1, v), EINVAL);
	CHECK_ERR(getevents(c, 2, 1, &e, NULL), EINVAL);
	CHECK_ERR(getevents(c, -1, 1, &e, NULL), EINVAL);
	CHECK(getevents(c, 1, 1, &e, NULL) == 1 && e.res == 1);
	/* what goes wrong in the transfer is the event's */
	q = request(fd, IOCB_CMD_PREAD, (void *)8, 1, 0, 0);
	CHECK(submit(c, 1, v) == 1 && getevents(c, 1, 1, &e, NULL) == 1 && e.res == -EFAULT);
	CHECK_ERR(syscall(SYS_io_cancel, c, &q, &e), EINVAL);
	CHECK(!destroy(c));
}

CASE(told_by_eventfd)
{
	aio_context_t c = 0;
	char buf[4];
	int fd = file_of("abc"), ev = eventfd(0, 0);
	struct iocb q = request(fd, IOCB_CMD_PREAD, buf, 3, 0, 0);
	struct iocb *v[] = { &q };
	uint64_t n, sum = 0;

	q.aio_flags = IOCB_FLAG_RESFD;
	q.aio_resfd = (uint32_t)ev;
	CHECK(!setup(4, &c) && submit(c, 1, v) == 1 && submit(c, 1, v) == 1);
	for (; sum < 2; sum += n)
		CHECK(read(ev, &n, 8) == 8);
	CHECK(sum == 2);
	CHECK(!destroy(c));
}

/* libaio looks at magic, head and tail; fio takes events itself. */
CASE(ring_in_memory)
{
	aio_context_t c = 0;
	char buf[4];
	int fd = file_of("abc");
	struct iocb q = request(fd, IOCB_CMD_PREAD, buf, 3, 0, 77);
	struct iocb *v[] = { &q };
	struct timespec none = { 0, 0 };
	struct io_event e;
	struct ring *r;

	CHECK(!setup(5, &c));
	r = (struct ring *)c;
	CHECK(r->magic == 0xa10a10a1 && r->header_length == sizeof(*r) && r->nr > 5 && !r->incompat && r->head == r->tail);
	for (unsigned i = 0; i < 3 * r->nr; i++) {
		CHECK(submit(c, 1, v) == 1);
		while (*(volatile unsigned *)&r->tail == r->head)
			usleep(1000);
		CHECK(r->events[r->head].data == 77 && r->events[r->head].res == 3);
		r->head = (r->head + 1) % r->nr;
	}
	CHECK(getevents(c, 0, 1, &e, &none) == 0);
	CHECK(!destroy(c));
}

CASE(full)
{
	aio_context_t c = 0;
	char buf[4];
	int fd = file_of("abc");
	struct iocb q = request(fd, IOCB_CMD_PREAD, buf, 3, 0, 77);
	struct iocb *v[] = { &q };
	struct io_event *e;
	long n = 0, nr, got = 0, r;

	CHECK(!setup(100, &c));
	nr = ((struct ring *)c)->nr;
	while ((r = submit(c, 1, v)) == 1)
		n++;
	r = errno;
	CHECK(r == EAGAIN); /* asked again, another processor may have room (fs/aio.c: get_reqs_available) */
	CHECK(n >= 100 && n < nr);
	e = calloc((size_t)n, sizeof(*e));
	while (got < n && (r = getevents(c, 1, n, e, NULL)) > 0)
		got += r;
	CHECK(got == n && submit(c, 1, v) == 1);
	CHECK(!destroy(c));
}

static aio_context_t shared;

static void *later(void *arg)
{
	static char buf[4];
	static struct iocb q;
	struct iocb *v[] = { &q };

	q = request(*(int *)arg, IOCB_CMD_PREAD, buf, 3, 0, 5);
	usleep(50000);
	CHECK(submit(shared, 1, v) == 1);
	return NULL;
}

CASE(waiting)
{
	struct timespec ts = { 0, 30000000 }, a, b;
	int fd = file_of("abc");
	struct io_event e;
	pthread_t th;

	CHECK(!setup(1, &shared));
	clock_gettime(CLOCK_MONOTONIC, &a);
	CHECK(getevents(shared, 1, 1, &e, &ts) == 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	CHECK((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec >= 30000000);
	CHECK(!pthread_create(&th, NULL, later, &fd));
	CHECK(getevents(shared, 1, 1, &e, NULL) == 1 && e.data == 5);
	CHECK(!pthread_join(th, NULL));
}

static void nothing(int s) {}

CASE(interrupted)
{
	struct sigaction sa = { .sa_handler = nothing };
	struct { const sigset_t *set; size_t n; } mask;
	aio_context_t c = 0;
	struct io_event e;
	sigset_t none;

	CHECK(!setup(1, &c) && !sigaction(SIGALRM, &sa, NULL));
	ualarm(30000, 30000); /* the first may come before the wait */
	CHECK_ERR(getevents(c, 1, 1, &e, NULL), EINTR);
	ualarm(0, 0);
	sigemptyset(&none);
	mask.set = &none;
	mask.n = 8;
	sigaddset(&none, SIGALRM);
	CHECK(!sigprocmask(SIG_BLOCK, &none, NULL));
	sigemptyset(&none);
	ualarm(30000, 0);
	CHECK_ERR(syscall(SYS_io_pgetevents, c, 1L, 1L, &e, NULL, &mask), EINTR);
}

/* A child has the memory, and not the context. */
CASE(fork_and_exit)
{
	aio_context_t c = 0;
	struct io_event e;
	int st;
	pid_t p;

	CHECK(!setup(1, &c));
	p = fork();
	if (!p)
		_exit(getevents(c, 0, 1, &e, NULL) == -1 && errno == EINVAL && destroy(c) == -1 ? 0 : 1);
	CHECK(waitpid(p, &st, 0) == p && !st);
	CHECK(getevents(c, 0, 1, &e, NULL) == 0);
}

int main(void) { return run_cases(); }
