/*
 * seccomp.h - the specification's system call filter as the BPF program that
 * the sentry runs for the guest's calls.
 */
#ifndef REDOUBT_LAUNCHER_SECCOMP_H
#define REDOUBT_LAUNCHER_SECCOMP_H

#include "oci.h"

struct seccomp_program {
	uint8_t *bpf; /* the pool's */
	size_t len; /* bytes */
	uint64_t flags; /* SECCOMP_FILTER_FLAG_* */
};

/* What features.json says of it. */
json_t *seccomp_features(void);
/* Judges every name and number, as part of oci_check; no program is made. */
struct err *seccomp_check(const struct oci_seccomp *s) ERR_MUST_USE;
struct err *seccomp_compile(const struct oci_seccomp *s, struct pool *p, struct seccomp_program *out) ERR_MUST_USE;

#endif
