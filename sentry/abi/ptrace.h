/*
 * ptrace.h - Linux's ptrace requests, options, events and structures on x86_64
 * (linux/ptrace.h, asm/ptrace-abi.h, linux/elf.h).
 */
#ifndef SENTRY_ABI_PTRACE_H
#define SENTRY_ABI_PTRACE_H

#include <stdint.h>

#define LINUX_PTRACE_TRACEME 0
#define LINUX_PTRACE_PEEKTEXT 1
#define LINUX_PTRACE_PEEKDATA 2
#define LINUX_PTRACE_PEEKUSR 3
#define LINUX_PTRACE_POKETEXT 4
#define LINUX_PTRACE_POKEDATA 5
#define LINUX_PTRACE_POKEUSR 6
#define LINUX_PTRACE_CONT 7
#define LINUX_PTRACE_KILL 8
#define LINUX_PTRACE_SINGLESTEP 9
#define LINUX_PTRACE_GETREGS 12
#define LINUX_PTRACE_SETREGS 13
#define LINUX_PTRACE_GETFPREGS 14
#define LINUX_PTRACE_SETFPREGS 15
#define LINUX_PTRACE_ATTACH 16
#define LINUX_PTRACE_DETACH 17
#define LINUX_PTRACE_SYSCALL 24
#define LINUX_PTRACE_ARCH_PRCTL 30
#define LINUX_PTRACE_SYSEMU 31
#define LINUX_PTRACE_SYSEMU_SINGLESTEP 32
#define LINUX_PTRACE_SETOPTIONS 0x4200
#define LINUX_PTRACE_GETEVENTMSG 0x4201
#define LINUX_PTRACE_GETSIGINFO 0x4202
#define LINUX_PTRACE_SETSIGINFO 0x4203
#define LINUX_PTRACE_GETREGSET 0x4204
#define LINUX_PTRACE_SETREGSET 0x4205
#define LINUX_PTRACE_SEIZE 0x4206
#define LINUX_PTRACE_INTERRUPT 0x4207
#define LINUX_PTRACE_LISTEN 0x4208
#define LINUX_PTRACE_PEEKSIGINFO 0x4209
#define LINUX_PTRACE_GETSIGMASK 0x420a
#define LINUX_PTRACE_SETSIGMASK 0x420b
#define LINUX_PTRACE_SECCOMP_GET_FILTER 0x420c
#define LINUX_PTRACE_SECCOMP_GET_METADATA 0x420d
#define LINUX_PTRACE_GET_SYSCALL_INFO 0x420e
#define LINUX_PTRACE_GET_RSEQ_CONFIGURATION 0x420f

/* Of an event's number the option is bit (1 << number). */
#define LINUX_PTRACE_EVENT_FORK 1
#define LINUX_PTRACE_EVENT_VFORK 2
#define LINUX_PTRACE_EVENT_CLONE 3
#define LINUX_PTRACE_EVENT_EXEC 4
#define LINUX_PTRACE_EVENT_VFORK_DONE 5
#define LINUX_PTRACE_EVENT_EXIT 6
#define LINUX_PTRACE_EVENT_SECCOMP 7
#define LINUX_PTRACE_EVENT_STOP 128

#define LINUX_PTRACE_O_TRACESYSGOOD 1u
#define LINUX_PTRACE_O_EVENTS 0xfeu
#define LINUX_PTRACE_O_EXITKILL (1u << 20)
/* PTRACE_O_SUSPEND_SECCOMP is not known, as in a kernel without CONFIG_CHECKPOINT_RESTORE. */
#define LINUX_PTRACE_O_MASK (LINUX_PTRACE_O_TRACESYSGOOD | LINUX_PTRACE_O_EVENTS | LINUX_PTRACE_O_EXITKILL)

#define LINUX_PTRACE_PEEKSIGINFO_SHARED 1u
struct linux_ptrace_peeksiginfo_args {
	uint64_t off;
	uint32_t flags;
	int32_t nr;
};

struct linux_ptrace_rseq_configuration {
	uint64_t rseq_abi_pointer;
	uint32_t rseq_abi_size, signature, flags, pad;
};

#define LINUX_PTRACE_SYSCALL_INFO_NONE 0
#define LINUX_PTRACE_SYSCALL_INFO_ENTRY 1
#define LINUX_PTRACE_SYSCALL_INFO_EXIT 2
#define LINUX_PTRACE_SYSCALL_INFO_SECCOMP 3
struct linux_ptrace_syscall_info {
	uint8_t op, pad[3];
	uint32_t arch;
	uint64_t ip, sp;
	union {
		struct {
			uint64_t nr, args[6];
			uint32_t ret_data; /* SECCOMP only */
		} entry;
		struct {
			int64_t rval;
			uint8_t is_error;
		} exit;
	};
};

/* Register sets. */
#define LINUX_NT_PRSTATUS 1
#define LINUX_NT_PRFPREG 2
#define LINUX_NT_X86_XSTATE 0x202

/* struct user, as PEEKUSR and POKEUSR count it: the registers, and these. */
#define LINUX_USER_SIZE 912
#define LINUX_USER_DEBUGREG 848
#define LINUX_USER_N_DEBUGREG 8

#endif
