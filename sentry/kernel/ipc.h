/*
 * ipc.h - System V IPC: shared memory segments, semaphore sets, message queues.
 *
 * All of it is in a struct ipc_ns (a task's: t->ns->ipc) under one lock.  An object is
 * found by number: (generation << 15 | slot), as Linux numbers them.  It is
 * referenced by its slot and by calls that wait on it; after IPC_RMID its slot is
 * empty, `removed` is set, and the last caller frees it.
 *
 * Functions take the calling task for its credentials and process number; none
 * touches program memory with the lock held.  Names ending in _locked need it.
 */
#ifndef SENTRY_KERNEL_IPC_H
#define SENTRY_KERNEL_IPC_H

#include "abi/ipc.h"
#include "lib/lock.h"
#include "lib/uaddr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cred;
struct user_ns;
struct ipc_ns;
struct kernel;
struct mm_env;
struct task;
struct thread_group;
struct memobj;

/* A namespace's limits: ipc_limit.c.  The four of semaphores are in the order of kernel.sem. */
enum ipc_limit {
	IPC_SHMMAX, IPC_SHMALL, IPC_SHMMNI, IPC_SEMMSL, IPC_SEMMNS, IPC_SEMOPM, IPC_SEMMNI, IPC_MSGMAX, IPC_MSGMNB, IPC_MSGMNI,
	IPC_MQ_QUEUES, IPC_MQ_MSG, IPC_MQ_MSG_DEFAULT, IPC_MQ_SIZE, IPC_MQ_SIZE_DEFAULT, IPC_LIMITS
};
uint64_t ipc_limit(const struct ipc_ns *ns, enum ipc_limit l);
/* The sysctls that show and change them, by name (kernel.shmmax, fs.mqueue.msg_max ...): 0,
 * -ENOENT: none of these, -EINVAL (kernel.sem: -ERANGE too): not numbers, or out of range. */
int ipc_sysctl_show(const struct ipc_ns *ns, const char *name, char *out, size_t size);
int ipc_sysctl_set(struct ipc_ns *ns, const char *name, const char *text);
#define IPC_SEMVMX 32767

struct ipc_ns *ipc_ns_new(struct kernel *k, struct user_ns *owner); /* NULL: no memory */
void ipc_ns_get(struct ipc_ns *ns);
void ipc_ns_put(struct ipc_ns *ns); /* NULL is fine; the last takes all objects along */
uint64_t ipc_ns_ino(const struct ipc_ns *ns);
struct user_ns *ipc_ns_owner(const struct ipc_ns *ns); /* borrowed; NULL: the container's */
struct mqueue_fs *ipc_ns_mqueue(const struct ipc_ns *ns); /* its POSIX message queues */
/* A process has ended or leaves ns: its SEM_UNDO adjustments are made, segments that it was the last to use go. No locks held. */
void ipc_process_exit(struct ipc_ns *ns, struct thread_group *tg);
/* Whether the process's end is to give back anything in ns (SEM_UNDO). Takes ns->mu. */
bool ipc_sem_undoes(struct ipc_ns *ns, const struct thread_group *tg);
/* Frees segments that are removed and not mapped any more; called where mappings may have gone. */
void ipc_shm_sweep(struct ipc_ns *ns);

/* Who may name an object: its number, or its slot (xxx_STAT). */
enum ipc_by { IPC_BY_ID, IPC_BY_SLOT, IPC_BY_SLOT_ANY /* no read permission asked for */ };

/* --- shared memory: ipc_shm.c --- */
int ipc_shm_get(struct task *t, int32_t key, uint64_t size, int flags);
int64_t ipc_shm_attach(struct task *t, int id, uint64_t addr, int flags);
int ipc_shm_detach(struct task *t, uint64_t addr);
int ipc_shm_stat(struct task *t, int id, enum ipc_by by, struct linux_shmid_ds *out); /* 0; by slot: the number */
int ipc_shm_set(struct task *t, int id, const struct linux_ipc_perm *p);
int ipc_shm_remove(struct task *t, int id);
int ipc_shm_lock(struct task *t, int id, bool on);
int ipc_shm_info(struct task *t, struct linux_shm_info *out); /* the highest slot in use, 0 if none */

/* --- semaphores: ipc_sem.c, ipc_sem_op.c --- */
int ipc_sem_get(struct task *t, int32_t key, int n, int flags);
/* deadline: CLOCK_MONOTONIC ns or WAIT_FOREVER. -EAGAIN also after it has passed. */
int ipc_sem_op(struct task *t, int id, const struct linux_sembuf *ops, size_t n, int64_t deadline);
int ipc_sem_stat(struct task *t, int id, enum ipc_by by, struct linux_semid_ds *out);
int ipc_sem_set(struct task *t, int id, const struct linux_ipc_perm *p);
int ipc_sem_remove(struct task *t, int id);
int ipc_sem_query(struct task *t, int id, int num, int cmd); /* GETVAL GETPID GETNCNT GETZCNT */
int ipc_sem_setval(struct task *t, int id, int num, int value);
int ipc_sem_count(struct task *t, int id, bool alter); /* semaphores of the set, for the two below; permission is checked */
int ipc_sem_getall(struct task *t, int id, uint16_t *out, size_t n); /* -EIDRM if it is another set by now */
int ipc_sem_setall(struct task *t, int id, const uint16_t *values, size_t n);
int ipc_sem_info(struct task *t, int *sets, int *sems);

/* --- message queues: ipc_msg.c --- */
int ipc_msg_get(struct task *t, int32_t key, int flags);
int ipc_msg_send(struct task *t, int id, int64_t type, uaddr text, uint64_t len, int flags);
ssize_t ipc_msg_recv(struct task *t, int id, uaddr buf, uint64_t size, int64_t type, int flags);
int ipc_msg_stat(struct task *t, int id, enum ipc_by by, struct linux_msqid_ds *out);
int ipc_msg_set(struct task *t, int id, const struct linux_ipc_perm *p, uint64_t qbytes);
int ipc_msg_remove(struct task *t, int id);
int ipc_msg_info(struct task *t, int *queues, int *messages, int *bytes);

#endif
