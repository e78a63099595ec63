/*
 * ebpf.h - extended BPF as control groups' device programs use it: checked once, then run.
 *
 * Taken are the instructions of version 3 without atomic ones, calls, maps and jumps backwards, so a program runs
 * each of its instructions at most once.  It knows three kinds of values: numbers, a pointer to what it is given, and
 * pointers into its stack, which cannot be stored.  What Linux takes beyond that is refused with what Linux says to
 * something unknown.  The one that runs it trusts nothing of the check: a program's addresses are none of the
 * process', and each access is looked at again.  No state, no locks.
 */
#ifndef SENTRY_LIB_EBPF_H
#define SENTRY_LIB_EBPF_H

#include "abi/bpf.h"

#include <stddef.h>

#define EBPF_MAX 4096u /* instructions */

/* What programs of a type are given; it can be read only. */
struct ebpf_given {
	unsigned size; /* bytes: 32-bit fields, each read as a whole */
	unsigned parts; /* bytes from the start on that can be read in parts */
};

/* Bytes that a load or store moves. */
static inline unsigned ebpf_size(uint8_t code)
{
	switch (LINUX_BPF_SIZE(code)) {
	case LINUX_BPF_B: return 1;
	case LINUX_BPF_H: return 2;
	case LINUX_BPF_W: return 4;
	default: return 8;
	}
}

struct ebpf_fault {
	unsigned at; /* the instruction */
	const char *what;
};

/* n in 1..EBPF_MAX. 0; -EINVAL, -EACCES as Linux's verifier, with *fault; -ENOMEM.  What it returns is 0 or 1. */
int ebpf_check(const struct linux_bpf_insn *prog, unsigned n, const struct ebpf_given *given, struct ebpf_fault *fault);
/* Of a checked program; given: size bytes.  0: also if it does what it may not. */
uint64_t ebpf_run(const struct linux_bpf_insn *prog, unsigned n, const void *given, size_t size);

#endif
