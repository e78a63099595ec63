/*
 * ipc_limit.c - an IPC namespace's limits and the sysctls that show and change
 * them, which a container's specification may set too.  Any thread; each limit
 * is one atomic word, read where it counts.
 */
#include "kernel/ipc_impl.h"

#include "abi/mqueue.h"
#include "lib/numbers.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define SHM_FIRST (UINT64_MAX - (UINT64_C(1) << 24))
#define VALUES_MAX 4

static const struct {
	uint64_t first, least, most;
	int error; /* when it is out of range; 0: EINVAL */
} limits[IPC_LIMITS] = {
	[IPC_SHMMAX] = { SHM_FIRST, 0, UINT64_MAX },
	[IPC_SHMALL] = { SHM_FIRST, 0, UINT64_MAX },
	[IPC_SHMMNI] = { 4096, 0, IPC_SLOTS },
	[IPC_SEMMSL] = { 32000, 0, INT_MAX },
	[IPC_SEMMNS] = { 1024000000, 0, INT_MAX },
	[IPC_SEMOPM] = { 500, 0, INT_MAX },
	[IPC_SEMMNI] = { 32000, 0, IPC_SLOTS, ERANGE },
	[IPC_MSGMAX] = { 8192, 0, INT_MAX },
	[IPC_MSGMNB] = { 16384, 0, INT_MAX },
	[IPC_MSGMNI] = { 32000, 0, IPC_SLOTS },
	[IPC_MQ_QUEUES] = { MQ_QUEUES_MAX, 0, INT_MAX },
	[IPC_MQ_MSG] = { MQ_MSG_MAX, 1, MQ_MSG_HARD_MAX },
	[IPC_MQ_MSG_DEFAULT] = { MQ_MSG_DEFAULT, 1, MQ_MSG_HARD_MAX },
	[IPC_MQ_SIZE] = { MQ_SIZE_MAX, 128, MQ_SIZE_HARD_MAX },
	[IPC_MQ_SIZE_DEFAULT] = { MQ_SIZE_DEFAULT, 128, MQ_SIZE_HARD_MAX },
};

static const struct ipc_sysctl {
	const char *name;
	enum ipc_limit first; /* of n that follow each other */
	unsigned n;
} sysctls[] = {
	{ "fs.mqueue.msg_default", IPC_MQ_MSG_DEFAULT, 1 },
	{ "fs.mqueue.msg_max", IPC_MQ_MSG, 1 },
	{ "fs.mqueue.msgsize_default", IPC_MQ_SIZE_DEFAULT, 1 },
	{ "fs.mqueue.msgsize_max", IPC_MQ_SIZE, 1 },
	{ "fs.mqueue.queues_max", IPC_MQ_QUEUES, 1 },
	{ "kernel.msgmax", IPC_MSGMAX, 1 },
	{ "kernel.msgmnb", IPC_MSGMNB, 1 },
	{ "kernel.msgmni", IPC_MSGMNI, 1 },
	{ "kernel.sem", IPC_SEMMSL, 4 },
	{ "kernel.shmall", IPC_SHMALL, 1 },
	{ "kernel.shmmax", IPC_SHMMAX, 1 },
	{ "kernel.shmmni", IPC_SHMMNI, 1 },
};

void ipc_limits_init(struct ipc_ns *ns)
{
	for (unsigned i = 0; i < IPC_LIMITS; i++)
		atomic_init(&ns->limits[i], limits[i].first);
}

uint64_t ipc_limit(const struct ipc_ns *ns, enum ipc_limit l)
{
	return atomic_load_explicit(&ns->limits[l], memory_order_relaxed);
}

static const struct ipc_sysctl *find(const char *name)
{
	for (size_t i = 0; i < sizeof(sysctls) / sizeof(sysctls[0]); i++) {
		if (!strcmp(sysctls[i].name, name))
			return &sysctls[i];
	}
	return NULL;
}

int ipc_sysctl_show(const struct ipc_ns *ns, const char *name, char *out, size_t size)
{
	const struct ipc_sysctl *s = find(name);
	size_t len = 0;

	if (!s)
		return -ENOENT;
	for (unsigned i = 0; i < s->n && len < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%" PRIu64, i ? "\t" : "", ipc_limit(ns, s->first + i));
	return len < size ? 0 : -ENOSPC;
}

int ipc_sysctl_set(struct ipc_ns *ns, const char *name, const char *text)
{
	const struct ipc_sysctl *s = find(name);
	uint64_t v[VALUES_MAX];
	int n = s ? parse_numbers(text, v, s->n) : -ENOENT;

	for (int i = 0; i < n; i++) {
		enum ipc_limit l = s->first + (unsigned)i;

		if (v[i] < limits[l].least || v[i] > limits[l].most)
			return limits[l].error ? -limits[l].error : -EINVAL;
	}
	for (int i = 0; i < n; i++)
		atomic_store_explicit(&ns->limits[s->first + (unsigned)i], v[i], memory_order_relaxed);
	return n < 0 ? n : 0;
}
