/*
 * listen.h - --listen: a socket of the file system, many connections.
 */
#ifndef REDOUBT_GOFER_LISTEN_H
#define REDOUBT_GOFER_LISTEN_H

#include "server.h"

/* Before confinement: makes the socket, mode 0600; the path may be longer than
 * an address can hold.  EADDRINUSE if something is there. */
struct err *listen_open(const char *path, int *fd) ERR_MUST_USE;

/* Takes fd; accepts from then on. */
struct err *listen_serve(struct server *s, int fd) ERR_MUST_USE;

#endif
