/*
 * seccomp.h - seccomp(2) and the classic BPF that its filters are written in
 * (linux/seccomp.h, linux/filter.h).
 */
#ifndef SENTRY_ABI_SECCOMP_H
#define SENTRY_ABI_SECCOMP_H

#include "abi/bpf_codes.h"

#include <stdint.h>

#define LINUX_SECCOMP_MODE_DISABLED 0
#define LINUX_SECCOMP_MODE_STRICT 1
#define LINUX_SECCOMP_MODE_FILTER 2

#define LINUX_SECCOMP_SET_MODE_STRICT 0
#define LINUX_SECCOMP_SET_MODE_FILTER 1
#define LINUX_SECCOMP_GET_ACTION_AVAIL 2
#define LINUX_SECCOMP_GET_NOTIF_SIZES 3

#define LINUX_SECCOMP_FILTER_FLAG_TSYNC 1u
#define LINUX_SECCOMP_FILTER_FLAG_LOG 2u
#define LINUX_SECCOMP_FILTER_FLAG_SPEC_ALLOW 4u
#define LINUX_SECCOMP_FILTER_FLAG_NEW_LISTENER 8u
#define LINUX_SECCOMP_FILTER_FLAG_TSYNC_ESRCH 16u
#define LINUX_SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV 32u

#define LINUX_SECCOMP_RET_KILL_PROCESS 0x80000000u
#define LINUX_SECCOMP_RET_KILL_THREAD 0x00000000u
#define LINUX_SECCOMP_RET_TRAP 0x00030000u
#define LINUX_SECCOMP_RET_ERRNO 0x00050000u
#define LINUX_SECCOMP_RET_USER_NOTIF 0x7fc00000u
#define LINUX_SECCOMP_RET_TRACE 0x7ff00000u
#define LINUX_SECCOMP_RET_LOG 0x7ffc0000u
#define LINUX_SECCOMP_RET_ALLOW 0x7fff0000u
#define LINUX_SECCOMP_RET_ACTION_FULL 0xffff0000u
#define LINUX_SECCOMP_RET_DATA 0x0000ffffu

#define LINUX_SYS_SECCOMP 1 /* si_code of SIGSYS */
#define LINUX_SYS_USER_DISPATCH 2
#define LINUX_AUDIT_ARCH_X86_64 0xc000003eu

struct linux_seccomp_data {
	int32_t nr;
	uint32_t arch;
	uint64_t ip, args[6];
};

struct linux_seccomp_notif_sizes {
	uint16_t notif, notif_resp, data;
};
struct linux_seccomp_notif {
	uint64_t id;
	uint32_t pid, flags;
	struct linux_seccomp_data data;
};
struct linux_seccomp_notif_resp {
	uint64_t id;
	int64_t val;
	int32_t error;
	uint32_t flags;
};
struct linux_seccomp_notif_addfd {
	uint64_t id;
	uint32_t flags, srcfd, newfd, newfd_flags;
};
_Static_assert(sizeof(struct linux_seccomp_notif) == 80 && sizeof(struct linux_seccomp_notif_resp) == 24, "");
#define LINUX_SECCOMP_USER_NOTIF_FLAG_CONTINUE 1u
#define LINUX_SECCOMP_ADDFD_FLAG_SETFD 1u
#define LINUX_SECCOMP_ADDFD_FLAG_SEND 2u
#define LINUX_SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1u
#define LINUX_SECCOMP_IOCTL_NOTIF_RECV 0xc0502100u
#define LINUX_SECCOMP_IOCTL_NOTIF_SEND 0xc0182101u
#define LINUX_SECCOMP_IOCTL_NOTIF_ID_VALID 0x40082102u
#define LINUX_SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG_DIR 0x80082102u
#define LINUX_SECCOMP_IOCTL_NOTIF_ADDFD 0x2103u /* of whatever direction and size */
#define LINUX_SECCOMP_IOCTL_NOTIF_SET_FLAGS 0x40082104u

struct linux_sock_filter {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};

struct linux_sock_fprog {
	uint16_t len, pad[3];
	uint64_t filter;
};
_Static_assert(sizeof(struct linux_sock_fprog) == 16, "");

#define LINUX_BPF_MAXINSNS 4096
#define LINUX_BPF_MEMWORDS 16

/* Instructions that a filter may have: class | size or operation | mode or source. */
#define LINUX_BPF_LD_W_ABS 0x20
#define LINUX_BPF_LD_H_ABS 0x28 /* from here to the next only of sockets' filters */
#define LINUX_BPF_LD_B_ABS 0x30
#define LINUX_BPF_LD_W_IND 0x40
#define LINUX_BPF_LD_H_IND 0x48
#define LINUX_BPF_LD_B_IND 0x50
#define LINUX_BPF_LDX_B_MSH 0xb1
#define LINUX_SKF_AD_OFF 0xfffff000u /* offsets from here on are of what belongs to a packet */
#define LINUX_SKF_AD_MAX 64u
#define LINUX_BPF_LD_W_LEN 0x80
#define LINUX_BPF_LDX_W_LEN 0x81
#define LINUX_BPF_LD_IMM 0x00
#define LINUX_BPF_LDX_IMM 0x01
#define LINUX_BPF_LD_MEM 0x60
#define LINUX_BPF_LDX_MEM 0x61
#define LINUX_BPF_ST 0x02
#define LINUX_BPF_STX 0x03
#define LINUX_BPF_ALU 0x04
#define LINUX_BPF_JMP 0x05
#define LINUX_BPF_RET_K 0x06
#define LINUX_BPF_RET_A 0x16
#define LINUX_BPF_TAX 0x07
#define LINUX_BPF_TXA 0x87

#endif
