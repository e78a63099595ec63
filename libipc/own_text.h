/*
 * own_text.h - the program's own text and constants, as far as they are in memory.
 */
#ifndef LIBIPC_OWN_TEXT_H
#define LIBIPC_OWN_TEXT_H

/*
 * Takes them out of the process, which has just started and will wait from now on:
 * what only the start needed stays out, the rest comes back from the page cache as it is
 * used.  Any thread; needs madvise(MADV_DONTNEED), and does nothing where that fails.
 */
void own_text_drop(void);

#endif
