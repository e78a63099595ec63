/*
 * socket_cmsg.h - control messages between the program's layout and struct scm.
 */
#ifndef SENTRY_SYSCALLS_SOCKET_CMSG_H
#define SENTRY_SYSCALLS_SOCKET_CMSG_H

#include "kernel/task.h"
#include "net/socket.h"

/* Reads msg_control: files become references.  On failure nothing is held. */
int cmsg_import(struct task *t, struct socket *s, uaddr control, uint64_t len, struct scm *scm, struct sock_id *cred);
/* Stores what was received, using up the files. *used: bytes stored; adds LINUX_MSG_CTRUNC to *flags when something did not fit. */
int cmsg_export(struct task *t, struct socket *s, struct scm *scm, uaddr control, uint64_t len, int recv_flags, uint64_t *used, int *flags);

#endif
