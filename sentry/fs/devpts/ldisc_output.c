/*
 * ldisc_output.c - the line discipline's output side: what a written byte becomes on the screen
 * (termios' c_oflag), and the echo of typed ones (see ldisc.h).
 */
#include "fs/devpts/ldisc_impl.h"

#define OUT_MAX 8 /* bytes of the output buffer that one written byte may need */

static void put_out(struct tty *t, uint8_t c)
{
	t->out.b[t->out.head++ & TTY_MASK] = c;
}

bool ldisc_emit(struct tty *t, uint8_t c)
{
	uint32_t of = t->termios.c_oflag;

	if (ring_room(&t->out) < OUT_MAX)
		return false;
	if (!flag(of, LINUX_OPOST)) {
		put_out(t, c);
		return true;
	}
	switch (c) {
	case '\n':
		if (flag(of, LINUX_ONLRET))
			t->column = 0;
		if (flag(of, LINUX_ONLCR)) {
			put_out(t, '\r');
			t->column = 0;
		}
		put_out(t, '\n');
		return true;
	case '\r':
		if (flag(of, LINUX_ONOCR) && !t->column)
			return true;
		if (flag(of, LINUX_OCRNL)) {
			put_out(t, '\n');
			return true;
		}
		t->column = 0;
		break;
	case '\t': {
		unsigned spaces = 8 - (t->column & 7);

		t->column += spaces;
		if ((of & LINUX_TABDLY) == LINUX_XTABS) {
			while (spaces--)
				put_out(t, ' ');
			return true;
		}
		break;
	}
	case '\b':
		if (t->column)
			t->column--;
		break;
	default:
		if (flag(of, LINUX_OLCUC) && c >= 'a' && c <= 'z')
			c = (uint8_t)(c - 'a' + 'A');
		/* UTF-8 continuation bytes take no column */
		if (c >= 0x20 && c != 0x7f && !(flag(t->termios.c_iflag, LINUX_IUTF8) && (c & 0xc0) == 0x80))
			t->column++;
	}
	put_out(t, c);
	return true;
}

size_t ldisc_output(struct tty *t, const uint8_t *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!ldisc_emit(t, b[i]))
			break;
	return i;
}

bool ldisc_is_control(const struct tty *t, uint8_t c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

void ldisc_echo(struct tty *t, uint8_t c)
{
	if (ldisc_is_control(t, c) && c != '\n' && flag(t->termios.c_lflag, LINUX_ECHOCTL)) {
		ldisc_emit(t, '^');
		ldisc_emit(t, c ^ 0100);
	} else {
		ldisc_emit(t, c);
	}
}

void ldisc_echo_typed(struct tty *t, uint8_t c)
{
	if (flag(t->termios.c_lflag, LINUX_ECHO) || (c == '\n' && flag(t->termios.c_lflag, LINUX_ECHONL)))
		ldisc_echo(t, c);
}
