/*
 * user_count.h - what each user has of what is limited by user: tasks (RLIMIT_NPROC) and
 * queued signals (RLIMIT_SIGPENDING).  By kernel user id, over all containers.
 *
 * An entry is there as long as it counts something.  All under tasks_lock.
 */
#ifndef SENTRY_KERNEL_USER_COUNT_H
#define SENTRY_KERNEL_USER_COUNT_H

#include <stdint.h>
#include <sys/queue.h>

struct task;
struct task_table;

struct user_count {
	LIST_ENTRY(user_count) link;
	uint32_t uid;
	unsigned queued; /* signals */
	unsigned tasks;
};

struct user_count *user_count_get(struct task_table *tt, uint32_t uid); /* perhaps a new one, that counts nothing; NULL: no memory */
void user_count_settle(struct user_count *u); /* frees it if it counts nothing any more; may be NULL */
unsigned user_tasks(const struct task_table *tt, uint32_t uid);

/* t, a linked task, counts as its credentials' real user's; again after they have changed. */
void user_count_task(struct task *t);
void user_count_leave(struct task *t); /* ... as nobody's */

#endif
