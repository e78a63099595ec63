/*
 * Changes of a directory told by signals: F_NOTIFY (fcntl(2)).
 */
#include "../test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define RT (SIGRTMIN + 2)

static volatile sig_atomic_t caught, caught_code, caught_fd, caught_band;
static char dir[64];

static void note(int signo, siginfo_t *info, void *uc)
{
	caught++;
	caught_code = info->si_code;
	caught_fd = info->si_fd;
	caught_band = (int)info->si_band;
}

/* A new directory, which is the working one; a descriptor of it that signals RT. */
static int setup(void)
{
	struct sigaction sa = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART };
	int d;

	strcpy(dir, "/tmp/dnotify.XXXXXX");
	CHECK(mkdtemp(dir) && !chdir(dir));
	CHECK(!sigaction(RT, &sa, NULL) && !sigaction(SIGIO, &sa, NULL));
	d = open(".", O_RDONLY | O_DIRECTORY);
	CHECK(d >= 0 && !fcntl(d, F_SETSIG, RT));
	caught = 0;
	return d;
}

static void cleanup(void)
{
	CHECK(!chdir("/"));
	rmdir(dir);
}

static void make(const char *name)
{
	int f = open(name, O_CREAT | O_RDWR, 0600);

	CHECK(f >= 0 && !close(f));
}

/* How many signals came since the last time. */
static int since(void)
{
	int n = caught;

	caught = 0;
	return n;
}

CASE(created_once)
{
	int d = setup();

	CHECK(!fcntl(d, F_NOTIFY, DN_CREATE));
	CHECK(fcntl(d, F_GETOWN) == getpid());
	make("a");
	CHECK(since() == 1); /* before the call's result */
	CHECK(caught_code == POLL_MSG && caught_fd == d && caught_band == (POLLIN | POLLRDNORM | POLLMSG));
	make("b");
	CHECK(since() == 0);
	CHECK(!unlink("a") && !unlink("b") && !close(d));
	cleanup();
}

CASE(plain_signal)
{
	int d = setup();

	CHECK(!fcntl(d, F_SETSIG, 0) && !fcntl(d, F_NOTIFY, DN_DELETE | DN_MULTISHOT));
	make("a");
	CHECK(since() == 0);
	CHECK(!unlink("a") && since() == 1);
	CHECK(!mkdir("s", 0700) && !rmdir("s") && since() == 1);
	CHECK(!close(d));
	cleanup();
}

CASE(each_event)
{
	int d = setup(), f;
	char c;

	make("a");
	CHECK(!fcntl(d, F_NOTIFY, DN_MODIFY | DN_MULTISHOT));
	f = open("a", O_RDWR);
	CHECK(f >= 0 && since() == 0);
	CHECK(write(f, "xyz", 3) == 3 && since() == 1);
	CHECK(!ftruncate(f, 1) && since() == 1);
	CHECK(pread(f, &c, 1, 0) == 1 && since() == 0);
	/* what is asked is added to what was */
	CHECK(!fcntl(d, F_NOTIFY, DN_ACCESS));
	CHECK(pread(f, &c, 1, 0) == 1 && since() == 1);
	CHECK(pread(f, &c, 1, 0) == 1 && since() == 1);
	CHECK(pwrite(f, "x", 1, 0) == 1 && since() == 1);
	CHECK(!fchmod(f, 0640) && since() == 0);
	CHECK(!fcntl(d, F_NOTIFY, DN_ATTRIB));
	CHECK(!fchmod(f, 0600) && since() == 1);
	CHECK(!chmod(".", 0711) && since() == 1); /* the directory itself */
	CHECK(!close(f) && !unlink("a") && since() == 0); /* its count of links is told to itself only */
	CHECK(!close(d));
	cleanup();
}

CASE(renames)
{
	int d = setup();

	make("a");
	CHECK(!mkdir("sub", 0700));
	CHECK(!fcntl(d, F_NOTIFY, DN_RENAME | DN_MULTISHOT));
	CHECK(!rename("a", "b") && since() == 1);
	CHECK(!rename("b", "sub/b") && since() == 0); /* out of it: deleted */
	CHECK(!rename("sub/b", "a") && since() == 0); /* into it: created */
	CHECK(!fcntl(d, F_NOTIFY, DN_DELETE));
	CHECK(!rename("a", "sub/a") && since() == 1);
	CHECK(!fcntl(d, F_NOTIFY, DN_CREATE));
	CHECK(!rename("sub/a", "a") && since() == 1);
	CHECK(!rename("a", "b") && since() == 3); /* renamed, deleted and created */
	CHECK(!unlink("b") && since() == 1);
	CHECK(!rmdir("sub") && since() == 1);
	CHECK(!close(d));
	cleanup();
}

CASE(what_is_asked)
{
	int d = setup(), f = open("a", O_CREAT | O_RDWR, 0600), p[2];

	CHECK(f >= 0 && !pipe(p));
	CHECK_ERR(fcntl(f, F_NOTIFY, DN_CREATE), ENOTDIR);
	CHECK_ERR(fcntl(p[0], F_NOTIFY, DN_CREATE), ENOTDIR);
	CHECK(!fcntl(f, F_NOTIFY, 0)); /* nothing is removed */
	CHECK_ERR(fcntl(1000, F_NOTIFY, DN_CREATE), EBADF);
	CHECK(!fcntl(d, F_NOTIFY, DN_CREATE | DN_DELETE | DN_MULTISHOT));
	CHECK(!unlink("a") && since() == 1);
	CHECK(!fcntl(d, F_NOTIFY, 0)); /* no more */
	make("a");
	CHECK(!unlink("a") && since() == 0);
	CHECK(!fcntl(d, F_NOTIFY, DN_CREATE) && !fcntl(d, F_NOTIFY, DN_MULTISHOT)); /* that is removal too */
	make("a");
	CHECK(!unlink("a") && since() == 0);
	CHECK(!close(f) && !close(d) && !close(p[0]) && !close(p[1]));
	cleanup();
}

/* It ends when the process closes any descriptor of the open file. */
CASE(closed)
{
	int d = setup(), e = dup(d);

	CHECK(e >= 0 && !fcntl(d, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	make("a");
	CHECK(since() == 1 && caught_fd == d);
	CHECK(!fcntl(e, F_NOTIFY, DN_DELETE | DN_MULTISHOT)); /* the same request, by another number */
	CHECK(!unlink("a") && since() == 1 && caught_fd == e);
	CHECK(!close(e));
	make("a");
	CHECK(!unlink("a") && since() == 0);
	CHECK(!fcntl(d, F_NOTIFY, DN_CREATE | DN_MULTISHOT) && !close(d));
	make("a");
	CHECK(!unlink("a") && since() == 0);
	cleanup();
}

/* Each process has asked for itself; the owner, who is told, is the open file's. */
CASE(processes)
{
	int d = setup(), status, e;
	pid_t child;

	CHECK(!fcntl(d, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		make("a"); /* told to the parent */
		_exit(caught || fcntl(d, F_NOTIFY, DN_DELETE | DN_MULTISHOT) || fcntl(d, F_GETOWN) != getppid() || unlink("a") || caught);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(since() == 2); /* the child's end has not ended what the parent asked, but what the child did */
	make("a");
	CHECK(since() == 1);
	CHECK(!unlink("a") && since() == 0);
	/* two open files of one directory */
	e = open(".", O_RDONLY);
	CHECK(e >= 0 && !fcntl(e, F_SETSIG, RT) && !fcntl(e, F_NOTIFY, DN_CREATE));
	make("a");
	CHECK(since() == 2);
	CHECK(!close(e) && !unlink("a"));
	make("a");
	CHECK(since() == 1 && caught_fd == d);
	CHECK(!unlink("a") && !close(d));
	cleanup();
}

/* inotify and F_NOTIFY do not end each other. */
CASE(with_inotify)
{
	int d = setup(), in = inotify_init1(IN_NONBLOCK), wd;
	char buf[512];

	CHECK(in >= 0 && (wd = inotify_add_watch(in, ".", IN_CREATE)) > 0);
	CHECK(!fcntl(d, F_NOTIFY, DN_CREATE | DN_DELETE | DN_MULTISHOT));
	make("a");
	CHECK(since() == 1 && read(in, buf, sizeof(buf)) > 0);
	CHECK(!inotify_rm_watch(in, wd));
	CHECK(!unlink("a") && since() == 1);
	CHECK((wd = inotify_add_watch(in, ".", IN_CREATE)) > 0);
	CHECK(read(in, buf, sizeof(buf)) == sizeof(struct inotify_event)); /* IN_IGNORED of the first */
	CHECK(!fcntl(d, F_NOTIFY, 0));
	make("a");
	CHECK(since() == 0 && read(in, buf, sizeof(buf)) > 0);
	CHECK(!unlink("a") && !close(in) && !close(d));
	cleanup();
}

int main(void) { return run_cases(); }
