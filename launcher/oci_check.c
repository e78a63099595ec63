/*
 * oci_check.c - what a configuration's values must mean, once their types are
 * known to be right.  Pure.  Each error is one line: "PLACE: what is wrong".
 */
#include "mounts.h"
#include "names.h"
#include "oci.h"
#include "seccomp.h"

#include <stdio.h>
#include <string.h>

#define COUNT(A) (sizeof(A) / sizeof((A)[0]))

static const char *const propagations[] = { "", "private", "rprivate", "rshared", "rslave", "runbindable", "shared", "slave", "unbindable" };
static const char *const io_classes[] = { "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE", "IOPRIO_CLASS_RT" };

static bool one_of(const char *word, const char *const *words, size_t n)
{
	while (n && strcmp(word, words[n - 1]))
		n--;
	return n;
}

static struct err *check_absolute(const char *where, const char *path)
{
	return path[0] == '/' ? NULL : err_new(0, "%s: '%.64s' is not an absolute path", where, path);
}

static struct err *check_paths(const char *where, const struct jstrs *paths)
{
	for (size_t i = 0; i < paths->n; i++) {
		char place[64];
		struct err *e;

		snprintf(place, sizeof(place), "%s[%zu]", where, i);
		if ((e = check_absolute(place, paths->v[i])))
			return e;
	}
	return paths->n > 1024 ? err_new(0, "%s: has %zu items, at most 1024 are allowed", where, paths->n) : NULL;
}

static struct err *check_capabilities(const struct oci_capabilities *c, const char *prefix)
{
	const struct {
		const char *name;
		const struct jstrs *list;
	} sets[] = {
		{ "bounding", &c->bounding }, { "effective", &c->effective }, { "inheritable", &c->inheritable },
		{ "permitted", &c->permitted }, { "ambient", &c->ambient },
	};

	for (size_t s = 0; s < COUNT(sets); s++) {
		for (size_t i = 0; i < sets[s].list->n; i++) {
			if (capability_number(sets[s].list->v[i]) < 0)
				return err_new(0, "%scapabilities.%s[%zu]: unknown capability '%.64s'", prefix, sets[s].name, i, sets[s].list->v[i]);
		}
	}
	return NULL;
}

static struct err *check_rlimits(const struct oci_process *p, const char *prefix)
{
	uint32_t seen = 0;

	for (size_t i = 0; i < p->rlimits.n; i++) {
		const struct oci_rlimit *r = &p->rlimits.v[i];
		int n = rlimit_number(r->type);

		if (n < 0)
			return err_new(0, "%srlimits[%zu].type: unknown resource limit '%.64s'", prefix, i, r->type);
		if (seen & 1u << n)
			return err_new(0, "%srlimits[%zu].type: '%s' is given twice", prefix, i, r->type);
		if (r->soft > r->hard)
			return err_new(0, "%srlimits[%zu].soft: %llu is above the hard limit %llu", prefix, i, (unsigned long long)r->soft,
				(unsigned long long)r->hard);
		seen |= 1u << n;
	}
	return NULL;
}

static struct err *check_scheduler(const struct oci_scheduler *s, const char *prefix)
{
	int policy = sched_policy_number(s->policy);
	bool realtime = !strcmp(s->policy, "SCHED_FIFO") || !strcmp(s->policy, "SCHED_RR");

	if (!strcmp(s->policy, "SCHED_DEADLINE"))
		return err_new(0, "%sscheduler.policy: SCHED_DEADLINE is not supported: its processes cannot make others", prefix);
	if (policy < 0)
		return err_new(0, "%sscheduler.policy: unknown policy '%.64s'", prefix, s->policy);
	if (realtime != (s->priority > 0))
		return err_new(0, "%sscheduler.priority: must %s for %s", prefix, realtime ? "be 1 to 99" : "be 0", s->policy);
	if (s->nice && realtime)
		return err_new(0, "%sscheduler.nice: means nothing to %s", prefix, s->policy);
	if (s->runtime || s->deadline || s->period)
		return err_new(0, "%sscheduler: runtime, deadline and period belong to SCHED_DEADLINE", prefix);
	for (size_t i = 0; i < s->flags.n; i++) {
		if (strcmp(s->flags.v[i], "SCHED_FLAG_RESET_ON_FORK"))
			return err_new(0, "%sscheduler.flags[%zu]: '%.64s' is not supported", prefix, i, s->flags.v[i]);
	}
	return NULL;
}

struct err *oci_check_process(const struct oci_process *p, const char *prefix)
{
	char place[64];
	struct err *e;

	if (!p->args.n)
		return err_new(0, "%sargs: is empty", prefix);
	if (!p->args.v[0][0])
		return err_new(0, "%sargs[0]: is empty", prefix);
	if (p->args.n > 65536 || p->env.n > 65536)
		return err_new(0, "%s%s: has more than 65536 items", prefix, p->args.n > 65536 ? "args" : "env");
	for (size_t i = 0; i < p->env.n; i++) {
		const char *eq = strchr(p->env.v[i], '=');

		if (!eq || eq == p->env.v[i])
			return err_new(0, "%senv[%zu]: '%.64s' is not NAME=VALUE", prefix, i, p->env.v[i]);
	}
	snprintf(place, sizeof(place), "%scwd", prefix);
	if ((e = check_absolute(place, p->cwd)) || (p->capabilities && (e = check_capabilities(p->capabilities, prefix))))
		return e;
	if (p->user && p->user->gids.n > 65536)
		return err_new(0, "%suser.additionalGids: has more than 65536 items", prefix);
	if (p->scheduler && (e = check_scheduler(p->scheduler, prefix)))
		return e;
	if (p->io_priority && !one_of(p->io_priority->class, io_classes, COUNT(io_classes)))
		return err_new(0, "%sioPriority.class: unknown class '%.64s'", prefix, p->io_priority->class);
	return check_rlimits(p, prefix);
}

static struct err *check_namespaces(const struct oci_linux *l)
{
	static const char *const known[] = { "pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time" };
	unsigned seen = 0;

	for (size_t i = 0; i < l->namespaces.n; i++) {
		const struct oci_namespace *ns = &l->namespaces.v[i];
		size_t k = 0;

		while (k < COUNT(known) && strcmp(known[k], ns->type))
			k++;
		if (k == COUNT(known))
			return err_new(0, "linux.namespaces[%zu].type: unknown namespace '%.64s'", i, ns->type);
		if (seen & 1u << k)
			return err_new(0, "linux.namespaces[%zu].type: '%s' is given twice", i, ns->type);
		seen |= 1u << k;
		/* those that the containers of a sandbox can share may be joined: pod.c */
		if (ns->path && *ns->path && strcmp(ns->type, "pid") && strcmp(ns->type, "network") && strcmp(ns->type, "ipc") && strcmp(ns->type, "uts"))
			return err_new(0, "linux.namespaces[%zu].path: joining a namespace is not supported", i);
	}
	return NULL;
}

static bool has_namespace(const struct oci_linux *l, const char *type)
{
	for (size_t i = 0; i < l->namespaces.n; i++) {
		if (!strcmp(l->namespaces.v[i].type, type))
			return true;
	}
	return false;
}

static struct err *check_devices(const struct oci_linux *l)
{
	if (l->devices.n > 1024)
		return err_new(0, "linux.devices: has more than 1024 items");
	for (size_t i = 0; i < l->devices.n; i++) {
		const struct oci_device *d = &l->devices.v[i];
		char place[64];
		struct err *e;

		snprintf(place, sizeof(place), "linux.devices[%zu].path", i);
		if ((e = check_absolute(place, d->path)))
			return e;
		if (!strchr("bcup", d->type[0]))
			return err_new(0, "linux.devices[%zu].type: '%s' is none of b, c, u, p", i, d->type);
		if (d->type[0] != 'p' && (d->major < 0 || d->minor < 0))
			return err_new(0, "linux.devices[%zu].%s: a device has one of 0 and above", i, d->major < 0 ? "major" : "minor");
	}
	return NULL;
}

/* Those of namespaces that a container has of its own; others are the machine's. */
static bool is_namespaced(const char *sysctl)
{
	static const char *const names[] = { "kernel.domainname", "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shm_rmid_forced",
		"kernel.shmall", "kernel.shmmax", "kernel.shmmni" };

	return one_of(sysctl, names, COUNT(names)) || !strncmp(sysctl, "fs.mqueue.", 10) || !strncmp(sysctl, "net.", 4);
}

static struct err *check_sysctls(const struct oci_linux *l)
{
	if (l->sysctl.n > 1024)
		return err_new(0, "linux.sysctl: has more than 1024 members");
	for (size_t i = 0; i < l->sysctl.n; i++) {
		const char *name = l->sysctl.v[i].name;

		if (!*name || strlen(name) > 255 || name[0] == '/' || strstr(name, ".."))
			return err_new(0, "linux.sysctl.%.64s: is not a sysctl's name", name);
		if (!strcmp(name, "kernel.hostname"))
			return err_new(0, "linux.sysctl.kernel.hostname: is what the member hostname is for");
		if (!is_namespaced(name))
			return err_new(0, "linux.sysctl.%s: is not in a separate kernel namespace", name);
		if (!strcmp(name, "kernel.domainname") && strlen(l->sysctl.v[i].value) > 64)
			return err_new(0, "linux.sysctl.kernel.domainname: is longer than 64 bytes");
	}
	return NULL;
}

static struct err *check_linux(const struct oci_linux *l)
{
	struct err *e;

	if ((e = check_namespaces(l)) || (e = check_paths("linux.maskedPaths", &l->masked_paths)) ||
		(e = check_paths("linux.readonlyPaths", &l->readonly_paths)))
		return e;
	if ((e = check_sysctls(l)) || (e = check_devices(l)) || (l->seccomp && (e = seccomp_check(l->seccomp))))
		return e;
	if (l->personality && strcmp(l->personality->domain, "LINUX") && strcmp(l->personality->domain, "LINUX32"))
		return err_new(0, "linux.personality.domain: unknown domain '%.64s'", l->personality->domain);
	if (l->personality && l->personality->flags.n)
		return err_new(0, "linux.personality.flags: none is known");
	if (l->rootfs_propagation && !one_of(l->rootfs_propagation, propagations, COUNT(propagations)))
		return err_new(0, "linux.rootfsPropagation: unknown propagation '%.64s'", l->rootfs_propagation);
	if (l->intel_rdt)
		return err_new(0, "linux.intelRdt: is not supported");
	if (l->time_offsets && !has_namespace(l, "time"))
		return err_new(0, "linux.timeOffsets: linux.namespaces has no time namespace that they are for");
	return NULL;
}

static struct err *check_mounts(const struct oci_spec *s)
{
	_cleanup_pool_ struct pool scratch = { 0 };
	struct err *e = NULL;

	if (s->mounts.n > 1000) /* the root and the standard ones come on top */
		return err_new(0, "mounts: has %zu items, at most 1000 are allowed", s->mounts.n);
	for (size_t i = 0; i < s->mounts.n && !e; i++) {
		struct mount_meaning m;
		char where[32];

		snprintf(where, sizeof(where), "mounts[%zu]", i);
		e = mount_understand(&s->mounts.v[i], where, &scratch, &m);
	}
	return e;
}

static struct err *check_hooks(const struct oci_hooks *h)
{
	const struct {
		const char *name;
		const struct oci_hook_list *list;
	} all[] = {
		{ "prestart", &h->prestart }, { "createRuntime", &h->create_runtime }, { "createContainer", &h->create_container },
		{ "startContainer", &h->start_container }, { "poststart", &h->poststart }, { "poststop", &h->poststop },
	};

	for (size_t i = 0; i < COUNT(all); i++) {
		for (size_t k = 0; k < all[i].list->n; k++) {
			if (all[i].list->v[k].path[0] != '/')
				return err_new(0, "hooks.%s[%zu].path: '%.64s' is not an absolute path", all[i].name, k, all[i].list->v[k].path);
		}
	}
	return NULL;
}

struct err *oci_check(const struct oci_spec *s)
{
	struct err *e;

	if (strncmp(s->version, "1.", 2))
		return err_new(0, "ociVersion: '%.64s' is not supported, 1.x is", s->version);
	if (s->windows || s->solaris || s->vm)
		return err_new(0, "%s: not a configuration for Linux containers", s->windows ? "windows" : s->solaris ? "solaris" : "vm");
	if ((e = oci_check_process(s->process, "process.")) || (e = check_mounts(s)) || (s->hooks && (e = check_hooks(s->hooks))))
		return e;
	return s->linux_ ? check_linux(s->linux_) : NULL;
}
