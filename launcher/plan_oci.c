/*
 * plan_oci.c - an OCI bundle into a plan.  See plan.h.
 */
#include "names.h"
#include "plan.h"
#include "seccomp.h"

#include "libipc/fd.h"
#include "libipc/log.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/stat.h>

static struct msg_str *strs(const struct jstrs *in, struct pool *p)
{
	struct msg_str *v = pool_array(p, in->n + 1, sizeof(*v));

	for (size_t i = 0; i < in->n; i++)
		v[i] = msg_str(in->v[i]);
	return v;
}

static uint64_t capability_bits(const struct jstrs *names)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < names->n; i++)
		bits |= 1ull << capability_number(names->v[i]);
	return bits;
}

static void plan_rlimits(const struct oci_process *in, struct pool *p, struct boot_process *out)
{
	out->rlimits = pool_array(p, in->rlimits.n + 1, sizeof(*out->rlimits));
	out->n_rlimits = (uint32_t)in->rlimits.n;
	for (size_t i = 0; i < in->rlimits.n; i++) {
		const struct oci_rlimit *r = &in->rlimits.v[i];

		out->rlimits[i] = (struct boot_rlimit){ (uint64_t)rlimit_number(r->type), r->soft, r->hard };
	}
}

/* Of variables of the same name the last counts, as with runc. */
static void plan_env(const struct jstrs *in, struct pool *p, struct boot_process *out)
{
	out->env = pool_array(p, in->n + 1, sizeof(*out->env));
	for (size_t i = 0; i < in->n; i++) {
		size_t name = strcspn(in->v[i], "=") + 1, k = 0;

		while (k < out->n_env && strncmp(out->env[k].p, in->v[i], name))
			k++;
		out->env[k] = msg_str(in->v[i]);
		out->n_env = k == out->n_env ? (uint32_t)k + 1 : out->n_env;
	}
}

void plan_process(const struct oci_process *in, struct pool *p, struct boot_process *out)
{
	static const struct oci_user no_user;
	static const struct oci_capabilities no_capabilities;
	const struct oci_user *u = in->user ? in->user : &no_user;
	const struct oci_capabilities *c = in->capabilities ? in->capabilities : &no_capabilities;

	*out = (struct boot_process){
		.args = strs(&in->args, p), .n_args = (uint32_t)in->args.n,
		.cwd = msg_str(in->cwd),
		.uid = u->uid, .gid = u->gid, .groups = u->gids.v, .n_groups = (uint32_t)u->gids.n,
		.user = msg_str(""),
		.umask = u->has_umask ? u->umask : 022,
		.cap_effective = capability_bits(&c->effective),
		.cap_permitted = capability_bits(&c->permitted),
		.cap_inheritable = capability_bits(&c->inheritable),
		.cap_bounding = capability_bits(&c->bounding),
		.cap_ambient = capability_bits(&c->ambient),
		.no_new_privs = in->no_new_privileges,
		.oom_score_adj = in->oom_score_adj,
		.terminal = in->terminal,
	};
	plan_env(&in->env, p, out);
	if (in->console_size) {
		out->rows = in->console_size->height;
		out->columns = in->console_size->width;
	}
	if (in->scheduler) {
		out->sched_policy = (uint64_t)sched_policy_number(in->scheduler->policy);
		out->sched_priority = (uint64_t)in->scheduler->priority;
		out->sched_reset = in->scheduler->flags.n > 0;
		out->nice = in->scheduler->nice;
	}
	plan_rlimits(in, p, out);
}

/* Says what the configuration asks for and does not get; silence would be a lie. */
static void warn_not_applied(const struct oci_spec *s)
{
	const struct oci_linux *l = s->linux_;
	const struct {
		bool given;
		const char *what;
	} all[] = {
		{ s->process->apparmor && *s->process->apparmor, "process.apparmorProfile" },
		{ s->process->selinux && *s->process->selinux, "process.selinuxLabel" },
		{ l && l->mount_label && *l->mount_label, "linux.mountLabel" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].given)
			log_warning("config.json: %s: is not applied", all[i].what);
	}
}

/* How many processors "0-3,8" names; 0: none understood. */
static uint64_t count_cpus(const char *set)
{
	uint64_t n = 0;

	while (*set) {
		char *end;
		unsigned long first = strtoul(set, &end, 10), last = first;

		if (end == set)
			return 0;
		if (*end == '-') {
			set = end + 1;
			last = strtoul(set, &end, 10);
		}
		if (end == set || last < first || last > 4095)
			return 0;
		n += last - first + 1;
		if (*end && *end != ',')
			return 0;
		set = *end ? end + 1 : end;
	}
	return n;
}

void plan_finish(struct plan *plan, bool strace)
{
	plan->spec.mounts = plan->mounts.v;
	plan->spec.n_mounts = (uint32_t)plan->mounts.n;
	plan->spec.strace = strace;
}

static uint64_t usable_cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) ? 0 : (uint64_t)CPU_COUNT(&set);
}

static void plan_resources(const struct oci_spec *s, struct boot_spec *out)
{
	const struct oci_resources *r = s->linux_ ? s->linux_->resources : NULL;

	if (r && r->memory && r->memory->limit > 0)
		out->memory_limit = (uint64_t)r->memory->limit;
	if (r && r->pids && r->pids->limit > 0 && r->pids->limit < UINT32_MAX)
		out->tasks = (uint64_t)r->pids->limit;
	if (r && r->cpu && r->cpu->quota > 0) {
		out->cpu_quota = (uint64_t)r->cpu->quota;
		out->cpu_period = r->cpu->period;
	}
	out->cpus = usable_cpus();
	if (r && r->cpu) {
		const uint64_t n[] = { r->cpu->cpus ? count_cpus(r->cpu->cpus) : 0, cgroup_quota_cpus(r) };

		for (size_t i = 0; i < 2; i++)
			out->cpus = n[i] && n[i] < out->cpus ? n[i] : out->cpus;
	}
}

static void plan_sysctls(const struct oci_linux *l, struct pool *p, struct boot_spec *out)
{
	out->sysctls = pool_array(p, l->sysctl.n + 1, sizeof(*out->sysctls));
	for (size_t i = 0; i < l->sysctl.n; i++) {
		if (!strcmp(l->sysctl.v[i].name, "kernel.domainname"))
			out->domainname = msg_str(l->sysctl.v[i].value);
		else
			out->sysctls[out->n_sysctls++] = (struct boot_sysctl){ msg_str(l->sysctl.v[i].name), msg_str(l->sysctl.v[i].value) };
	}
}

static void plan_devices(const struct oci_linux *l, struct pool *p, struct boot_spec *out)
{
	out->devices = pool_array(p, l->devices.n + 1, sizeof(*out->devices));
	out->n_devices = (uint32_t)l->devices.n;
	for (size_t i = 0; i < l->devices.n; i++) {
		const struct oci_device *d = &l->devices.v[i];
		bool fifo = d->type[0] == 'p';
		uint64_t type = fifo ? S_IFIFO : d->type[0] == 'b' ? S_IFBLK : S_IFCHR;

		out->devices[i] = (struct boot_device){ msg_str(d->path), type | (d->has_mode ? d->mode & 07777 : 0666),
			fifo ? 0 : (uint64_t)d->major, fifo ? 0 : (uint64_t)d->minor, d->uid, d->gid };
	}
}

static void plan_io_priority(const struct oci_io_priority *io, struct plan *out)
{
	if (io) /* IOPRIO_PRIO_VALUE */
		out->io_priority = (!strcmp(io->class, "IOPRIO_CLASS_RT") ? 1 : !strcmp(io->class, "IOPRIO_CLASS_BE") ? 2 : 3) << 13 | (int)io->priority;
}

static int64_t offset_ns(const struct oci_time_offset *o)
{
	return o ? o->secs * 1000000000 + (int64_t)o->nanosecs : 0;
}

static struct err *plan_linux(const struct oci_linux *l, struct pool *p, struct boot_spec *out)
{
	out->masked = strs(&l->masked_paths, p);
	out->n_masked = (uint32_t)l->masked_paths.n;
	out->readonly = strs(&l->readonly_paths, p);
	out->n_readonly = (uint32_t)l->readonly_paths.n;
	plan_sysctls(l, p, out);
	plan_devices(l, p, out);
	out->personality = l->personality && !strcmp(l->personality->domain, "LINUX32") ? PER_LINUX32 : PER_LINUX;
	if (l->time_offsets) {
		out->monotonic_offset = offset_ns(l->time_offsets->monotonic);
		out->boottime_offset = offset_ns(l->time_offsets->boottime);
	}
	if (l->seccomp) {
		struct seccomp_program s;
		struct err *e = seccomp_compile(l->seccomp, p, &s);

		if (e)
			return e;
		out->seccomp = (struct msg_bytes){ s.bpf, (uint32_t)s.len };
		out->seccomp_flags = s.flags;
	}
	return NULL;
}

static struct err *plan_cgroup(const struct oci_linux *l, const char *id, bool systemd, struct pool *p, struct plan *out)
{
	struct err *e;

	if (systemd && !(e = scope_understand(l ? l->cgroups_path : NULL, id, scope_user_manager(), p, &out->scope))) {
		out->scope.resources = out->resources;
		out->scope.annotations = out->annotations;
		out->cgroup.scope = out->scope.unit;
	}
	if (systemd)
		return e;
	/* joining one costs v1 a grace period of 10 ms: only where something asks for it */
	if (!l || ((!l->cgroups_path || !*l->cgroups_path) && !l->resources))
		return NULL;
	return cgroup_find(l->cgroups_path, id, l->resources, p, &out->cgroup);
}

/* What a new UTS namespace begins with, and what is seen without one. */
static const char *host_name(struct pool *p)
{
	char name[HOST_NAME_MAX + 1] = "";

	return gethostname(name, sizeof(name) - 1) || !*name ? "redoubt" : pool_strdup(p, name);
}

static struct err *plan_spec(const json_t *doc, const char *id, bool systemd, struct pool *p, struct plan *out)
{
	struct oci_spec s = { 0 };
	struct err *e = oci_read(doc, p, &s);

	if (e || (e = idmap_plan(s.linux_, p, &out->ids)) || (e = plan_mounts(&s, out->bundle, p, out)))
		return e;
	warn_not_applied(&s);
	out->annotations = s.annotations;
	out->linux_ = s.linux_;
	if (s.hooks_json) {
		_cleanup_free_ char *text = json_dumps(s.hooks_json, JSON_COMPACT);

		out->hooks = text ? pool_strdup(p, text) : NULL;
	}
	out->spec.id = msg_str(id);
	out->spec.hostname = msg_str(s.hostname && *s.hostname ? s.hostname : host_name(p));
	out->spec.domainname = msg_str(s.domainname ? s.domainname : "");
	plan_process(s.process, p, &out->spec.process);
	if (s.linux_ && (e = plan_linux(s.linux_, p, &out->spec)))
		return e;
	plan_io_priority(s.process->io_priority, out);
	plan_resources(&s, &out->spec);
	out->resources = s.linux_ ? s.linux_->resources : NULL;
	return plan_cgroup(s.linux_, id, systemd, p, out);
}

struct err *plan_from_bundle(const char *bundle, const char *config, const char *id, bool systemd, struct pool *p, struct plan *out)
{
	_cleanup_json_ json_t *doc = NULL;
	char real[PATH_MAX];
	struct err *e;

	if (!realpath(bundle, real))
		return err_new(errno, "bundle '%s'", bundle);
	out->bundle = pool_strdup(p, real);
	if (!config || *config != '/')
		config = pool_printf(p, "%s/%s", out->bundle, config ? config : "config.json");
	if ((e = json_load_path(config, &doc)))
		return e;
	e = plan_spec(doc, id, systemd, p, out);
	return e ? err_wrap(e, "%s", config) : NULL;
}
