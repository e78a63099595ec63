/*
 * cpuid.h - what the processor can do, as CPUID says.
 */
#ifndef SENTRY_ARCH_CPUID_H
#define SENTRY_ARCH_CPUID_H

#include <cpuid.h>
#include <stdbool.h>

/* An instruction tells the processor's number. */
static inline bool cpu_has_rdtscp(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(0x80000001, &a, &b, &c, &d) && d & 1u << 27;
}

#endif
