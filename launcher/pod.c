/*
 * pod.c - see pod.h.
 *
 * A container joins an existing sandbox when the annotations of a CRI engine say so, or when one of the
 * namespaces that it is to join, /proc/PID/ns/TYPE, belongs to a process that represents one of our
 * containers.  Namespaces that it does not join are its own.  One that the configuration does not
 * mention would be the runtime's own under runc; here it is that of the sandbox's first container.
 */
#include "pod.h"

#include "network.h"
#include "state.h"

#include "libipc/fd.h"
#include "libipc/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define COUNT(A) (sizeof(A) / sizeof((A)[0]))

static const char *annotation(const struct jmap *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++) {
		if (!strcmp(m->v[i].name, name))
			return m->v[i].value;
	}
	return NULL;
}

/* --- whose sandbox ------------------------------------------------------------------ */

/* By the engine's word; NULL: it says nothing, or that this is the sandbox. */
static const char *by_annotations(const struct jmap *m)
{
	static const char *const names[][2] = {
		{ "io.kubernetes.cri.container-type", "io.kubernetes.cri.sandbox-id" },
		{ "io.kubernetes.cri-o.ContainerType", "io.kubernetes.cri-o.SandboxID" },
	};

	for (size_t i = 0; i < COUNT(names); i++) {
		const char *type = annotation(m, names[i][0]);

		if (type && !strcmp(type, "container"))
			return annotation(m, names[i][1]);
	}
	return NULL;
}

/* The PID of /proc/PID/ns/...; 0: it is another path. */
static uint64_t pid_of(const char *path)
{
	unsigned pid;
	int used = 0;

	return path && sscanf(path, "/proc/%u/ns/%n", &pid, &used) == 1 && used ? pid : 0;
}

struct record {
	const char *id;
	struct state state;
};
struct records {
	struct record *v;
	size_t n, cap;
};

/* All containers that can be read; those being made or broken are of no use here. */
static struct err *read_all(struct context *c, struct records *out)
{
	struct state_ids ids = { 0 };
	struct err *e = state_list(c->g->root, c->pool, &ids);

	for (size_t i = 0; !e && i < ids.n; i++) {
		_cleanup_state_ struct state_dir d = STATE_DIR_NONE;
		struct record r = { .id = ids.v[i] };
		_cleanup_err_ struct err *bad = state_open(c->g->root, r.id, c->pool, &d);

		if (!bad && !(bad = state_read(&d, c->pool, &r.state)))
			LIST_ADD(c->pool, out, r);
	}
	return e;
}

static const struct record *by_id(const struct records *all, const char *id)
{
	for (size_t i = 0; i < all->n; i++) {
		if (!strcmp(all->v[i].id, id))
			return &all->v[i];
	}
	return NULL;
}

/* The container that a process on the host stands for. */
static const struct record *by_pid(const struct records *all, uint64_t pid)
{
	for (size_t i = 0; pid && i < all->n; i++) {
		const struct proc_id *p = all->v[i].state.sentry;
		int alive = p && p->pid == pid ? proc_open(p) : -1;

		if (alive >= 0) {
			close(alive);
			return &all->v[i];
		}
	}
	return NULL;
}

static const char *sandbox_of(const struct record *r)
{
	return r->state.sandbox ? r->state.sandbox : r->id;
}

/* --- which namespaces ------------------------------------------------------------------ */

static const struct joinable {
	const char *type;
	size_t field; /* of boot_spec: where the one joined is named */
} joinable[] = {
	{ "pid", offsetof(struct boot_spec, join_pid) },
	{ "ipc", offsetof(struct boot_spec, join_ipc) },
	{ "uts", offsetof(struct boot_spec, join_uts) },
	{ "network", SIZE_MAX }, /* there is one in a sandbox */
};

static const struct oci_namespace *namespace_of(const struct plan *plan, const char *type)
{
	for (size_t i = 0; plan->linux_ && i < plan->linux_->namespaces.n; i++) {
		if (!strcmp(plan->linux_->namespaces.v[i].type, type))
			return &plan->linux_->namespaces.v[i];
	}
	return NULL;
}

static bool names_a_process(const struct plan *plan)
{
	for (size_t i = 0; plan->linux_ && i < plan->linux_->namespaces.n; i++) {
		if (pid_of(plan->linux_->namespaces.v[i].path))
			return true;
	}
	return false;
}

/* What is neither ours nor the engine's network (which is told as not joined) cannot be joined. */
static struct err *foreign(const struct plan *plan, const struct oci_namespace *ns)
{
	if (!ns || !ns->path || !*ns->path || !strcmp(ns->type, "network"))
		return NULL;
	return err_new(0, "linux.namespaces[%zu].path: '%.128s' does not belong to a container of redoubt's; no other can be joined",
		(size_t)(ns - plan->linux_->namespaces.v), ns->path);
}

/* By the paths; an error when they lead to several sandboxes. */
static struct err *by_paths(const struct plan *plan, const struct records *all, const char **out)
{
	*out = NULL;
	for (size_t i = 0; i < COUNT(joinable); i++) {
		const struct oci_namespace *ns = namespace_of(plan, joinable[i].type);
		const struct record *owner = ns ? by_pid(all, pid_of(ns->path)) : NULL;
		struct err *e = owner ? NULL : foreign(plan, ns);

		if (e)
			return e;
		if (!owner)
			continue;
		if (*out && strcmp(*out, sandbox_of(owner)))
			return err_new(0, "linux.namespaces: the containers '%s' and '%s' are in different sandboxes", *out, owner->id);
		*out = sandbox_of(owner);
	}
	return NULL;
}

static void join_namespaces(struct plan *plan, const struct records *all)
{
	for (size_t i = 0; i < COUNT(joinable); i++) {
		const struct oci_namespace *ns = namespace_of(plan, joinable[i].type);
		bool own = ns && (!ns->path || !*ns->path);
		const struct record *owner = ns ? by_pid(all, pid_of(ns->path)) : NULL;
		struct msg_str *field;

		if (own || joinable[i].field == SIZE_MAX)
			continue;
		field = (struct msg_str *)((char *)&plan->spec + joinable[i].field);
		*field = msg_str(owner && !strcmp(sandbox_of(owner), plan->sandbox) ? owner->id : plan->sandbox);
	}
}

/* It is not entered, or not yet (network.h), but a configuration that names something else is wrong. */
static struct err *check_network(const struct globals *g, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_new(errno, "linux.namespaces: network: %.255s", path);
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return err_new(0, "linux.namespaces: network: '%.255s' is not a network namespace", path);
	if (!globals_network(g) && !globals_network_user(g))
		log_warning("config.json: linux.namespaces: the network namespace is not joined: " NETWORK_LOOPBACK);
	return NULL;
}

/* Without a sandbox to join there is nothing behind such a path; only a network's is passed over, with a warning. */
static struct err *refuse_paths(const struct globals *g, const struct plan *plan)
{
	for (size_t i = 0; i < COUNT(joinable); i++) {
		const struct oci_namespace *ns = namespace_of(plan, joinable[i].type);
		struct err *e = NULL;

		if (!ns || !ns->path || !*ns->path)
			continue;
		if (joinable[i].field != SIZE_MAX)
			return err_new(0, "linux.namespaces: %s: '%.255s' does not belong to a running container of redoubt's; no other can be joined", ns->type, ns->path);
		if ((e = check_network(g, ns->path)))
			return e;
	}
	return NULL;
}

/* --- volumes ------------------------------------------------------------------------------ */

#define HINT "dev.gvisor.spec.mount."

/* dev.gvisor.spec.mount.NAME.KEY; the name whose source is `source`, or NULL. */
static const char *hint_for(const struct jmap *m, const char *source, struct pool *p)
{
	for (size_t i = 0; i < m->n; i++) {
		const char *name = m->v[i].name, *end = strrchr(name, '.');

		if (!strncmp(name, HINT, strlen(HINT)) && !strcmp(end, ".source") && !strcmp(m->v[i].value, source) && end > name + strlen(HINT))
			return pool_printf(p, "%.*s", (int)(end - name - (int)strlen(HINT)), name + strlen(HINT));
	}
	return NULL;
}

static struct err *apply_hint(const struct jmap *m, const char *name, struct pool *p, struct boot_mount *mount)
{
	const char *type = annotation(m, pool_printf(p, HINT "%s.type", name));
	const char *share = annotation(m, pool_printf(p, HINT "%s.share", name));
	const char *options = annotation(m, pool_printf(p, HINT "%s.options", name));

	type = type ? type : "bind";
	share = share ? share : "container";
	if (strcmp(share, "container") && strcmp(share, "pod") && strcmp(share, "shared"))
		return err_new(0, "annotation " HINT "%s.share: '%.64s' is none of container, pod, shared", name, share);
	if (strcmp(type, "bind") && strcmp(type, "tmpfs"))
		return err_new(0, "annotation " HINT "%s.type: '%.64s' is neither bind nor tmpfs", name, type);
	if (options && *options) {
		if (strcmp(options, "ro") && strcmp(options, "rw") && strcmp(options, "rprivate") && strcmp(options, "rw,rprivate"))
			log_warning("annotation " HINT "%s.options: '%.64s' is not applied", name, options);
		if (!strcmp(options, "ro"))
			mount->flags |= 1; /* MS_RDONLY */
	}
	mount->shared = !strcmp(share, "shared");
	if (!strcmp(type, "tmpfs") && !mount->shared) {
		/* in the sandbox's memory: the host's directory stays as it is */
		mount->type = msg_str("tmpfs");
		mount->options = msg_str("mode=777");
		mount->tree = 0;
	}
	mount->volume = !strcmp(share, "container") ? msg_str("") : msg_str(pool_printf(p, "hint %s", name));
	return NULL;
}

/* A file system instance of a sandbox is known by the file or directory on the host that it shows. */
static struct err *name_volumes(struct plan *plan, const struct jmap *hints, struct pool *p)
{
	struct err *e = NULL;

	for (size_t i = 1; !e && i < plan->mounts.n; i++) {
		struct boot_mount *mount = &plan->mounts.v[i];
		const char *source, *name;
		struct stat st;

		/* one that is made for this container is nobody else's */
		if (strcmp(mount->type.p, "gofer") || plan->trees.v[mount->tree].overlay || plan->trees.v[mount->tree].ids)
			continue;
		source = plan->trees.v[mount->tree].path;
		if (!stat(source, &st))
			mount->volume = msg_str(pool_printf(p, "%u:%u %llu", major(st.st_dev), minor(st.st_dev), (unsigned long long)st.st_ino));
		if ((name = hint_for(hints, source, p)))
			e = apply_hint(hints, name, p, mount);
	}
	return e;
}

/* ------------------------------------------------------------------------------------------- */

struct err *pod_resolve(struct context *c, struct plan *plan)
{
	const char *named = by_annotations(&plan->annotations), *found;
	const struct record *sandbox = NULL;
	struct records all = { 0 };
	struct err *e = named || names_a_process(plan) ? read_all(c, &all) : NULL;

	if (e || (e = by_paths(plan, &all, &found)))
		return e;
	if (named && !(sandbox = by_id(&all, named)))
		return err_new(ENOENT, "sandbox '%.64s', which the annotations name, does not exist", named);
	if (!sandbox && found)
		sandbox = by_id(&all, found);
	if (!sandbox)
		return (e = refuse_paths(c->g, plan)) ? e : name_volumes(plan, &plan->annotations, c->pool);
	plan->sandbox = sandbox_of(sandbox);
	if (strcmp(plan->sandbox, sandbox->id) && !(sandbox = by_id(&all, plan->sandbox)))
		return err_new(ENOENT, "sandbox '%.64s' does not exist", plan->sandbox);
	plan->sandbox_cgroup = cgroup_of(&sandbox->state);
	join_namespaces(plan, &all);
	return name_volumes(plan, sandbox->state.annotations.n ? &sandbox->state.annotations : &plan->annotations, c->pool);
}
