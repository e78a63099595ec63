/*
 * tty_settings.c - a terminal's settings (termios) in the three shapes programs
 * know: struct termios, termios2 with speeds, and System V's short termio; and
 * which of them are locked.  Both sides have the same ones.
 */
#include "fs/devpts/devpts.h"
#include "fs/devpts/ldisc.h"

#include "abi/capability.h"
#include "kernel/task_table.h"

#include <errno.h>
#include <string.h>

enum shape { TERMIOS, TERMIOS2, TERMIO };
static const size_t sizes[] = { [TERMIOS] = sizeof(struct linux_termios), [TERMIOS2] = sizeof(struct linux_termios2), [TERMIO] = sizeof(struct linux_termio) };

static const struct {
	unsigned cmd;
	enum shape shape;
	bool wait, flush; /* once all output has been read; and forgets the input */
} commands[] = {
	{ LINUX_TCGETS, TERMIOS, false, false },
	{ LINUX_TCSETS, TERMIOS, false, false },
	{ LINUX_TCSETSW, TERMIOS, true, false },
	{ LINUX_TCSETSF, TERMIOS, true, true },
	{ LINUX_TCGETS2, TERMIOS2, false, false },
	{ LINUX_TCSETS2, TERMIOS2, false, false },
	{ LINUX_TCSETSW2, TERMIOS2, true, false },
	{ LINUX_TCSETSF2, TERMIOS2, true, true },
	{ LINUX_TCGETA, TERMIO, false, false },
	{ LINUX_TCSETA, TERMIO, false, false },
	{ LINUX_TCSETAW, TERMIO, true, false },
	{ LINUX_TCSETAF, TERMIO, true, true },
};

union settings {
	struct linux_termios t;
	struct linux_termios2 t2;
	struct linux_termio short_t;
};

static size_t command(const struct tty_call *c)
{
	size_t i = 0;

	while (commands[i].cmd != c->cmd)
		i++;
	return i;
}

int tty_get_settings(struct tty_call *c)
{
	enum shape shape = commands[command(c)].shape;
	union settings v = { .t2 = { .c_ispeed = 38400, .c_ospeed = 38400 } };
	struct linux_termios t;

	mutex_lock(&c->t->mu);
	t = c->t->termios;
	mutex_unlock(&c->t->mu);
	if (shape == TERMIO) {
		v.short_t = (struct linux_termio){ (uint16_t)t.c_iflag, (uint16_t)t.c_oflag, (uint16_t)t.c_cflag, (uint16_t)t.c_lflag, t.c_line, { 0 } };
		memcpy(v.short_t.c_cc, t.c_cc, LINUX_NCC);
	} else {
		v.t = t;
	}
	return copy_to_user(c->mm, c->arg, &v, sizes[shape]);
}

int tty_drain(struct tty *t)
{
	struct waiter w;
	int ret = 0;

	wait_begin(&w, &t->slave_wq, EVENT_OUT);
	while (!ret) {
		bool done;

		mutex_lock(&t->mu);
		done = !ring_used(&t->out) || t->master_closed;
		mutex_unlock(&t->mu);
		if (done)
			break;
		ret = wait_sleep(WAIT_FOREVER);
	}
	wait_end(&w);
	return ret;
}

/* The lower half of each set of flags, the first characters. */
static void widen(const struct linux_termio *from, struct linux_termios *t)
{
	t->c_iflag = (t->c_iflag & ~0xffffu) | from->c_iflag;
	t->c_oflag = (t->c_oflag & ~0xffffu) | from->c_oflag;
	t->c_cflag = (t->c_cflag & ~0xffffu) | from->c_cflag;
	t->c_lflag = (t->c_lflag & ~0xffffu) | from->c_lflag;
	t->c_line = from->c_line;
	memcpy(t->c_cc, from->c_cc, LINUX_NCC);
}

static uint32_t keep(uint32_t old, uint32_t new, uint32_t locked) { return (old & locked) | (new & ~locked); }

static void keep_locked(const struct linux_termios *old, const struct linux_termios *locks, struct linux_termios *t)
{
	t->c_iflag = keep(old->c_iflag, t->c_iflag, locks->c_iflag);
	t->c_oflag = keep(old->c_oflag, t->c_oflag, locks->c_oflag);
	t->c_cflag = keep(old->c_cflag, t->c_cflag, locks->c_cflag);
	t->c_lflag = keep(old->c_lflag, t->c_lflag, locks->c_lflag);
	if (locks->c_line)
		t->c_line = old->c_line;
	for (unsigned i = 0; i < LINUX_NCCS; i++)
		if (locks->c_cc[i])
			t->c_cc[i] = old->c_cc[i];
}

int tty_set_settings(struct tty_call *c)
{
	size_t how = command(c);
	struct linux_termios t;
	union settings v;
	bool readable;
	int ret = c->master ? 0 : tty_check_background(c->t, LINUX_SIGTTOU);

	if (ret)
		return ret;
	if (copy_from_user(c->mm, &v, c->arg, sizes[commands[how].shape]))
		return -EFAULT;
	if (commands[how].wait && !c->master && (ret = tty_drain(c->t)))
		return ret;
	mutex_lock(&c->t->mu);
	t = c->t->termios;
	if (commands[how].shape == TERMIO)
		widen(&v.short_t, &t);
	else
		t = v.t;
	keep_locked(&c->t->termios, &c->t->locks, &t);
	if (commands[how].flush)
		ldisc_flush_input(c->t);
	ldisc_set_termios(c->t, &t);
	readable = ldisc_readable(c->t);
	mutex_unlock(&c->t->mu);
	if (readable)
		waitq_wake(&c->t->slave_wq, EVENT_READABLE);
	waitq_wake(&c->t->master_wq, EVENT_IN);
	return 0;
}

int tty_get_locks(struct tty_call *c)
{
	struct linux_termios t;

	mutex_lock(&c->t->mu);
	t = c->t->locks;
	mutex_unlock(&c->t->mu);
	return copy_to_user(c->mm, c->arg, &t, sizeof(t));
}

int tty_set_locks(struct tty_call *c)
{
	struct linux_termios t;

	if (!ns_capable(task_current(), LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(c->mm, &t, c->arg, sizeof(t)))
		return -EFAULT;
	mutex_lock(&c->t->mu);
	c->t->locks = t;
	mutex_unlock(&c->t->mu);
	return 0;
}
