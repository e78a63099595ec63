/*
 * attributes.h - what a specification asks of a process besides its credentials.
 */
#ifndef SENTRY_CONTROL_ATTRIBUTES_H
#define SENTRY_CONTROL_ATTRIBUTES_H

#include "libipc/protocols.h"

struct linux_sock_filter;
struct task;

/* Of every process of a container. */
struct attributes {
	struct linux_sock_filter *filter; /* owned; NULL: none */
	unsigned n_filter, filter_flags;
	uint64_t personality;
};

struct err *attributes_keep(const struct boot_spec *spec, struct attributes *out) ERR_MUST_USE;
void attributes_free(struct attributes *a);
/* To a task that was made and has not started. */
struct err *attributes_apply(const struct attributes *a, const struct boot_process *bp, struct task *t) ERR_MUST_USE;

#endif
