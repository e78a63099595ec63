/*
 * ldisc.c - the line discipline's input side: characters that make signals, editing of a line, and
 * what a reader of the slave gets (see ldisc.h).
 */
#include "fs/devpts/ldisc_impl.h"

#include <string.h>

void ldisc_init(struct tty *t)
{
	static const uint8_t cc[LINUX_NCCS] = {
		[LINUX_VINTR] = 003, [LINUX_VQUIT] = 034, [LINUX_VERASE] = 0177, [LINUX_VKILL] = 025, [LINUX_VEOF] = 004,
		[LINUX_VMIN] = 1, [LINUX_VSTART] = 021, [LINUX_VSTOP] = 023, [LINUX_VSUSP] = 032, [LINUX_VREPRINT] = 022,
		[LINUX_VDISCARD] = 017, [LINUX_VWERASE] = 027, [LINUX_VLNEXT] = 026,
	};

	t->termios = (struct linux_termios){
		.c_iflag = LINUX_ICRNL | LINUX_IXON,
		.c_oflag = LINUX_OPOST | LINUX_ONLCR,
		.c_cflag = LINUX_B38400 | LINUX_CS8 | LINUX_CREAD,
		.c_lflag = LINUX_ISIG | LINUX_ICANON | LINUX_ECHO | LINUX_ECHOE | LINUX_ECHOK | LINUX_ECHOCTL | LINUX_ECHOKE | LINUX_IEXTEN,
	};
	memcpy(t->termios.c_cc, cc, sizeof(cc));
}

/* Width on the screen of what is in the edited line before index `end`. */
static unsigned width_until(const struct tty *t, uint32_t end)
{
	unsigned column = t->line_column;

	for (uint32_t i = t->canon; i != end; i++) {
		uint8_t c = t->in.b[i & TTY_MASK];

		if (c == '\t')
			column = (column | 7) + 1;
		else if (ldisc_is_control(t, c))
			column += flag(t->termios.c_lflag, LINUX_ECHOCTL) ? 2 : 0;
		else if (!(flag(t->termios.c_iflag, LINUX_IUTF8) && (c & 0xc0) == 0x80))
			column++;
	}
	return column;
}

/* --- input editing --------------------------------------------------------------- */
static void rub_out(struct tty *t, unsigned columns)
{
	while (columns--) {
		ldisc_emit(t, '\b');
		ldisc_emit(t, ' ');
		ldisc_emit(t, '\b');
	}
}

static void erase_one(struct tty *t)
{
	unsigned before, after;

	if (t->in.head == t->canon)
		return;
	before = width_until(t, t->in.head);
	do
		t->in.head--;
	while (flag(t->termios.c_iflag, LINUX_IUTF8) && t->in.head != t->canon && (t->in.b[t->in.head & TTY_MASK] & 0xc0) == 0x80);
	after = width_until(t, t->in.head);
	if (!flag(t->termios.c_lflag, LINUX_ECHO))
		return;
	if (flag(t->termios.c_lflag, LINUX_ECHOE))
		rub_out(t, before - after);
	else
		ldisc_echo(t, t->termios.c_cc[LINUX_VERASE]);
}

static bool word_byte(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static void erase_word(struct tty *t)
{
	while (t->in.head != t->canon && !word_byte(t->in.b[(t->in.head - 1) & TTY_MASK]))
		erase_one(t);
	while (t->in.head != t->canon && word_byte(t->in.b[(t->in.head - 1) & TTY_MASK]))
		erase_one(t);
}

static void erase_line(struct tty *t)
{
	uint32_t lf = t->termios.c_lflag;

	if (flag(lf, LINUX_ECHO) && flag(lf, LINUX_ECHOKE) && flag(lf, LINUX_ECHOE)) {
		while (t->in.head != t->canon)
			erase_one(t);
		return;
	}
	t->in.head = t->canon;
	if (!flag(lf, LINUX_ECHO))
		return;
	ldisc_echo(t, t->termios.c_cc[LINUX_VKILL]);
	if (flag(lf, LINUX_ECHOK))
		ldisc_emit(t, '\n');
}

static void reprint(struct tty *t)
{
	ldisc_echo(t, t->termios.c_cc[LINUX_VREPRINT]);
	ldisc_emit(t, '\n');
	t->line_column = 0;
	for (uint32_t i = t->canon; i != t->in.head; i++)
		ldisc_echo(t, t->in.b[i & TTY_MASK]);
}

static void store(struct tty *t, uint8_t c, bool ends_line)
{
	uint32_t at = t->in.head++ & TTY_MASK;

	t->in.b[at] = c;
	if (ends_line)
		t->delim[at / 8] |= (uint8_t)(1u << at % 8);
	else
		t->delim[at / 8] &= (uint8_t)~(1u << at % 8);
	if (ends_line)
		t->canon = t->in.head;
}

static bool is_delim(const struct tty *t, uint32_t index)
{
	uint32_t at = index & TTY_MASK;

	return t->delim[at / 8] >> at % 8 & 1;
}

static bool is_cc(const struct tty *t, unsigned which, uint8_t c)
{
	return c && t->termios.c_cc[which] == c;
}

/* True when c was a signal character. */
static bool input_signal(struct tty *t, uint8_t c, uint64_t *signals)
{
	int signo;

	if (!flag(t->termios.c_lflag, LINUX_ISIG))
		return false;
	if (is_cc(t, LINUX_VINTR, c))
		signo = LINUX_SIGINT;
	else if (is_cc(t, LINUX_VQUIT, c))
		signo = LINUX_SIGQUIT;
	else if (is_cc(t, LINUX_VSUSP, c))
		signo = LINUX_SIGTSTP;
	else
		return false;
	if (!flag(t->termios.c_lflag, LINUX_NOFLSH)) {
		ldisc_flush_input(t);
		t->out.tail = t->out.head;
	}
	t->stopped = false;
	ldisc_echo_typed(t, c);
	*signals |= SIGBIT(signo);
	return true;
}

/* Editing characters of canonical mode; true when c was one. */
static bool input_edit(struct tty *t, uint8_t c)
{
	bool extended = flag(t->termios.c_lflag, LINUX_IEXTEN);

	if (is_cc(t, LINUX_VERASE, c))
		erase_one(t);
	else if (is_cc(t, LINUX_VKILL, c))
		erase_line(t);
	else if (extended && is_cc(t, LINUX_VWERASE, c))
		erase_word(t);
	else if (extended && is_cc(t, LINUX_VREPRINT, c) && flag(t->termios.c_lflag, LINUX_ECHO))
		reprint(t);
	else if (is_cc(t, LINUX_VEOF, c))
		store(t, 0, true); /* a delimiter that is not handed to the reader */
	else
		return false;
	return true;
}

static void input_canonical(struct tty *t, uint8_t c)
{
	bool ends;

	if (flag(t->termios.c_lflag, LINUX_IEXTEN) && is_cc(t, LINUX_VLNEXT, c)) {
		t->lnext = true;
		if (flag(t->termios.c_lflag, LINUX_ECHO) && flag(t->termios.c_lflag, LINUX_ECHOCTL)) {
			ldisc_emit(t, '^');
			ldisc_emit(t, '\b');
		}
		return;
	}
	if (input_edit(t, c))
		return;
	ends = c == '\n' || is_cc(t, LINUX_VEOL, c) || (flag(t->termios.c_lflag, LINUX_IEXTEN) && is_cc(t, LINUX_VEOL2, c));
	/* one place is kept for the line's end */
	if (!ends && ring_room(&t->in) <= 1) {
		if (flag(t->termios.c_iflag, LINUX_IMAXBEL))
			ldisc_emit(t, '\a');
		return;
	}
	if (t->in.head == t->canon)
		t->line_column = t->column;
	ldisc_echo_typed(t, c);
	store(t, c, ends);
}

static void input_byte(struct tty *t, uint8_t c, uint64_t *signals)
{
	uint32_t iflag = t->termios.c_iflag;
	bool canonical = flag(t->termios.c_lflag, LINUX_ICANON);

	if (flag(iflag, LINUX_ISTRIP))
		c &= 0x7f;
	if (t->lnext) {
		t->lnext = false;
		if (t->in.head == t->canon)
			t->line_column = t->column;
		ldisc_echo_typed(t, c);
		store(t, c, false);
		return;
	}
	if (flag(iflag, LINUX_IXON)) {
		bool start = is_cc(t, LINUX_VSTART, c), stop = is_cc(t, LINUX_VSTOP, c);

		if (start || stop) {
			t->stopped = stop;
			return;
		}
		if (flag(iflag, LINUX_IXANY))
			t->stopped = false;
	}
	if (input_signal(t, c, signals))
		return;
	if (c == '\r') {
		if (flag(iflag, LINUX_IGNCR))
			return;
		if (flag(iflag, LINUX_ICRNL))
			c = '\n';
	} else if (c == '\n' && flag(iflag, LINUX_INLCR)) {
		c = '\r';
	}
	if (canonical) {
		input_canonical(t, c);
		return;
	}
	ldisc_echo_typed(t, c);
	store(t, c, false);
}

size_t ldisc_input(struct tty *t, const uint8_t *b, size_t n, uint64_t *signals)
{
	size_t i;

	for (i = 0; i < n; i++) {
		bool canonical = flag(t->termios.c_lflag, LINUX_ICANON);

		/* A full line buffer in canonical mode still takes bytes (and
		 * drops them) as long as no complete line waits, as n_tty does;
		 * else the master has to wait for the reader. */
		if (!ring_room(&t->in) && (!canonical || t->canon != t->in.tail))
			break;
		if (!ring_room(&t->in)) {
			t->in.head--; /* make the place that a line's end needs */
			input_byte(t, b[i], signals);
			continue;
		}
		input_byte(t, b[i], signals);
	}
	if (!flag(t->termios.c_lflag, LINUX_ICANON))
		t->canon = t->in.head;
	return i;
}

/* --- reading ------------------------------------------------------------------------ */
bool ldisc_readable(const struct tty *t)
{
	return t->canon != t->in.tail;
}

size_t ldisc_available(const struct tty *t)
{
	size_t n = 0;

	for (uint32_t i = t->in.tail; i != t->canon; i++)
		if (!(is_delim(t, i) && !t->in.b[i & TTY_MASK]))
			n++;
	return n;
}

size_t ldisc_read(struct tty *t, uint8_t *b, size_t n, bool *eof)
{
	bool canonical = flag(t->termios.c_lflag, LINUX_ICANON);
	size_t got = 0;

	*eof = false;
	while (t->in.tail != t->canon) {
		uint32_t at = t->in.tail;
		bool delim = canonical && is_delim(t, at);
		uint8_t c = t->in.b[at & TTY_MASK];

		if (delim && !c) { /* ^D: ends this read, not handed out */
			t->in.tail++;
			*eof = !got;
			break;
		}
		if (got == n)
			break;
		t->in.tail++;
		b[got++] = c;
		if (delim)
			break;
		/* "abc^D" with room for exactly 3: the ^D goes with them */
		if (canonical && got == n && t->in.tail != t->canon && is_delim(t, t->in.tail) && !t->in.b[t->in.tail & TTY_MASK]) {
			t->in.tail++;
			break;
		}
	}
	return got;
}

void ldisc_flush_input(struct tty *t)
{
	t->in.tail = t->canon = t->in.head;
	t->lnext = false;
}

void ldisc_set_termios(struct tty *t, const struct linux_termios *new)
{
	bool was = flag(t->termios.c_lflag, LINUX_ICANON), is = flag(new->c_lflag, LINUX_ICANON);

	t->termios = *new;
	if (was != is) {
		/* what is typed so far becomes readable, as n_tty_set_termios does */
		t->canon = t->in.head;
		t->lnext = false;
		if (is)
			for (uint32_t i = t->in.tail; i != t->in.head; i++)
				t->delim[(i & TTY_MASK) / 8] &= (uint8_t)~(1u << (i & TTY_MASK) % 8);
	}
	if (!flag(new->c_iflag, LINUX_IXON))
		t->stopped = false;
}
