/*
 * rest.h - what a component gives back when it has nothing to do any more.
 */
#ifndef LIBIPC_REST_H
#define LIBIPC_REST_H

struct event_base;

/*
 * From the first while without work on (half a second; longer each time there was some) the
 * process's text is out of memory until it is used again.  The watch ends with that: a
 * component at rest has no timer.  Call it when there is work, on the loop's thread, as often
 * as there is; nothing happens where there is no memory for it.  The policy must permit
 * madvise(MADV_DONTNEED).
 */
void rest_watch(struct event_base *base);

#endif
