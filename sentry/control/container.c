/*
 * container.c - makes containers and starts processes in them.  Event thread.
 */
#include "control/container.h"

#include "control/process.h"
#include "fs/devpts/tty.h"
#include "fs/gofer/gofer_fs.h"
#include "kernel/cgroup.h"
#include "kernel/ipc.h"
#include "kernel/ns.h"
#include "kernel/oom.h"
#include "kernel/pid.h"
#include "kernel/time_ns.h"
#include "kernel/trace.h"
#include "libipc/fd.h"
#include "libipc/log.h"
#include "libipc/rest.h"

#include <errno.h>
#include <string.h>

struct container *container_find(struct kernel *k, const char *id)
{
	struct container *c;

	mutex_lock(&k->containers_mu);
	for (c = k->containers; c; c = c->next)
		if (!strcmp(c->id, id))
			break;
	mutex_unlock(&k->containers_mu);
	return c;
}

bool container_is_first(const struct container *c)
{
	return !c->next;
}

struct oom_domain *container_memory(const struct container *c)
{
	return c->quota.memory ? c->quota.memory : oom_sandbox(c->k);
}

/* A zombie that its parent in another container has not waited for points to its container. */
static void sweep_husks(struct kernel *k)
{
	struct container **at = &k->husks, *c;

	while ((c = *at)) {
		if (kernel_container_known(k, c)) {
			at = &c->next;
		} else {
			*at = c->next;
			free(c);
		}
	}
}

void container_free(struct container *c)
{
	oom_domain_free(TAKE_PTR(c->quota.memory));
	if (c->quota.cgroup_fs)
		super_put(TAKE_PTR(c->quota.cgroup_fs));
	cgroup_put(TAKE_PTR(c->quota.cgroup));
	if (c->fs)
		fs_context_put(c->fs);
	if (c->ns)
		mount_ns_put(c->ns);
	nsproxy_put(c->proxy);
	volumes_leave(c);
	gofer_conn_put(c->gofer);
	attributes_free(&c->attributes);
	free(c->id);
	c->next = c->k->husks;
	c->k->husks = c;
	sweep_husks(c->k);
}

/* The namespaces of the container that is to be joined; NULL in *out: none is. */
static struct err *joined(struct kernel *k, const struct msg_str *id, struct nsproxy **out)
{
	struct container *c = id->len ? container_find(k, id->p) : NULL;

	*out = c ? c->proxy : NULL;
	return id->len && !c ? err_new(ENOENT, "joining the namespaces of container %s", id->p) : NULL;
}

static struct err *make_time(struct kernel *k, const struct boot_spec *spec, struct time_ns **out)
{
	int r = spec->monotonic_offset || spec->boottime_offset ? time_ns_new(k, spec->monotonic_offset, spec->boottime_offset, NULL, out) : 0;

	if (!r)
		time_ns_freeze(*out);
	return r ? err_new(-r, "linux.timeOffsets") : NULL;
}

/* Its own, but for those that it joins. */
static struct err *make_namespaces(struct container *c, const struct boot_spec *spec)
{
	struct nsproxy *pid, *ipc, *uts;
	struct pid_ns *new_pid;
	struct ipc_ns *new_ipc;
	struct uts_ns *new_uts;
	struct time_ns *time = NULL;
	struct err *e;

	if ((e = joined(c->k, &spec->join_pid, &pid)) || (e = joined(c->k, &spec->join_ipc, &ipc)) || (e = joined(c->k, &spec->join_uts, &uts)) ||
		(e = make_time(c->k, spec, &time)))
		return e;
	new_pid = pid ? NULL : pid_ns_new(c->k, c->k->root_pids, NULL);
	new_ipc = ipc ? NULL : ipc_ns_new(c->k, NULL);
	new_uts = uts ? NULL : uts_ns_new(c->k, NULL, NULL);
	if ((pid || new_pid) && (ipc || new_ipc) && (uts || new_uts))
		c->proxy = nsproxy_new(&(struct nsproxy){
			.uts = uts ? uts->uts : new_uts,
			.ipc = ipc ? ipc->ipc : new_ipc,
			.net = c->k->net,
			.pid_for_children = pid ? pid->pid_for_children : new_pid,
			.time = time,
			.time_for_children = time,
		});
	if (new_uts)
		uts_ns_set(new_uts, spec->hostname.p, spec->domainname.p);
	pid_ns_put(new_pid);
	ipc_ns_put(new_ipc);
	uts_ns_put(new_uts);
	time_ns_put(time);
	return c->proxy ? NULL : err_new(ENOMEM, "namespaces");
}

/* The sandbox's first container has what the sandbox has, and boot limits that. */
static struct err *limit(struct container *c, const struct boot_spec *spec)
{
	int r = 0;

	r = cgroup_new(c->k, NULL, "", &c->quota.cgroup);
	if (!r && spec->tasks)
		cgroup_set_max_tasks(c->quota.cgroup, spec->tasks);
	if (!r && c->k->containers && !(r = oom_domain_new(c->k, &c->quota, &c->quota.memory)))
		r = oom_set_limit(c->quota.memory, spec->memory_limit);
	return r ? err_new(-r, "the memory limit") : NULL;
}

struct err *container_create(struct kernel *k, const struct boot_spec *spec, int gofer_sock, int *stdio, unsigned n_stdio, struct container **out)
{
	struct container *c = calloc(1, sizeof(*c));
	struct err *e;

	if (!c) {
		close(gofer_sock);
		return err_new(ENOMEM, "container");
	}
	c->k = k;
	LIST_INIT(&c->processes);
	SLIST_INIT(&c->volumes);
	c->id = strdup(spec->id.p);
	c->quota.container = c->id;
	e = gofer_conn_new(gofer_sock, &c->gofer);
	if (!e)
		e = limit(c, spec);
	if (!e)
		e = attributes_keep(spec, &c->attributes);
	if (!e)
		e = make_namespaces(c, spec);
	if (!e)
		e = container_mounts(c, spec);
	if (!e) {
		e = container_exec(c, &spec->process, false, stdio, n_stdio, &c->init);
	}
	if (e) {
		container_free(c);
		return e;
	}
	c->cap_bounding = spec->process.cap_bounding;
	c->state = CONTAINER_CREATED;
	mutex_lock(&k->containers_mu);
	c->next = k->containers;
	k->containers = c;
	mutex_unlock(&k->containers_mu);
	*out = c;
	return NULL;
}

struct err *container_start(struct container *c)
{
	if (c->removing || c->state != CONTAINER_CREATED)
		return err_new(EINVAL, "container %s: not in the state created", c->id);
	c->state = CONTAINER_RUNNING;
	rest_watch(c->k->loop);
	if (c->init->task)
		trace_container_start(c->init->task, c->id, c->init->tty);
	process_start(c->init);
	return NULL;
}

struct err *container_exec(struct container *c, const struct boot_process *bp, bool hook, int *stdio, unsigned n_stdio, struct process **out)
{
	struct process *p;
	struct err *e;

	if (c->init && (c->removing || c->state != (hook ? CONTAINER_CREATED : CONTAINER_RUNNING)))
		return err_new(EINVAL, "container %s: %s", c->id, c->state == CONTAINER_PAUSED ? "paused" : hook ? "not in the state created" : "not running");
	rest_watch(c->k->loop);
	e = process_create(c, bp, stdio, n_stdio, &p);
	if (e)
		return e;
	if (c->init)
		process_start(p);
	*out = p;
	return NULL;
}

void container_kill(struct container *c)
{
	signal_send_container(c->k, c, LINUX_SIGKILL);
	/* one that never ran needs its thread to end */
	if (c->state == CONTAINER_CREATED)
		process_start(c->init);
}

struct process *container_process(struct container *c, pid_t pid)
{
	struct process *p;

	if (!pid)
		return c->init;
	LIST_FOREACH (p, &c->processes, link)
		if (p->pid == pid)
			return p;
	return NULL;
}
