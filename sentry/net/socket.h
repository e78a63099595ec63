/*
 * socket.h - sockets: the object that all families share, its operations, and
 * the queues of what was received.
 *
 * A socket is referenced by its open file, by the socket connected to it, by a
 * listener's queue, and by calls under way.  s->mu (RANK_FILE) guards it; two
 * sockets' locks are never held together but by the collector (scm.c).  Names
 * (unix names, ports) are in struct net_stack under its own lock.
 *
 * Families: unix.c, tcp.c, udp.c, icmp.c, netlink.c.  Data moves by stream.c (bytes) and
 * dgram.c (records): a sender appends to the receiver's queue under the
 * receiver's lock, so data is copied once in and once out.
 */
#ifndef SENTRY_NET_SOCKET_H
#define SENTRY_NET_SOCKET_H

#include "abi/socket.h"
#include "lib/lock.h"
#include "lib/ref.h"
#include "lib/wait.h"
#include "net/scm.h"
#include "vfs/vfs.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct mm;
struct net_stack;
struct socket;
struct tcb;
struct uio;
struct user_ns;

struct sockaddr_buf {
	uint32_t len; /* bytes valid, 0: none */
	union {
		uint16_t family;
		uint8_t bytes[128];
		struct linux_sockaddr_un un;
		struct linux_sockaddr_in in;
		struct linux_sockaddr_in6 in6;
	};
};

/* A name, shared by the socket that has it and messages from it. Immutable. */
struct sock_name {
	struct ref ref;
	struct sockaddr_buf addr;
};
struct sock_name *sock_name_new(const struct sockaddr_buf *a);
struct sock_name *sock_name_get(struct sock_name *n); /* NULL stays NULL */
void sock_name_put(struct sock_name *n);

/* Who makes a call; borrowed for its length. */
struct sock_caller {
	struct cred *cred;
	struct fs_context *fs;
	struct sock_id id; /* what the receiver may be told */
};

/* What the receiver of a record may be told of it besides (SO_TIMESTAMP, IP_PKTINFO ...). */
struct packet_info {
	int64_t when; /* ns since 1970; 0: not noted when it came */
	uint8_t to[16]; /* where it was sent to; IPv4 as ::ffff:a.b.c.d */
	uint16_t port;
	uint8_t ttl, tos;
	int ifindex; /* where it came in */
	/* of what lies in the queue of errors */
	uint16_t error; /* errno; 0: it is no error */
	uint8_t error_type, error_code; /* ICMP's */
	uint32_t dropped; /* how many found no room at the receiver before it */
};

/* What the sender of a datagram says about it beside the socket's options. */
struct packet_choice {
	uint8_t source[16]; /* its own address to be used; all zero: none is asked for */
	uint8_t ttl; /* 0: the socket's */
	uint8_t tos;
	bool has_tos;
};

struct socket_msg {
	struct uio *uio;
	int flags; /* LINUX_MSG_*; DONTWAIT includes the file's O_NONBLOCK */
	struct sockaddr_buf *name; /* send: destination or NULL; recv: filled, or NULL */
	struct scm scm; /* send: taken on success; recv: handed out */
	int out_flags; /* recv: MSG_TRUNC ... */
	bool ended; /* recv: there was no record, nor will be: nor are there control messages */
	struct packet_info info; /* records: send: what the family says; recv: filled */
	struct packet_choice choice; /* send */
	const struct sock_caller *caller; /* send */
};

/* Slots may be NULL: the answer is in brackets. No locks held. -errno. */
struct socket_ops {
	int (*bind)(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a); /* [EOPNOTSUPP] */
	int (*connect)(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a, bool nonblock); /* [EOPNOTSUPP] */
	int (*listen)(struct socket *s, const struct sock_caller *c, int backlog); /* [EOPNOTSUPP] */
	ssize_t (*send)(struct socket *s, struct socket_msg *m);
	ssize_t (*recv)(struct socket *s, struct socket_msg *m);
	uint32_t (*poll)(struct socket *s);
	int (*shutdown)(struct socket *s, int how);
	int (*name)(struct socket *s, bool peer, struct sockaddr_buf *out);
	int (*setopt)(struct socket *s, int level, int opt, const void *v, unsigned len); /* [ENOPROTOOPT] levels other than SOL_SOCKET */
	int (*getopt)(struct socket *s, int level, int opt, void *v, unsigned *len); /* [ENOPROTOOPT] */
	void (*close)(struct socket *s); /* the file is gone */
};

/* A record, or a stretch of a stream. */
struct seg {
	STAILQ_ENTRY(seg) link;
	uint32_t off, len, cap; /* valid bytes are data[off, off+len) */
	uint32_t charge; /* bytes charged to owner */
	struct sock_id cred; /* the sender's */
	struct scm scm; /* files with it */
	struct packet_info info; /* records */
	struct sock_name *from; /* records: the sender's name, referenced; NULL */
	struct socket *owner; /* records: the sender, referenced, who is charged */
	uint8_t data[];
};
STAILQ_HEAD(seg_list, seg);

enum sock_state { SOCK_UNCONNECTED, SOCK_LISTENING, SOCK_CONNECTING, SOCK_CONNECTED, SOCK_CLOSED };
#define SHUT_RECV 1u
#define SHUT_SEND 2u
#define SHUT_BOTH 3u

#define SOCKET_BUFFER 212992u /* what SO_SNDBUF and SO_RCVBUF begin with */
#define SOCK_IP_OPTIONS 52
#define SOCK_KEPT_OPTIONS 4

struct socket {
	struct ref ref;
	struct mutex mu; /* RANK_FILE */
	struct waitq wq;
	const struct socket_ops *ops; /* [I] */
	struct net_stack *net; /* [I] referenced */
	int family, type, protocol; /* [I] */
	uint64_t cookie; /* [I] its number, as SO_COOKIE and sock_diag tell it */
	struct file *file; /* no reference: set while open, for the collector [world->gc_mu] */
	_Atomic int state; /* enum sock_state: [mu] to write */
	_Atomic(struct socket *) peer; /* [mu] to write; streams: set once, referenced until freed; records: may change */
	_Atomic unsigned shut; /* SHUT_* */
	_Atomic int err; /* SO_ERROR, positive */
	/* received, not yet read */
	struct seg_list rq; /* [mu] */
	_Atomic uint32_t rq_bytes; /* [mu] to write */
	struct seg_list errors; /* [mu] what was told of records that did not arrive (errqueue.c) */
	uint32_t error_bytes; /* [mu] */
	struct seg *spare; /* [mu] an empty one kept for the next bytes */
	_Atomic uint32_t sent_bytes; /* records of this socket waiting anywhere */
	struct socket *connecting; /* [mu] TCP: SOCK_CONNECTING to the outside: the far end to be, referenced */
	_Atomic uint32_t told, told_step; /* of a far end: bytes that the other host may send still, as it was told; by how many more it is worth telling */
	struct tcb *tcb; /* [the engine's] of a far end: its connection (net/outside.h); NULL: it is over */
	struct socket *waits_at, *waits_with; /* [mu] TCP: SOCK_CONNECTING at a full queue: the listener, and what it is to accept; referenced */
	bool waits_autobound; /* [mu] its port goes if it does not get through */
	bool in_connect_q; /* [listener's mu] */
	TAILQ_ENTRY(socket) connect_link; /* [listener's mu] */
	bool in_progress; /* [mu] TCP: connect(2) has not said yet how what it began ended */
	_Atomic bool reset; /* TCP: the peer broke the connection off: it has no peer any more */
	/* listening */
	TAILQ_HEAD(, socket) accept_q; /* [mu] referenced */
	TAILQ_ENTRY(socket) accept_link; /* [listener's mu] */
	unsigned n_accept, backlog; /* [mu] */
	TAILQ_HEAD(, socket) connect_q; /* [mu] TCP: referenced: who did not wait in connect(2) for room in it (connect_wait.c) */
	struct socket *listener; /* where it waits in a queue, until it is accepted: no reference */
	/* identity */
	struct sock_name *name, *peer_name; /* [mu] */
	struct sock_id cred; /* [mu] told to those who connect */
	struct sock_id peer_cred; /* [mu] SO_PEERCRED */
	struct path path; /* [mu] unix: where it is bound, */
	struct inode *inode; /* [mu] and the inode there; both referenced */
	LIST_ENTRY(socket) name_link; /* [net->mu] in a table of names */
	LIST_ENTRY(socket) all_link; /* [net->mu] */
	bool named; /* [net->mu] in the table */
	/* options; plain words: read unlocked */
	_Atomic uint32_t sndbuf, rcvbuf;
	_Atomic int64_t rcvtimeo, sndtimeo; /* ns, WAIT_FOREVER: none */
	_Atomic uint64_t flags; /* bit n: boolean SO_ option n is on (n < 64) */
	_Atomic uint32_t tcp_flags; /* same for TCP_ options */
	_Atomic uint32_t inet_flags; /* INET_* */
	_Atomic uint64_t groups; /* netlink: bit n - 1: it is in multicast group n */
	int32_t so_values[SOCK_KEPT_OPTIONS]; /* [mu] SOL_SOCKET options that are kept and told back (socket_opt.c) */
	_Atomic bool filtered; /* it has a filter: of a socket that nothing comes to */
	uint64_t pacing; /* [mu] SO_MAX_PACING_RATE */
	_Atomic uint32_t timestamping; /* SOF_TIMESTAMPING_* */
	uint32_t drops; /* [mu] records that found no room */
	_Atomic int bound_index; /* SO_BINDTODEVICE: the interface's index, 0: none */
	struct linux_linger linger; /* [mu] */
	_Atomic uint32_t lowat;
	_Atomic uint8_t urgent; /* [mu to write] streams: enum urgent (urgent.c) */
	uint8_t urgent_byte; /* [mu] */
	_Atomic uint32_t urgent_at; /* [mu to write] how many bytes are queued before it */
	int32_t peek_off; /* [mu] SO_PEEK_OFF: where the next MSG_PEEK begins; -1: at the beginning, always */
	uint32_t tcp_values[32]; /* [mu] TCP_ options with a number */
	uint64_t ip_set; /* [mu] which of ip_values were set (ip_opt.c) */
	int16_t ip_values[SOCK_IP_OPTIONS]; /* [mu] */
	uint32_t icmp_filter[8]; /* [mu] raw: bit n: messages of type n are not wanted */
	/* the collector's */
	unsigned inflight, gc_count; /* [world->gc_mu] */
	TAILQ_ENTRY(socket) gc_link; /* [world->gc_mu] while inflight */
	TAILQ_ENTRY(socket) gc_work; /* [world->gc_mu] while the collector runs */
	bool gc_candidate; /* [world->gc_mu] */
};
static inline bool sock_flag(const struct socket *s, int so) { return s->flags >> so & 1; }

/* --- life -------------------------------------------------------------------------- */
/* ns.c: network namespaces. The first one, whose loopback is up, with what all share; NULL: no memory */
struct net_stack *net_stack_new(struct vfs *v, uint64_t ino);
/* Another one beside it: its loopback is down. NULL: no memory */
struct net_stack *net_stack_new_in(struct net_stack *first, uint64_t ino, struct user_ns *owner);
void net_stack_get(struct net_stack *n);
void net_stack_put(struct net_stack *n); /* NULL is fine */
uint64_t net_stack_ino(const struct net_stack *n);
struct user_ns *net_stack_owner(const struct net_stack *n); /* borrowed; NULL: the container's */
/* Who writes by write(2), where no caller is given: fills *out for the running task. Set once at boot. */
void net_stack_set_caller(struct net_stack *n, void (*fn)(struct sock_caller *out));
/* What the running task is to see of an id. Set once at boot. */
void net_stack_set_show(struct net_stack *n, void (*fn)(const struct sock_id *id, struct linux_ucred *out));
/* The namespaces that requests name by a descriptor or a process number of the running task: a new reference, or
 * NULL. Set once at boot. */
typedef struct net_stack *net_ns_finder(int number);
void net_stack_set_finders(struct net_stack *n, net_ns_finder *by_fd, net_ns_finder *by_pid);

/* socket(2) without the flags in type: -EAFNOSUPPORT, -ESOCKTNOSUPPORT, -EPROTONOSUPPORT ... */
int socket_create(struct net_stack *n, int family, int type, int protocol, const struct sock_caller *c, struct socket **out);
int socket_create_pair(struct net_stack *n, int family, int type, int protocol, const struct sock_caller *c, struct socket *out[2]);
struct socket *socket_alloc(struct net_stack *n, const struct socket_ops *ops, int family, int type, int protocol);
static inline void socket_get(struct socket *s) { ref_get(&s->ref); }
void socket_put(struct socket *s);
/* Makes the open file; uses up the reference. */
int socket_open(struct socket *s, int flags, const struct cred *c, struct file **out);
struct socket *socket_of(struct file *f); /* borrowed; NULL: not a socket */

/* --- generic operations, for the system calls ------------------------------------------ */
int socket_accept(struct socket *s, bool nonblock, struct socket **out); /* new reference */
ssize_t socket_send(struct socket *s, struct socket_msg *m); /* -EPIPE: the caller sends SIGPIPE */
ssize_t socket_recv(struct socket *s, struct socket_msg *m);
int socket_setopt(struct socket *s, int level, int opt, const void *v, unsigned len, bool privileged);
int socket_getopt(struct socket *s, int level, int opt, void *v, unsigned *len); /* v: 256 bytes at least */
void socket_options_init(struct socket *s);
/* bind_device.c: -ENODEV, -EPERM (bound already), -EINVAL */
int socket_bind_index(struct socket *s, int index, bool privileged); /* 0: to none */
int socket_bind_device(struct socket *s, const void *name, unsigned len, bool privileged); /* "": to none */
int socket_bound_device(struct socket *s, void *v, unsigned *len); /* its name; len 0: none */
int socket_shutdown(struct socket *s, int how);

/* --- for families ------------------------------------------------------------------------- */
/* Links two fresh or connecting stream sockets: each takes a reference to the other. */
void socket_link(struct socket *a, struct socket *b);
/* Puts `child` (reference used up) on the listener's queue; ->mu of listener held, room was checked. */
void socket_enqueue_accept(struct socket *listener, struct socket *child);
/* Blocks until *wq is woken: s->mu held, let go meanwhile. 0, -EAGAIN (timeout), -ERESTARTSYS or -EINTR. */
int socket_sleep(struct socket *s, struct waiter *w, struct waitq *q, uint32_t events, int64_t timeo, int64_t *deadline);
int socket_take_error(struct socket *s); /* -err and clears it, or 0 */
void socket_close_listener(struct socket *s); /* drops what waits in the queue */

/* urgent.c: MSG_OOB of streams; s->mu held but where said */
enum urgent { URGENT_NONE, URGENT_UNREAD, URGENT_READ };
void urgent_mark(struct socket *to); /* the last byte of its queue is urgent from now on */
bool urgent_at_mark(const struct socket *s); /* the next byte is the urgent one; no lock */
/* Of n bytes `at` bytes into the queue, how many may be read before the mark; 0: the next is the urgent one, not to be
 * read with the others. */
uint64_t urgent_before(const struct socket *s, uint32_t at, uint64_t n);
void urgent_passed(struct socket *s, uint32_t n); /* n bytes have left the queue */
uint32_t urgent_readable(const struct socket *s); /* bytes that a read would find; no lock */
ssize_t urgent_recv(struct socket *s, struct socket_msg *m); /* no lock held. -EINVAL, -EAGAIN */

/* errqueue.c: IP_RECVERR and MSG_ERRQUEUE */
struct endpoint;
/* s's record m, for `to`, came back with an error, if s is to be told: true. */
bool errqueue_add(struct socket *s, struct socket_msg *m, const struct endpoint *to, int error);
ssize_t errqueue_recv(struct socket *s, struct socket_msg *m); /* -EAGAIN: there is none */
void errqueue_drop(struct socket *s);

/* Records. `to` referenced by the caller.  from: the name the receiver sees, borrowed; NULL: s's.
 * Unix records are charged to the sender, who may wait; others are dropped when the receiver's buffer is full. */
ssize_t dgram_send_to(struct socket *s, struct socket *to, struct socket_msg *m, struct sock_name *from);
ssize_t dgram_recv(struct socket *s, struct socket_msg *m);
/* A record from the kernel into the queue of `to`, used up; a full queue drops it. */
void dgram_give(struct socket *to, struct seg *g);
/* The socket is closed from now on: what it had received is moved to *l, or freed. */
void dgram_take_queue(struct socket *s, struct seg_list *l);
void dgram_close_queue(struct socket *s);
uint32_t dgram_poll_bits(struct socket *s); /* IN, OUT, RDHUP, HUP, ERR by queue, charge and shut */

/* SO_PEEK_OFF, s->mu held: bytes that a peek skips; what was peeked at or taken moves it. */
static inline uint32_t peek_skip(const struct socket *s, bool peek) { return peek && s->peek_off > 0 ? (uint32_t)s->peek_off : 0; }
void peek_moved(struct socket *s, bool peek, size_t n);

/* Puts a record from the kernel into a netlink socket's queue (mq_notify). 0 or -ENOMEM; a full queue drops it. */
int netlink_tell(struct socket *s, const void *data, size_t n);

struct seg *seg_new(uint32_t cap);
void seg_free(struct seg *g); /* with its files; no locks held (files may close) */
void seg_list_free(struct seg_list *l); /* same */

#endif
