/*
 * bpf.h - bpf(2): extended BPF's instructions, and what the call is given (Linux 6.6).
 */
#ifndef SENTRY_ABI_BPF_H
#define SENTRY_ABI_BPF_H

#include "abi/bpf_codes.h"

#include <stdint.h>

struct linux_bpf_insn {
	uint8_t code;
	uint8_t dst : 4, src : 4;
	int16_t off;
	int32_t imm;
};

/* code: three bits of class, and for loads and stores two of size and three of mode, for others one of
 * source and four of operation */
#define LINUX_BPF_CLASS(code) ((code) & 0x07)
#define LINUX_BPF_SIZE(code) ((code) & 0x18)
#define LINUX_BPF_MODE(code) ((code) & 0xe0)
#define LINUX_BPF_OP(code) ((code) & 0xf0)
enum { LINUX_BPF_LD, LINUX_BPF_LDX, LINUX_BPF_ST, LINUX_BPF_STX, LINUX_BPF_ALU, LINUX_BPF_JMP, LINUX_BPF_JMP32, LINUX_BPF_ALU64 };
#define LINUX_BPF_W 0x00
#define LINUX_BPF_H 0x08
#define LINUX_BPF_B 0x10
#define LINUX_BPF_DW 0x18
#define LINUX_BPF_IMM 0x00
#define LINUX_BPF_MEM 0x60
#define LINUX_BPF_LD_IMM64 (LINUX_BPF_LD | LINUX_BPF_DW | LINUX_BPF_IMM)

#define LINUX_BPF_MOV 0xb0
#define LINUX_BPF_ARSH 0xc0
#define LINUX_BPF_END 0xd0 /* to little endian, with LINUX_BPF_X: to big endian */

#define LINUX_BPF_JNE 0x50
#define LINUX_BPF_JSGT 0x60
#define LINUX_BPF_JSGE 0x70
#define LINUX_BPF_CALL 0x80
#define LINUX_BPF_EXIT 0x90
#define LINUX_BPF_JLT 0xa0
#define LINUX_BPF_JLE 0xb0
#define LINUX_BPF_JSLT 0xc0
#define LINUX_BPF_JSLE 0xd0

#define LINUX_BPF_STACK 512

enum {
	LINUX_BPF_MAP_CREATE = 0,
	LINUX_BPF_PROG_LOAD = 5,
	LINUX_BPF_PROG_ATTACH = 8,
	LINUX_BPF_PROG_DETACH = 9,
	LINUX_BPF_PROG_GET_NEXT_ID = 11,
	LINUX_BPF_PROG_GET_FD_BY_ID = 13,
	LINUX_BPF_OBJ_GET_INFO_BY_FD = 15,
	LINUX_BPF_PROG_QUERY = 16,
};

#define LINUX_BPF_PROG_TYPE_CGROUP_SKB 8
#define LINUX_BPF_PROG_TYPE_CGROUP_DEVICE 15
#define LINUX_BPF_CGROUP_INET_EGRESS 1 /* attach types */
#define LINUX_BPF_CGROUP_DEVICE 6

#define LINUX_BPF_F_ALLOW_OVERRIDE 1u
#define LINUX_BPF_F_ALLOW_MULTI 2u
#define LINUX_BPF_F_REPLACE 4u
#define LINUX_BPF_F_QUERY_EFFECTIVE 1u

#define LINUX_BPF_NAME_LEN 16
#define LINUX_BPF_TAG_SIZE 8

struct linux_bpf_load {
	uint32_t prog_type, insn_cnt;
	uint64_t insns, license;
	uint32_t log_level, log_size;
	uint64_t log_buf;
	uint32_t kern_version, prog_flags;
	char prog_name[LINUX_BPF_NAME_LEN];
	uint32_t prog_ifindex, expected_attach_type, prog_btf_fd, func_info_rec_size;
	uint64_t func_info;
	uint32_t func_info_cnt, line_info_rec_size;
	uint64_t line_info;
	uint32_t line_info_cnt, attach_btf_id, attach_prog_fd, core_relo_cnt;
	uint64_t fd_array, core_relos;
	uint32_t core_relo_rec_size, log_true_size;
};

struct linux_bpf_attach {
	uint32_t target_fd, attach_bpf_fd, attach_type, attach_flags, replace_bpf_fd, relative_fd;
	uint64_t expected_revision;
};

struct linux_bpf_query {
	uint32_t target_fd, attach_type, query_flags, attach_flags;
	uint64_t prog_ids;
	uint32_t prog_cnt, pad;
	uint64_t prog_attach_flags, link_ids, link_attach_flags, revision;
};

union linux_bpf_attr {
	struct linux_bpf_load load;
	struct linux_bpf_attach attach;
	struct linux_bpf_query query;
	struct {
		uint32_t id, next_id, open_flags;
	} by_id;
	struct {
		uint32_t fd, info_len;
		uint64_t info;
	} info;
};

struct linux_bpf_prog_info {
	uint32_t type, id;
	uint8_t tag[LINUX_BPF_TAG_SIZE];
	uint32_t jited_prog_len, xlated_prog_len;
	uint64_t jited_prog_insns, xlated_prog_insns, load_time;
	uint32_t created_by_uid, nr_map_ids;
	uint64_t map_ids;
	char name[LINUX_BPF_NAME_LEN];
	uint32_t ifindex, gpl_compatible;
	uint64_t netns_dev, netns_ino;
	uint32_t nr_jited_ksyms, nr_jited_func_lens;
	uint64_t jited_ksyms, jited_func_lens;
	uint32_t btf_id, func_info_rec_size;
	uint64_t func_info;
	uint32_t nr_func_info, nr_line_info;
	uint64_t line_info, jited_line_info;
	uint32_t nr_jited_line_info, line_info_rec_size, jited_line_info_rec_size, nr_prog_tags;
	uint64_t prog_tags, run_time_ns, run_cnt, recursion_misses;
	uint32_t verified_insns, attach_btf_obj_id, attach_btf_id;
};

/* what a device program is given */
struct linux_bpf_cgroup_dev {
	uint32_t access_type; /* access << 16 | type */
	uint32_t major, minor;
};
#define LINUX_BPF_DEVCG_ACC_MKNOD 1u
#define LINUX_BPF_DEVCG_ACC_READ 2u
#define LINUX_BPF_DEVCG_ACC_WRITE 4u
#define LINUX_BPF_DEVCG_DEV_BLOCK 1u
#define LINUX_BPF_DEVCG_DEV_CHAR 2u

#endif
