/*
 * oci.h - the parts of an OCI runtime configuration that Redoubt reads.
 *
 * oci_load() reads config.json by the tables in oci.c (types, ranges,
 * lengths); oci_check.c then judges the meaning (names, absolute paths,
 * combinations).  After both, every member may be used without a further check.
 */
#ifndef REDOUBT_LAUNCHER_OCI_H
#define REDOUBT_LAUNCHER_OCI_H

#include "json_read.h"

#define OCI_VERSION "1.2.0"

struct oci_user {
	uint64_t uid, gid;
	struct ju64s gids;
	uint64_t umask;
	const json_t *has_umask; /* NULL: 022 */
};

struct oci_capabilities {
	struct jstrs bounding, effective, inheritable, permitted, ambient;
};

struct oci_rlimit {
	const char *type;
	uint64_t soft, hard;
};

struct oci_console_size {
	uint64_t height, width;
};

struct oci_scheduler {
	const char *policy;
	int64_t nice, priority;
	struct jstrs flags;
	uint64_t runtime, deadline, period;
};

struct oci_io_priority {
	const char *class;
	int64_t priority;
};

struct oci_process {
	bool terminal;
	struct oci_console_size *console_size;
	struct oci_user *user;
	struct jstrs args, env;
	const char *cwd;
	struct oci_capabilities *capabilities;
	struct {
		struct oci_rlimit *v;
		size_t n;
	} rlimits;
	bool no_new_privileges;
	int64_t oom_score_adj;
	const char *apparmor, *selinux;
	struct oci_scheduler *scheduler;
	struct oci_io_priority *io_priority;
};

struct oci_root {
	const char *path;
	bool readonly;
};

struct oci_id_mapping {
	uint64_t container, host, size;
};
struct oci_id_mappings {
	struct oci_id_mapping *v;
	size_t n;
};

struct oci_mount {
	const char *destination, *type, *source;
	struct jstrs options;
	struct oci_id_mappings uid_mappings, gid_mappings; /* container: an id of the file system's, host: as which the mount shows it */
};

struct oci_namespace {
	const char *type, *path;
};

struct oci_memory {
	int64_t limit, reservation, swap; /* 0: not given; -1: none */
	uint64_t swappiness;
	const json_t *has_swappiness;
	bool disable_oom_killer;
};

struct oci_cpu {
	uint64_t shares, period, burst, rt_period;
	int64_t quota, idle, rt_runtime;
	const char *cpus, *mems;
};

struct oci_pids {
	int64_t limit;
};

struct oci_blkio_device {
	int64_t major, minor;
	uint64_t weight, leaf_weight, rate; /* the members of the list that it is in */
};
struct oci_blkio_devices {
	struct oci_blkio_device *v;
	size_t n;
};
struct oci_blkio {
	uint64_t weight, leaf_weight;
	struct oci_blkio_devices weights, read_bps, write_bps, read_iops, write_iops;
};

struct oci_hugepages {
	const char *page_size; /* "2MB" */
	uint64_t limit;
};

struct oci_net_priority {
	const char *name;
	uint64_t priority;
};
struct oci_net {
	uint64_t class_id;
	struct {
		struct oci_net_priority *v;
		size_t n;
	} priorities;
};

struct oci_device_rule {
	bool allow;
	const char *type, *access; /* NULL: all */
	int64_t major, minor; /* -1, or not there: all */
	const json_t *has_major, *has_minor;
};

struct oci_resources {
	struct oci_memory *memory;
	struct oci_cpu *cpu;
	struct oci_pids *pids;
	struct oci_blkio *blkio;
	struct {
		struct oci_hugepages *v;
		size_t n;
	} hugepages;
	struct oci_net *net;
	const json_t *rdma; /* by device: { "hcaHandles": N, "hcaObjects": N } */
	struct {
		struct oci_device_rule *v;
		size_t n;
	} devices;
	struct jmap unified;
};

struct oci_device {
	const char *type, *path;
	int64_t major, minor;
	uint64_t mode, uid, gid;
	const json_t *has_mode;
};

struct oci_syscall_arg {
	uint64_t index, value, value_two;
	const char *op;
};
struct oci_syscall {
	struct jstrs names;
	const char *action;
	uint64_t errno_ret;
	const json_t *has_errno;
	struct {
		struct oci_syscall_arg *v;
		size_t n;
	} args;
};
struct oci_seccomp {
	const char *default_action;
	uint64_t default_errno;
	const json_t *has_default_errno;
	const char *listener_path, *listener_metadata;
	struct jstrs architectures, flags;
	struct {
		struct oci_syscall *v;
		size_t n;
	} syscalls;
};

struct oci_personality {
	const char *domain;
	struct jstrs flags;
};

struct oci_time_offset {
	int64_t secs;
	uint64_t nanosecs;
};
struct oci_time_offsets {
	struct oci_time_offset *monotonic, *boottime;
};

struct oci_linux {
	struct {
		struct oci_namespace *v;
		size_t n;
	} namespaces;
	struct oci_id_mappings uid_mappings, gid_mappings;
	struct jstrs masked_paths, readonly_paths;
	struct jmap sysctl;
	struct oci_resources *resources;
	const char *cgroups_path;
	struct {
		struct oci_device *v;
		size_t n;
	} devices;
	struct oci_seccomp *seccomp;
	struct oci_personality *personality;
	const char *rootfs_propagation, *mount_label;
	const json_t *intel_rdt;
	struct oci_time_offsets *time_offsets;
};

struct oci_hook {
	const char *path;
	struct jstrs args, env;
	int64_t timeout; /* seconds; 0: none */
};
struct oci_hook_list {
	struct oci_hook *v;
	size_t n;
};
struct oci_hooks {
	struct oci_hook_list prestart, create_runtime, create_container, start_container, poststart, poststop;
};

struct oci_spec {
	const char *version, *hostname, *domainname;
	struct oci_process *process;
	struct oci_root *root;
	struct {
		struct oci_mount *v;
		size_t n;
	} mounts;
	struct oci_hooks *hooks;
	const json_t *hooks_json; /* the same, unread */
	struct oci_linux *linux_; /* NULL when absent */
	const json_t *windows, *solaris, *vm;
	struct jmap annotations;
};

/* Both checks of a parsed document; doc must outlive spec. */
struct err *oci_read(const json_t *doc, struct pool *p, struct oci_spec *spec) ERR_MUST_USE;
/* A process object of its own (exec --process). */
struct err *oci_read_process(const json_t *doc, struct pool *p, struct oci_process *process) ERR_MUST_USE;

/* A hooks object of its own (of the state). */
struct err *oci_read_hooks(const json_t *doc, struct pool *p, struct oci_hooks *h) ERR_MUST_USE;
/* A resources object of its own (update --resources). */
struct err *oci_read_resources(const json_t *doc, struct pool *p, struct oci_resources *r) ERR_MUST_USE;

/* oci_check.c: the meaning.  prefix is put before each place ("process."). */
struct err *oci_check(const struct oci_spec *s) ERR_MUST_USE;
struct err *oci_check_process(const struct oci_process *p, const char *prefix) ERR_MUST_USE;

#endif
