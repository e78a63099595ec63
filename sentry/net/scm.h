/*
 * scm.h - what travels beside data on unix sockets: files and credentials, and
 * the collector of sockets that are only reachable from their own queues.
 */
#ifndef SENTRY_NET_SCM_H
#define SENTRY_NET_SCM_H

#include "abi/socket.h"

#include <stdbool.h>

struct file;
struct net_stack;

/* Who a process is; shown to another as it sees it (sock_id_show). */
struct sock_id {
	int32_t pid; /* its number, as it has it itself; 0: nobody */
	uint32_t uid, gid; /* the kernel's ids */
	int32_t tgid; /* the kernel's number of it */
	uint64_t pid_ns; /* ino of the namespace of pid */
};

struct scm {
	struct file **files; /* owned array of owned references; NULL */
	unsigned n_files;
	bool has_cred;
	struct sock_id cred;
};

void scm_drop(struct scm *s); /* closes the files of one that is not in flight */
int scm_dup(const struct scm *from, struct scm *to); /* MSG_PEEK: more references. 0 or -ENOMEM */

/* A message with files enters a queue: -ETOOMANYREFS when the sender has more than
 * `limit` files in flight in all. Call before it is visible to receivers. */
int scm_send_files(struct net_stack *n, const struct scm *s, uint64_t limit);
void scm_received(struct net_stack *n, const struct scm *s); /* it left the queue */

/* Closes sockets that nothing but queues of each other can reach. No locks held. */
void scm_collect(struct net_stack *n);

#endif
