/*
 * bpf_codes.h - the operations that classic BPF (seccomp.h) and extended BPF (bpf.h) have in common.
 */
#ifndef SENTRY_ABI_BPF_CODES_H
#define SENTRY_ABI_BPF_CODES_H

#define LINUX_BPF_X 0x08 /* with a register, else with a constant */

/* Arithmetic: */
#define LINUX_BPF_ADD 0x00
#define LINUX_BPF_SUB 0x10
#define LINUX_BPF_MUL 0x20
#define LINUX_BPF_DIV 0x30
#define LINUX_BPF_OR 0x40
#define LINUX_BPF_AND 0x50
#define LINUX_BPF_LSH 0x60
#define LINUX_BPF_RSH 0x70
#define LINUX_BPF_NEG 0x80
#define LINUX_BPF_MOD 0x90
#define LINUX_BPF_XOR 0xa0

/* Jumps: */
#define LINUX_BPF_JA 0x00
#define LINUX_BPF_JEQ 0x10
#define LINUX_BPF_JGT 0x20
#define LINUX_BPF_JGE 0x30
#define LINUX_BPF_JSET 0x40

#endif
