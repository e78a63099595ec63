/*
 * own_text.h - drops the program's own text and constants from memory (they come back from the page cache).
 */
#ifndef LIBIPC_OWN_TEXT_H
#define LIBIPC_OWN_TEXT_H

/*
 * For a process that has just started, or become idle: pages that only the start needed are not
 * mapped again, the rest are as they are used.  Any thread; needs madvise(MADV_DONTNEED), and does
 * nothing where that fails.
 */
void own_text_drop(void);

#endif
