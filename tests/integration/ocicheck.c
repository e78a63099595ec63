/*
 * ocicheck.c - what a container's first process finds, a line a fact.  Static;
 * run inside by oci.sh, which compares with what the configuration asked for
 * (and with the same under runc, where there is one).
 * usage: ocicheck FACT [ARGUMENT] [FACT [ARGUMENT]] ...
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

extern char **environ;

static const char *error(int failed)
{
	static char text[32];

	snprintf(text, sizeof(text), "%s", failed ? strerrorname_np(errno) : "ok");
	return text;
}

/* A line of /proc/self/status, without its name. */
static void status(const char *label, const char *name)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[4096];

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			printf("%s %s", label, line + strlen(name) + 2);
	}
	if (f)
		fclose(f);
}

static void ids(const char *arg)
{
	uid_t r, e, s;
	gid_t g[64];
	int n = getgroups(64, g);

	getresuid(&r, &e, &s);
	printf("uid %u %u %u\n", r, e, s);
	getresgid(&r, &e, &s);
	printf("gid %u %u %u\ngroups", r, e, s);
	for (int i = 0; i < n; i++)
		printf(" %u", g[i]);
	printf("\n");
}

static void mask(const char *arg)
{
	printf("umask %04o\n", umask(0));
}

static void limit(const char *arg)
{
	struct rlimit r;

	getrlimit((unsigned)atoi(arg), &r);
	printf("limit %s %lld %lld\n", arg, (long long)r.rlim_cur, (long long)r.rlim_max);
}

static void caps(const char *arg)
{
	static const char *const names[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };

	for (int i = 0; i < 5; i++)
		status(names[i], names[i]);
}

static void privs(const char *arg) { status("NoNewPrivs", "NoNewPrivs"); }
static void filter(const char *arg) { status("Seccomp", "Seccomp"); }

static void content(const char *path)
{
	char buf[4096];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	if (n < 0) {
		printf("content %s %s\n", path, error(1));
	} else {
		while (n && buf[n - 1] == '\n')
			n--;
		buf[n] = 0;
		printf("content %s = %s\n", path, buf);
	}
	if (fd >= 0)
		close(fd);
}

static void names(const char *arg)
{
	struct utsname u;
	char d[256] = "";

	uname(&u);
	getdomainname(d, sizeof(d));
	printf("names %s %s\n", u.nodename, d);
}

static void machine(const char *arg)
{
	struct utsname u;

	uname(&u);
	printf("machine %s personality %#x\n", u.machine, (unsigned)personality(0xffffffff));
}

static void place(const char *arg)
{
	char buf[4096];

	printf("cwd %s\n", getcwd(buf, sizeof(buf)) ? buf : error(1));
}

static void variable(const char *name)
{
	printf("env %s=%s\n", name, getenv(name) ? getenv(name) : "(none)");
}

/* The mount's options that the configuration can ask for, in one order. */
static void mounted(const char *path)
{
	static const char *const wanted[] = { "ro", "rw", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime", "nosymfollow" };
	FILE *f = fopen("/proc/self/mountinfo", "r");
	char line[8192], last[8192] = "";

	while (f && fgets(line, sizeof(line), f)) {
		char point[4096];

		if (sscanf(line, "%*s %*s %*s %*s %4095s", point) == 1 && !strcmp(point, path))
			strcpy(last, line);
	}
	if (f)
		fclose(f);
	printf("mounted %s", path);
	if (*last) {
		char options[4096] = ",", type[64] = "";

		sscanf(last, "%*s %*s %*s %*s %*s %4000s", options + 1);
		strcat(options, ",");
		sscanf(strstr(last, " - "), " - %63s", type);
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
			char word[32];

			snprintf(word, sizeof(word), ",%s,", wanted[i]);
			if (strstr(options, word))
				printf(" %s", wanted[i]);
		}
		(void)type;
	} else {
		printf(" (not)");
	}
	printf("\n");
}

static void filestatus(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		printf("stat %s %s\n", path, error(1));
	else
		printf("stat %s %o %u:%u %u,%u\n", path, st.st_mode, st.st_uid, st.st_gid, S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) ? major(st.st_rdev) : 0,
			S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) ? minor(st.st_rdev) : 0);
}

static void size(const char *path)
{
	struct statfs s;

	printf("size %s %lld\n", path, statfs(path, &s) ? -1 : (long long)(s.f_blocks * (unsigned long)s.f_bsize));
}

static void written(const char *path)
{
	char name[4096];
	int fd;

	snprintf(name, sizeof(name), "%s/written", path);
	fd = open(name, O_WRONLY | O_CREAT, 0666);
	printf("write %s %s\n", path, error(fd < 0));
	if (fd >= 0) {
		close(fd);
		unlink(name);
	}
}

static void opened(const char *path)
{
	int fd = open(path, O_RDWR);

	printf("open %s %s\n", path, error(fd < 0));
	if (fd >= 0)
		close(fd);
}

static void created(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	printf("create %s %s\n", path, error(fd < 0));
	if (fd >= 0)
		close(fd);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	char *all[256];
	size_t n = 0;

	while (d && (e = readdir(d)) && n < 256) {
		if (e->d_name[0] != '.')
			all[n++] = strdup(e->d_name);
	}
	qsort(all, n, sizeof(*all), by_name);
	printf("list %s", path);
	for (size_t i = 0; i < n; i++)
		printf(" %s", all[i]);
	printf("\n");
}

static void scheduling(const char *arg)
{
	struct sched_param p;

	sched_getparam(0, &p);
	printf("sched %d priority %d nice %d\n", sched_getscheduler(0), p.sched_priority, getpriority(PRIO_PROCESS, 0));
}

static void terminal(const char *arg)
{
	struct winsize w = { 0 };
	char *name = ttyname(0);

	ioctl(0, TIOCGWINSZ, &w);
	printf("terminal %s %d %d %dx%d\n", name ? "yes" : "no", isatty(0), isatty(2), w.ws_row, w.ws_col);
}

/* One call by number, with up to one argument: "39" or "105:7". */
static void call(const char *arg)
{
	char *colon = strchr(arg, ':');
	long r = syscall(atoi(arg), colon ? atol(colon + 1) : 0);

	printf("call %s %s\n", arg, error(r < 0));
}

static void pid(const char *arg)
{
	printf("pid %d ppid %d\n", getpid(), getppid());
}

static void executed(const char *path)
{
	char *args[] = { (char *)path, NULL };

	fflush(stdout);
	execve(path, args, environ);
	printf("exec %s %s\n", path, error(1));
}

static void keep(const char *path) /* what comes on standard input, into a file: as a hook */
{
	char buf[8192];
	ssize_t n = read(0, buf, sizeof(buf));
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);

	if (fd < 0 || n < 0 || write(fd, buf, (size_t)n) != n || write(fd, "\n", 1) != 1)
		exit(9);
	close(fd);
}

static void end(const char *arg) { exit(atoi(arg)); }
static void rest(const char *arg) { sleep((unsigned)atoi(arg)); }

static const struct {
	const char *name;
	int has_argument;
	void (*fn)(const char *arg);
} facts[] = {
	{ "ids", 0, ids }, { "umask", 0, mask }, { "limit", 1, limit }, { "caps", 0, caps }, { "nnp", 0, privs }, { "filter", 0, filter },
	{ "content", 1, content }, { "names", 0, names }, { "machine", 0, machine }, { "cwd", 0, place }, { "env", 1, variable },
	{ "mounted", 1, mounted }, { "stat", 1, filestatus }, { "size", 1, size }, { "write", 1, written }, { "open", 1, opened }, { "create", 1, created }, { "list", 1, list },
	{ "sched", 0, scheduling }, { "terminal", 0, terminal }, { "call", 1, call }, { "pid", 0, pid }, { "exec", 1, executed }, { "keep", 1, keep },
	{ "end", 1, end }, { "sleep", 1, rest },
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++) {
		size_t k = 0;

		while (k < sizeof(facts) / sizeof(facts[0]) && strcmp(facts[k].name, argv[i]))
			k++;
		if (k == sizeof(facts) / sizeof(facts[0])) {
			printf("unknown fact %s\n", argv[i]);
			return 99;
		}
		facts[k].fn(facts[k].has_argument ? argv[++i] : NULL);
	}
	return 0;
}
