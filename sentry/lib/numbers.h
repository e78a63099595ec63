/*
 * numbers.h - decimal numbers in a text that is written to a file of /proc/sys.
 */
#ifndef SENTRY_LIB_NUMBERS_H
#define SENTRY_LIB_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

/* Up to n numbers apart by blanks; what follows them is not looked at, as Linux does not.
 * How many there were, or -EINVAL: blanks alone, something else, or more than 64 bits.
 * v is changed only up to there. */
int parse_numbers(const char *text, uint64_t *v, size_t n);

#endif
