/*
 * sanitize.h - for the main files of confined components: an instrumented
 * build's leak checker is off, as it needs ptrace and clone, which no policy has.
 */
#ifndef LIBIPC_SANITIZE_H
#define LIBIPC_SANITIZE_H

#ifdef REDOUBT_SANITIZE
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

#endif
