/*
 * stub.h - what the sentry and the stub agree upon: where the stub's memory
 * lies and what is in it.  Shared by C, assembly and the linker script: only
 * plain defines.
 *
 * The stub's pages lie above TASK_SIZE, where no mapping order of the program
 * can reach:
 *   ST_SLOTS    read and write, shared with the sentry: one slot a thread.
 *               Program code can write it: nothing in it is believed
 *   ST_ORDERS   read only here, written by the sentry: what the mapper executes
 *   ST_TEXT     read and execute
 *   ST_FILTER   read only: the seccomp filter of program threads
 *   ST_SCRATCH  read and write, private: nothing in it is believed
 */
#ifndef SENTRY_PLATFORM_SYSTRAP_STUB_H
#define SENTRY_PLATFORM_SYSTRAP_STUB_H

#define ST_HIGH 0x7fff /* the upper half of all of the stub's addresses, and of no program's */
#define ST_SLOTS 0x7fff80000000
#define ST_ORDERS 0x7fffd0000000
#define ST_TEXT 0x7fffe0000000
#define ST_FILTER 0x7fffe0002000
#define ST_SCRATCH 0x7fffe0003000
#define ST_END 0x7fffe0006000

/* A slot: its head, the frame of the first switch, a place for floating-point
 * state set by the sentry, and the signal stack.  It is aligned to its size, so
 * that the handler finds it by its stack pointer. */
#define ST_SLOT_SIZE 0x8000
#define ST_MAX_SLOTS 32768
#define ST_FIRST_FRAME 0x800
#define ST_FP 0x1000
#define ST_FP_SIZE 0x3000
#define ST_STACK 0x4000
#define ST_STACK_SIZE 0x4000

/* A slot's head.  The two futex words are all that a program thread may sleep
 * on: below ST_WORDS_END. */
#define ST_EVENT 0 /* 0 none, 1 the thread has stopped, 2 the sentry sleeps until then */
#define ST_GO 64 /* 0 none, 1 the thread may go on, 2 it sleeps until then */
#define ST_WORDS_END 128
#define ST_FRAME 128 /* the signal frame (stub to sentry) */
#define ST_FS 136 /* bases, both ways */
#define ST_GS 144
#define ST_RESUME 152 /* stack pointer for rt_sigreturn (sentry to stub) */
#define ST_SPIN 160 /* ticks to spin before sleeping */
#define ST_FLAGS 168
#define ST_HAS_FSGSBASE 1 /* the instructions may be used */
#define ST_SET_BASES 2 /* without them: set both by arch_prctl */

/* An order: a system call's number and arguments, and for clone the slot of the
 * new thread (else 0). */
#define ST_ORDER_SIZE 64
#define ST_ORDER_SLOT 56
#define ST_MAX_ORDERS 64
#define ST_NOTIFY_NR 34 /* pause: how the mapper reports and waits, caught by its filter */

/* A stub's descriptors. */
#define ST_FD_MEMORY 0 /* the memory file */
#define ST_FD_CHANNEL 1 /* files to map arrive here */
#define ST_FD_ZYGOTE 2 /* the zygote's orders and answers; closed in stubs */
#define ST_FD_FILE 2 /* so that a received file gets this number */
#define ST_FD_SLOTS 3 /* slots and orders */

#endif
