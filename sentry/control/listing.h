/*
 * listing.h - the list of a container's processes, for the control protocol.
 */
#ifndef SENTRY_CONTROL_LISTING_H
#define SENTRY_CONTROL_LISTING_H

#include "control/container.h"

#define LISTING_MAX 128

struct listing {
	struct control_process rows[LISTING_MAX];
	char text[LISTING_MAX][2][256]; /* command, tty */
	uint32_t n;
	bool more;
};

void listing_make(struct listing *l, struct container *c, pid_t after);
void listing_usage(struct container *c, uint64_t *cpu_ns, uint64_t *tasks);

#endif
