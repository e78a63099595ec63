/* user_count.c - see user_count.h. */
#include "kernel/user_count.h"

#include "kernel/task_table.h"
#include "vfs/cred.h"

#include <stdlib.h>

static struct user_count *find(const struct task_table *tt, uint32_t uid)
{
	struct user_count *u;

	LIST_FOREACH(u, &tt->users[uid % USER_COUNTS], link)
		if (u->uid == uid)
			return u;
	return NULL;
}

struct user_count *user_count_get(struct task_table *tt, uint32_t uid)
{
	struct user_count *u = find(tt, uid);

	if (u || !(u = calloc(1, sizeof(*u))))
		return u;
	u->uid = uid;
	LIST_INSERT_HEAD(&tt->users[uid % USER_COUNTS], u, link);
	return u;
}

void user_count_settle(struct user_count *u)
{
	if (!u || u->queued || u->tasks)
		return;
	LIST_REMOVE(u, link);
	free(u);
}

unsigned user_tasks(const struct task_table *tt, uint32_t uid)
{
	const struct user_count *u = find(tt, uid);

	return u ? u->tasks : 0;
}

void user_count_leave(struct task *t)
{
	struct user_count *u = t->counted;

	if (!u)
		return;
	t->counted = NULL;
	u->tasks--;
	user_count_settle(u);
}

/* Without memory for the entry the task is not counted. */
void user_count_task(struct task *t)
{
	if (t->counted && t->counted->uid == t->cred->ruid)
		return;
	user_count_leave(t);
	if ((t->counted = user_count_get(t->k->tasks, t->cred->ruid)))
		t->counted->tasks++;
}
