/*
 * panic.c - the sentry's crash report: what libipc/panic.c writes of the thread that failed, and where the
 * other threads are.  Runs in the failing thread's signal handler.
 */
#include "boot/boot.h"

#include "lib/threads.h"
#include "libipc/panic.h"

#include <sys/syscall.h>
#include <unistd.h>

static void found(const struct thread_sample *s, void *arg)
{
	struct panic_line l;

	if (s->tid == *(const pid_t *)arg)
		return;
	panic_begin(&l);
	panic_text(&l, "thread ");
	panic_number(&l, s->tid);
	panic_text(&l, " (");
	panic_text(&l, s->name);
	panic_text(&l, !s->answered ? "): does not answer" : s->asleep ? "), asleep:" : "):");
	panic_end(&l);
	panic_frames(s->frames, s->n_frames);
}

static void other_threads(void)
{
	pid_t self = (pid_t)syscall(SYS_gettid);
	struct panic_line l;

	if (!threads_sample(&(struct thread_sampling){ .dying = true, .found = found, .arg = &self }))
		return;
	panic_begin(&l);
	panic_text(&l, "the other threads cannot be asked");
	panic_end(&l);
}

void boot_panic_init(int fd)
{
	panic_init("sentry", fd, other_threads);
}
