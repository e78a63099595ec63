/*
 * rest.c - see rest.h.
 *
 * The loop's thread.  Work is what processor time the process has used, all its threads
 * together: no code that works need tell.
 */
#include "libipc/rest.h"

#include "libipc/own_text.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define FIRST_MS 500
#define LAST_MS 2000 /* at most, while there is work: it is quiet so soon after */
#define WORK_PART 32 /* less than one part in so many is none */

/* A process has its text once, and so one watch. */
static struct {
	bool on;
	unsigned ms;
	uint64_t used; /* ns, when it began to look */
} watch;

static uint64_t used_ns(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void look(evutil_socket_t fd, short what, void *arg);

static void look_later(struct event_base *base, unsigned ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	watch.ms = ms;
	watch.used = used_ns();
	watch.on = !event_base_once(base, -1, EV_TIMEOUT, look, base, &tv);
}

static void look(evutil_socket_t fd, short what, void *arg)
{
	if (used_ns() - watch.used > (uint64_t)watch.ms * 1000000 / WORK_PART) {
		look_later(arg, watch.ms < LAST_MS ? 2 * watch.ms : LAST_MS);
		return;
	}
	watch.on = false;
	own_text_drop();
}

void rest_watch(struct event_base *base)
{
	if (!watch.on)
		look_later(base, FIRST_MS);
}
