/*
 * What a mount of /proc hides: hidepid=, gid=, subset=pid. It mounts over /proc in a mount namespace of its own.
 */
#include "../test.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define NOBODY 54321
#define GROUP 43210

static void mount_proc(const char *options)
{
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("proc", "/proc", "proc", 0, options) == 0);
}

static int shown_with(const char *word)
{
	char line[1024];
	FILE *f = fopen("/proc/self/mountinfo", "r");
	int last = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (strstr(line, " /proc ") && strstr(line, " - proc "))
			last = strstr(line, word) != NULL;
	fclose(f);
	return last;
}

static int listed(pid_t p)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int found = 0;

	CHECK(d);
	while ((e = readdir(d)))
		found |= atoi(e->d_name) == p;
	closedir(d);
	return found;
}

/* What somebody without privilege sees of process p. */
enum { STAT = 1, LIST = 2, LOOK = 4, EPERM_ = 8, OWN = 16 };
static int seen(pid_t p, gid_t group)
{
	pid_t c = fork();
	int st;

	CHECK(c >= 0);
	if (!c) {
		char dir[32], file[48];
		int r = 0, fd, error;
		struct stat s;

		CHECK(setgroups(group != 0, &group) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
		snprintf(dir, sizeof(dir), "/proc/%d", p);
		snprintf(file, sizeof(file), "%s/status", dir);
		r |= stat(dir, &s) == 0 ? STAT : 0;
		error = errno;
		CHECK(r & STAT || error == ENOENT);
		r |= listed(p) ? LIST : 0;
		fd = open(file, O_RDONLY);
		error = errno;
		r |= fd >= 0 ? LOOK : error == EPERM ? EPERM_ : 0;
		CHECK(fd >= 0 || error == EPERM || error == ENOENT);
		fd = open(dir, O_RDONLY | O_DIRECTORY);
		error = errno;
		CHECK((fd >= 0) == !!(r & LOOK) && (fd >= 0 || (error == EPERM) == !!(r & EPERM_)));
		r |= stat("/proc/self/status", &s) == 0 && listed(getpid()) ? OWN : 0;
		_exit(r);
	}
	CHECK(waitpid(c, &st, 0) == c && WIFEXITED(st));
	return WEXITSTATUS(st);
}

static void remount(const char *options)
{
	CHECK(mount(NULL, "/proc", NULL, MS_REMOUNT, options) == 0);
}

CASE(hides_processes)
{
	const int all = STAT | LIST | LOOK | OWN;
	pid_t me = getpid();

	mount_proc("");
	CHECK(seen(me, 0) == all);
	remount("hidepid=1");
	CHECK(seen(me, 0) == (STAT | LIST | EPERM_ | OWN));
	CHECK(shown_with("hidepid=noaccess"));
	remount("hidepid=invisible");
	CHECK(seen(me, 0) == OWN);
	CHECK(seen(me, GROUP) == OWN);
	CHECK(shown_with("hidepid=invisible"));
	remount("gid=43210");
	CHECK(seen(me, 0) == OWN);
	CHECK(seen(me, GROUP) == all);
	CHECK(shown_with("gid=43210,hidepid=invisible"));
	remount("hidepid=4");
	CHECK(seen(me, 0) == OWN);
	CHECK(seen(me, GROUP) == OWN);
	remount("hidepid=off");
	CHECK(seen(me, 0) == all);
}

CASE(who_may_trace_sees)
{
	pid_t p;
	int st;

	mount_proc("hidepid=2");
	p = fork();
	CHECK(p >= 0);
	if (!p) { /* its own children are as good as itself */
		pid_t c;

		CHECK(listed(getppid()) && access("/proc/1/status", R_OK) == 0); /* root sees all */
		c = fork();
		CHECK(c >= 0);
		if (!c) {
			pause();
			_exit(0);
		}
		CHECK(listed(c));
		kill(c, SIGKILL);
		_exit(0);
	}
	CHECK(waitpid(p, &st, 0) == p && st == 0);
}

CASE(processes_only)
{
	struct stat s;
	struct dirent *e;
	DIR *d;
	int own = 0;

	mount_proc("subset=pid");
	CHECK(shown_with("subset=pid"));
	CHECK_ERR(stat("/proc/cpuinfo", &s), ENOENT);
	CHECK_ERR(lstat("/proc/mounts", &s), ENOENT);
	CHECK_ERR(stat("/proc/sys", &s), ENOENT);
	CHECK(stat("/proc/self/status", &s) == 0 && stat("/proc/thread-self/status", &s) == 0);
	d = opendir("/proc");
	CHECK(d);
	while ((e = readdir(d))) {
		own |= atoi(e->d_name) == getpid();
		CHECK(atoi(e->d_name) > 0 || !strcmp(e->d_name, "self") || !strcmp(e->d_name, "thread-self") || e->d_name[0] == '.');
	}
	closedir(d);
	CHECK(own);
}

CASE(bad_options)
{
	static const char *const bad[] = { "hidepid=3", "hidepid=", "hidepid=no", "gid=", "gid=x", "gid=-1", "subset=", "subset=all", "other" };

	mount_proc("hidepid=ptraceable,subset=pid,gid=7");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_ERR(mount("proc", "/proc", "proc", 0, bad[i]), EINVAL);
		CHECK_ERR(mount(NULL, "/proc", NULL, MS_REMOUNT, bad[i]), EINVAL);
	}
	CHECK(shown_with("gid=7,hidepid=ptraceable,subset=pid"));
}

int main(void)
{
	return run_cases();
}
