/*
 * cmd_features.c - features: what this runtime can, as features.json of the
 * OCI runtime specification 1.2.
 */
#include "command.h"
#include "mounts.h"
#include "names.h"
#include "oci.h"
#include "seccomp.h"

#include <seccomp.h>

static json_t *mount_options(void)
{
	json_t *all = json_array();
	const char *name;

	for (size_t i = 0; (name = mount_option_name(i)); i++)
		json_array_append_new(all, json_string(name));
	return all;
}

static json_t *capability_names(struct pool *p)
{
	json_t *all = json_array();

	for (int i = 0; i < CAPABILITY_COUNT; i++)
		json_array_append_new(all, json_string(pool_printf(p, "CAP_%s", capability_name(i))));
	return all;
}

static json_t *linux_features(struct pool *p)
{
	json_t *l = json_object();

	json_object_set_new(l, "namespaces", json_pack("[s, s, s, s, s, s, s, s]", "cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"));
	json_object_set_new(l, "capabilities", capability_names(p));
	json_object_set_new(l, "cgroup",
		json_pack("{s:b, s:b, s:b, s:b, s:b}", "v1", 1, "v2", 1, "systemd", 1, "systemdUser", 1, "rdma", 1));
	json_object_set_new(l, "seccomp", seccomp_features());
	json_object_set_new(l, "apparmor", json_pack("{s:b}", "enabled", 0));
	json_object_set_new(l, "selinux", json_pack("{s:b}", "enabled", 0));
	json_object_set_new(l, "intelRdt", json_pack("{s:b}", "enabled", 0));
	json_object_set_new(l, "mountExtensions", json_pack("{s:{s:b}}", "idmap", "enabled", 1));
	return l;
}

static struct err *run(struct context *c, int *status)
{
	_cleanup_json_ json_t *j = json_pack("{s:s, s:s, s:[s, s, s, s, s, s], s:o, s:o, s:{s:s, s:s, s:s}, s:[s, s, s]}", "ociVersionMin", "1.0.0", "ociVersionMax",
		OCI_VERSION, "hooks", "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop", "mountOptions",
		mount_options(), "linux", linux_features(c->pool), "annotations", "dev.redoubt.version", REDOUBT_VERSION,
		"org.opencontainers.runc.checkpoint.enabled", "false", "io.github.seccomp.libseccomp.version",
		pool_printf(c->pool, "%u.%u.%u", seccomp_version()->major, seccomp_version()->minor, seccomp_version()->micro),
		"potentiallyUnsafeConfigAnnotations", "dev.gvisor.flag.", "dev.gvisor.spec.mount.", "org.systemd.property.");

	json_dumpf(j, stdout, JSON_INDENT(2));
	putchar('\n');
	return NULL;
}

const struct command command_features = {
	.name = "features", .arguments = "", .summary = "print what this runtime supports (features.json)", .min_args = 0, .max_args = 0, .run = run,
};
