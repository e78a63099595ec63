/*
 * ipc_impl.h - what the files of System V IPC share.
 */
#ifndef SENTRY_KERNEL_IPC_IMPL_H
#define SENTRY_KERNEL_IPC_IMPL_H

#include "kernel/ipc.h"
#include "kernel/ns.h"
#include "kernel/task.h"

#define IPC_SLOT_BITS 15
#define IPC_SLOTS (1u << IPC_SLOT_BITS)

/* First member of each kind of object. [ns->mu] */
struct ipc_object {
	int32_t key;
	int id;
	uint32_t uid, gid, cuid, cgid, mode;
	unsigned refs; /* the slot, and calls that wait */
	bool removed;
};

struct ipc_table {
	struct ipc_object **slot;
	unsigned n, in_use, last; /* n: slots there are memory for; last: slot given out last */
	enum ipc_limit limit; /* [I] how many there may be */
	unsigned generation;
	void (*free)(struct ipc_ns *ns, struct ipc_object *o); /* ns->mu held */
};

struct ipc_ns {
	struct ref ref;
	struct kernel *k; /* [I] */
	uint64_t ino; /* [I] */
	struct user_ns *owner; /* [I] referenced; NULL: the container's */
	struct mqueue_fs *mqueue; /* [I] owned */
	_Atomic uint64_t limits[IPC_LIMITS];
	struct mutex mu; /* RANK_FILE; all below */
	struct ipc_table shm, sem, msg;
	uint64_t shm_pages;
	_Atomic unsigned n_dest; /* removed segments that are still mapped; read unlocked to skip a sweep */
	int n_sems;
	_Atomic unsigned n_undo; /* SEM_UNDO records; read unlocked */
	uint64_t msg_bytes;
	unsigned n_msgs;
};

void ipc_limits_init(struct ipc_ns *ns);
/* Finds by number. -EINVAL: the slot is empty; -EIDRM: another object has it now. */
int ipc_find_locked(struct ipc_table *tb, int id, struct ipc_object **out);
/* By number, for IPC_SET and IPC_RMID: also -EPERM, if t is neither its owner nor its maker nor privileged. */
int ipc_find_owned_locked(struct task *t, struct ipc_table *tb, int id, struct ipc_object **out);
/* By number or slot, and checks reading permission unless IPC_BY_SLOT_ANY. */
int ipc_find_by_locked(struct task *t, struct ipc_table *tb, int id, enum ipc_by by, struct ipc_object **out);
int ipc_permission(struct task *t, const struct ipc_object *o, unsigned mode); /* 0444, 0222, or both. -EACCES */
/* Owner, group and mode, in the ids of t's user namespace: read, and set (-EINVAL: an id that is not mapped there). */
void ipc_stat_locked(struct task *t, const struct ipc_object *o, struct linux_ipc_perm *out);
int ipc_set_locked(struct task *t, struct ipc_object *o, const struct linux_ipc_perm *in);
void ipc_put_locked(struct ipc_ns *ns, struct ipc_table *tb, struct ipc_object *o);
void ipc_remove_locked(struct ipc_ns *ns, struct ipc_table *tb, struct ipc_object *o); /* empties the slot */
int ipc_max_slot_locked(const struct ipc_table *tb);

/* xxxget(2): found and permitted, or made. arg is the kind's own. */
struct ipc_get {
	int32_t key;
	int flags;
	int (*check)(const struct ipc_object *o, uint64_t arg); /* an existing one fits: 0 or -errno; may be NULL */
	int (*make)(struct task *t, uint64_t arg, struct ipc_object **out); /* ns->mu held */
	uint64_t arg;
};
int ipc_get(struct task *t, struct ipc_table *tb, const struct ipc_get *g);

static inline struct ipc_ns *ipc_of(struct task *t) { return t->ns->ipc; }
static inline int64_t ipc_time(void) { return now_realtime() / 1000000000; }

void ipc_sem_free(struct ipc_ns *ns, struct ipc_object *o);
void ipc_msg_free(struct ipc_ns *ns, struct ipc_object *o);
void ipc_shm_free(struct ipc_ns *ns, struct ipc_object *o);
void ipc_sem_undo_all(struct ipc_ns *ns, struct thread_group *tg); /* takes ns->mu */

#endif
