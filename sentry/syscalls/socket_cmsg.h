/*
 * socket_cmsg.h - control messages between the program's layout and struct scm.
 */
#ifndef SENTRY_SYSCALLS_SOCKET_CMSG_H
#define SENTRY_SYSCALLS_SOCKET_CMSG_H

#include "kernel/task.h"
#include "net/socket.h"

/* Reads msg_control into m->scm (files become references), m->choice and *cred.  On failure nothing is held. */
int cmsg_import(struct task *t, struct socket *s, uaddr control, uint64_t len, struct socket_msg *m, struct sock_id *cred);
/* Stores what was received with m, using up the files. *used: bytes stored; adds LINUX_MSG_CTRUNC to *flags when something did not fit. */
int cmsg_export(struct task *t, struct socket *s, struct socket_msg *m, uaddr control, uint64_t len, uint64_t *used, int *flags);

/* --- for the two files of control messages --- */
struct control { /* where they are stored */
	struct task *t;
	uaddr at;
	uint64_t left, used;
	int *flags;
};
/* One of them, cut off where there is too little room. 0 or -EFAULT. */
int cmsg_put(struct control *c, int level, int type, const void *data, uint64_t n);
/* socket_packet.c: what is told and said of datagrams. 0, -EFAULT; -EINVAL */
int packet_export(struct control *c, struct socket *s, const struct socket_msg *m);
int packet_import(struct socket *s, int level, int type, const uint8_t *data, uint64_t n, struct packet_choice *out);

#endif
