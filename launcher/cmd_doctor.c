/*
 * cmd_doctor.c - doctor: whether this machine has what sandboxes need, and what
 * to do where it has not.  A line a check; changes nothing.
 */
#include "command.h"
#include "doctor.h"

#include <stdio.h>

static const char *const words[] = { [HEALTHY] = "ok", [POOR] = "warning", [ILL] = "FAILED" };

static struct err *run(struct context *c, int *status)
{
	unsigned found[3] = { 0 };
	const struct doctor_check *check;

	for (size_t i = 0; (check = doctor_check(i)); i++) {
		struct finding f = { .advice = "" };

		check->look(c->g->root, c->pool, &f);
		found[f.health]++;
		printf("%-8s %s: %s\n", words[f.health], check->name, f.what);
		if (f.health != HEALTHY && *f.advice)
			printf("         %s\n", f.advice);
	}
	printf("%u ok, %u warnings, %u failed\n", found[HEALTHY], found[POOR], found[ILL]);
	*status = found[ILL] ? 1 : 0;
	return NULL;
}

const struct command command_doctor = {
	.name = "doctor",
	.arguments = "",
	.summary = "check whether this machine has what sandboxes need, and say what to do if not",
	.max_args = 0,
	.run = run,
};
