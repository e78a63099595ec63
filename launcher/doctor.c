/*
 * doctor.c - see doctor.h.
 */
#include "doctor.h"

#include "cgroup.h"
#include "program.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(struct finding *f, enum health health, const char *what, const char *advice)
{
	*f = (struct finding){ health, what, advice };
}

/* A file's first line without its end; NULL: there is none. */
static const char *line_of(const char *path, struct pool *p)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buf[4096];
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	if (n < 0)
		return NULL;
	buf[n] = 0;
	buf[strcspn(buf, "\n")] = 0;
	return pool_strdup(p, buf);
}

static long number_of(const char *path, struct pool *p, long otherwise)
{
	const char *line = line_of(path, p);

	return line && *line ? strtol(line, NULL, 10) : otherwise;
}

/* Runs fn in a child of its own: its errno, 0 if it worked. */
static int in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(fn() ? errno : 0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

/* --- the kernel ----------------------------------------------------------------------- */

static void look_kernel(const char *root, struct pool *p, struct finding *f)
{
	unsigned major = 0, minor = 0;
	struct utsname u;

	uname(&u);
	sscanf(u.release, "%u.%u", &major, &minor);
	if (strcmp(u.machine, "x86_64"))
		tell(f, ILL, pool_printf(p, "%s", u.machine), "Redoubt runs on x86_64 only");
	else if (major < 5 || (major == 5 && minor < 6))
		tell(f, ILL, pool_printf(p, "Linux %s", u.release), "5.6 is needed (openat2, pidfd_getfd)");
	else if (major == 5 && minor < 12)
		tell(f, POOR, pool_printf(p, "Linux %s", u.release), "before 5.12 binds cannot be made read-only below the gofer, and before 5.10 there is no systrap");
	else
		tell(f, HEALTHY, pool_printf(p, "Linux %s", u.release), "");
}

static int enter_user_ns(void)
{
	return unshare(CLONE_NEWUSER);
}

static void look_user_ns(const char *root, struct pool *p, struct finding *f)
{
	int error = in_child(enter_user_ns);

	if (!error)
		tell(f, HEALTHY, "can be made", "");
	else if (!number_of("/proc/sys/user/max_user_namespaces", p, 1))
		tell(f, ILL, "none may be made", "sysctl user.max_user_namespaces=15000");
	else if (!number_of("/proc/sys/kernel/unprivileged_userns_clone", p, 1))
		tell(f, ILL, "not for ordinary users", "sysctl kernel.unprivileged_userns_clone=1");
	else if (number_of("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", p, 0))
		tell(f, ILL, "AppArmor forbids them", "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or a profile for the launcher");
	else
		tell(f, ILL, strerror(error), "a container that runs this one may forbid them");
}

static int be_traced(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? -1 : 0;
}

static void look_ptrace(const char *root, struct pool *p, struct finding *f)
{
	long scope = number_of("/proc/sys/kernel/yama/ptrace_scope", p, 0);
	int error = in_child(be_traced);

	if (scope >= 3)
		tell(f, ILL, "kernel.yama.ptrace_scope is 3: nobody may trace", "it can be lowered only by booting with another value");
	else if (scope == 2 && geteuid())
		tell(f, ILL, "kernel.yama.ptrace_scope is 2: only root may trace", "sysctl kernel.yama.ptrace_scope=1");
	else if (error)
		tell(f, ILL, strerror(error), "a seccomp filter around us may forbid it");
	else
		tell(f, HEALTHY, pool_printf(p, "allowed (yama scope %ld)", scope), "");
}

static void look_seccomp(const char *root, struct pool *p, struct finding *f)
{
	const char *actions = line_of("/proc/sys/kernel/seccomp/actions_avail", p);

	if (!actions || !strstr(actions, "kill_process") || !strstr(actions, "trap"))
		tell(f, ILL, actions ? actions : "not in this kernel", "a kernel with CONFIG_SECCOMP_FILTER is needed");
	else if (!strstr(actions, "user_notif"))
		tell(f, POOR, "no user notification", "systrap needs it; ptrace works");
	else
		tell(f, HEALTHY, "filters, traps, notifications", "");
}

static void look_memory(const char *root, struct pool *p, struct finding *f)
{
	_cleanup_close_ int fd = memfd_create("redoubt-doctor", MFD_CLOEXEC);
	const off_t size = (off_t)1 << 40;
	void *at = fd < 0 || ftruncate(fd, size) ? MAP_FAILED : mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);

	if (at == MAP_FAILED) {
		tell(f, ILL, pool_printf(p, "1 TiB of address space cannot be mapped: %s", strerror(errno)),
			"no limit on address space (ulimit -v), and sysctl vm.overcommit_memory below 2");
		return;
	}
	munmap(at, (size_t)size);
	if (number_of("/proc/sys/vm/max_map_count", p, 65530) < 65530)
		tell(f, POOR, "vm.max_map_count is low", "sysctl vm.max_map_count=65530: large programs need many mappings");
	else
		tell(f, HEALTHY, "address space and mappings", "");
}

/* --- limits and cgroups ---------------------------------------------------------------- */

static void look_limits(const char *root, struct pool *p, struct finding *f)
{
	struct rlimit files, processes;

	getrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_NPROC, &processes);
	if (files.rlim_max < 512)
		tell(f, ILL, pool_printf(p, "at most %llu open files", (unsigned long long)files.rlim_max), "ulimit -n 65536");
	else if (files.rlim_max < 16384)
		tell(f, POOR, pool_printf(p, "at most %llu open files", (unsigned long long)files.rlim_max), "ulimit -n 65536: programs with many files need it");
	else if (geteuid() && processes.rlim_max < 1024)
		tell(f, POOR, pool_printf(p, "at most %llu processes", (unsigned long long)processes.rlim_max), "ulimit -u 4096: each thread inside is one of the host's");
	else
		tell(f, HEALTHY, pool_printf(p, "%llu open files", (unsigned long long)files.rlim_max), "");
}

static void look_cgroups(const char *root, struct pool *p, struct finding *f)
{
	static const char *const wanted[] = { "memory", "cpu", "pids" };
	struct cgroup g = { 0 };
	struct err *e = cgroup_find("/redoubt-doctor", "doctor", NULL, p, &g);
	const char *missing = "";
	char *above;

	if (e || !g.dirs.n) {
		tell(f, POOR, e ? pool_strdup(p, err_text(e)) : "none are mounted", "containers run without limits on the host");
		err_free(e);
		return;
	}
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (!cgroup_dir(&g, wanted[i]))
			missing = pool_printf(p, "%s %s", missing, wanted[i]);
	}
	above = pool_strdup(p, g.dirs.v[0].value);
	*strrchr(above, '/') = 0;
	if (*missing)
		tell(f, POOR, pool_printf(p, "no controller%s", missing), "such limits in a configuration are refused");
	else if (access(above, W_OK))
		tell(f, POOR, pool_printf(p, "%s, not ours to change", cgroup_is_v2(&g) ? "v2" : "v1"), "containers run without limits on the host; an ordinary user needs a delegated cgroup");
	else
		tell(f, HEALTHY, cgroup_is_v2(&g) ? "v2" : "v1", "");
}

/* --- the user, the files ------------------------------------------------------------------ */

static bool has_range(const char *path, const char *user, struct pool *p)
{
	FILE *f = fopen(path, "re");
	char line[512];
	bool found = false;
	const char *by_number = pool_printf(p, "%u:", geteuid()), *by_name = user ? pool_printf(p, "%s:", user) : by_number;

	while (f && fgets(line, sizeof(line), f))
		found |= !strncmp(line, by_name, strlen(by_name)) || !strncmp(line, by_number, strlen(by_number));
	if (f)
		fclose(f);
	return found;
}

static bool on_path(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/usr/bin/%s", name);
	return !access(path, X_OK);
}

static void look_ids(const char *root, struct pool *p, struct finding *f)
{
	const char *user = getenv("USER");

	if (!geteuid())
		tell(f, HEALTHY, "root", "");
	else if (!on_path("newuidmap") || !on_path("newgidmap"))
		tell(f, POOR, "newuidmap and newgidmap are not installed", "apt install uidmap: without them a container has one id only");
	else if (!has_range("/etc/subuid", user, p) || !has_range("/etc/subgid", user, p))
		tell(f, POOR, "no range in /etc/subuid and /etc/subgid", "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER");
	else
		tell(f, HEALTHY, "a range of subordinate ids", "");
}

static void look_state(const char *root, struct pool *p, struct finding *f)
{
	char *parent = pool_strdup(p, root), *slash = strrchr(parent, '/');
	struct stat st;

	if (!stat(root, &st) && (!S_ISDIR(st.st_mode) || st.st_mode & 0022 || (st.st_uid && st.st_uid != geteuid()))) {
		tell(f, ILL, pool_printf(p, "%s is not a directory of ours alone", root), "remove it, or give another with --root");
		return;
	}
	if (slash && slash > parent)
		*slash = 0;
	if (access(access(root, F_OK) ? parent : root, W_OK))
		tell(f, ILL, pool_printf(p, "%s cannot be written: %s", root, strerror(errno)), "set XDG_RUNTIME_DIR, or give another with --root");
	else
		tell(f, HEALTHY, root, "");
}

static void look_programs(const char *root, struct pool *p, struct finding *f)
{
	static const char *const names[] = { "controld", "gofer", "sentry" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *path;
		struct err *e = program_find(names[i], p, &path);

		if (e) {
			tell(f, ILL, pool_strdup(p, err_text(e)), "build or install all of it: make, or make install");
			err_free(e);
			return;
		}
	}
	tell(f, HEALTHY, "controld, gofer, sentry", "");
}

/* --- engines ------------------------------------------------------------------------------- */

static bool mentions_us(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buf[65536];
	ssize_t n = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);

	return n > 0 && memmem(buf, (size_t)n, "redoubt", 7);
}

static void look_engines(const char *root, struct pool *p, struct finding *f)
{
	static const struct {
		const char *name, *program, *config;
	} engines[] = {
		{ "podman", "/usr/bin/podman", "/etc/containers/containers.conf.d/redoubt.conf" },
		{ "containerd", "/usr/bin/containerd", "/etc/containerd/config.toml" },
		{ "docker", "/usr/sbin/dockerd", "/etc/docker/daemon.json" },
	};
	const char *what = "", *advice = "";

	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
		if (access(engines[i].program, X_OK))
			continue;
		bool known = mentions_us(engines[i].config);

		what = pool_printf(p, "%s%s%s %s", what, *what ? ", " : "", engines[i].name, known ? "is configured" : "is not configured");
		if (!known)
			advice = "to use redoubt from an engine: redoubt install --engine NAME (or podman's --runtime PATH)";
	}
	tell(f, *advice ? POOR : HEALTHY, *what ? what : "none is installed", advice);
}

static const struct doctor_check checks[] = {
	{ "kernel", look_kernel }, { "user namespaces", look_user_ns }, { "ptrace", look_ptrace }, { "seccomp", look_seccomp },
	{ "memory", look_memory }, { "limits", look_limits }, { "cgroups", look_cgroups }, { "user ids", look_ids },
	{ "state directory", look_state }, { "programs", look_programs }, { "engines", look_engines },
};

const struct doctor_check *doctor_check(size_t i)
{
	return i < sizeof(checks) / sizeof(checks[0]) ? &checks[i] : NULL;
}
