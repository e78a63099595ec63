/*
 * audit.c - see audit.h.  Reads /proc only; a process that ends meanwhile shows
 * as what could not be read.
 */
#include "audit.h"
#include "program.h"

#include "libipc/confine.h"
#include "libipc/fd.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* --- the printed policy -------------------------------------------------------------- */

/* Standard output of COMPONENT --print-policy; the caller closes it and reaps *pid. */
static struct err *print_policy(const char *component, const char *option, struct pool *p, FILE **out, pid_t *pid)
{
	char *argv[] = { pool_strdup(p, component), "--print-policy", option ? pool_strdup(p, option) : NULL, NULL };
	posix_spawn_file_actions_t actions;
	const char *path;
	int ends[2], r;
	struct err *e = program_find(component, p, &path);

	if (e)
		return e;
	if (pipe2(ends, O_CLOEXEC))
		return err_new(errno, "pipe");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	r = posix_spawn(pid, path, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	*out = r ? NULL : fdopen(ends[0], "r");
	if (*out)
		return NULL;
	close(ends[0]);
	return err_new(r ? r : errno, "%s", path);
}

static void policy_words(char *words, void (*one)(struct audit_policy *, const char *), struct audit_policy *out)
{
	char *save;

	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
		one(out, w);
}

static void add_namespace(struct audit_policy *out, const char *name)
{
	for (const struct confine_namespace *n = confine_namespace_names; n->name; n++)
		if (!strcmp(n->name, name))
			out->namespaces |= n->flag;
}

static void add_cap(struct audit_policy *out, const char *name)
{
	cap_value_t cap;

	if (!cap_from_name(name, &cap))
		out->caps |= UINT64_C(1) << cap;
}

static void policy_line(struct audit_policy *out, char *line)
{
	char *rest = strchr(line, ' ');
	int nr;

	if (!rest || *line == '#')
		return;
	*rest++ = 0;
	if (!strcmp(line, "user")) {
		out->nobody = !strncmp(rest, "65534", 5);
	} else if (!strcmp(line, "root")) {
		out->empty_root = !strncmp(rest, "empty", 5);
	} else if (!strcmp(line, "namespaces")) {
		policy_words(rest, add_namespace, out);
	} else if (!strcmp(line, "capabilities")) {
		policy_words(rest, add_cap, out);
	} else if (!strcmp(line, "allow") || !strncmp(line, "refuse(", 7)) {
		rest[strcspn(rest, " ")] = 0;
		if ((nr = audit_call_number(rest)) >= 0)
			(*line == 'a' ? out->allowed : out->refused)[nr] = true;
	}
}

struct err *audit_policy_read(const char *component, const char *option, struct pool *p, struct audit_policy *out)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	int status;
	ssize_t n;
	pid_t pid;
	FILE *f = NULL;
	struct err *e = print_policy(component, option, p, &f, &pid);

	if (e)
		return e;
	memset(out, 0, sizeof(*out));
	while ((n = getline(&line, &size, f)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		policy_line(out, line);
	}
	fclose(f);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status ? err_new(0, "%s --print-policy failed", component) : NULL;
}

/* --- /proc ------------------------------------------------------------------------- */

enum verdict { GOOD, BAD, HIDDEN };

static __attribute__((format(printf, 4, 5))) void say(struct audit *a, enum verdict v, const char *what, const char *fmt, ...)
{
	static const char *const words[] = { [GOOD] = "ok", [BAD] = "NOT OK", [HIDDEN] = "not shown" };
	va_list ap;

	(*(v == GOOD ? &a->good : v == BAD ? &a->bad : &a->hidden))++;
	printf("  %-10s %-13s ", words[v], what);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* The whole file, or NULL; pool memory. */
static char *proc_text(struct audit *a, pid_t pid, const char *name)
{
	_cleanup_close_ int fd = open(pool_printf(a->pool, "/proc/%d/%s", pid, name), O_RDONLY | O_CLOEXEC);
	enum { MAX = 1 << 16 };
	char *text = pool_alloc(a->pool, MAX + 1);
	size_t len = 0;
	ssize_t n = 1;

	while (fd >= 0 && len < MAX && (n = read(fd, text + len, MAX - len)) > 0)
		len += (size_t)n;
	return fd >= 0 && n >= 0 ? text : NULL;
}

/* The value of a line of /proc/PID/status, in pool memory; NULL. */
static const char *field(struct audit *a, const char *status, const char *name)
{
	const char *at = strstr(status, pool_printf(a->pool, "\n%s:", name));
	char *value;

	if (!at)
		return NULL;
	at += strlen(name) + 2;
	at += strspn(at, "\t ");
	value = pool_strdup(a->pool, at);
	value[strcspn(value, "\n")] = 0;
	return value;
}

static void check_user(struct audit *a, pid_t pid, const char *status, const struct audit_policy *policy)
{
	const char *uid = field(a, status, "Uid"), *map = proc_text(a, pid, "uid_map");
	unsigned long ids[4], inside, outside, count = 0;
	bool one, same;

	if (!uid || !map || sscanf(uid, "%lu %lu %lu %lu", &ids[0], &ids[1], &ids[2], &ids[3]) != 4) {
		say(a, HIDDEN, "user", "/proc/%d/status, uid_map", pid);
		return;
	}
	one = sscanf(map, " %lu %lu %lu", &inside, &outside, &count) == 3 && count == 1;
	same = ids[0] == ids[1] && ids[1] == ids[2] && ids[2] == ids[3];
	if (!policy->nobody)
		say(a, same ? GOOD : BAD, "user", "%lu", ids[0]);
	else
		say(a, same && one && (ids[0] == 65534 || geteuid()) ? GOOD : BAD, "user", "%lu, %s", ids[0],
			one ? "the one id of its user namespace" : "in a user namespace of several ids");
}

static void check_namespaces(struct audit *a, pid_t pid, const struct audit_policy *policy)
{
	const char *own = "", *wrong = "";
	bool hidden = false;

	for (const struct confine_namespace *n = confine_namespace_names; n->name; n++) {
		char theirs[64] = "", ours[64] = "";
		const char *name = n->name;
		bool want = policy->namespaces & n->flag;

		hidden |= readlink(pool_printf(a->pool, "/proc/%d/ns/%s", pid, name), theirs, sizeof(theirs) - 1) < 0;
		hidden |= readlink(pool_printf(a->pool, "/proc/self/ns/%s", name), ours, sizeof(ours) - 1) < 0;
		if (strcmp(theirs, ours))
			own = pool_printf(a->pool, "%s%s%s", own, *own ? " " : "", name);
		else if (want)
			wrong = pool_printf(a->pool, "%s %s", wrong, name);
	}
	say(a, hidden ? HIDDEN : *wrong ? BAD : GOOD, "namespaces", "of its own: %s%s%s", own, *wrong ? "; missing:" : "", wrong);
}

static void check_caps(struct audit *a, const char *status, const struct audit_policy *policy)
{
	static const char *const sets[] = { "CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb" };
	const char *wrong = "";

	for (size_t i = 0; i < 5; i++) {
		const char *text = field(a, status, sets[i]);
		uint64_t got = text ? strtoull(text, NULL, 16) : ~UINT64_C(0);

		if (got & ~(i < 2 ? policy->caps : 0))
			wrong = pool_printf(a->pool, "%s %s %s", wrong, sets[i], text ? text : "(not shown)");
	}
	say(a, *wrong ? BAD : GOOD, "capabilities", "%s%s%s", policy->caps ? "no more than the policy's" : "none", *wrong ? ", but" : "", wrong);
}

static void check_root(struct audit *a, pid_t pid, const struct audit_policy *policy)
{
	const char *mounts = proc_text(a, pid, "mountinfo");
	DIR *d;
	unsigned n = 0, names = 0;

	if (!policy->empty_root)
		return;
	d = opendir(pool_printf(a->pool, "/proc/%d/root", pid));
	if (!mounts || !d) {
		say(a, HIDDEN, "root", "/proc/%d/root", pid);
		if (d)
			closedir(d);
		return;
	}
	for (const char *c = mounts; *c; c++)
		n += *c == '\n';
	for (const struct dirent *e; (e = readdir(d));)
		names += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
	closedir(d);
	say(a, n == 1 && !names && strstr(mounts, " / ro") ? GOOD : BAD, "root", "%u mount%s, %s, %u names in it", n, n == 1 ? "" : "s",
		strstr(mounts, " / ro") ? "read-only" : "writable", names);
}

/* What descriptors there are, by kind; in the sentry and stubs none may lead to names. */
static void check_descriptors(struct audit *a, pid_t pid, bool no_names)
{
	unsigned sockets = 0, memory = 0, files = 0, others = 0, directories = 0;
	DIR *d = opendir(pool_printf(a->pool, "/proc/%d/fd", pid));

	if (!d) {
		say(a, HIDDEN, "descriptors", "/proc/%d/fd", pid);
		return;
	}
	for (const struct dirent *e; (e = readdir(d));) {
		char link[64] = "";
		struct stat st;

		if (!isdigit((unsigned char)e->d_name[0]) || readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1) < 0)
			continue;
		if (!strncmp(link, "socket:", 7))
			sockets++;
		else if (!strncmp(link, "/memfd:", 7))
			memory++;
		else if (link[0] != '/')
			others++;
		else if (!fstatat(dirfd(d), e->d_name, &st, 0) && S_ISDIR(st.st_mode))
			directories++;
		else
			files++;
	}
	closedir(d);
	say(a, no_names && directories ? BAD : GOOD, "descriptors", "sockets %u, memory files %u, files %u, directories %u, others %u", sockets,
		memory, files, directories, others);
}

/* --- filters ------------------------------------------------------------------------ */

static const char *call_list(struct audit *a, const bool calls[AUDIT_CALLS], unsigned *n)
{
	const char *list = "";

	*n = 0;
	for (unsigned i = 0; i < AUDIT_CALLS; i++)
		if (calls[i])
			list = pool_printf(a->pool, "%s%s%s", list, (*n)++ ? " " : "", audit_call_name(i, a->pool));
	return list;
}

static void check_calls(struct audit *a, pid_t tid, const struct audit_policy *policy)
{
	bool allowed[AUDIT_CALLS], more[AUDIT_CALLS], foreign;
	unsigned n, surplus;
	const char *list;
	int r = audit_filter(tid, allowed, &foreign);

	if (r) {
		say(a, HIDDEN, "calls", "the kernel does not show the filter: %s", strerror(-r));
		return;
	}
	for (unsigned i = 0; i < AUDIT_CALLS; i++)
		more[i] = allowed[i] && !policy->allowed[i];
	list = call_list(a, more, &surplus);
	call_list(a, allowed, &n);
	say(a, surplus || foreign ? BAD : GOOD, "calls", "%u, %s%s%s", n, surplus ? "not in the policy: " : "all in the policy", list,
		foreign ? "; and calls of another ABI" : "");
}

/* Its first thread's calls, and those of the threads that run program code. */
static void show_stub_calls(struct audit *a, pid_t pid, const char *status)
{
	const char *tracer = field(a, status, "TracerPid"), *first = "", *list = "";
	DIR *d = opendir(pool_printf(a->pool, "/proc/%d/task", pid));
	unsigned n, most = 0, threads = 0;

	if (tracer && strcmp(tracer, "0")) {
		bool ours = !access(pool_printf(a->pool, "/proc/%d/task/%s", a->sentry, tracer), F_OK);

		say(a, ours ? GOOD : BAD, "calls", "none: stopped before each by %s %s", ours ? "the sentry's thread" : "process", tracer);
		if (d)
			closedir(d);
		return;
	}
	for (const struct dirent *e; d && (e = readdir(d));) {
		bool allowed[AUDIT_CALLS], foreign;
		pid_t tid = atoi(e->d_name);
		int r = tid > 0 ? audit_filter(tid, allowed, &foreign) : 0;

		if (tid <= 0 || r == -ESRCH)
			continue;
		if (r || foreign) {
			say(a, r ? HIDDEN : BAD, "calls", "thread %d: %s", tid, r ? strerror(-r) : "calls of another ABI");
		} else if (tid == pid) {
			first = call_list(a, allowed, &n);
		} else {
			const char *calls = call_list(a, allowed, &n);

			threads++;
			if (n > most) {
				most = n;
				list = calls;
			}
		}
	}
	if (d)
		closedir(d);
	if (*first)
		say(a, GOOD, "calls", "on the sentry's orders: %s", first);
	if (threads)
		say(a, most <= 5 ? GOOD : BAD, "program calls", "in %u thread%s: %s", threads, threads == 1 ? "" : "s", list);
}

/* --- a process ------------------------------------------------------------------------ */

static void check_sealed(struct audit *a, pid_t pid, const char *status)
{
	const char *nnp = field(a, status, "NoNewPrivs"), *open_thread = NULL;
	DIR *d = opendir(pool_printf(a->pool, "/proc/%d/task", pid));

	for (const struct dirent *e; d && (e = readdir(d));) {
		const char *text = isdigit((unsigned char)e->d_name[0]) ? proc_text(a, pid, pool_printf(a->pool, "task/%s/status", e->d_name)) : NULL;
		const char *mode = text ? field(a, text, "Seccomp") : NULL;

		if (mode && strcmp(mode, "2"))
			open_thread = pool_strdup(a->pool, e->d_name);
	}
	if (d)
		closedir(d);
	say(a, nnp && !strcmp(nnp, "1") && d && !open_thread ? GOOD : BAD, "sealed", "%s, %s%s", nnp && !strcmp(nnp, "1") ? "no_new_privs" : "NEW PRIVILEGES",
		open_thread ? "no filter in thread " : "a filter in every thread", open_thread ? open_thread : "");
}

void audit_process(struct audit *a, const char *component, pid_t pid, const struct audit_policy *policy, bool stub)
{
	const char *status = proc_text(a, pid, "status");

	printf("%s, process %d\n", component, pid);
	if (!status || !*status) {
		say(a, HIDDEN, "process", "/proc/%d cannot be read", pid);
		return;
	}
	check_user(a, pid, status, policy);
	check_namespaces(a, pid, policy);
	check_caps(a, status, policy);
	check_sealed(a, pid, status);
	check_root(a, pid, policy);
	check_descriptors(a, pid, stub || !strcmp(component, "sentry"));
	if (stub)
		show_stub_calls(a, pid, status);
	else
		check_calls(a, pid, policy);
}
