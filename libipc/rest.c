/*
 * rest.c - see rest.h.
 *
 * Runs on the loop's thread.  Whether the component is idle is judged by the processor time of the whole
 * process, all threads together, so that the code that does the work need not report it.
 */
#include "libipc/rest.h"

#include "libipc/own_text.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define FIRST_MS 500
#define LAST_MS 2000 /* the longest interval between two checks while there is work */
#define WORK_PART 32 /* a process that used less than 1/32 of the time is idle */

/* One for the process, whose text is all that is dropped. */
static struct {
	bool on;
	unsigned ms;
	uint64_t used; /* processor time at the last check, ns */
} watch;

static uint64_t used_ns(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void check(evutil_socket_t fd, short what, void *arg);

static void check_later(struct event_base *base, unsigned ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	watch.ms = ms;
	watch.used = used_ns();
	watch.on = !event_base_once(base, -1, EV_TIMEOUT, check, base, &tv);
}

static void check(evutil_socket_t fd, short what, void *arg)
{
	if (used_ns() - watch.used > (uint64_t)watch.ms * 1000000 / WORK_PART) {
		check_later(arg, watch.ms < LAST_MS ? 2 * watch.ms : LAST_MS);
		return;
	}
	watch.on = false;
	own_text_drop();
}

void rest_watch(struct event_base *base)
{
	if (!watch.on)
		check_later(base, FIRST_MS);
}
