/*
 * oci_check.c - what a configuration's values must mean, once their types are
 * known to be right.  Pure.  Each error is one line: "PLACE: what is wrong".
 */
#include "mounts.h"
#include "names.h"
#include "oci.h"

#include <stdio.h>
#include <string.h>

#define COUNT(A) (sizeof(A) / sizeof((A)[0]))

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
		/* a network is joined by nobody: inside there is loopback only, see plan_oci.c */
		if (ns->path && *ns->path && strcmp(ns->type, "network"))
			return err_new(0, "linux.namespaces[%zu].path: joining a namespace is not supported", i);
	}
	return NULL;
}

static struct err *check_linux(const struct oci_linux *l)
{
	struct err *e;

	if ((e = check_namespaces(l)) || (e = check_paths("linux.maskedPaths", &l->masked_paths)) ||
		(e = check_paths("linux.readonlyPaths", &l->readonly_paths)))
		return e;
	if (l->sysctl.n > 1024)
		return err_new(0, "linux.sysctl: has more than 1024 members");
	for (size_t i = 0; i < l->sysctl.n; i++) {
		const char *name = l->sysctl.v[i].name;

		if (!*name || strlen(name) > 255 || name[0] == '/' || strstr(name, ".."))
			return err_new(0, "linux.sysctl.%.64s: is not a sysctl's name", name);
	}
	if (l->personality)
		return err_new(0, "linux.personality: is not supported");
	if (l->intel_rdt)
		return err_new(0, "linux.intelRdt: is not supported");
	if (l->time_offsets)
		return err_new(0, "linux.timeOffsets: is not supported");
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
