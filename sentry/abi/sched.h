/*
 * sched.h - Linux's clone flags and scheduling constants (linux/sched.h).
 */
#ifndef SENTRY_ABI_SCHED_H
#define SENTRY_ABI_SCHED_H

#include <stdint.h>

#define LINUX_CSIGNAL 0xffull
#define LINUX_CLONE_NEWTIME 0x80ull
#define LINUX_CLONE_VM 0x100ull
#define LINUX_CLONE_FS 0x200ull
#define LINUX_CLONE_FILES 0x400ull
#define LINUX_CLONE_SIGHAND 0x800ull
#define LINUX_CLONE_PIDFD 0x1000ull
#define LINUX_CLONE_PTRACE 0x2000ull
#define LINUX_CLONE_VFORK 0x4000ull
#define LINUX_CLONE_PARENT 0x8000ull
#define LINUX_CLONE_THREAD 0x10000ull
#define LINUX_CLONE_NEWNS 0x20000ull
#define LINUX_CLONE_SYSVSEM 0x40000ull
#define LINUX_CLONE_SETTLS 0x80000ull
#define LINUX_CLONE_PARENT_SETTID 0x100000ull
#define LINUX_CLONE_CHILD_CLEARTID 0x200000ull
#define LINUX_CLONE_DETACHED 0x400000ull
#define LINUX_CLONE_UNTRACED 0x800000ull
#define LINUX_CLONE_CHILD_SETTID 0x1000000ull
#define LINUX_CLONE_NEWCGROUP 0x2000000ull
#define LINUX_CLONE_NEWUTS 0x4000000ull
#define LINUX_CLONE_NEWIPC 0x8000000ull
#define LINUX_CLONE_NEWUSER 0x10000000ull
#define LINUX_CLONE_NEWPID 0x20000000ull
#define LINUX_CLONE_NEWNET 0x40000000ull
#define LINUX_CLONE_IO 0x80000000ull
#define LINUX_CLONE_CLEAR_SIGHAND 0x100000000ull
#define LINUX_CLONE_INTO_CGROUP 0x200000000ull
#define LINUX_CLONE_NS_FLAGS                                                                                                                         \
	(LINUX_CLONE_NEWTIME | LINUX_CLONE_NEWNS | LINUX_CLONE_NEWCGROUP | LINUX_CLONE_NEWUTS | LINUX_CLONE_NEWIPC | LINUX_CLONE_NEWUSER |           \
		LINUX_CLONE_NEWPID | LINUX_CLONE_NEWNET)

struct linux_clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};
#define LINUX_CLONE_ARGS_SIZE_VER0 64
#define LINUX_CLONE_ARGS_SIZE_VER2 88

#define LINUX_SCHED_OTHER 0
#define LINUX_SCHED_FIFO 1
#define LINUX_SCHED_RR 2
#define LINUX_SCHED_BATCH 3
#define LINUX_SCHED_IDLE 5
#define LINUX_SCHED_DEADLINE 6
#define LINUX_SCHED_RESET_ON_FORK 0x40000000

struct linux_sched_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};
#define LINUX_SCHED_ATTR_SIZE_VER0 48

#define LINUX_PRIO_PROCESS 0
#define LINUX_PRIO_PGRP 1
#define LINUX_PRIO_USER 2

#endif
