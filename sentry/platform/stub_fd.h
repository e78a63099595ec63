/*
 * stub_fd.h - files on their way to a stub, which receives them from a socket
 * that all stubs have.  The caller holds what makes it the socket's only user.
 */
#ifndef SENTRY_PLATFORM_STUB_FD_H
#define SENTRY_PLATFORM_STUB_FD_H

int stub_fd_send(int sock, int fd); /* does not wait; 0 or -errno */
/* Takes back what no stub received; sock is the stubs' end. */
void stub_fd_take_back(int sock);

#endif
