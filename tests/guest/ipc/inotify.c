/* inotify(7), splice(2), tee(2). */
#include "../test.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

static char dir[64];
static char buf[4096] __attribute__((aligned(8)));
static size_t at, have;

static struct inotify_event *next(int fd)
{
	struct inotify_event *e;

	if (at >= have) {
		struct pollfd p = { fd, POLLIN, 0 };
		ssize_t r;

		if (poll(&p, 1, 20000) != 1)
			return NULL;
		r = read(fd, buf, sizeof(buf));
		if (r <= 0)
			return NULL;
		have = r;
		at = 0;
	}
	e = (struct inotify_event *)(buf + at);
	at += sizeof(*e) + e->len;
	return e;
}

#define EXPECT(fd, m, n)                                                                                                                             \
	do {                                                                                                                                         \
		struct inotify_event *ev_ = next(fd);                                                                                                \
		CHECK(ev_ && ev_->mask == (m) && (!(n) || !strcmp(ev_->name, (n) ? (n) : "")));                                                      \
	} while (0)

static void setup(void)
{
	strcpy(dir, "/tmp/ino.XXXXXX");
	CHECK(mkdtemp(dir) && chdir(dir) == 0);
}

static void cleanup(void)
{
	CHECK(chdir("/") == 0);
	rmdir(dir);
}

CASE(directory_events)
{
	int fd = inotify_init1(IN_NONBLOCK), wd, f;

	setup();
	CHECK_ERR(read(fd, buf, sizeof(buf)), EAGAIN);
	wd = inotify_add_watch(fd, dir, IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVE);
	CHECK(wd == 1);
	f = open("a", O_CREAT | O_WRONLY, 0600);
	EXPECT(fd, IN_CREATE, "a");
	CHECK(write(f, "x", 1) == 1);
	EXPECT(fd, IN_MODIFY, "a");
	close(f);
	EXPECT(fd, IN_CLOSE_WRITE, "a");
	CHECK(rename("a", "b") == 0);
	EXPECT(fd, IN_MOVED_FROM, "a");
	EXPECT(fd, IN_MOVED_TO, "b");
	CHECK(mkdir("d", 0700) == 0);
	EXPECT(fd, IN_CREATE | IN_ISDIR, "d");
	CHECK(rmdir("d") == 0);
	EXPECT(fd, IN_DELETE | IN_ISDIR, "d");
	CHECK(unlink("b") == 0);
	EXPECT(fd, IN_DELETE, "b");
	CHECK(inotify_rm_watch(fd, wd) == 0);
	EXPECT(fd, IN_IGNORED, NULL);
	CHECK_ERR(inotify_rm_watch(fd, wd), EINVAL);
	cleanup();
}

/* What a listing and the end of a file and of a directory tell: the parent's watch first. */
CASE(listing_and_ends)
{
	int fd = inotify_init1(IN_NONBLOCK), wd, wf, ws, f;
	struct inotify_event *e;
	DIR *d;

	setup();
	CHECK(mkdir("s", 0700) == 0);
	f = open("a", O_CREAT | O_RDWR, 0600);
	CHECK(write(f, "x", 1) == 1);
	wd = inotify_add_watch(fd, dir, IN_ACCESS | IN_DELETE | IN_ATTRIB);
	wf = inotify_add_watch(fd, "a", IN_ACCESS | IN_ATTRIB | IN_DELETE_SELF);
	ws = inotify_add_watch(fd, "s", IN_ACCESS | IN_DELETE_SELF);
	CHECK(wd == 1 && wf == 2 && ws == 3);
	CHECK(pread(f, buf, 1, 0) == 1);
	EXPECT(fd, IN_ACCESS, "a");
	EXPECT(fd, IN_ACCESS, NULL);
	d = opendir("s");
	CHECK(d && readdir(d));
	e = next(fd);
	CHECK(e && e->wd == wd && e->mask == (IN_ACCESS | IN_ISDIR) && !strcmp(e->name, "s"));
	e = next(fd);
	CHECK(e && e->wd == ws && e->mask == (IN_ACCESS | IN_ISDIR));
	closedir(d);
	close(f);
	CHECK(unlink("a") == 0);
	e = next(fd);
	CHECK(e && e->wd == wf && e->mask == IN_ATTRIB);
	e = next(fd);
	CHECK(e && e->wd == wf && e->mask == IN_DELETE_SELF);
	EXPECT(fd, IN_IGNORED, NULL);
	EXPECT(fd, IN_DELETE, "a");
	CHECK(rmdir("s") == 0);
	e = next(fd);
	CHECK(e && e->wd == ws && e->mask == IN_DELETE_SELF);
	EXPECT(fd, IN_IGNORED, NULL);
	EXPECT(fd, IN_DELETE | IN_ISDIR, "s");
	cleanup();
}

CASE(errors)
{
	int fd = inotify_init1(IN_CLOEXEC), p[2];

	CHECK(pipe(p) == 0);
	CHECK_ERR(inotify_add_watch(fd, "/nonexistent", IN_CREATE), ENOENT);
	CHECK_ERR(inotify_add_watch(fd, "/", 0), EINVAL);
	CHECK_ERR(inotify_add_watch(p[0], "/", IN_CREATE), EINVAL);
	CHECK_ERR(inotify_add_watch(fd, "/proc/self/exe", IN_CREATE | IN_ONLYDIR), ENOTDIR);
	CHECK_ERR(inotify_init1(1), EINVAL);
	CHECK(inotify_add_watch(fd, "/", IN_CREATE) == inotify_add_watch(fd, "/", IN_DELETE));
}

CASE(splice_and_tee)
{
	int p[2], q[2], f;
	char b[16];
	loff_t off = 1;

	setup();
	f = open("s", O_CREAT | O_RDWR, 0600);
	CHECK(write(f, "hello", 5) == 5);
	CHECK(pipe(p) == 0 && pipe(q) == 0);
	CHECK(splice(f, &off, p[1], NULL, 3, 0) == 3 && off == 4);
	CHECK(tee(p[0], q[1], 16, 0) == 3);
	CHECK(read(p[0], b, 16) == 3 && !memcmp(b, "ell", 3));
	CHECK(splice(q[0], NULL, p[1], NULL, 2, 0) == 2);
	CHECK(read(p[0], b, 16) == 2 && !memcmp(b, "el", 2));
	off = 0;
	CHECK(splice(q[0], NULL, f, &off, 10, 0) == 1 && off == 1);
	CHECK(pread(f, b, 16, 0) == 5 && !memcmp(b, "lello", 5));
	CHECK_ERR(splice(q[0], NULL, p[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_ERR(splice(f, NULL, f, NULL, 1, 0), EINVAL);
	CHECK_ERR(splice(p[0], &off, f, NULL, 1, 0), ESPIPE);
	unlink("s");
	cleanup();
}

CASE(sendfile_to_pipe)
{
	int p[2], f;
	char b[16];
	off_t off = 2;

	setup();
	f = open("s", O_CREAT | O_RDWR, 0600);
	CHECK(write(f, "hello", 5) == 5 && pipe(p) == 0);
	CHECK(sendfile(p[1], f, &off, 100) == 3 && off == 5);
	CHECK(read(p[0], b, 16) == 3 && !memcmp(b, "llo", 3));
	CHECK(lseek(f, 1, SEEK_SET) == 1);
	CHECK(sendfile(p[1], f, NULL, 2) == 2 && lseek(f, 0, SEEK_CUR) == 3);
	unlink("s");
	cleanup();
}

int main(void) { return run_cases(); }
