/*
 * rest.h - drops the program's text from memory (own_text.h) when a component has become idle.
 */
#ifndef LIBIPC_REST_H
#define LIBIPC_REST_H

struct event_base;

/*
 * Call it whenever there is work, on the loop's thread.  It starts a timer, unless one runs: when an
 * interval passes without work (half a second at first, longer after each one with work), the text
 * is dropped and the timer ends, so that an idle component has none.  Without memory for a timer
 * nothing happens.  The policy must permit madvise(MADV_DONTNEED).
 */
void rest_watch(struct event_base *base);

#endif
