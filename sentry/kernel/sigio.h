/*
 * sigio.h - signal-driven input and output (O_ASYNC, F_SETOWN, F_SETSIG): who is
 * told by a signal that a file has become ready, or a directory changed (F_NOTIFY), and
 * the telling.
 *
 * A queue's wake-up is seen in places where no signal can be sent (objects' locks
 * are held): it is noted, and sent by sigio_send before the thread that woke
 * enters program code or sleeps, so that it comes before the call's result.
 */
#ifndef SENTRY_KERNEL_SIGIO_H
#define SENTRY_KERNEL_SIGIO_H

#include "kernel/kernel.h"

struct file;
struct linux_f_owner_ex;
struct task;

struct sigio_queue {
	struct mutex mu; /* RANK_LEAF */
	STAILQ_HEAD(, sigio) due; /* [mu] */
	_Atomic bool any; /* [mu] to write: there is one */
};
struct sigio_queue *sigio_queue_new(void);

/* F_SETOWN_EX: pid is a number of t's namespace, 0 nobody. -EINVAL, -ESRCH, -ENOMEM. */
int sigio_set_owner(struct task *t, struct file *f, const struct linux_f_owner_ex *x);
void sigio_get_owner(struct task *t, struct file *f, struct linux_f_owner_ex *x); /* pid 0: nobody, or gone */
int sigio_set_signal(struct kernel *k, struct file *f, int signo); /* F_SETSIG; 0: SIGIO. -EINVAL, -ENOMEM */
int sigio_get_signal(struct file *f);
/* O_ASYNC goes on or off for a file that can (FILE_ASYNC); fd is what the signal will name. -ENOMEM */
int sigio_enable(struct task *t, struct file *f, int fd, bool on);

/* f is going to have messages: its owner is t's process, if nobody has said whom to tell. -ENOMEM */
int sigio_expect(struct task *t, struct file *f);
/* Its owner is to be told by one more signal (POLL_MSG), that will name fd. f is expected to have
 * messages, and open as long as this runs. Under locks up to RANK_WAITQ. */
void sigio_message(struct file *f, int fd);

void sigio_send_due(struct kernel *k); /* no lock held of RANK_TASKS or higher */
static inline void sigio_send(struct kernel *k)
{
	if (__builtin_expect(atomic_load_explicit(&k->sigios->any, memory_order_relaxed), 0))
		sigio_send_due(k);
}

#endif
