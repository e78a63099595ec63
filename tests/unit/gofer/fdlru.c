/*
 * fdlru.c - bounded sets of descriptors.
 * links: gofer/fdlru.c
 */
#include "gofer/fdlru.h"

#include <check.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define N 8

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int some_fd(void)
{
	int fd = open("/", O_PATH | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(oldest_goes_first)
{
	struct fd_slot s[N];
	struct fd_lru l;
	int fd[N];

	fd_lru_init(&l, 4);
	for (int i = 0; i < N; i++) {
		s[i] = FD_SLOT_NONE;
		fd[i] = some_fd();
		fd_lru_put(&l, &s[i], fd[i]);
	}
	ck_assert_uint_eq(l.count, N); /* nothing goes before the trim */
	fd_slot_touch(&s[0]);
	fd_slot_touch(&s[0]);
	fd_lru_trim(&l);
	ck_assert_uint_eq(l.count, 4);
	for (int i = 0; i < N; i++) {
		bool kept = i == 0 || i > 4;

		ck_assert_int_eq(s[i].fd, kept ? fd[i] : -1);
		ck_assert_int_eq(is_open(fd[i]), kept);
		fd_slot_close(&s[i]);
		ck_assert(!is_open(fd[i]));
	}
	ck_assert_uint_eq(l.count, 0);
}
END_TEST

START_TEST(borrowed_stays_open)
{
	struct fd_slot s = FD_SLOT_NONE;
	int fd = some_fd();

	s.fd = fd;
	fd_slot_touch(&s);
	fd_slot_close(&s);
	ck_assert_int_eq(s.fd, -1);
	ck_assert(is_open(fd));
	close(fd);
	fd_slot_close(&s);
}
END_TEST

START_TEST(moves)
{
	struct fd_slot s = FD_SLOT_NONE, none = FD_SLOT_NONE;
	struct fd_lru a, b;
	int fd = some_fd();

	fd_lru_init(&a, 4);
	fd_lru_init(&b, 0);
	fd_lru_put(&a, &s, fd);
	fd_slot_move(&s, &a);
	fd_slot_move(&s, &b);
	fd_slot_move(&none, &b);
	ck_assert_uint_eq(a.count, 0);
	ck_assert_uint_eq(b.count, 1);
	fd_lru_trim(&a);
	ck_assert_int_eq(s.fd, fd);
	fd_lru_trim(&b);
	ck_assert_int_eq(s.fd, -1);
	ck_assert(!is_open(fd));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gofer/fdlru");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, oldest_goes_first);
	tcase_add_test(t, borrowed_stays_open);
	tcase_add_test(t, moves);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
