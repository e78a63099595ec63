/*
 * oom_tell.c - see oom.h: the host is told that the container ended for want of memory.
 * The main thread, with which the sandbox ends; no locks.
 *
 * Engines watch the container's cgroup on the host, whose limit is never met while this
 * kernel keeps it.  So it is met once, at the very end, by this process, which is about to
 * end with the status that SIGKILL gives anyhow: the host's kernel kills it, the greatest of
 * its cgroup by far, counts that and tells who listens.  What is asked for is no more
 * than the container might have used all the time; bounded in size and time all the same, for
 * there may be no cgroup that keeps the limit.
 */
#include "kernel/oom.h"

#include "kernel/kernel.h"
#include "lib/uaddr.h"
#include "lib/wait.h"
#include "libipc/log.h"

#include <sys/mman.h>

#define TELL_MAX (UINT64_C(1) << 30) /* the host might need more than that for others */
#define TELL_NS INT64_C(2000000000)
#define BETWEEN_LOOKS (UINT64_C(4) << 20) /* bytes touched from one look at the clock to the next */

void oom_tell_host(struct kernel *k)
{
	const uint64_t size = oom_limit(oom_sandbox(k));
	const int64_t end = now_monotonic() + TELL_NS;
	struct oom_events events;
	volatile char *p;

	oom_events(oom_sandbox(k), &events);
	if (!events.oom_kill || !size || size > TELL_MAX)
		return;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return;
	for (uint64_t at = 0; at < size; at += PAGE_SIZE) {
		p[at] = 1;
		if (!(at % BETWEEN_LOOKS) && now_monotonic() > end)
			break;
	}
	log_debug("the host does not keep the memory limit: nobody there knows why the container ended");
}
