/*
 * container.c - makes containers and starts processes in them.  Event thread.
 */
#include "control/container.h"

#include "control/process.h"
#include "fs/devpts/tty.h"
#include "fs/gofer/gofer_fs.h"
#include "libipc/fd.h"
#include "libipc/log.h"

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

void container_free(struct container *c)
{
	if (c->fs)
		fs_context_put(c->fs);
	if (c->ns)
		mount_ns_put(c->ns);
	volumes_leave(c);
	gofer_conn_put(c->gofer);
	free(c->id);
	free(c);
}

static void apply_names(struct kernel *k, const struct boot_spec *spec)
{
	mutex_lock(&k->uts.mu);
	if (spec->hostname.len && spec->hostname.len < sizeof(k->uts.nodename))
		memcpy(k->uts.nodename, spec->hostname.p, spec->hostname.len + 1);
	if (spec->domainname.len && spec->domainname.len < sizeof(k->uts.domainname))
		memcpy(k->uts.domainname, spec->domainname.p, spec->domainname.len + 1);
	mutex_unlock(&k->uts.mu);
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
	e = gofer_conn_new(gofer_sock, &c->gofer);
	if (!e)
		e = container_mounts(c, spec);
	if (!e) {
		apply_names(k, spec);
		e = container_exec(c, &spec->process, stdio, n_stdio, &c->init);
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
	process_start(c->init);
	return NULL;
}

struct err *container_exec(struct container *c, const struct boot_process *bp, int *stdio, unsigned n_stdio, struct process **out)
{
	struct process *p;
	struct err *e;

	if (c->init && (c->removing || c->state != CONTAINER_RUNNING))
		return err_new(EINVAL, "container %s: %s", c->id, c->state == CONTAINER_PAUSED ? "paused" : "not running");
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
