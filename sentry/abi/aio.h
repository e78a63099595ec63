/*
 * aio.h - Linux's asynchronous input and output: requests, events and the ring that
 * programs read themselves (linux/aio_abi.h, fs/aio.c).
 */
#ifndef SENTRY_ABI_AIO_H
#define SENTRY_ABI_AIO_H

#include <stdint.h>

#define LINUX_IOCB_CMD_PREAD 0
#define LINUX_IOCB_CMD_PWRITE 1
#define LINUX_IOCB_CMD_FSYNC 2
#define LINUX_IOCB_CMD_FDSYNC 3
#define LINUX_IOCB_CMD_PREADV 7
#define LINUX_IOCB_CMD_PWRITEV 8

#define LINUX_IOCB_FLAG_RESFD 1u
#define LINUX_IOCB_FLAG_IOPRIO 2u

struct linux_iocb {
	uint64_t data;
	uint32_t key, rw_flags;
	uint16_t opcode;
	int16_t reqprio;
	uint32_t fd;
	uint64_t buf, nbytes;
	int64_t offset;
	uint64_t reserved;
	uint32_t flags, resfd;
};
_Static_assert(sizeof(struct linux_iocb) == 64, "iocb");

struct linux_io_event {
	uint64_t data, obj;
	int64_t res, res2;
};

#define LINUX_AIO_RING_MAGIC 0xa10a10a1u
struct linux_aio_ring { /* events follow */
	uint32_t id, nr, head, tail, magic, compat, incompat, header_length;
};
_Static_assert(sizeof(struct linux_aio_ring) == 32, "aio_ring");

#define LINUX_AIO_MAX_NR 65536u /* /proc/sys/fs/aio-max-nr */

#endif
