/*
 * elf.h - loading an ELF program into a fresh address space, as Linux's
 * binfmt_elf does: segments, interpreter, heap, stack with arguments, environment
 * and auxiliary vector, vDSO.  Scripts are the caller's.
 *
 * mm/ knows no files: the caller hands over how to read one, what to map, and
 * how to open the interpreter.  Runs on the thread of the task that execs (or
 * the creator of a first task); the address space is not yet anybody's.
 */
#ifndef SENTRY_MM_ELF_H
#define SENTRY_MM_ELF_H

#include "mm/mm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct elf_file {
	void *priv; /* the reader's own */
	ssize_t (*pread)(void *priv, void *buf, size_t n, int64_t off); /* bytes (short at the end), or -errno */
	struct memobj *obj; /* what segments map (file->ops->mmap's answer); borrowed; NULL: ENODEV->ENOEXEC */
	struct file *file; /* for /proc/PID/maps; borrowed: mm takes references by its hooks. May be NULL */
};

struct elf_args {
	struct elf_file prog;
	/* Opens PT_INTERP's path: permission and type checks are the caller's.
	 * 0 and *out filled, or -errno (exec fails with it). close undoes it. */
	int (*open_interp)(void *arg, const char *path, struct elf_file *out);
	void (*close_interp)(void *arg, struct elf_file *f);
	void *arg;

	/* kernel memory, NUL-terminated strings; counts without the final NULL.
	 * Their total is checked against the stack limit: -E2BIG. */
	const char *const *argv;
	size_t argc;
	const char *const *envp;
	size_t envc;
	const char *execfn; /* the path given to execve */

	uint32_t uid, euid, gid, egid;
	bool secure; /* AT_SECURE */
	uint64_t hwcap, hwcap2; /* 0: from cpuid */
	uint64_t clktck; /* 0: 100 */
	bool no_randomize; /* personality ADDR_NO_RANDOMIZE */
	bool read_implies_exec; /* personality READ_IMPLIES_EXEC */
	struct memobj *vdso; /* borrowed; NULL: the one that address spaces share */
};

struct elf_result {
	uint64_t entry; /* first instruction */
	uint64_t sp; /* 16-byte aligned, argc is there */
	bool exec_stack; /* PT_GNU_STACK asked for it */
};

/* Loads into mm, which must be new and empty (mm_new, with mm_set_limits done).
 * Records the layout (mm_set_layout: exe is a new reference to prog.file).
 * 0, or -ENOEXEC (not a program of ours), -ELIBBAD, -EINVAL, -ENOMEM, -E2BIG,
 * -EIO, or what open_interp said; the caller then puts mm. */
int elf_load(struct mm *mm, const struct elf_args *a, struct elf_result *out);

#endif
