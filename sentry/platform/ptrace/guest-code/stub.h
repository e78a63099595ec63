/*
 * stub.h - what the sentry must know of the stub: where it lies and where its
 * entry points are.  Shared by C, assembly and the linker script, so: only
 * plain defines.
 *
 * The stub's pages lie above TASK_SIZE, where no mapping order can reach:
 *   STUB_TEXT     read and execute: the entry points, the zygote's loop
 *   STUB_SCRATCH  read and write, private: program code can write it as well, so
 *                 nothing in it is believed
 */
#ifndef SENTRY_PLATFORM_PTRACE_STUB_H
#define SENTRY_PLATFORM_PTRACE_STUB_H

#define STUB_BASE 0x7fffe0000000
#define STUB_TEXT 0x7fffe0000000
#define STUB_SCRATCH 0x7fffe0002000
#define STUB_END 0x7fffe0004000

/* Entry points.  All but STUB_PARK end in a breakpoint. */
#define STUB_SYSCALL (STUB_TEXT + 0x00) /* system call in the usual registers; result in rax */
#define STUB_CLONE (STUB_TEXT + 0x40) /* clone: the child parks */
#define STUB_PARK (STUB_TEXT + 0x80) /* sleeps for ever */
#define STUB_MAP_FILE (STUB_TEXT + 0xc0) /* receives a descriptor, mmap with the usual registers (r8 is set), closes it */
#define STUB_ZYGOTE (STUB_TEXT + 0x200) /* where execve starts it */

/* A stub's descriptors. */
#define STUB_FD_MEMORY 0 /* the memory file */
#define STUB_FD_CHANNEL 1 /* files to map arrive here */
#define STUB_FD_ZYGOTE 2 /* the zygote's orders; closed in stubs */
#define STUB_FD_FILE 2 /* so that a received file gets this number */

#endif
