/*
 * numbers.c - see numbers.h.
 */
#include "lib/numbers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLANK " \t\n"

int parse_numbers(const char *text, uint64_t *v, size_t n)
{
	if (!*text)
		return 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t value;
		char *end;

		text += strspn(text, BLANK);
		if (!*text)
			return i ? (int)i : -EINVAL;
		if (*text < '0' || *text > '9')
			return -EINVAL;
		errno = 0;
		value = strtoull(text, &end, 0);
		if (errno || (*end && !strchr(BLANK, *end)))
			return -EINVAL;
		v[i] = value;
		text = end;
	}
	return (int)n;
}
