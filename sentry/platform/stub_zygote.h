/*
 * stub_zygote.h - the zygote, the stub process that makes the others: started at
 * boot, before there are other threads and before the sentry is sealed.  The
 * thread that starts it must live as long as the sentry: stubs die with it
 * (PR_SET_PDEATHSIG is per thread).
 *
 * Not locked: the platform holds what makes one user at a time.
 */
#ifndef SENTRY_PLATFORM_STUB_ZYGOTE_H
#define SENTRY_PLATFORM_STUB_ZYGOTE_H

#include "libipc/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct stub_zygote {
	pid_t pid; /* also the process group of all stubs */
	int sock; /* orders to it; it has the only other end */
	int answers; /* its answers and new stubs': sock or channel */
	int channel; /* our end: files to stubs */
	int channel_stubs; /* the stubs' end: to take back what a stub did not receive */
};

struct stub_zygote_start {
	const uint8_t *image, *image_end; /* the stub's executable */
	int mem_fd; /* becomes the stubs' descriptor 0; borrowed.  1 is the channel, 2 the orders */
	int extra_fd[2]; /* and from 3 on; -1: none */
	bool on_channel; /* it answers there */
};

/* Starts it and waits until it is ready. */
struct err *stub_zygote_start(struct stub_zygote *z, const struct stub_zygote_start *s) ERR_MUST_USE;
/* Asks for a stub process: its id, or -errno.  *fd: the descriptor that came with
 * the answer, the caller's, or -1.  The answer is said before any program code
 * runs in the stub. */
pid_t stub_zygote_fork(struct stub_zygote *z, uint64_t order, int *fd);

#endif
