/*
 * metrics.c - control.metrics: counters, and what the sandbox holds at the moment.  Event thread.
 */
#include "control/looking.h"

#include "control/container.h"
#include "kernel/task_table.h"
#include "lib/counters.h"
#include "libipc/protocols.h"
#include "mm/memfile.h"
#include "syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>

/* What is looked at once for all rows. */
struct look {
	uint64_t cpu_ns, tasks, forks, containers;
};

static void look(struct kernel *k, struct look *l)
{
	struct thread_group *tg;
	struct usage_sum u;

	*l = (struct look){ 0 };
	tasks_lock(k);
	LIST_FOREACH (tg, &k->tasks->all, all_link) {
		tg_usage_locked(tg, &u);
		l->cpu_ns += (uint64_t)(u.utime + u.stime);
	}
	l->tasks = k->tasks->n_tasks;
	l->forks = k->tasks->n_forks;
	tasks_unlock(k);
	mutex_lock(&k->containers_mu);
	for (const struct container *c = k->containers; c; c = c->next)
		l->containers++;
	mutex_unlock(&k->containers_mu);
}

static void one(struct control_metric *m, struct control_sample *s, const char *name, const char *help, bool counter, uint64_t value)
{
	*s = (struct control_sample){ msg_str(""), value };
	*m = (struct control_metric){ msg_str(name), msg_str(help), msg_str(""), counter, s, 1 };
}

/* A sample a call that was made. */
static void calls(struct control_metric *m, struct control_sample *s)
{
	*m = (struct control_metric){ msg_str("syscalls_total"), msg_str("System calls that programs made, but for those that a program's own memory answers"), msg_str("name"),
		true, s, 0 };
	for (unsigned nr = 0; nr < SYSCALL_MAX; nr++) {
		uint64_t n = counter_read(COUNT_CALLS + nr);

		if (n && syscall_table[nr].name)
			s[m->n_samples++] = (struct control_sample){ msg_str(syscall_table[nr].name), n };
	}
}

void metrics_answer(struct container *c, struct rpc_call *call)
{
	struct kernel *k = c->k;
	struct control_metric m[9];
	struct control_sample single[8], *by_call = calloc(SYSCALL_MAX, sizeof(*by_call));
	struct look l;

	if (!by_call) {
		rpc_fail(call, err_new(ENOMEM, "metrics"));
		return;
	}
	look(k, &l);
	one(&m[0], &single[0], "faults_total", "Accesses of programs that faulted", true, counter_read(COUNT_FAULTS));
	one(&m[1], &single[1], "gofer_requests_total", "Requests to gofers", true, counter_read(COUNT_GOFER_REQUESTS));
	one(&m[2], &single[2], "execs_total", "Programs executed", true, counter_read(COUNT_EXECS));
	one(&m[3], &single[3], "forks_total", "Tasks made", true, l.forks);
	one(&m[4], &single[4], "memory_bytes", "Host memory that programs' memory takes", false, memfile_committed(k->memfile));
	one(&m[5], &single[5], "cpu_nanoseconds", "Processor time of the processes there are", false, l.cpu_ns);
	one(&m[6], &single[6], "tasks", "Tasks there are", false, l.tasks);
	one(&m[7], &single[7], "containers", "Containers there are", false, l.containers);
	calls(&m[8], by_call);
	rpc_reply(call, &(struct control_metrics_reply){ m, sizeof(m) / sizeof(m[0]) });
	free(by_call);
}
