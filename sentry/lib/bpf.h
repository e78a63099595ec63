/*
 * bpf.h - classic BPF as seccomp filters use it: checked once, then run without
 * further checks.  No state, no locks.
 */
#ifndef SENTRY_LIB_BPF_H
#define SENTRY_LIB_BPF_H

#include "abi/seccomp.h"

#include <stdbool.h>

/* 0, or -EINVAL: an instruction that filters may not have, a jump or a load out of bounds, a scratch word
 * read before it was written, no return at the end.  -ENOMEM. */
int bpf_check(const struct linux_sock_filter *f, unsigned n);
/* The same for a filter of a socket's packets, which bpf_run does not run. */
int bpf_check_packets(const struct linux_sock_filter *f, unsigned n);
uint32_t bpf_run(const struct linux_sock_filter *f, const struct linux_seccomp_data *d); /* of a checked program */

/* A checked program answers SECCOMP_RET_ALLOW to call nr of x86_64 whatever the arguments are.  False also
 * where that is not seen at once. */
bool bpf_always_allows(const struct linux_sock_filter *f, uint32_t nr);

#endif
