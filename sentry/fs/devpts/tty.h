/*
 * tty.h - pseudo terminals: a master and a slave side with a line discipline
 * between them, as Linux's n_tty.
 *
 * A tty lives from the opening of its master (by a program through /dev/ptmx, or for a container's
 * console: hosttty.c) until both sides and every session have released it.  Bytes written to the master
 * are input: edited, echoed, turned into signals; bytes written to the slave are output.
 *
 * Locks: mu (RANK_FILE) guards buffers and settings.  Session and foreground group are guarded by the
 * task list lock, as sessions point back here.  Signals are sent after mu is released.
 */
#ifndef SENTRY_FS_DEVPTS_TTY_H
#define SENTRY_FS_DEVPTS_TTY_H

#include "abi/termios.h"
#include "kernel/task.h"

#define TTY_BUF 4096 /* power of two: ring buffers */
#define TTY_MAX 4096 /* terminals at once */
#define PTS_MAJOR 136 /* all minors are its own, as in Linux since 2.6 */

struct tty_ring { /* bytes [tail, head), indices counted without wrapping */
	uint32_t head, tail;
	uint8_t b[TTY_BUF];
};

struct tty {
	struct ref ref;
	struct kernel *k; /* [I] */
	unsigned index; /* [I] the N of /dev/pts/N */
	struct mutex mu; /* RANK_FILE */
	struct linux_termios termios; /* [mu] */
	struct linux_termios locks; /* [mu] bits, and characters not 0: those of termios stay as they are */
	struct linux_winsize winsize; /* [mu] */
	struct tty_ring in; /* [mu] towards the slave's reader */
	uint32_t canon; /* [mu] in.b before this index is complete lines */
	uint8_t delim[TTY_BUF / 8]; /* [mu] bit: this byte ends a line */
	struct tty_ring out; /* [mu] towards the master's reader */
	unsigned column; /* [mu] of output, for tabs and erasing */
	uint32_t line_column; /* [mu] column where the edited line began */
	bool lnext; /* [mu] the next byte is literal */
	bool stopped; /* [mu] ^S */
	bool packet; /* [mu] TIOCPKT */
	uint8_t packet_status; /* [mu] */
	bool exclusive, master_exclusive; /* [mu] TIOCEXCL: nobody else opens it */
	bool locked; /* [mu] TIOCSPTLCK: slave cannot be opened */
	bool master_closed; /* [mu] hung up */
	bool slave_opened; /* [mu] ever */
	unsigned slaves; /* [mu] open slave files */
	struct waitq slave_wq, master_wq;
	pid_t sid; /* [T] session it controls, 0 none */
	pid_t pgid; /* [T] foreground process group */
	uint32_t uid, gid; /* [I] of the slave's node */
	LIST_ENTRY(tty) link; /* table's */
};

/* The terminals of a kernel, and the devpts file systems showing them. */
struct err;
int devpts_register(struct kernel *k); /* file system type, ptmx, tty, console devices */

int tty_new(struct kernel *k, uint32_t uid, uint32_t gid, struct tty **out); /* -ENOSPC */
void tty_get(struct tty *t);
void tty_put(struct tty *t);
struct tty *tty_by_index(struct kernel *k, unsigned index); /* new reference or NULL */

static inline uint32_t ring_used(const struct tty_ring *r) { return r->head - r->tail; }
static inline uint32_t ring_room(const struct tty_ring *r) { return TTY_BUF - ring_used(r); }

/* Both sides, without a file (hosttty.c, and the master's file). Any thread. */
size_t tty_master_write(struct tty *t, const uint8_t *b, size_t n); /* bytes taken; sends signals */
size_t tty_master_read(struct tty *t, uint8_t *b, size_t n); /* bytes of output, 0 if none */
void tty_master_hangup(struct tty *t); /* the master's side is gone: SIGHUP, EOF */
void tty_set_winsize(struct tty *t, const struct linux_winsize *ws); /* SIGWINCH on change */
int tty_slave_file(struct tty *t, const struct cred *c, int flags, struct file **out); /* an open slave */

/* Common ioctls of both sides (tty_ioctl.c). -ENOIOCTLCMD: not one of these. */
int tty_ioctl(struct tty *t, bool master, struct file *f, struct mm *mm, unsigned cmd, uint64_t arg);
#ifndef ENOIOCTLCMD
#define ENOIOCTLCMD 515
#endif
/* Job control: the calling task wants to read (SIGTTIN) or change (SIGTTOU) the tty from the background: 0 go on, -EIO, -ERESTARTSYS. */
int tty_check_background(struct tty *t, int signo);
/* Controlling terminals. */
int tty_set_controlling(struct tty *t, struct task *task, bool steal); /* TIOCSCTTY */
void tty_disassociate(struct kernel *k, struct session *s); /* session leader exits or TIOCNOTTY: SIGHUP, SIGCONT to the foreground group */

/* A container's terminal: a tty whose master is a host descriptor (hosttty.c). */
struct hosttty;
int hosttty_new(struct kernel *k, int fd, struct tty *t, struct hosttty **out); /* takes fd; runs on the event thread */
void hosttty_free(struct hosttty *h); /* flushes what it can */

#endif
