/*
 * test_ldisc.c - the line discipline alone: what is typed, what is echoed, what
 * is read, which signals.
 * links: sentry/fs/devpts/ldisc.c sentry/fs/devpts/ldisc_output.c
 */
#include "fs/devpts/ldisc.h"
#include "fs/devpts/tty.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct tty *t;
static uint64_t signals;

static void setup(void)
{
	t = calloc(1, sizeof(*t));
	ldisc_init(t);
	signals = 0;
}

static void teardown(void)
{
	free(t);
}

static size_t type(const char *s)
{
	return ldisc_input(t, (const uint8_t *)s, strlen(s), &signals);
}

/* What the reader gets in one read; "EOF" for an end of file. */
static const char *got(size_t n)
{
	static char buf[TTY_BUF + 1];
	bool eof;
	size_t k = ldisc_read(t, (uint8_t *)buf, n, &eof);

	buf[k] = 0;
	return eof ? "EOF" : buf;
}

static const char *shown(void)
{
	static char buf[TTY_BUF + 1];
	size_t n = 0;

	while (ring_used(&t->out))
		buf[n++] = (char)t->out.b[t->out.tail++ & (TTY_BUF - 1)];
	buf[n] = 0;
	return buf;
}

START_TEST(line_by_line)
{
	type("ab");
	ck_assert(!ldisc_readable(t));
	type("c\nde\nf");
	ck_assert_str_eq(got(100), "abc\n");
	ck_assert_str_eq(got(100), "de\n");
	ck_assert(!ldisc_readable(t));
	ck_assert_str_eq(shown(), "abc\r\nde\r\nf");
}
END_TEST

START_TEST(short_reads_keep_the_rest)
{
	type("hello\n");
	ck_assert_uint_eq(ldisc_available(t), 6);
	ck_assert_str_eq(got(2), "he");
	ck_assert_str_eq(got(2), "ll");
	ck_assert_str_eq(got(9), "o\n");
}
END_TEST

START_TEST(carriage_return_is_newline)
{
	type("x\r");
	ck_assert_str_eq(got(9), "x\n");
	t->termios.c_iflag = LINUX_IGNCR;
	type("a\rb\n");
	ck_assert_str_eq(got(9), "ab\n");
	t->termios.c_iflag = LINUX_INLCR;
	t->termios.c_cc[LINUX_VEOL] = '\r';
	type("q\n");
	ck_assert_str_eq(got(9), "q\r");
}
END_TEST

START_TEST(erase)
{
	type("abx\177c\n");
	ck_assert_str_eq(got(9), "abc\n");
	ck_assert_str_eq(shown(), "abx\b \bc\r\n");
	type("\177\177\n"); /* nothing there: nothing happens */
	ck_assert_str_eq(got(9), "\n");
	ck_assert_str_eq(shown(), "\r\n");
}
END_TEST

START_TEST(erase_what_takes_two_columns)
{
	type("\001\177");
	ck_assert_str_eq(shown(), "^A\b \b\b \b");
	type("a\t\177"); /* a tab from column 1 to 8 */
	ck_assert_str_eq(shown(), "a\t\b \b\b \b\b \b\b \b\b \b\b \b\b \b");
}
END_TEST

START_TEST(erase_utf8)
{
	t->termios.c_iflag |= LINUX_IUTF8;
	type("\303\244\177b\n");
	ck_assert_str_eq(got(9), "b\n");
}
END_TEST

START_TEST(kill_line_and_word)
{
	type("foo bar-baz\027X\n");
	ck_assert_str_eq(got(99), "foo bar-X\n");
	type("foo bar  \027X\n");
	ck_assert_str_eq(got(99), "foo X\n");
	type("gone\025kept\n");
	ck_assert_str_eq(got(99), "kept\n");
	type("line one\nline two\025\n");
	ck_assert_str_eq(got(99), "line one\n");
	ck_assert_str_eq(got(99), "\n");
}
END_TEST

START_TEST(end_of_file)
{
	type("\004");
	ck_assert(ldisc_readable(t));
	ck_assert_str_eq(got(9), "EOF");
	ck_assert(!ldisc_readable(t));
	type("abc\004");
	ck_assert_str_eq(got(9), "abc");
	ck_assert(!ldisc_readable(t));
	type("abc\004"); /* room for exactly the bytes: the end goes with them */
	ck_assert_str_eq(got(3), "abc");
	ck_assert(!ldisc_readable(t));
}
END_TEST

START_TEST(signal_characters)
{
	type("half\003");
	ck_assert_uint_eq(signals, SIGBIT(LINUX_SIGINT));
	ck_assert_str_eq(shown(), "^C"); /* the queues were flushed */
	type("x\n");
	ck_assert_str_eq(got(9), "x\n");
	signals = 0;
	type("\032\034");
	ck_assert_uint_eq(signals, SIGBIT(LINUX_SIGTSTP) | SIGBIT(LINUX_SIGQUIT));
	signals = 0;
	t->termios.c_lflag &= ~LINUX_ISIG;
	type("\003\n");
	ck_assert_uint_eq(signals, 0);
	ck_assert_str_eq(got(9), "\003\n");
}
END_TEST

START_TEST(no_flush)
{
	t->termios.c_lflag |= LINUX_NOFLSH;
	type("ab\003c\n");
	ck_assert_str_eq(got(9), "abc\n");
}
END_TEST

START_TEST(literal_next)
{
	type("\026\003\026\177\n");
	ck_assert_uint_eq(signals, 0);
	ck_assert_str_eq(got(9), "\003\177\n");
}
END_TEST

START_TEST(flow_control)
{
	type("\023");
	ck_assert(t->stopped);
	type("\021");
	ck_assert(!t->stopped);
	t->termios.c_iflag &= ~LINUX_IXON;
	type("\023\n");
	ck_assert(!t->stopped);
	ck_assert_str_eq(got(9), "\023\n");
}
END_TEST

START_TEST(raw_mode)
{
	struct linux_termios raw = t->termios;

	raw.c_lflag = 0;
	raw.c_iflag = 0;
	raw.c_oflag = 0;
	ldisc_set_termios(t, &raw);
	type("\003\r\004x");
	ck_assert_uint_eq(signals, 0);
	ck_assert_uint_eq(ldisc_available(t), 4);
	ck_assert_str_eq(got(9), "\003\r\004x");
	ck_assert_str_eq(shown(), "");
	ldisc_output(t, (const uint8_t *)"a\nb", 3);
	ck_assert_str_eq(shown(), "a\nb");
}
END_TEST

START_TEST(half_a_line_becomes_readable)
{
	struct linux_termios raw = t->termios;

	type("half");
	raw.c_lflag &= ~LINUX_ICANON;
	ldisc_set_termios(t, &raw);
	ck_assert(ldisc_readable(t));
	ck_assert_str_eq(got(9), "half");
}
END_TEST

START_TEST(no_echo)
{
	t->termios.c_lflag &= ~LINUX_ECHO;
	type("secret\n");
	ck_assert_str_eq(shown(), "");
	ck_assert_str_eq(got(99), "secret\n");
	t->termios.c_lflag |= LINUX_ECHONL;
	type("secret\n");
	ck_assert_str_eq(shown(), "\r\n");
}
END_TEST

START_TEST(full)
{
	char line[TTY_BUF + 100];

	/* canonical: an endless line loses its end, but a newline still ends it */
	memset(line, 'x', sizeof(line));
	ck_assert_uint_eq(ldisc_input(t, (uint8_t *)line, sizeof(line), &signals), sizeof(line));
	ck_assert(!ldisc_readable(t));
	type("\n");
	ck_assert(ldisc_readable(t));
	ck_assert_uint_eq(ldisc_available(t), TTY_BUF);
	/* complete lines wait: the writer has to */
	ck_assert_uint_eq(type("more"), 0);
	ldisc_flush_input(t);
	ck_assert_uint_eq(type("more"), 4);
}
END_TEST

START_TEST(output_stops_when_full)
{
	uint8_t b[TTY_BUF * 2];
	size_t n;

	memset(b, '\n', sizeof(b));
	n = ldisc_output(t, b, sizeof(b));
	ck_assert_uint_gt(n, TTY_BUF / 2 - 16);
	ck_assert_uint_lt(n, TTY_BUF);
	ck_assert_uint_eq(ldisc_output(t, b, 1), 0);
}
END_TEST

START_TEST(random_bytes)
{
	unsigned seed = 1;

	for (int round = 0; round < 20000; round++) {
		uint8_t b[64];
		bool eof;
		size_t n = 1 + (size_t)rand_r(&seed) % sizeof(b);

		for (size_t i = 0; i < n; i++)
			b[i] = (uint8_t)rand_r(&seed);
		ck_assert_uint_le(ldisc_input(t, b, n, &signals), n);
		ck_assert_uint_le(ring_used(&t->in), TTY_BUF);
		ck_assert_uint_le(ring_used(&t->out), TTY_BUF);
		if (rand_r(&seed) % 3 == 0)
			ldisc_read(t, b, sizeof(b), &eof);
		if (rand_r(&seed) % 5 == 0)
			t->out.tail = t->out.head;
		if (rand_r(&seed) % 50 == 0) {
			struct linux_termios n2 = t->termios;

			n2.c_lflag ^= 1u << rand_r(&seed) % 16;
			n2.c_iflag ^= 1u << rand_r(&seed) % 15;
			n2.c_oflag ^= 1u << rand_r(&seed) % 13;
			ldisc_set_termios(t, &n2);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ldisc");
	TCase *c = tcase_create("all");
	const TTest *const tests[] = {
		line_by_line, short_reads_keep_the_rest, carriage_return_is_newline, erase, erase_what_takes_two_columns, erase_utf8,
		kill_line_and_word, end_of_file, signal_characters, no_flush, literal_next, flow_control, raw_mode, half_a_line_becomes_readable, no_echo,
		full, output_stops_when_full, random_bytes,
	};
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		tcase_add_test(c, tests[i]);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
