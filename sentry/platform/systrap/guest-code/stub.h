/*
 * stub.h - what the sentry and the stub agree upon: where the stub's memory
 * lies and what is in it.  Shared by C, assembly and the linker script: only
 * plain defines.
 *
 * The stub's pages lie above TASK_SIZE, where no mapping order of the program
 * can reach:
 *   ST_SLOTS    read and write, shared with the sentry: one slot a thread.
 *               Program code can write it: nothing in it is believed
 *   ST_RINGS    read and write, shared with the sentry and one other stub: the bytes
 *               of pipes (../rings.c).  Both programs can write them.  Or with the
 *               sentry alone: parts of files (../window.c)
 *   ST_ORDERS   read only here, written by the sentry: what the mapper executes,
 *               and records of descriptors
 *   ST_NAMES    read only here, written by the sentry: what paths lead to (../names.c,
 *               names.S)
 *   ST_TEXT     read and execute
 *   ST_PATCH    read and execute: where patched call sites lead (patch.S)
 *   ST_FILTER   read only: the seccomp filter of program threads
 *   ST_SCRATCH  read and write, private: nothing in it is believed
 */
#ifndef SENTRY_PLATFORM_SYSTRAP_STUB_H
#define SENTRY_PLATFORM_SYSTRAP_STUB_H

#define ST_HIGH 0x7fff /* the upper half of all of the stub's addresses, and of no program's */
#define ST_SLOTS 0x7fff80000000
#define ST_RINGS 0x7fffc0000000
#define ST_ORDERS 0x7fffd0000000
#define ST_NAMES 0x7fffd8000000
#define ST_RECORDS (ST_ORDERS + 0x1000)
#define ST_ORDERS_SIZE 0x2000
#define ST_TEXT 0x7fffe0000000
#define ST_PATCH 0x7fffe0002000
#define ST_FILTER 0x7fffe0004000
#define ST_SCRATCH 0x7fffe0005000
#define ST_END 0x7fffe0008000

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

/* A slot's head, by cache lines: each is written by one side, but for what is
 * rare; what a call needs is in the first one each way.
 *
 * From the stub: */
#define ST_EVENT 0 /* counts up when the thread has stopped */
#define ST_KIND 4 /* how: */
#define ST_BY_CALL 1 /* at a patched site: a system call */
#define ST_BY_KICK 2 /* there too: it was to be interrupted on its way back */
#define ST_BY_SIGNAL 3 /* by a signal: its state is in ST_FRAME, ST_FS and ST_GS */
#define ST_BY_CLONE 4 /* as by a call, of those that make threads: the floating-point state is at ST_FP */
#define ST_RAX 8 /* registers of a call */
#define ST_RDI 16
#define ST_RSI 24
#define ST_RDX 32
#define ST_R10 40
#define ST_R8 48
#define ST_R9 56
/* From the sentry: */
#define ST_GO 64 /* counts up when the thread may go on */
#define ST_OP 68 /* from a patched site, to do what: */
#define ST_OP_RETURN 0
#define ST_OP_SAVE_FP 1 /* store the floating-point state at ST_FP, and wait again */
#define ST_OP_CONVERT 2 /* come back by a signal */
#define ST_OP_NEAR 3 /* return, but wake the mapper and wait for it first: ST_NEAR */
#define ST_RESULT 72 /* rax when it returns */
#define ST_SPIN 80 /* ticks to spin before sleeping */
#define ST_LOAD 88 /* what else to load before it returns; the stub clears it: */
#define ST_LOAD_FP 1 /* the floating-point state at ST_FP */
#define ST_LOAD_FS 2 /* ST_FS */
#define ST_RESUME 96 /* stack pointer for rt_sigreturn */
#define ST_YIELD 104 /* before it sleeps it gives its processor away so often, by sched_yield */
/* Who sleeps; all that a program thread may sleep on lies below ST_WORDS_END. */
#define ST_SENTRY_SLEEPS 128
#define ST_STUB_SLEEPS 192
#define ST_CPU 196 /* where the stub was when it went to sleep last */
#define ST_CPU_MASK 0xfff /* the part of rdtscp's number that is the processor's */
#define ST_LENT_RESTS 200 /* its program rests until there is much to read */
#define ST_NEAR 204 /* what the thread sees to before it goes on: orders that the mapper has still to carry out; */
#define ST_NEAR_DONE 0
#define ST_NEAR_FAILED 1 /* it has told the sentry why; else it is what ST_NEAR_SEQ was set to: */
#define ST_NEAR_STEP 2 /* a multiple of that */
#define ST_WORDS_END 256
/* Seldom written. ST_MAGIC_VALUE: the GS base is this slot's. */
#define ST_MAGIC 256
#define ST_MAGIC_VALUE 0x2b5ca11e
#define ST_SELF 264 /* the slot's address in the stub */
#define ST_PUSH 272 /* the address above ST_EFLAGS: a stack of one word */
#define ST_FP_MASK 280 /* the parts of the floating-point state that programs have */
#define ST_GS 288 /* both ways, by signals only */
#define ST_FLAGS 296
#define ST_HAS_FSGSBASE 1 /* the instructions may be used */
#define ST_SET_BASES 2 /* without them: set both by arch_prctl */
#define ST_HAS_RDTSCP 4 /* the instruction may be used */
/* The stub's own. */
#define ST_SEEN 320 /* the last ST_GO */
#define ST_KICKED 324 /* the interrupting signal came where nothing could be done about it */
#define ST_FRAME 328 /* the signal frame */
#define ST_CMP 336 /* the constant of a comparison that follows the call, 0: none; if so: */
#define ST_AFTER 344 /* where that comparison ends */
#define ST_MASK 352 /* the task's signal mask, lent to the program; with ST_MASK_ASK: it must ask */
#define ST_MASK_ASK 0x100 /* SIGKILL's bit, which no mask has */
#define ST_MASK_NEVER 0x40100 /* SIGKILL and SIGSTOP */
#define ST_N_RECORDS 360 /* how many of ST_RECORDS the thread may look at */
#define ST_ROBUST 368 /* the head of its list of robust futexes, as set_robust_list has set it */
#define ST_MASK_HELD 376 /* signals that wait: to let one in, it must ask */
/* The other registers at a patched site. */
#define ST_FS 384 /* by signals too */
#define ST_RBX 392
#define ST_RBP 400
#define ST_R12 408
#define ST_R13 416
#define ST_R14 424
#define ST_R15 432
#define ST_RCX 440
#define ST_R11 448
#define ST_RIP 456
#define ST_EFLAGS 472 /* and below it a word to push to */
#define ST_RSP 480
#define ST_ANSWERS 512 /* the task's own numbers; with the highest bit set: ask the sentry */
#define ST_N_ANSWERS 7 /* [0] is not used; the others as in enum platform_answer */
#define ST_NAMES_ROOTS 568 /* it may look at ST_NAMES while that is what it says there; 0: not */

/* A file that the thread was told of. */
#define ST_TOLD 640 /* holds as long as the processor's clock is below it, and it stays */
#define ST_TOLD_FD 648
#define ST_TOLD_END 652 /* what finds nothing left: */
#define ST_READ_ENDS 1
#define ST_LIST_ENDS 2
#define ST_TOLD_POS 656
#define ST_TOLD_STAT 704 /* what fstat answers */
#define ST_TOLD_STAT_SIZE 144
#define ST_TOLD_CLOSE 676 /* whether the program may close it without asking: ST_MAY_CLOSE; or has: */
#define ST_MAY_CLOSE 1
#define ST_CLOSED 2
#define ST_TOLD_FLAGS 680 /* what F_GETFL answers, */
#define ST_TOLD_CLOEXEC 684 /* and F_GETFD */
/* The pipes' rings that were lent to the thread. */
#define ST_LENT_READ 896 /* where the one is that it may read from; 0: none */
#define ST_LENT_READ_FD 904
#define ST_LENT_WRITE 912 /* and write to */
#define ST_LENT_WRITE_FD 920
#define ST_LENT_FAULTED 924 /* what it copied from or to was not mapped; the sentry clears it */
#define ST_LENT_READ_MOVED 928 /* what it has read by itself: bytes, */
#define ST_LENT_READ_CALLS 936 /* and in how many calls; the sentry sets them to 0, */
#define ST_LENT_WRITE_MOVED 944 /* and written */
#define ST_LENT_WRITE_CALLS 952
/* The window: a part of the file that the thread was told of. */
#define ST_WINDOW 960 /* where it is: a ring's bytes */
#define ST_WINDOW_FROM 968 /* the first one's place in the file, */
#define ST_WINDOW_LEN 976 /* how many they are; 0: there is none; */
#define ST_WINDOW_ENDS 980 /* not 0: the file ends with them */
#define ST_WINDOW_MOVES 984 /* the position behind the first, as a ring's word: while it is valid, reads move it */
/* A reader that finds nothing there: */
#define ST_LENT_SPIN 1024 /* ticks that it looks on for before it asks; 0: it does not */
#define ST_LENT_SPUN 1032 /* how often there was something then, */
#define ST_LENT_VAIN 1036 /* and how often not; the sentry sets both to 0 */
#define ST_LENT_REST 1040 /* 1: else it sleeps for a while, at ST_LENT_RESTS; 0 again: that was not worth it */
/* A call of ST_TRAPS: a site's entry, of which patch.S looks at the three below. */
#define ST_TRAPPED 1088

/* A pipe's ring: its words, each with a position (the lower half, counting on and on) that only
 * moves while the word is valid (negative); and the bytes. */
#define ST_RING_READ 0 /* where its reader is, */
#define ST_RING_WRITE 64 /* and its writer */
#define ST_RING_LIMIT 128 /* the writer asks if there would be more bytes than that */
#define ST_RING_MUCH 57344 /* that limit while its reader rests, */
#define ST_RING_LITTLE 8192 /* who is better woken by each write than by so many bytes */
#define ST_RING_DATA 4096
#define ST_RING_SIZE 65536
#define ST_RING_LEN (ST_RING_DATA + ST_RING_SIZE)
#define ST_RING_STRIDE 0x20000
#define ST_MAX_RINGS 1024

/* What paths lead to: a page of words, then a board of entries, of which two have a place for a path. */
#define ST_NAMES_CHANGES 0 /* what is said there holds for entries with this number, */
#define ST_NAMES_UNTIL 64 /* and as long as the processor's clock is below that */
#define ST_NAMES_WHOSE 128 /* by slots with this number */
#define ST_BOARD (ST_NAMES + 0x1000)
#define ST_BOARD_SIZE 0x20000
#define ST_MAX_BOARDS 8
#define ST_BOARDS_AT 0x48000000 /* in the slots' file */
#define ST_ENTRY_SIZE 256
#define ST_ENTRY_PLACE_SHIFT 56 /* of a path's hash: the number of its place */
#define ST_ENTRY_CHANGES 0 /* 0: none */
#define ST_ENTRY_HASH 8
#define ST_ENTRY_LAST 16 /* where the last 8 bytes of its path are, zeros behind it included */
#define ST_ENTRY_MISSING 20
#define ST_ENTRY_STAT 24 /* ends at 168 */
#define ST_ENTRY_PATH 168
#define ST_PATH_MAX 88 /* its length, with zeros */
/* The hash: of nothing, or with ST_HASH_NOFOLLOW if a last symbolic link is not followed; then each 8 bytes are
 * added by xor, and the sum multiplied and rotated. */
#define ST_HASH_NOFOLLOW 0x100
#define ST_HASH_FACTOR 0x5bd1e995
#define ST_HASH_ROTATE 29
#define ST_PAGE 0x1000

/* Records of descriptors, of 16 bits: the events of poll that are known not to be there. */
#define ST_RECORDS_MAX 1916
/* Behind them: the ends of instructions that have trapped as calls, and are not patched; each has its place: the number
 * with itself, shifted, by xor. */
#define ST_TRAPS (ST_RECORDS + 0xef8)
#define ST_N_TRAPS 32
#define ST_TRAPS_SHIFT 5
/* Then: where MADV_DONTNEED has nothing to do. The number of the first page, and of pages: */
#define ST_NOTHING (ST_RECORDS + 0xff8)
#define ST_NOTHING_BITS 28
#define ST_NOTHING_PAGES 0xfffffff
#define ST_POLL_MAX 8 /* how many descriptors poll may look at there */
#define ST_RECORD_EMPTY_SET 0x8000 /* an event set, and nothing in it is ready */

#define FLAG_TF 0x100

/* Places in patch.S. */
#define ST_PATCH_SLOW 4 /* a thread that has no slot to use comes back here, by an illegal instruction */
#define ST_PATCH_ENTER 16 /* r11 the site's entry, rax the call's number */
#define ST_PATCH_EXIT 0xf00 /* from here on the slot is how the thread goes on */
#define ST_PATCH_SIZE 0x2000

/* Where the entries of patched sites are: below what programs may map. */
#define ST_SITES 0x60000
#define ST_SITES_END 0x80000
#define ST_SITE_SIZE 64 /* struct st_site_entry */
#define ST_SITE_RETURN 8
#define ST_SITE_CMP 16
#define ST_SITE_AFTER 24

/* An order: a system call's number and arguments, and for clone the slot of the
 * new thread (else 0). */
#define ST_ORDER_SIZE 64
#define ST_ORDER_SLOT 56
#define ST_MAX_ORDERS 63
/* Behind them, how the mapper waits when it does not wait for an answer to its report (ST_ENTER_NEAR was
 * one): for a word that counts up, asleep, as any thread of its process may wake it. Then: */
#define ST_NEAR_SEQ 0xfc0 /* the word; */
#define ST_NEAR_N 0xfc4 /* how many orders there are, */
#define ST_NEAR_WHO 0xfc8 /* and the address of the ST_NEAR of whom to wake then; 0: nobody, it reports as ever, */
#define ST_NEAR_TOKEN 0xfd0 /* else sends these 8 bytes to ST_FD_DONE before */
#define ST_ENTER_NEAR 0x1000
#define ST_NOTIFY_NR 34 /* pause: how the mapper reports and waits, caught by its filter */

/* A stub's descriptors. */
#define ST_FD_MEMORY 0 /* the memory file */
#define ST_FD_CHANNEL 1 /* files to map arrive here */
#define ST_FD_ZYGOTE 2 /* the zygote's orders and answers; closed in stubs */
#define ST_FD_FILE 2 /* so that a received file gets this number */
#define ST_FD_SLOTS 3 /* slots and orders */
#define ST_FD_DONE 4 /* tells the sentry that orders were carried out: only mappers may write to it */

#endif
