/* eventfd, timerfd. */
#include "../test.h"

#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>

CASE(counter)
{
	int fd = eventfd(3, EFD_NONBLOCK);
	uint64_t v = 4;

	CHECK(fd >= 0 && write(fd, &v, 8) == 8);
	CHECK(read(fd, &v, 8) == 8 && v == 7);
	CHECK_ERR(read(fd, &v, 8), EAGAIN);
	CHECK_ERR(read(fd, &v, 7), EINVAL);
	v = UINT64_MAX;
	CHECK_ERR(write(fd, &v, 8), EINVAL);
	v = UINT64_MAX - 1;
	CHECK(write(fd, &v, 8) == 8);
	v = 1;
	CHECK_ERR(write(fd, &v, 8), EAGAIN);
	CHECK_ERR(eventfd(0, 0x100), EINVAL);
}

CASE(semaphore)
{
	int fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
	uint64_t v;

	CHECK(read(fd, &v, 8) == 8 && v == 1);
	CHECK(read(fd, &v, 8) == 8 && v == 1);
	CHECK_ERR(read(fd, &v, 8), EAGAIN);
}

CASE(blocks_until_written)
{
	int fd = eventfd(0, 0);
	uint64_t v = 5;

	if (!fork()) {
		usleep(20000);
		_exit(write(fd, &v, 8) != 8);
	}
	v = 0;
	CHECK(read(fd, &v, 8) == 8 && v == 5);
}

CASE(poll_bits)
{
	int fd = eventfd(0, 0);
	struct pollfd p = { fd, POLLIN | POLLOUT, 0 };
	uint64_t v = UINT64_MAX - 1;

	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
	CHECK(write(fd, &v, 8) == 8);
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
}

CASE(timer_once)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec it = { .it_value = { 0, 30000000 } }, late = { .it_value = { 1000, 0 } }, cur;
	struct pollfd p = { fd, POLLIN, 0 };
	uint64_t v;

	CHECK(fd >= 0 && timerfd_settime(fd, 0, &late, NULL) == 0);
	CHECK(timerfd_gettime(fd, &cur) == 0 && cur.it_value.tv_sec >= 900 && cur.it_value.tv_sec <= 1000 && !cur.it_interval.tv_sec);
	CHECK(poll(&p, 1, 0) == 0);
	CHECK(timerfd_settime(fd, 0, &it, &cur) == 0 && cur.it_value.tv_sec >= 900);
	CHECK(read(fd, &v, 8) == 8 && v == 1);
	CHECK(timerfd_gettime(fd, &cur) == 0 && !cur.it_value.tv_nsec && !cur.it_value.tv_sec);
	CHECK(poll(&p, 1, 0) == 0);
}

CASE(timer_periodic)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	struct itimerspec it = { { 0, 10000000 }, { 0, 10000000 } }, late = { { 0, 10000000 }, { 1000, 0 } }, old;
	struct pollfd p = { fd, POLLIN, 0 };
	uint64_t v;

	CHECK(timerfd_settime(fd, 0, &late, NULL) == 0);
	CHECK_ERR(read(fd, &v, 8), EAGAIN);
	CHECK(timerfd_settime(fd, 0, &it, NULL) == 0);
	v = 0;
	for (int i = 0; i < 20 && v < 5; i++) { /* the processor that counts may have been away just now */
		usleep(55000);
		CHECK(poll(&p, 1, 25000) == 1 && read(fd, &v, 8) == 8);
	}
	CHECK(v >= 5 && v < 2000);
	CHECK(poll(&p, 1, 25000) == 1);
	CHECK(read(fd, &v, 8) == 8 && v >= 1);
	memset(&it, 0, sizeof(it));
	CHECK(timerfd_settime(fd, 0, &it, &old) == 0 && old.it_interval.tv_nsec == 10000000);
	CHECK(poll(&p, 1, 30) == 0);
}

CASE(timer_absolute)
{
	int fd = timerfd_create(CLOCK_REALTIME, 0);
	struct itimerspec it = { 0 };
	uint64_t v;

	clock_gettime(CLOCK_REALTIME, &it.it_value);
	it.it_value.tv_sec -= 10;
	CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, NULL) == 0);
	CHECK(read(fd, &v, 8) == 8 && v == 1);
	it.it_value.tv_nsec = 1000000000;
	CHECK_ERR(timerfd_settime(fd, 0, &it, NULL), EINVAL);
	CHECK_ERR(timerfd_create(77, 0), EINVAL);
}

int main(void) { return run_cases(); }
