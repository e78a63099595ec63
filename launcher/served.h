/*
 * served.h - what a container's gofer serves, recorded in the container's state so that another gofer can
 * be started in its place.
 */
#ifndef REDOUBT_LAUNCHER_SERVED_H
#define REDOUBT_LAUNCHER_SERVED_H

#include "plan.h"

/* The plan's trees and ids as text, and which socket the gofer's end of its connection
 * is.  NULL: a name in it is not UTF-8. */
const char *served_text(const struct plan *plan, int gofer_sock, struct pool *p);
/* trees and ids of the plan are filled; *inode: the socket's. */
struct err *served_read(const char *text, struct pool *p, struct plan *out, uint64_t *inode) ERR_MUST_USE;

#endif
