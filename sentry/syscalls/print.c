/*
 * print.c - the system call table for people and programs: sentry --syscalls.
 * Before the sentry is anything; held against the handlers that there are.
 */
#include "syscalls/syscall.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A row with a handler says what it does, one without says NONE, and everything short of full says why. */
static const char *contradiction(const struct syscall_row *row)
{
	if (!row->fn != (row->support == SUPPORT_NONE))
		return row->fn ? "has a handler, and says none" : "has no handler";
	return row->support != SUPPORT_FULL && !row->note[0] ? "lacks a note" : NULL;
}

static const char *level(const struct syscall_row *row)
{
	static const char *const levels[] = { "full", "partial", "none" };

	return levels[row->fn ? row->support : SUPPORT_NONE];
}

static void table_begin(void)
{
	printf("%-4s %-26s %-8s %s\n", "nr", "name", "support", "note");
}

static void table_row(unsigned nr, const struct syscall_row *row, bool first)
{
	printf("%-4u %-26s %-8s %s\n", nr, row->name, level(row), row->note);
}

static void json_begin(void)
{
	printf("[");
}

/* The notes are ours: what JSON or CSV would have to escape is not in them. */
static void json_row(unsigned nr, const struct syscall_row *row, bool first)
{
	printf("%s\n  {\"number\": %u, \"name\": \"%s\", \"support\": \"%s\", \"note\": \"%s\"}", first ? "" : ",", nr, row->name, level(row), row->note);
}

static void json_end(void)
{
	printf("\n]\n");
}

static void csv_begin(void)
{
	printf("number,name,support,note\n");
}

static void csv_row(unsigned nr, const struct syscall_row *row, bool first)
{
	printf("%u,%s,%s,\"%s\"\n", nr, row->name, level(row), row->note);
}

static void nothing(void)
{
}

static const struct {
	const char *name;
	void (*begin)(void);
	void (*row)(unsigned nr, const struct syscall_row *row, bool first);
	void (*end)(void);
} formats[] = {
	{ "table", table_begin, table_row, nothing },
	{ "json", json_begin, json_row, json_end },
	{ "csv", csv_begin, csv_row, nothing },
};

int syscall_print_table(const char *format)
{
	bool first = true;
	size_t f = 0;
	int wrong = 0;

	while (f < sizeof(formats) / sizeof(formats[0]) && strcmp(formats[f].name, format))
		f++;
	if (f == sizeof(formats) / sizeof(formats[0])) {
		fprintf(stderr, "sentry: --syscalls: '%.64s' is none of table, json, csv\n", format);
		return -EINVAL;
	}
	formats[f].begin();
	for (unsigned i = 0; i < SYSCALL_MAX; i++) {
		const struct syscall_row *row = &syscall_table[i];
		const char *why = row->name ? contradiction(row) : NULL;

		if (row->name)
			formats[f].row(i, row, first);
		first = first && !row->name;
		if (why) {
			fprintf(stderr, "sentry: table.def: %s %s\n", row->name, why);
			wrong++;
		}
	}
	formats[f].end();
	return wrong;
}
