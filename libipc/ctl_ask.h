/*
 * ctl_ask.h - ipcctl's requests, and the connection they go over.
 */
#ifndef REDOUBT_LIBIPC_CTL_ASK_H
#define REDOUBT_LIBIPC_CTL_ASK_H

#include "libipc/ctl_json.h"

struct ctl {
	int sock; /* the connection; owned by the caller */
	const struct msg_proto *proto; /* NULL: whichever protocol has the method */
	uint64_t sequence; /* of the last request */
	const char *cat_field; /* --cat-fd: the answer's descriptor whose content is printed, or NULL */
	bool quiet; /* prints errors only */
	int surplus[FRAME_FDS_MAX]; /* descriptors that go with the next request */
	unsigned n_surplus;
	bool failed; /* some answer was an error */
	bool closed; /* the peer is gone */
};

/* Sends one request and prints its answer, errors of the other side included (c->failed).
 * Returns an error only if the request could not be made or sent. */
struct err *ctl_request(struct ctl *c, const char *method, const char *json) ERR_MUST_USE;
/* Sends bytes, given in hex, as they are, and prints the frame that is answered. */
struct err *ctl_raw(struct ctl *c, const char *hex) ERR_MUST_USE;
/* Adds a descriptor, by its number, to the next request, though its message has no place for it. */
struct err *ctl_surplus(struct ctl *c, const char *number) ERR_MUST_USE;

void ctl_print(json_t *j); /* a line on standard output; takes the reference */
void ctl_print_error(struct ctl *c, int errnum, const char *text); /* the same for an error; sets c->failed */

#endif
