/*
 * keeper.h - a gofer that serves again after it was killed.
 */
#ifndef REDOUBT_GOFER_KEEPER_H
#define REDOUBT_GOFER_KEEPER_H

#include "options.h"

struct keeper {
	unsigned start; /* which process this is that serves, from options.start */
	int gate; /* the keeper's word that it is sealed; -1: not to be waited for */
};

/* After confinement, in the first process of a pid namespace.  Returns in each process
 * that is to serve; the keeper itself does not return, and ends as the last of them did. */
struct err *keeper_split(const struct options *o, struct keeper *out) ERR_MUST_USE;

/* In the process that is to serve, before it reads anything: the keeper is sealed. */
struct err *keeper_wait_sealed(struct keeper *k) ERR_MUST_USE;

#endif
