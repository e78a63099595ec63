/*
 * proclooks.c - what /proc tells whom of a process: owners of its files, its descriptors,
 * addresses in stat.  No test here needs a capability that a container's root lacks.
 */
#include "../test.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static void be_user(uid_t uid, int dumpable)
{
	CHECK(setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, dumpable) == 0);
}

static char path[64];
static const char *of(pid_t p, const char *name)
{
	snprintf(path, sizeof(path), "/proc/%d/%s", p, name);
	return path;
}

/* A child of user 1000's, until it is killed; at a byte through *turn it becomes not dumpable, and answers. */
static pid_t target(int dumpable, int *turn)
{
	int there[2], back[2];
	char c;
	pid_t p;

	CHECK(pipe(there) == 0 && pipe(back) == 0 && (p = fork()) >= 0);
	if (!p) {
		be_user(1000, dumpable);
		CHECK(write(back[1], "", 1) == 1);
		CHECK(read(there[0], &c, 1) == 1 && prctl(PR_SET_DUMPABLE, 0) == 0);
		CHECK(write(back[1], "", 1) == 1);
		for (;;)
			pause();
	}
	CHECK(read(back[0], &c, 1) == 1);
	turn[0] = back[0];
	turn[1] = there[1];
	return p;
}

static void finish(pid_t p)
{
	int st;

	CHECK(kill(p, SIGKILL) == 0 && waitpid(p, &st, 0) == p);
}

static uid_t owner(pid_t p, const char *name)
{
	struct stat st;

	CHECK(lstat(of(p, name), &st) == 0);
	return st.st_uid;
}

static void owners(pid_t p, uid_t of_what_is_private)
{
	CHECK(owner(p, "") == 1000 && owner(p, "task") == 1000 && owner(p, "fdinfo") == 1000 && owner(p, "net") == 1000);
	CHECK(owner(p, "environ") == of_what_is_private && owner(p, "mem") == of_what_is_private && owner(p, "status") == of_what_is_private);
	CHECK(owner(p, "fd") == of_what_is_private && owner(p, "ns") == of_what_is_private && owner(p, "exe") == of_what_is_private);
}

CASE(what_is_not_dumpable_is_roots)
{
	int turn[2];
	pid_t p = target(1, turn);
	char c;

	owners(p, 1000);
	CHECK(write(turn[1], "", 1) == 1 && read(turn[0], &c, 1) == 1);
	owners(p, 0);
	finish(p);
}

CASE(descriptors_are_not_listed_for_others)
{
	int turn[2];
	pid_t p = target(1, turn), q = fork();
	int st;

	CHECK(q >= 0);
	if (!q) {
		be_user(1001, 1);
		CHECK(!opendir(of(p, "fd")) && errno == EACCES);
		CHECK(!opendir(of(p, "fdinfo")) && errno == EACCES);
		CHECK_ERR(access(of(p, "fd/0"), F_OK), EACCES);
		_exit(0);
	}
	CHECK(waitpid(q, &st, 0) == q && st == 0);
	finish(p);
}

static DIR *opened(const char *name)
{
	DIR *d = opendir(name);

	CHECK(d && readdir(d));
	return d;
}

/* A name that is held open from before is not opened by what was so then. */
CASE(owners_are_asked_again)
{
	int turn[2], held;
	pid_t p = target(1, turn);
	char c;

	be_user(1000, 1);
	CHECK((held = open(of(p, "fd"), O_PATH | O_DIRECTORY)) >= 0);
	closedir(opened(of(p, "fd")));
	CHECK(write(turn[1], "", 1) == 1 && read(turn[0], &c, 1) == 1);
	CHECK(!opendir(of(p, "fd")) && errno == EACCES);
	CHECK(open(of(p, "environ"), O_RDONLY) == -1 && errno == EACCES);
	close(held);
	finish(p);
}

CASE(its_own_descriptors)
{
	DIR *d;
	int fd;

	be_user(1000, 0);
	CHECK(owner(getpid(), "fd") == 0);
	d = opened("/proc/self/fd");
	closedir(d);
	CHECK((fd = open("/proc/self/fdinfo/2", O_RDONLY)) >= 0);
	CHECK(access("/proc/self/fd/2", F_OK) == 0);
	CHECK(open("/proc/self/environ", O_RDONLY) == -1 && errno == EACCES);
}

/* Field n of stat, from 1. */
static unsigned long long field(pid_t p, int n)
{
	char line[1024], *at;
	FILE *f = fopen(of(p, "stat"), "r");

	CHECK(f && fgets(line, sizeof(line), f) && (at = strrchr(line, ')')));
	fclose(f);
	for (int i = 2; i < n; i++)
		CHECK((at = strchr(at + 1, ' ')));
	return strtoull(at, NULL, 10);
}

static const int addresses[] = { 45, 46, 47, 48, 49, 50, 51 };

CASE(addresses_are_for_who_may_look)
{
	int turn[2];
	pid_t p = target(1, turn);

	if (!fork()) {
		be_user(1000, 1);
		CHECK(field(p, 26) > 1 && field(p, 27) > 1 && field(p, 28) > 1);
		for (unsigned i = 0; i < 7; i++)
			CHECK(field(p, addresses[i]) > 1);
		_exit(0);
	}
	if (!fork()) {
		be_user(1001, 1);
		CHECK(field(p, 26) == 1 && field(p, 27) == 1 && field(p, 28) == 0);
		for (unsigned i = 0; i < 7; i++)
			CHECK(field(p, addresses[i]) == 0);
		_exit(0);
	}
	for (int i = 0, st; i < 2; i++)
		CHECK(wait(&st) > 0 && st == 0);
	finish(p);
}

int main(void) { return run_cases(); }
