/*
 * oci.c - config.json's members, as tables.  See oci.h.
 */
#include "oci.h"

#include <limits.h>

#define TEXT 4096 /* of a name or path */
#define ID_MAX (UINT32_MAX - 1) /* (uid_t)-1 means "none" */
#define TIME_OFFSET_MAX 4000000000 /* seconds, more than a century: as ns it fits in 64 bits */

static const struct jfield user_fields[] = {
	JFIELD(struct oci_user, uid, J_U64, "uid", .max = ID_MAX),
	JFIELD(struct oci_user, gid, J_U64, "gid", .max = ID_MAX),
	JFIELD(struct oci_user, gids, J_U64S, "additionalGids", .max = ID_MAX),
	JFIELD(struct oci_user, umask, J_U64, "umask", .max = 0777),
	JFIELD(struct oci_user, has_umask, J_ANY, "umask"),
};
static const struct jobject user_object = JOBJECT(struct oci_user, user_fields);

static const struct jfield capabilities_fields[] = {
	JFIELD(struct oci_capabilities, bounding, J_STRS, "bounding", .max = 64),
	JFIELD(struct oci_capabilities, effective, J_STRS, "effective", .max = 64),
	JFIELD(struct oci_capabilities, inheritable, J_STRS, "inheritable", .max = 64),
	JFIELD(struct oci_capabilities, permitted, J_STRS, "permitted", .max = 64),
	JFIELD(struct oci_capabilities, ambient, J_STRS, "ambient", .max = 64),
};
static const struct jobject capabilities_object = JOBJECT(struct oci_capabilities, capabilities_fields);

static const struct jfield rlimit_fields[] = {
	JFIELD(struct oci_rlimit, type, J_STR, "type", .required = true, .max = 64),
	JFIELD(struct oci_rlimit, soft, J_U64, "soft", .required = true),
	JFIELD(struct oci_rlimit, hard, J_U64, "hard", .required = true),
};
static const struct jobject rlimit_object = JOBJECT(struct oci_rlimit, rlimit_fields);

static const struct jfield console_size_fields[] = {
	JFIELD(struct oci_console_size, height, J_U64, "height", .max = UINT16_MAX),
	JFIELD(struct oci_console_size, width, J_U64, "width", .max = UINT16_MAX),
};
static const struct jobject console_size_object = JOBJECT(struct oci_console_size, console_size_fields);

static const struct jfield scheduler_fields[] = {
	JFIELD(struct oci_scheduler, policy, J_STR, "policy", .required = true, .max = 64),
	JFIELD(struct oci_scheduler, nice, J_INT, "nice", .min = -20, .max = 19),
	JFIELD(struct oci_scheduler, priority, J_INT, "priority", .min = 0, .max = 99),
	JFIELD(struct oci_scheduler, flags, J_STRS, "flags", .max = 64),
	JFIELD(struct oci_scheduler, runtime, J_U64, "runtime", .max = INT64_MAX),
	JFIELD(struct oci_scheduler, deadline, J_U64, "deadline", .max = INT64_MAX),
	JFIELD(struct oci_scheduler, period, J_U64, "period", .max = INT64_MAX),
};
static const struct jobject scheduler_object = JOBJECT(struct oci_scheduler, scheduler_fields);

static const struct jfield io_priority_fields[] = {
	JFIELD(struct oci_io_priority, class, J_STR, "class", .required = true, .max = 64),
	JFIELD(struct oci_io_priority, priority, J_INT, "priority", .min = 0, .max = 7),
};
static const struct jobject io_priority_object = JOBJECT(struct oci_io_priority, io_priority_fields);

static const struct jfield process_fields[] = {
	JFIELD(struct oci_process, terminal, J_BOOL, "terminal"),
	JFIELD(struct oci_process, console_size, J_OBJECT, "consoleSize", .of = &console_size_object),
	JFIELD(struct oci_process, user, J_OBJECT, "user", .of = &user_object),
	JFIELD(struct oci_process, args, J_STRS, "args", .required = true, .max = 131072),
	JFIELD(struct oci_process, env, J_STRS, "env", .max = 131072),
	JFIELD(struct oci_process, cwd, J_STR, "cwd", .required = true, .max = TEXT - 1),
	JFIELD(struct oci_process, capabilities, J_OBJECT, "capabilities", .of = &capabilities_object),
	JFIELD(struct oci_process, rlimits, J_LIST, "rlimits", .of = &rlimit_object),
	JFIELD(struct oci_process, no_new_privileges, J_BOOL, "noNewPrivileges"),
	JFIELD(struct oci_process, oom_score_adj, J_INT, "oomScoreAdj", .min = -1000, .max = 1000),
	JFIELD(struct oci_process, apparmor, J_STR, "apparmorProfile", .max = TEXT),
	JFIELD(struct oci_process, selinux, J_STR, "selinuxLabel", .max = TEXT),
	JFIELD(struct oci_process, scheduler, J_OBJECT, "scheduler", .of = &scheduler_object),
	JFIELD(struct oci_process, io_priority, J_OBJECT, "ioPriority", .of = &io_priority_object),
};
static const struct jobject process_object = JOBJECT(struct oci_process, process_fields);

static const struct jfield root_fields[] = {
	JFIELD(struct oci_root, path, J_STR, "path", .required = true, .max = TEXT - 1),
	JFIELD(struct oci_root, readonly, J_BOOL, "readonly"),
};
static const struct jobject root_object = JOBJECT(struct oci_root, root_fields);

static const struct jfield id_mapping_fields[] = {
	JFIELD(struct oci_id_mapping, container, J_U64, "containerID", .required = true, .max = ID_MAX),
	JFIELD(struct oci_id_mapping, host, J_U64, "hostID", .required = true, .max = ID_MAX),
	JFIELD(struct oci_id_mapping, size, J_U64, "size", .required = true, .max = UINT32_MAX),
};
static const struct jobject id_mapping_object = JOBJECT(struct oci_id_mapping, id_mapping_fields);

static const struct jfield mount_fields[] = {
	JFIELD(struct oci_mount, destination, J_STR, "destination", .required = true, .max = TEXT - 1),
	JFIELD(struct oci_mount, type, J_STR, "type", .max = TEXT),
	JFIELD(struct oci_mount, source, J_STR, "source", .max = TEXT - 1),
	JFIELD(struct oci_mount, options, J_STRS, "options", .max = TEXT - 1),
	JFIELD(struct oci_mount, uid_mappings, J_LIST, "uidMappings", .of = &id_mapping_object),
	JFIELD(struct oci_mount, gid_mappings, J_LIST, "gidMappings", .of = &id_mapping_object),
};
static const struct jobject mount_object = JOBJECT(struct oci_mount, mount_fields);

static const struct jfield namespace_fields[] = {
	JFIELD(struct oci_namespace, type, J_STR, "type", .required = true, .max = 64),
	JFIELD(struct oci_namespace, path, J_STR, "path", .max = TEXT - 1),
};
static const struct jobject namespace_object = JOBJECT(struct oci_namespace, namespace_fields);

static const struct jfield memory_fields[] = {
	JFIELD(struct oci_memory, limit, J_INT, "limit", .min = -1, .max = INT64_MAX),
	JFIELD(struct oci_memory, reservation, J_INT, "reservation", .min = -1, .max = INT64_MAX),
	JFIELD(struct oci_memory, swap, J_INT, "swap", .min = -1, .max = INT64_MAX),
	JFIELD(struct oci_memory, swappiness, J_U64, "swappiness", .max = 200),
	JFIELD(struct oci_memory, has_swappiness, J_ANY, "swappiness"),
	JFIELD(struct oci_memory, disable_oom_killer, J_BOOL, "disableOOMKiller"),
};
static const struct jobject memory_object = JOBJECT(struct oci_memory, memory_fields);

static const struct jfield cpu_fields[] = {
	JFIELD(struct oci_cpu, shares, J_U64, "shares", .max = 262144),
	JFIELD(struct oci_cpu, period, J_U64, "period", .max = 1000000),
	JFIELD(struct oci_cpu, burst, J_U64, "burst", .max = INT64_MAX),
	JFIELD(struct oci_cpu, quota, J_INT, "quota", .min = -1, .max = INT64_MAX),
	JFIELD(struct oci_cpu, idle, J_INT, "idle", .max = 1),
	JFIELD(struct oci_cpu, rt_period, J_U64, "realtimePeriod", .max = INT64_MAX),
	JFIELD(struct oci_cpu, rt_runtime, J_INT, "realtimeRuntime", .min = INT64_MIN, .max = INT64_MAX),
	JFIELD(struct oci_cpu, cpus, J_STR, "cpus", .max = TEXT),
	JFIELD(struct oci_cpu, mems, J_STR, "mems", .max = TEXT),
};
static const struct jobject cpu_object = JOBJECT(struct oci_cpu, cpu_fields);

static const struct jfield pids_fields[] = {
	JFIELD(struct oci_pids, limit, J_INT, "limit", .min = -1, .max = INT64_MAX),
};
static const struct jobject pids_object = JOBJECT(struct oci_pids, pids_fields);

static const struct jfield blkio_device_fields[] = {
	JFIELD(struct oci_blkio_device, major, J_INT, "major", .max = 4095),
	JFIELD(struct oci_blkio_device, minor, J_INT, "minor", .max = 1048575),
	JFIELD(struct oci_blkio_device, weight, J_U64, "weight", .max = 1000),
	JFIELD(struct oci_blkio_device, leaf_weight, J_U64, "leafWeight", .max = 1000),
	JFIELD(struct oci_blkio_device, rate, J_U64, "rate", .max = UINT64_MAX),
};
static const struct jobject blkio_device_object = JOBJECT(struct oci_blkio_device, blkio_device_fields);

static const struct jfield blkio_fields[] = {
	JFIELD(struct oci_blkio, weight, J_U64, "weight", .max = 1000),
	JFIELD(struct oci_blkio, leaf_weight, J_U64, "leafWeight", .max = 1000),
	JFIELD(struct oci_blkio, weights, J_LIST, "weightDevice", .of = &blkio_device_object),
	JFIELD(struct oci_blkio, read_bps, J_LIST, "throttleReadBpsDevice", .of = &blkio_device_object),
	JFIELD(struct oci_blkio, write_bps, J_LIST, "throttleWriteBpsDevice", .of = &blkio_device_object),
	JFIELD(struct oci_blkio, read_iops, J_LIST, "throttleReadIOPSDevice", .of = &blkio_device_object),
	JFIELD(struct oci_blkio, write_iops, J_LIST, "throttleWriteIOPSDevice", .of = &blkio_device_object),
};
static const struct jobject blkio_object = JOBJECT(struct oci_blkio, blkio_fields);

static const struct jfield hugepages_fields[] = {
	JFIELD(struct oci_hugepages, page_size, J_STR, "pageSize", .required = true, .max = 32),
	JFIELD(struct oci_hugepages, limit, J_U64, "limit", .max = UINT64_MAX),
};
static const struct jobject hugepages_object = JOBJECT(struct oci_hugepages, hugepages_fields);

static const struct jfield net_priority_fields[] = {
	JFIELD(struct oci_net_priority, name, J_STR, "name", .required = true, .max = 64),
	JFIELD(struct oci_net_priority, priority, J_U64, "priority", .max = UINT32_MAX),
};
static const struct jobject net_priority_object = JOBJECT(struct oci_net_priority, net_priority_fields);

static const struct jfield net_fields[] = {
	JFIELD(struct oci_net, class_id, J_U64, "classID", .max = UINT32_MAX),
	JFIELD(struct oci_net, priorities, J_LIST, "priorities", .of = &net_priority_object),
};
static const struct jobject net_object = JOBJECT(struct oci_net, net_fields);

static const struct jfield device_rule_fields[] = {
	JFIELD(struct oci_device_rule, allow, J_BOOL, "allow"),
	JFIELD(struct oci_device_rule, type, J_STR, "type", .max = 1),
	JFIELD(struct oci_device_rule, access, J_STR, "access", .max = 3),
	JFIELD(struct oci_device_rule, major, J_INT, "major", .min = -1, .max = 4095),
	JFIELD(struct oci_device_rule, minor, J_INT, "minor", .min = -1, .max = 1048575),
	JFIELD(struct oci_device_rule, has_major, J_ANY, "major"),
	JFIELD(struct oci_device_rule, has_minor, J_ANY, "minor"),
};
static const struct jobject device_rule_object = JOBJECT(struct oci_device_rule, device_rule_fields);

static const struct jfield resources_fields[] = {
	JFIELD(struct oci_resources, memory, J_OBJECT, "memory", .of = &memory_object),
	JFIELD(struct oci_resources, cpu, J_OBJECT, "cpu", .of = &cpu_object),
	JFIELD(struct oci_resources, pids, J_OBJECT, "pids", .of = &pids_object),
	JFIELD(struct oci_resources, blkio, J_OBJECT, "blockIO", .of = &blkio_object),
	JFIELD(struct oci_resources, hugepages, J_LIST, "hugepageLimits", .of = &hugepages_object),
	JFIELD(struct oci_resources, net, J_OBJECT, "network", .of = &net_object),
	JFIELD(struct oci_resources, rdma, J_ANY, "rdma"),
	JFIELD(struct oci_resources, devices, J_LIST, "devices", .of = &device_rule_object),
	JFIELD(struct oci_resources, unified, J_MAP, "unified", .max = TEXT),
};
static const struct jobject resources_object = JOBJECT(struct oci_resources, resources_fields);

static const struct jfield device_fields[] = {
	JFIELD(struct oci_device, type, J_STR, "type", .required = true, .max = 1),
	JFIELD(struct oci_device, path, J_STR, "path", .required = true, .max = TEXT - 1),
	JFIELD(struct oci_device, major, J_INT, "major", .min = -1, .max = 4095),
	JFIELD(struct oci_device, minor, J_INT, "minor", .min = -1, .max = 1048575),
	JFIELD(struct oci_device, mode, J_U64, "fileMode", .max = 0177777),
	JFIELD(struct oci_device, has_mode, J_ANY, "fileMode"),
	JFIELD(struct oci_device, uid, J_U64, "uid", .max = ID_MAX),
	JFIELD(struct oci_device, gid, J_U64, "gid", .max = ID_MAX),
};
static const struct jobject device_object = JOBJECT(struct oci_device, device_fields);

static const struct jfield syscall_arg_fields[] = {
	JFIELD(struct oci_syscall_arg, index, J_U64, "index", .max = 5),
	JFIELD(struct oci_syscall_arg, value, J_U64, "value"),
	JFIELD(struct oci_syscall_arg, value_two, J_U64, "valueTwo"),
	JFIELD(struct oci_syscall_arg, op, J_STR, "op", .required = true, .max = 64),
};
static const struct jobject syscall_arg_object = JOBJECT(struct oci_syscall_arg, syscall_arg_fields);

static const struct jfield syscall_fields[] = {
	JFIELD(struct oci_syscall, names, J_STRS, "names", .required = true, .max = 64),
	JFIELD(struct oci_syscall, action, J_STR, "action", .required = true, .max = 64),
	JFIELD(struct oci_syscall, errno_ret, J_U64, "errnoRet", .max = 65535),
	JFIELD(struct oci_syscall, has_errno, J_ANY, "errnoRet"),
	JFIELD(struct oci_syscall, args, J_LIST, "args", .of = &syscall_arg_object),
};
static const struct jobject syscall_object = JOBJECT(struct oci_syscall, syscall_fields);

static const struct jfield seccomp_fields[] = {
	JFIELD(struct oci_seccomp, default_action, J_STR, "defaultAction", .required = true, .max = 64),
	JFIELD(struct oci_seccomp, default_errno, J_U64, "defaultErrnoRet", .max = 65535),
	JFIELD(struct oci_seccomp, has_default_errno, J_ANY, "defaultErrnoRet"),
	JFIELD(struct oci_seccomp, listener_path, J_STR, "listenerPath", .max = TEXT),
	JFIELD(struct oci_seccomp, listener_metadata, J_STR, "listenerMetadata", .max = 65536),
	JFIELD(struct oci_seccomp, architectures, J_STRS, "architectures", .max = 64),
	JFIELD(struct oci_seccomp, flags, J_STRS, "flags", .max = 64),
	JFIELD(struct oci_seccomp, syscalls, J_LIST, "syscalls", .of = &syscall_object),
};
static const struct jobject seccomp_object = JOBJECT(struct oci_seccomp, seccomp_fields);

static const struct jfield personality_fields[] = {
	JFIELD(struct oci_personality, domain, J_STR, "domain", .required = true, .max = 64),
	JFIELD(struct oci_personality, flags, J_STRS, "flags", .max = 64),
};
static const struct jobject personality_object = JOBJECT(struct oci_personality, personality_fields);

static const struct jfield time_offset_fields[] = {
	JFIELD(struct oci_time_offset, secs, J_INT, "secs", .min = -TIME_OFFSET_MAX, .max = TIME_OFFSET_MAX),
	JFIELD(struct oci_time_offset, nanosecs, J_U64, "nanosecs", .max = 999999999),
};
static const struct jobject time_offset_object = JOBJECT(struct oci_time_offset, time_offset_fields);

static const struct jfield time_offsets_fields[] = {
	JFIELD(struct oci_time_offsets, monotonic, J_OBJECT, "monotonic", .of = &time_offset_object),
	JFIELD(struct oci_time_offsets, boottime, J_OBJECT, "boottime", .of = &time_offset_object),
};
static const struct jobject time_offsets_object = JOBJECT(struct oci_time_offsets, time_offsets_fields);

static const struct jfield linux_fields[] = {
	JFIELD(struct oci_linux, namespaces, J_LIST, "namespaces", .of = &namespace_object),
	JFIELD(struct oci_linux, uid_mappings, J_LIST, "uidMappings", .of = &id_mapping_object),
	JFIELD(struct oci_linux, gid_mappings, J_LIST, "gidMappings", .of = &id_mapping_object),
	JFIELD(struct oci_linux, masked_paths, J_STRS, "maskedPaths", .max = TEXT - 1),
	JFIELD(struct oci_linux, readonly_paths, J_STRS, "readonlyPaths", .max = TEXT - 1),
	JFIELD(struct oci_linux, sysctl, J_MAP, "sysctl", .max = TEXT - 1),
	JFIELD(struct oci_linux, resources, J_OBJECT, "resources", .of = &resources_object),
	JFIELD(struct oci_linux, cgroups_path, J_STR, "cgroupsPath", .max = TEXT - 1),
	JFIELD(struct oci_linux, devices, J_LIST, "devices", .of = &device_object),
	JFIELD(struct oci_linux, seccomp, J_OBJECT, "seccomp", .of = &seccomp_object),
	JFIELD(struct oci_linux, personality, J_OBJECT, "personality", .of = &personality_object),
	JFIELD(struct oci_linux, rootfs_propagation, J_STR, "rootfsPropagation", .max = 64),
	JFIELD(struct oci_linux, mount_label, J_STR, "mountLabel", .max = TEXT),
	JFIELD(struct oci_linux, intel_rdt, J_ANY, "intelRdt"),
	JFIELD(struct oci_linux, time_offsets, J_OBJECT, "timeOffsets", .of = &time_offsets_object),
};
static const struct jobject linux_object = JOBJECT(struct oci_linux, linux_fields);

static const struct jfield hook_fields[] = {
	JFIELD(struct oci_hook, path, J_STR, "path", .required = true, .max = TEXT - 1),
	JFIELD(struct oci_hook, args, J_STRS, "args", .max = 131072),
	JFIELD(struct oci_hook, env, J_STRS, "env", .max = 131072),
	JFIELD(struct oci_hook, timeout, J_INT, "timeout", .min = 1, .max = 86400),
};
static const struct jobject hook_object = JOBJECT(struct oci_hook, hook_fields);

static const struct jfield hooks_fields[] = {
	JFIELD(struct oci_hooks, prestart, J_LIST, "prestart", .of = &hook_object),
	JFIELD(struct oci_hooks, create_runtime, J_LIST, "createRuntime", .of = &hook_object),
	JFIELD(struct oci_hooks, create_container, J_LIST, "createContainer", .of = &hook_object),
	JFIELD(struct oci_hooks, start_container, J_LIST, "startContainer", .of = &hook_object),
	JFIELD(struct oci_hooks, poststart, J_LIST, "poststart", .of = &hook_object),
	JFIELD(struct oci_hooks, poststop, J_LIST, "poststop", .of = &hook_object),
};
static const struct jobject hooks_object = JOBJECT(struct oci_hooks, hooks_fields);

static const struct jfield spec_fields[] = {
	JFIELD(struct oci_spec, version, J_STR, "ociVersion", .required = true, .max = 64),
	JFIELD(struct oci_spec, process, J_OBJECT, "process", .required = true, .of = &process_object),
	JFIELD(struct oci_spec, root, J_OBJECT, "root", .required = true, .of = &root_object),
	JFIELD(struct oci_spec, hostname, J_STR, "hostname", .max = 64),
	JFIELD(struct oci_spec, domainname, J_STR, "domainname", .max = 64),
	JFIELD(struct oci_spec, mounts, J_LIST, "mounts", .of = &mount_object),
	JFIELD(struct oci_spec, hooks, J_OBJECT, "hooks", .of = &hooks_object),
	JFIELD(struct oci_spec, hooks_json, J_ANY, "hooks"),
	JFIELD(struct oci_spec, linux_, J_OBJECT, "linux", .of = &linux_object),
	JFIELD(struct oci_spec, windows, J_ANY, "windows"),
	JFIELD(struct oci_spec, solaris, J_ANY, "solaris"),
	JFIELD(struct oci_spec, vm, J_ANY, "vm"),
	JFIELD(struct oci_spec, annotations, J_MAP, "annotations", .max = 65536),
};
static const struct jobject spec_object = JOBJECT(struct oci_spec, spec_fields);

struct err *oci_read(const json_t *doc, struct pool *p, struct oci_spec *spec)
{
	struct err *e = json_read(&spec_object, doc, p, spec);

	return e ? e : oci_check(spec);
}

struct err *oci_read_process(const json_t *doc, struct pool *p, struct oci_process *process)
{
	struct err *e = json_read(&process_object, doc, p, process);

	return e ? e : oci_check_process(process, "");
}

struct err *oci_read_resources(const json_t *doc, struct pool *p, struct oci_resources *r)
{
	return json_read(&resources_object, doc, p, r);
}

struct err *oci_read_hooks(const json_t *doc, struct pool *p, struct oci_hooks *h)
{
	return json_read(&hooks_object, doc, p, h);
}
