/*
 * option.c - see option.h.  Pure.
 */
#include "option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct option_def *find(const struct option_def *defs, const char *name, size_t len)
{
	for (; defs->name; defs++) {
		if (strlen(defs->name) == len && !strncmp(defs->name, name, len))
			return defs;
	}
	return NULL;
}

static const struct option_def *find_letter(const struct option_def *defs, char letter)
{
	for (; defs->name; defs++) {
		if (defs->letter == letter)
			return defs;
	}
	return NULL;
}

static struct err *set_flag(const struct option_def *d, const char *value, bool *out)
{
	if (!value || !strcmp(value, "true") || !strcmp(value, "1"))
		*out = true;
	else if (!strcmp(value, "false") || !strcmp(value, "0"))
		*out = false;
	else
		return err_new(0, "--%s: '%.64s' is neither true nor false", d->name, value);
	return NULL;
}

static struct err *store(const struct option_def *d, const char *value, struct pool *p, void *out)
{
	void *at = (char *)out + d->offset;

	switch (d->kind) {
	case OPTION_FLAG:
		return set_flag(d, value, at);
	case OPTION_TEXT:
		*(const char **)at = value;
		return NULL;
	case OPTION_TEXTS:
		LIST_ADD(p, (struct texts *)at, value);
		return NULL;
	}
	return NULL;
}

/* One option at argv[*i]; moves *i to its last argument. */
static struct err *parse_one(const struct option_def *defs, int argc, char **argv, int *i, struct pool *p, void *out)
{
	const char *arg = argv[*i], *value = NULL;
	const struct option_def *d;

	if (arg[1] == '-') {
		size_t len = strcspn(arg + 2, "=");

		d = find(defs, arg + 2, len);
		if (arg[2 + len])
			value = arg + 3 + len;
	} else {
		d = find_letter(defs, arg[1]);
		if (d && arg[2])
			value = arg[2] == '=' ? arg + 3 : arg + 2;
		if (d && value && d->kind == OPTION_FLAG)
			d = NULL; /* flags are not bundled */
	}
	if (!d)
		return err_new(0, "unknown option '%.64s'", arg);
	if (!value && d->kind != OPTION_FLAG) {
		if (*i + 1 >= argc)
			return err_new(0, "--%s: needs a value (%s)", d->name, d->value);
		value = argv[++*i];
	}
	return store(d, value, p, out);
}

struct err *option_parse(const struct option_def *defs, int argc, char **argv, struct pool *p, void *out, int *used)
{
	int i = 0;

	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		struct err *e;

		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		if ((e = parse_one(defs, argc, argv, &i, p, out)))
			return e;
	}
	*used = i;
	return NULL;
}

struct err *option_ms(const char *name, const char *text, int max_ms, int *ms)
{
	static const struct {
		const char *unit;
		unsigned ms;
	} units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 } };
	unsigned long n;
	char *end;

	if (!text)
		return NULL;
	n = strtoul(text, &end, 10);
	for (size_t i = 0; end != text && text[0] != '-' && i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) || n > (unsigned long)max_ms / units[i].ms)
			continue;
		*ms = (int)(n * units[i].ms);
		return *ms ? NULL : err_new(0, "--%s: must not be 0", name);
	}
	return err_new(0, "--%s: '%.64s' is not a time", name, text);
}

void option_help(const struct option_def *defs, FILE *f)
{
	for (; defs->name; defs++) {
		char left[64];

		snprintf(left, sizeof(left), "%c%c%s --%s%s%s", defs->letter ? '-' : ' ', defs->letter ? defs->letter : ' ',
			defs->letter ? "," : " ", defs->name, defs->value ? " " : "", defs->value ? defs->value : "");
		fprintf(f, "  %-32s %s\n", left, defs->help);
	}
}
