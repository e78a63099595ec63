/*
 * sha1.h - SHA-1 (FIPS 180-4), for numbers that others compute so too.  Not to be relied on against forgery.
 */
#ifndef SENTRY_LIB_SHA1_H
#define SENTRY_LIB_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define SHA1_SIZE 20

void sha1(const void *data, size_t n, uint8_t digest[SHA1_SIZE]);

#endif
