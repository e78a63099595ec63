/*
 * trace.c - a call's line in the log: "[tid comm] name(arguments) = result".
 *
 * Arguments that the program passes are shown as they are when the call begins,
 * what the call fills in as it is after.  A call that waits is shown when it begins
 * to, and again when it goes on.
 */
#include "syscalls/strace/strace.h"

#include "libipc/log.h"
#include "syscalls/syscall.h"

#include <asm/unistd.h>
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* This thread's call, until it is shown. */
static _Thread_local struct strace_line *current;
static _Thread_local const char *current_name;

void line_put(struct strace_line *l, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(l->text + l->n, sizeof(l->text) - l->n, format, ap);
	va_end(ap);
	if (n > 0)
		l->n += (size_t)n < sizeof(l->text) - l->n ? (size_t)n : sizeof(l->text) - l->n - 1;
}

void line_string(struct strace_line *l, const char *s, size_t n, bool more)
{
	static const char plain[] = "\n\t\r\"\\", letters[] = "ntr\"\\";

	line_put(l, "\"");
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		const char *at = c ? strchr(plain, c) : NULL;

		if (at)
			line_put(l, "\\%c", letters[at - plain]);
		else if (c >= ' ' && c < 127)
			line_put(l, "%c", c);
		else
			line_put(l, n > i + 1 && s[i + 1] >= '0' && s[i + 1] <= '7' ? "\\%03o" : "\\%o", c);
	}
	line_put(l, more ? "\"..." : "\"");
}

static void result(struct strace_line *l, uint64_t nr)
{
	if (nr == __NR_exit || nr == __NR_exit_group)
		line_put(l, ") = ?");
	else if (l->ret < 0 && l->ret >= -4095)
		line_errno(l, l->ret);
	else
		line_put(l, strace_result_is_address(nr) ? ") = 0x%" PRIx64 : ") = %" PRId64, l->ret);
}

void strace_waits(void)
{
	struct strace_line *l = current;

	if (!l)
		return;
	current = NULL;
	log_info("[%d %s] %s <unfinished ...>", l->t->own_tid, l->t->comm, l->text);
	l->n = 0;
	line_put(l, "<... %s resumed>", current_name);
}

void strace_text_begin(struct strace_line *l, struct task *t, uint64_t nr, const struct syscall_row *row, const uint64_t args[6])
{
	l->t = t;
	l->args = args;
	if (row && row->name)
		line_put(l, "%s(", row->name);
	else
		line_put(l, "syscall_%" PRIu64 "(", nr);
	strace_args(l, nr);
}

void strace_text_end(struct strace_line *l, uint64_t nr, int64_t ret)
{
	l->ret = ret;
	l->over = true;
	strace_args(l, nr);
	result(l, nr);
}

static _Atomic bool some_only; /* those of chosen */
static _Atomic bool chosen[SYSCALL_MAX];

static bool number_of(const char *name, unsigned *nr)
{
	for (*nr = 0; *nr < SYSCALL_MAX; ++*nr) {
		if (syscall_table[*nr].name && !strcmp(syscall_table[*nr].name, name))
			return true;
	}
	return false;
}

int strace_choose(const char *const *names, unsigned n, unsigned *unknown)
{
	bool wanted[SYSCALL_MAX] = { 0 };
	unsigned nr;

	for (unsigned i = 0; i < n; i++) {
		if (!number_of(names[i], &nr)) {
			*unknown = i;
			return -EINVAL;
		}
		wanted[nr] = true;
	}
	for (nr = 0; nr < SYSCALL_MAX; nr++)
		atomic_store(&chosen[nr], wanted[nr]);
	atomic_store(&some_only, n);
	return 0;
}

int64_t strace_call(struct task *t, uint64_t nr, const struct syscall_row *row, const uint64_t args[6])
{
	struct strace_line *l = atomic_load(&some_only) && !atomic_load(&chosen[nr]) ? NULL : calloc(1, sizeof(*l));
	int64_t ret;

	if (!l)
		return row->fn(t, args);
	strace_text_begin(l, t, nr, row, args);
	current_name = row->name;
	current = l;
	ret = row->fn(t, args);
	current = NULL;
	strace_text_end(l, nr, ret);
	log_info("[%d %s] %s", t->own_tid, t->comm, l->text);
	free(l);
	return ret;
}
