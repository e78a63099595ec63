/*
 * threads.c - see threads.h.
 *
 * The list's lock is held while a thread is being sampled, so that the thread cannot end meanwhile; a
 * thread that waits for this lock is sampled all the same.
 */
#include "lib/threads.h"

#include "lib/counters.h"
#include "lib/lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/queue.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#define ANSWER_MS 200 /* a thread that is stuck in the host does not answer */

extern const char __ehdr_start[] __attribute__((visibility("hidden"))); /* the linker's: where the file's address 0 is */

struct asking {
	struct thread_sample *sample;
	thread_note_fn *note;
	void *arg;
	_Atomic uint32_t done;
};

struct host_thread {
	LIST_ENTRY(host_thread) link;
	pid_t tid;
	const char *name;
	clockid_t clock; /* processor time */
	int64_t used; /* of it, at the last sampling of busy threads */
	_Atomic(struct asking *) asked;
};

static struct mutex mu = MUTEX_INIT(RANK_LEAF);
static LIST_HEAD(, host_thread) threads = LIST_HEAD_INITIALIZER(threads); /* [mu] */
static unsigned n_threads, n_entered; /* [mu] */
static _Thread_local struct host_thread self;
static cpu_set_t all_cpus; /* [I] none: they are where they are */

void threads_use_cpus(const cpu_set_t *cpus)
{
	all_cpus = *cpus;
}

void thread_enter(const char *name)
{
	self.name = name;
	self.tid = (pid_t)syscall(SYS_gettid);
	pthread_getcpuclockid(pthread_self(), &self.clock);
	if (CPU_COUNT(&all_cpus))
		sched_setaffinity(0, sizeof(all_cpus), &all_cpus);
	mutex_lock(&mu);
	LIST_INSERT_HEAD(&threads, &self, link);
	n_threads++;
	counter_set = ++n_entered % COUNTER_SETS;
	mutex_unlock(&mu);
}

void thread_keep_off(int cpu)
{
	static _Thread_local int off = -1;
	cpu_set_t others = all_cpus;

	if (cpu < 0 || cpu == off)
		return;
	off = cpu;
	CPU_CLR((unsigned)cpu, &others);
	if (CPU_COUNT(&others))
		sched_setaffinity(0, sizeof(others), &others);
}

void thread_leave(void)
{
	lock_wake_owed();
	mutex_lock(&mu);
	LIST_REMOVE(&self, link);
	n_threads--;
	mutex_unlock(&mu);
}

int thread_start(size_t stack, void *(*main)(void *arg), void *arg)
{
	pthread_attr_t attr;
	pthread_t t;
	int r;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, stack);
	r = pthread_create(&t, &attr, main, arg);
	pthread_attr_destroy(&attr);
	return r;
}

unsigned threads_count(void)
{
	unsigned n;

	mutex_lock(&mu);
	n = n_threads;
	mutex_unlock(&mu);
	return n;
}

/* --- the call chain ------------------------------------------------------------- */

struct walk {
	struct thread_sample *s;
	uint64_t from; /* 0: all; else from the frame with this address on */
};

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *c, void *arg)
{
	struct walk *w = arg;
	uint64_t ip = _Unwind_GetIP(c);

	if (w->from && ip != w->from)
		return _URC_NO_REASON;
	w->from = 0;
	if (!ip || w->s->n_frames == THREAD_FRAMES)
		return _URC_END_OF_STACK;
	w->s->frames[w->s->n_frames++] = ip - (uint64_t)(uintptr_t)__ehdr_start;
	return _URC_NO_REASON;
}

/* Whether a signal came in the middle of a host call that sleeps: behind the
 * instruction with EINTR, or on it, to begin it again. */
static bool was_asleep(const greg_t *g)
{
	static const unsigned char syscall_code[2] = { 0x0f, 0x05 };
	const unsigned char *ip = (const unsigned char *)(uintptr_t)g[REG_RIP];
	const unsigned char *call = g[REG_RAX] == -EINTR ? ip - sizeof(syscall_code) : ip;

	return call[0] == syscall_code[0] && call[1] == syscall_code[1];
}

static void on_signal(int signo, siginfo_t *info, void *uc)
{
	const greg_t *g = ((ucontext_t *)uc)->uc_mcontext.gregs;
	struct asking *a = atomic_exchange(&self.asked, NULL);
	int saved = errno;
	struct walk w;

	if (!a)
		return; /* it came too late */
	w = (struct walk){ a->sample, (uint64_t)g[REG_RIP] };
	a->sample->asleep = was_asleep(g);
	_Unwind_Backtrace(on_frame, &w);
	if (a->note)
		a->note(a->arg);
	a->sample->answered = true;
	atomic_store(&a->done, 1);
	syscall(SYS_futex, &a->done, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	errno = saved;
}

/* --- asking ----------------------------------------------------------------------- */

/* False: it does not answer, and will not any more. */
static bool wait_answer(struct host_thread *t, struct asking *a)
{
	const struct timespec limit = { .tv_nsec = ANSWER_MS * 1000000L };

	while (!atomic_load(&a->done)) {
		if (syscall(SYS_futex, &a->done, FUTEX_WAIT_PRIVATE, 0, &limit, NULL, 0) < 0 && errno == ETIMEDOUT && atomic_exchange(&t->asked, NULL))
			return false;
	}
	return true;
}

static void ask(struct host_thread *t, struct asking *a)
{
	if (t == &self) {
		_Unwind_Backtrace(on_frame, &(struct walk){ .s = a->sample });
		if (a->note)
			a->note(a->arg);
		a->sample->answered = true;
		return;
	}
	atomic_store(&t->asked, a);
	if (syscall(SYS_tgkill, getpid(), t->tid, SIGPROF) < 0)
		atomic_store(&t->asked, NULL);
	else
		wait_answer(t, a);
}

static bool was_busy(struct host_thread *t)
{
	struct timespec ts = { 0 };
	int64_t before = t->used;

	clock_gettime(t->clock, &ts);
	t->used = ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
	return t->used != before;
}

/* The unwinder sets itself up when it is first used: not in a handler. */
static int prepare(void)
{
	static bool prepared;
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct thread_sample s = { .n_frames = 0 };

	if (prepared)
		return 0;
	_Unwind_Backtrace(on_frame, &(struct walk){ .s = &s });
	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGPROF, &sa, NULL) < 0)
		return -errno;
	prepared = true;
	return 0;
}

int threads_sample(const struct thread_sampling *how)
{
	struct host_thread *t;
	int r = prepare();

	if (r)
		return r;
	if (!how->dying)
		mutex_lock(&mu);
	else if (pthread_mutex_trylock(&mu.m))
		return -EBUSY;
	LIST_FOREACH (t, &threads, link) {
		struct thread_sample s = { .name = t->name, .tid = t->tid };
		struct asking a = { .sample = &s, .note = how->note, .arg = how->arg };

		if (how->busy_only && (t == &self || !was_busy(t)))
			continue;
		ask(t, &a);
		how->found(&s, how->arg);
	}
	if (!how->dying)
		mutex_unlock(&mu);
	return 0;
}
