/*
 * gofer_watch.h - used by launcher processes that stay (attached launchers, stand-ins): waits for the end
 * of the container's gofer, and starts another when it was killed.
 */
#ifndef REDOUBT_LAUNCHER_GOFER_WATCH_H
#define REDOUBT_LAUNCHER_GOFER_WATCH_H

#include "state.h"

struct event;
struct event_base;

struct gofer_watch {
	const struct state_dir *dir;
	const int *home; /* as in attach.h */
	struct event_base *base;
	struct event *event;
	int pidfd;
};
#define GOFER_WATCH_NONE { .pidfd = -1 }

/* A gofer that cannot be watched is not. */
void gofer_watch_start(struct gofer_watch *w, struct event_base *base, const struct state_dir *dir, const int *home);
void gofer_watch_stop(struct gofer_watch *w);

#endif
