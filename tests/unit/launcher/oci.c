/*
 * oci.c - config.json broken in every field in turn: each gives exactly one
 * line that names the place.
 * links: launcher/seccomp.c launcher/oci.c launcher/oci_check.c launcher/json_read.c launcher/mounts.c launcher/names.c launcher/pool.c
 */
#include "launcher/oci.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char good[] =
	"{'ociVersion': '1.0.2',"
	" 'process': {'terminal': false, 'consoleSize': {'height': 25, 'width': 80},"
	"  'user': {'uid': 1, 'gid': 2, 'umask': 18, 'additionalGids': [3, 4]},"
	"  'args': ['/bin/sh', '-c', 'exit'], 'env': ['A=b', 'C='], 'cwd': '/tmp',"
	"  'capabilities': {'bounding': ['CAP_KILL'], 'effective': ['CAP_KILL'], 'inheritable': [], 'permitted': ['CAP_KILL'], 'ambient': []},"
	"  'rlimits': [{'type': 'RLIMIT_NOFILE', 'soft': 10, 'hard': 20}, {'type': 'RLIMIT_CORE', 'soft': 0, 'hard': 0}],"
	"  'noNewPrivileges': true, 'oomScoreAdj': -5, 'apparmorProfile': '', 'selinuxLabel': ''},"
	" 'root': {'path': 'rootfs', 'readonly': true},"
	" 'hostname': 'h', 'domainname': 'd',"
	" 'mounts': [{'destination': '/proc', 'type': 'proc', 'source': 'proc'},"
	"  {'destination': '/data', 'type': 'bind', 'source': '/srv', 'options': ['rbind', 'ro', 'nosuid']},"
	"  {'destination': '/tmp', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['size=1m', 'mode=1777']}],"
	" 'linux': {'namespaces': [{'type': 'pid'}, {'type': 'mount'}],"
	"  'uidMappings': [{'containerID': 0, 'hostID': 1000, 'size': 1}],"
	"  'maskedPaths': ['/proc/kcore'], 'readonlyPaths': ['/proc/sys'], 'sysctl': {'kernel.domainname': 'x'},"
	"  'resources': {'memory': {'limit': 1048576}, 'cpu': {'cpus': '0-1'}}, 'cgroupsPath': '/x'},"
	" 'annotations': {'a.b': 'c'}}";

/* The good document with the value at path (member names and indices, parted
 * by '/') replaced by `value`, or removed if that is NULL. */
static json_t *broken(const char *path, const char *value)
{
	json_t *doc = NULL, *at;
	char *text = strdup(good), *steps = strdup(path), *save = NULL, *step, *next;

	for (char *p = text; *p; p++) {
		if (*p == '\'')
			*p = '"';
	}
	doc = at = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(doc);
	for (step = strtok_r(steps, "/", &save); (next = strtok_r(NULL, "/", &save)); step = next) {
		at = json_is_array(at) ? json_array_get(at, (size_t)atoi(step)) : json_object_get(at, step);
		ck_assert_msg(at != NULL, "no %s in %s", step, path);
	}
	if (step) {
		json_t *new = NULL;

		if (value) {
			char *v = strdup(value);

			for (char *p = v; *p; p++) {
				if (*p == '\'')
					*p = '"';
			}
			new = json_loads(v, JSON_DECODE_ANY, NULL);
			ck_assert_msg(new != NULL, "%s", value);
			free(v);
		}
		if (json_is_array(at))
			json_array_set_new(at, (size_t)atoi(step), new);
		else if (new)
			json_object_set_new(at, step, new);
		else
			json_object_del(at, step);
	}
	free(text);
	free(steps);
	return doc;
}

static struct err *read_doc(json_t *doc, struct oci_spec *s, struct pool *p)
{
	memset(s, 0, sizeof(*s));
	return oci_read(doc, p, s);
}

static const struct {
	const char *path, *value, *error;
} cases[] = {
	/* missing */
	{ "ociVersion", NULL, "ociVersion: is missing" },
	{ "process", NULL, "process: is missing" },
	{ "process/args", NULL, "process.args: is missing" },
	{ "process/cwd", NULL, "process.cwd: is missing" },
	{ "root", NULL, "root: is missing" },
	{ "root", "null", "root: is missing" },
	{ "root/path", NULL, "root.path: is missing" },
	{ "mounts/0/destination", NULL, "mounts[0].destination: is missing" },
	{ "mounts/0/type", NULL, "mounts[0].type: is missing, and no option says bind" },
	{ "mounts/1/source", NULL, "mounts[1].source: is missing, a bind mount needs one" },
	{ "process/rlimits/0/type", NULL, "process.rlimits[0].type: is missing" },
	{ "process/rlimits/0/soft", NULL, "process.rlimits[0].soft: is missing" },
	{ "process/rlimits/1/hard", NULL, "process.rlimits[1].hard: is missing" },
	{ "linux/namespaces/1/type", NULL, "linux.namespaces[1].type: is missing" },
	{ "linux/uidMappings/0/size", NULL, "linux.uidMappings[0].size: is missing" },
	/* wrong types */
	{ "ociVersion", "1", "ociVersion: is an integer, must be a string" },
	{ "process", "[]", "process: is a list, must be an object" },
	{ "process/terminal", "'yes'", "process.terminal: is a string, must be a boolean" },
	{ "process/consoleSize", "5", "process.consoleSize: is an integer, must be an object" },
	{ "process/consoleSize/height", "1.5", "process.consoleSize.height: is a fraction, must be an integer" },
	{ "process/user", "'root'", "process.user: is a string, must be an object" },
	{ "process/user/uid", "'0'", "process.user.uid: is a string, must be an integer" },
	{ "process/user/additionalGids", "{}", "process.user.additionalGids: is an object, must be a list" },
	{ "process/user/additionalGids/1", "'x'", "process.user.additionalGids[1]: is a string, must be an integer" },
	{ "process/args", "'/bin/sh'", "process.args: is a string, must be a list" },
	{ "process/args/1", "7", "process.args[1]: is an integer, must be a string" },
	{ "process/env", "{'A': 'b'}", "process.env: is an object, must be a list" },
	{ "process/env/0", "true", "process.env[0]: is a boolean, must be a string" },
	{ "process/cwd", "{}", "process.cwd: is an object, must be a string" },
	{ "process/capabilities", "['CAP_KILL']", "process.capabilities: is a list, must be an object" },
	{ "process/capabilities/bounding", "'CAP_KILL'", "process.capabilities.bounding: is a string, must be a list" },
	{ "process/rlimits", "{}", "process.rlimits: is an object, must be a list" },
	{ "process/rlimits/0", "7", "process.rlimits[0]: is an integer, must be an object" },
	{ "process/rlimits/1/soft", "'x'", "process.rlimits[1].soft: is a string, must be an integer" },
	{ "process/noNewPrivileges", "1", "process.noNewPrivileges: is an integer, must be a boolean" },
	{ "process/oomScoreAdj", "'x'", "process.oomScoreAdj: is a string, must be an integer" },
	{ "process/apparmorProfile", "1", "process.apparmorProfile: is an integer, must be a string" },
	{ "process/selinuxLabel", "1", "process.selinuxLabel: is an integer, must be a string" },
	{ "root", "'rootfs'", "root: is a string, must be an object" },
	{ "root/path", "[]", "root.path: is a list, must be a string" },
	{ "root/readonly", "'true'", "root.readonly: is a string, must be a boolean" },
	{ "hostname", "[]", "hostname: is a list, must be a string" },
	{ "domainname", "1", "domainname: is an integer, must be a string" },
	{ "mounts", "{}", "mounts: is an object, must be a list" },
	{ "mounts/1", "'x'", "mounts[1]: is a string, must be an object" },
	{ "mounts/1/options", "'ro'", "mounts[1].options: is a string, must be a list" },
	{ "mounts/1/options/2", "1", "mounts[1].options[2]: is an integer, must be a string" },
	{ "mounts/0/type", "1", "mounts[0].type: is an integer, must be a string" },
	{ "hooks", "[]", "hooks: is a list, must be an object" },
	{ "linux", "[]", "linux: is a list, must be an object" },
	{ "linux/namespaces", "{}", "linux.namespaces: is an object, must be a list" },
	{ "linux/namespaces/0", "'pid'", "linux.namespaces[0]: is a string, must be an object" },
	{ "linux/maskedPaths", "'x'", "linux.maskedPaths: is a string, must be a list" },
	{ "linux/readonlyPaths/0", "1", "linux.readonlyPaths[0]: is an integer, must be a string" },
	{ "linux/sysctl", "[]", "linux.sysctl: is a list, must be an object" },
	{ "linux/sysctl/kernel.domainname", "1", "linux.sysctl.kernel.domainname: is an integer, must be a string" },
	{ "linux/resources", "1", "linux.resources: is an integer, must be an object" },
	{ "linux/resources/memory/limit", "'1g'", "linux.resources.memory.limit: is a string, must be an integer" },
	{ "linux/resources/cpu/cpus", "2", "linux.resources.cpu.cpus: is an integer, must be a string" },
	{ "linux/cgroupsPath", "1", "linux.cgroupsPath: is an integer, must be a string" },
	{ "annotations", "[]", "annotations: is a list, must be an object" },
	{ "annotations/a.b", "1", "annotations.a.b: is an integer, must be a string" },
	/* ranges */
	{ "process/consoleSize/width", "65536", "process.consoleSize.width: is 65536, at most 65535 is allowed" },
	{ "process/user/uid", "-1", "process.user.uid: is negative" },
	{ "process/user/uid", "4294967295", "process.user.uid: is 4294967295, at most 4294967294 is allowed" },
	{ "process/user/gid", "99999999999", "process.user.gid: is 99999999999, at most 4294967294 is allowed" },
	{ "process/user/umask", "512", "process.user.umask: is 512, at most 511 is allowed" },
	{ "process/user/additionalGids/0", "-3", "process.user.additionalGids[0]: is negative" },
	{ "process/rlimits/0/soft", "-1", "process.rlimits[0].soft: is negative" },
	{ "process/oomScoreAdj", "1001", "process.oomScoreAdj: is 1001, must be from -1000 to 1000" },
	{ "process/oomScoreAdj", "-1001", "process.oomScoreAdj: is -1001, must be from -1000 to 1000" },
	{ "linux/resources/memory/limit", "-2", "linux.resources.memory.limit: is -2, must be from -1 to 9223372036854775807" },
	/* meaning */
	{ "ociVersion", "''", "ociVersion: is empty" },
	{ "ociVersion", "'2.0.0'", "ociVersion: '2.0.0' is not supported, 1.x is" },
	{ "process/args", "[]", "process.args: is empty" },
	{ "process/args/0", "''", "process.args[0]: is empty" },
	{ "process/args/0", "'a\\u0000b'", NULL },
	{ "process/env/1", "'C'", "process.env[1]: 'C' is not NAME=VALUE" },
	{ "process/env/1", "'=x'", "process.env[1]: '=x' is not NAME=VALUE" },
	{ "process/cwd", "'tmp'", "process.cwd: 'tmp' is not an absolute path" },
	{ "process/cwd", "''", "process.cwd: is empty" },
	{ "process/capabilities/effective/0", "'CAP_FLY'", "process.capabilities.effective[0]: unknown capability 'CAP_FLY'" },
	{ "process/rlimits/0/type", "'RLIMIT_FUN'", "process.rlimits[0].type: unknown resource limit 'RLIMIT_FUN'" },
	{ "process/rlimits/0/type", "'NOFILE'", "process.rlimits[0].type: unknown resource limit 'NOFILE'" },
	{ "process/rlimits/1/type", "'RLIMIT_NOFILE'", "process.rlimits[1].type: 'RLIMIT_NOFILE' is given twice" },
	{ "process/rlimits/0/soft", "21", "process.rlimits[0].soft: 21 is above the hard limit 20" },
	{ "root/path", "''", "root.path: is empty" },
	{ "mounts/0/destination", "'proc'", "mounts[0].destination: 'proc' is not an absolute path" },
	{ "mounts/0/destination", "'/'", "mounts[0].destination: '/' is the root, see root.path" },
	{ "mounts/0/type", "'foo'", "mounts[0].type: unknown file system 'foo'" },
	{ "mounts/0/type", "'gofer'", "mounts[0].type: unknown file system 'gofer'" },
	{ "mounts/1/options/2", "'size=1'", "mounts[1].options[2]: unknown option 'size=1' of a bind mount" },
	{ "mounts/2/options/0", "'sice=1'", "mounts[2].options[0]: unknown option 'sice=1' of a tmpfs mount" },
	{ "mounts/2/options/0", "'size=1,mode=0'", "mounts[2].options[0]: unknown option 'size=1,mode=0' of a tmpfs mount" },
	{ "mounts/1/uidMappings", "[{'containerID': 0, 'hostID': 1, 'size': 1}]", "mounts[1].gidMappings: is missing, uidMappings is given" },
	{ "mounts/1/uidMappings", "[{'containerID': 0, 'size': 1}]", "mounts[1].uidMappings[0].hostID: is missing" },
	{ "hooks", "{'poststop': [{'path': '/x'}, {'path': 'y'}]}", "hooks.poststop[1].path: 'y' is not an absolute path" },
	{ "hooks", "{'prestart': [{'path': '/x', 'timeout': 0}]}", "hooks.prestart[0].timeout: is 0, must be from 1 to 86400" },
	{ "hooks", "{'prestart': [{'args': ['x']}]}", "hooks.prestart[0].path: is missing" },
	{ "linux", "{'namespaces': [{'type': 'mount', 'path': '/proc/1/ns/mnt'}]}", "linux.namespaces[0].path: joining a namespace is not supported" },
	{ "hooks", "{'prestart': [{}]}", "hooks.prestart[0].path: is missing" },
	{ "linux/namespaces/0/type", "'mnt'", "linux.namespaces[0].type: unknown namespace 'mnt'" },
	{ "linux/namespaces/0/type", "'mount'", "linux.namespaces[1].type: 'mount' is given twice" },
	{ "linux/namespaces/1/path", "'/proc/1/ns/mnt'", "linux.namespaces[1].path: joining a namespace is not supported" },
	{ "linux/maskedPaths/0", "'proc'", "linux.maskedPaths[0]: 'proc' is not an absolute path" },
	{ "linux/readonlyPaths/0", "'./x'", "linux.readonlyPaths[0]: './x' is not an absolute path" },
	{ "linux/sysctl", "{'../x': '1'}", "linux.sysctl.../x: is not a sysctl's name" },
	{ "linux/sysctl", "{'vm.swappiness': '1'}", "linux.sysctl.vm.swappiness: is not in a separate kernel namespace" },
	{ "linux/personality", "{'domain': 'BSD'}", "linux.personality.domain: unknown domain 'BSD'" },
	{ "linux/personality", "{'domain': 'LINUX', 'flags': ['x']}", "linux.personality.flags: none is known" },
	{ "linux/rootfsPropagation", "'open'", "linux.rootfsPropagation: unknown propagation 'open'" },
	{ "linux/devices", "[{'path': 'x', 'type': 'c', 'major': 1, 'minor': 3}]", "linux.devices[0].path: 'x' is not an absolute path" },
	{ "linux/devices", "[{'path': '/x', 'type': 'q'}]", "linux.devices[0].type: 'q' is none of b, c, u, p" },
	{ "linux/devices", "[{'path': '/x', 'type': 'c', 'major': -1}]", "linux.devices[0].major: a device has one of 0 and above" },
	{ "process/scheduler", "{}", "process.scheduler.policy: is missing" },
	{ "process/scheduler", "{'policy': 'SCHED_X'}", "process.scheduler.policy: unknown policy 'SCHED_X'" },
	{ "process/scheduler", "{'policy': 'SCHED_DEADLINE', 'runtime': 1}",
		"process.scheduler.policy: SCHED_DEADLINE is not supported: its processes cannot make others" },
	{ "process/scheduler", "{'policy': 'SCHED_RR'}", "process.scheduler.priority: must be 1 to 99 for SCHED_RR" },
	{ "process/scheduler", "{'policy': 'SCHED_OTHER', 'nice': 20}", "process.scheduler.nice: is 20, must be from -20 to 19" },
	{ "process/scheduler", "{'policy': 'SCHED_OTHER', 'flags': ['SCHED_FLAG_RECLAIM']}",
		"process.scheduler.flags[0]: 'SCHED_FLAG_RECLAIM' is not supported" },
	{ "process/ioPriority", "{'class': 'IOPRIO_CLASS_X', 'priority': 1}", "process.ioPriority.class: unknown class 'IOPRIO_CLASS_X'" },
	{ "process/ioPriority", "{'class': 'IOPRIO_CLASS_BE', 'priority': 8}", "process.ioPriority.priority: is 8, must be from 0 to 7" },
	{ "mounts/2/type", "'overlay'", "mounts[2].options[0]: unknown option 'size=1m' of an overlay mount" },
	{ "mounts/2/options/0", "'idmap'", "mounts[2]: mapped ids are for a bind mount" },
	{ "mounts/0/options", "['tmpcopyup']", "mounts[0].options: tmpcopyup is for a tmpfs" },
	{ "linux/seccomp", "{}", "linux.seccomp.defaultAction: is missing" },
	{ "linux/seccomp", "{'defaultAction': 'SCMP_ACT_X'}", "linux.seccomp.defaultAction: unknown action 'SCMP_ACT_X'" },
	{ "linux/seccomp", "{'defaultAction': 'SCMP_ACT_ALLOW', 'flags': ['X']}", "linux.seccomp.flags[0]: unknown flag 'X'" },
	{ "linux/seccomp", "{'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['SCMP_ARCH_VAX']}",
		"linux.seccomp.architectures[0]: unknown architecture 'SCMP_ARCH_VAX'" },
	{ "linux/seccomp", "{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['chmod'], 'action': 'SCMP_ACT_NOTIFY'}]}",
		"linux.seccomp.syscalls[0].action: SCMP_ACT_NOTIFY is not supported: no agent outside can answer the calls" },
	{ "linux/seccomp", "{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['chmod'], 'action': 'SCMP_ACT_LOG', 'args': [{'index': 6, 'op': 'SCMP_CMP_EQ'}]}]}",
		"linux.seccomp.syscalls[0].args[0].index: is 6, at most 5 is allowed" },
	{ "linux/seccomp", "{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['chmod'], 'action': 'SCMP_ACT_LOG', 'args': [{'index': 1, 'op': '='}]}]}",
		"linux.seccomp.syscalls[0].args[0].op: unknown operator '='" },
	{ "linux/timeOffsets", "{}", "linux.timeOffsets: linux.namespaces has no time namespace that they are for" },
	{ "linux/intelRdt", "{}", "linux.intelRdt: is not supported" },
	{ "windows", "{}", "windows: not a configuration for Linux containers" },
};

START_TEST(each_broken_field_is_named)
{
	struct oci_spec s;
	struct pool p = { 0 };
	json_t *doc;
	struct err *e;

	if (!cases[_i].error)
		return; /* cannot even be written as such a document */
	doc = broken(cases[_i].path, cases[_i].value);
	e = read_doc(doc, &s, &p);
	ck_assert_msg(e != NULL, "%s = %s was accepted", cases[_i].path, cases[_i].value);
	ck_assert_str_eq(err_text(e), cases[_i].error);
	ck_assert_ptr_null(strchr(err_text(e), '\n'));
	err_free(e);
	json_decref(doc);
	pool_free(&p);
}
END_TEST

static const struct {
	const char *path;
	size_t length;
	const char *error;
} long_cases[] = {
	{ "hostname", 65, "hostname: is 65 bytes long, at most 64 are allowed" },
	{ "domainname", 100, "domainname: is 100 bytes long, at most 64 are allowed" },
	{ "process/cwd", 4096, "process.cwd: is 4096 bytes long, at most 4095 are allowed" },
	{ "root/path", 5000, "root.path: is 5000 bytes long, at most 4095 are allowed" },
	{ "mounts/0/destination", 4096, "mounts[0].destination: is 4096 bytes long, at most 4095 are allowed" },
	{ "mounts/1/source", 4096, "mounts[1].source: is 4096 bytes long, at most 4095 are allowed" },
	{ "process/args/2", 131073, "process.args[2]: is 131073 bytes long, at most 131072 are allowed" },
	{ "process/env/0", 131073, "process.env[0]: is 131073 bytes long, at most 131072 are allowed" },
	{ "process/capabilities/permitted/0", 65, "process.capabilities.permitted[0]: is 65 bytes long, at most 64 are allowed" },
};

START_TEST(too_long_is_named)
{
	char *value = malloc(long_cases[_i].length + 3);
	struct oci_spec s;
	struct pool p = { 0 };
	json_t *doc;
	struct err *e;

	memset(value, 'x', long_cases[_i].length + 2);
	value[0] = value[long_cases[_i].length + 1] = '\'';
	value[1] = '/';
	value[long_cases[_i].length + 2] = 0;
	doc = broken(long_cases[_i].path, value);
	e = read_doc(doc, &s, &p);
	ck_assert_ptr_nonnull(e);
	ck_assert_str_eq(err_text(e), long_cases[_i].error);
	err_free(e);
	json_decref(doc);
	pool_free(&p);
	free(value);
}
END_TEST

START_TEST(good_is_read)
{
	struct oci_spec s;
	struct pool p = { 0 };
	json_t *doc = broken("", NULL);
	struct err *e = read_doc(doc, &s, &p);

	ck_assert_msg(!e, "%s", e ? err_text(e) : "");
	ck_assert_uint_eq(s.process->user->uid, 1);
	ck_assert_uint_eq(s.process->user->gids.v[1], 4);
	ck_assert_uint_eq(s.process->args.n, 3);
	ck_assert_str_eq(s.process->args.v[2], "exit");
	ck_assert_int_eq(s.process->oom_score_adj, -5);
	ck_assert_uint_eq(s.process->rlimits.v[0].hard, 20);
	ck_assert(s.root->readonly);
	ck_assert_uint_eq(s.mounts.n, 3);
	ck_assert_str_eq(s.linux_->sysctl.v[0].name, "kernel.domainname");
	ck_assert_int_eq(s.linux_->resources->memory->limit, 1048576);
	json_decref(doc);
	pool_free(&p);
}
END_TEST

static struct err *load_text(const char *text, json_t **doc)
{
	FILE *f = tmpfile();
	struct err *e;

	fputs(text, f);
	rewind(f);
	e = json_load_fd(fileno(f), doc);
	fclose(f);
	return e;
}

START_TEST(unlimited_rlimits)
{
	struct oci_spec s = { 0 };
	struct pool p = { 0 };
	json_t *doc = NULL;
	struct err *e = load_text("{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"user\":{\"uid\":12},"
				  "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":18446744073709551615,\"hard\":18446744073709551615}]}}", &doc);

	ck_assert_ptr_null(e);
	ck_assert_ptr_null(oci_read(doc, &p, &s));
	ck_assert(s.process->rlimits.v[0].soft == UINT64_MAX);
	ck_assert_uint_eq(s.process->user->uid, 12);
	json_decref(doc);
	pool_free(&p);
}
END_TEST

START_TEST(not_json)
{
	static const char *const texts[] = { "", "{", "{\"a\":1,\"a\":2}", "{\"a\": \"\xff\"}", "[1,2", "nul", "{\"a\":1} x" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *doc = NULL;
		struct err *e = load_text(texts[i], &doc);

		ck_assert_msg(e != NULL, "'%s' was accepted", texts[i]);
		ck_assert_ptr_nonnull(strstr(err_text(e), "not valid JSON: line "));
		err_free(e);
	}
}
END_TEST

START_TEST(a_document_that_is_no_object)
{
	struct oci_spec s = { 0 };
	struct pool p = { 0 };
	json_t *doc = json_array();
	struct err *e = oci_read(doc, &p, &s);

	ck_assert_str_eq(err_text(e), "is a list, must be an object");
	err_free(e);
	json_decref(doc);
	pool_free(&p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("launcher/oci");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, each_broken_field_is_named, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_loop_test(t, too_long_is_named, 0, sizeof(long_cases) / sizeof(long_cases[0]));
	tcase_add_test(t, good_is_read);
	tcase_add_test(t, unlimited_rlimits);
	tcase_add_test(t, not_json);
	tcase_add_test(t, a_document_that_is_no_object);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
