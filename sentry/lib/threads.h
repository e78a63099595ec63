/*
 * threads.h - the list of the sentry's host threads, and samples of where each one is.
 *
 * A thread enters itself in the list when it begins to run the sentry's code.  threads_sample() sends it
 * a signal whose handler records its call chain; between samples this costs nothing.  A sleep that the
 * signal interrupts ends with EINTR, which every sleep of the sentry treats as a spurious wake-up.
 */
#ifndef SENTRY_LIB_THREADS_H
#define SENTRY_LIB_THREADS_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define THREAD_FRAMES 48 /* innermost ones of a call chain that are noted */

struct thread_sample {
	const char *name; /* what the thread is for */
	pid_t tid; /* on the host */
	bool answered; /* the rest is known */
	bool asleep; /* it was in a sleeping host call */
	unsigned n_frames;
	uint64_t frames[THREAD_FRAMES]; /* innermost first; as the executable file counts addresses */
};

/* From now on each thread that enters may run on these processors: its maker may be
 * held on one.  Before there are other threads. */
void threads_use_cpus(const cpu_set_t *cpus);

/* The calling thread's; name is borrowed. A thread that ends leaves before. */
void thread_enter(const char *name);
void thread_leave(void);
/* The calling thread had better not run there: others wait for what that processor does, and
 * for this thread nobody does.  It costs a host call when it is not the processor said before. */
void thread_keep_off(int cpu);

/* Another, detached, for main, which enters; stack: bytes.  0 or a positive errno. */
int thread_start(size_t stack, void *(*main)(void *arg), void *arg);

unsigned threads_count(void);

/* What else is to be noted, on the sampled thread itself, in its signal handler: only
 * loads and stores. May be NULL. */
typedef void thread_note_fn(void *arg);
/* Called for each thread, on the caller's: what was found.  Between note() and this nothing else
 * is sampled.  May take RANK_LEAF locks only. */
typedef void thread_found_fn(const struct thread_sample *s, void *arg);

struct thread_sampling {
	bool dying; /* the process is: from a handler of a thread that may hold anything; -EBUSY where waiting would be for ever */
	bool busy_only; /* pass over the caller, and threads that have used no processor time since the last sampling that said so */
	thread_note_fn *note;
	thread_found_fn *found;
	void *arg; /* of both */
};
/* One at a time (the event thread's). 0 or -errno: the handler could not be installed. */
int threads_sample(const struct thread_sampling *how);

#endif
