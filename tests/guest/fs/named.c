/* What is known of absolute paths without asking, while all that they lead through changes. */
#include "fs.h"

#include <grp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define ASKED 12 /* so often that it is known */

static char dir[200], buf[16][300];

/* NAME below the case's directory. */
static const char *at(const char *name)
{
	static unsigned n;
	char *s = buf[n++ % 16];

	snprintf(s, sizeof(buf[0]), "%s/%s", dir, name);
	return s;
}

static void make(void)
{
	CHECK(getcwd(dir, sizeof(dir)) && chmod(dir, 0755) == 0);
	CHECK(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0);
	make_file("d/e/f", "0123456789");
}

static void begin(void)
{
	in_temp();
	make();
}

/* As often as it takes, and by all calls that there are: the same each time.  0 or errno. */
static int look(const char *path, struct stat *s)
{
	struct stat t;
	int r = stat(path, s), e = r ? errno : 0, e2;

	for (int i = 0; i < ASKED; i++) {
		memset(&t, 0, sizeof(t));
		r = i % 3 == 0 ? stat(path, &t) : i % 3 == 1 ? (int)syscall(SYS_stat, path, &t) : fstatat(AT_FDCWD, path, &t, AT_NO_AUTOMOUNT);
		e2 = r ? errno : 0;
		CHECK(e2 == e && (r || !memcmp(&t, s, sizeof(t))));
	}
	return e;
}

static mode_t mode_of_link(const char *path)
{
	struct stat s = { 0 }, t = { 0 };

	for (int i = 0; i < ASKED; i++)
		CHECK(lstat(path, &s) == 0 && syscall(SYS_lstat, path, &t) == 0 && !memcmp(&t, &s, sizeof(t)));
	return s.st_mode & S_IFMT;
}

static off_t size(const char *path)
{
	struct stat s;
	int e = look(path, &s);

	return e ? -e : s.st_size;
}

/* What another process does. */
#define OTHER(what)                                                                                                                                  \
	do {                                                                                                                                         \
		int status_;                                                                                                                         \
		pid_t p_ = fork();                                                                                                                   \
		if (!p_)                                                                                                                             \
			_exit(!(what));                                                                                                              \
		CHECK(p_ > 0 && waitpid(p_, &status_, 0) == p_ && status_ == 0);                                                                     \
	} while (0)

CASE(names_come_and_go)
{
	begin();
	CHECK(size(at("d/e/f")) == 10 && size(at("d/e/g")) == -ENOENT && size(at("d/x/f")) == -ENOENT);
	OTHER(link(at("d/e/f"), at("d/e/g")) == 0);
	CHECK(size(at("d/e/g")) == 10);
	OTHER(unlink(at("d/e/f")) == 0);
	CHECK(size(at("d/e/f")) == -ENOENT && size(at("d/e/g")) == 10);
	OTHER(rename(at("d/e"), at("d/x")) == 0);
	CHECK(size(at("d/e/g")) == -ENOENT && size(at("d/x/g")) == 10);
	OTHER(mkdir(at("d/e"), 0755) == 0 && syscall(SYS_renameat2, AT_FDCWD, at("d/e"), AT_FDCWD, at("d/x"), 2 /* RENAME_EXCHANGE */) == 0);
	CHECK(size(at("d/e/g")) == 10 && size(at("d/x/g")) == -ENOENT);
	OTHER(rmdir(at("d/x")) == 0 && rename(at("d/e/g"), at("d/x")) == 0);
	CHECK(size(at("d/x")) == 10 && size(at("d/x/g")) == -ENOTDIR && size(at("d/e/g")) == -ENOENT);
	OTHER(mkfifo(at("d/e/g"), 0600) == 0);
	CHECK(size(at("d/e/g")) == 0);
}

CASE(attributes)
{
	const char *f = NULL;
	struct stat s, was;
	int fd;

	begin();
	f = strdup(at("d/e/f"));
	CHECK(size(f) == 10);
	OTHER(truncate(f, 4) == 0);
	CHECK(size(f) == 4);
	OTHER((fd = open(f, O_WRONLY | O_APPEND)) >= 0 && write(fd, "abc", 3) == 3);
	CHECK(size(f) == 7);
	fd = open(f, O_RDWR);
	CHECK(fd >= 0 && size(f) == 7 && pwrite(fd, "x", 1, 20) == 1 && size(f) == 21 && ftruncate(fd, 5) == 0 && size(f) == 5);
	CHECK(close(fd) == 0 && size(f) == 5);
	OTHER(chmod(f, 0640) == 0);
	CHECK(look(f, &s) == 0 && (s.st_mode & 07777) == 0640);
	OTHER(link(f, at("d/e/g")) == 0);
	CHECK(look(f, &s) == 0 && s.st_nlink == 2 && look(at("d/e/g"), &s) == 0 && s.st_nlink == 2);
	OTHER(chmod(at("d/e/g"), 0600) == 0); /* by its other name */
	CHECK(look(f, &s) == 0 && (s.st_mode & 07777) == 0600);
	OTHER(unlink(at("d/e/g")) == 0);
	CHECK(look(f, &s) == 0 && s.st_nlink == 1);
	OTHER(utimensat(AT_FDCWD, f, (struct timespec[2]){ { 5, 0 }, { 7, 0 } }, 0) == 0);
	CHECK(look(f, &s) == 0 && s.st_mtim.tv_sec == 7 && s.st_atim.tv_sec == 5);
	CHECK(look(at("d/e"), &was) == 0);
	until_later(&was.st_mtim);
	OTHER(mkdir(at("d/e/sub"), 0755) == 0);
	CHECK(look(at("d/e"), &s) == 0 && memcmp(&s.st_mtim, &was.st_mtim, sizeof(s.st_mtim)) != 0 && s.st_nlink == was.st_nlink + 1);
	OTHER(rmdir(at("d/e/sub")) == 0);
	CHECK(look(at("d/e"), &s) == 0 && s.st_nlink == was.st_nlink);
}

CASE(links)
{
	begin();
	make_file("d/g", "abc");
	CHECK(symlink("e/f", at("d/l")) == 0 && symlink("nowhere", at("d/n")) == 0);
	CHECK(size(at("d/l")) == 10 && mode_of_link(at("d/l")) == S_IFLNK && size(at("d/n")) == -ENOENT && mode_of_link(at("d/n")) == S_IFLNK);
	CHECK(mode_of_link(at("d/e/f")) == S_IFREG && size(at("d/e/../l")) == 10);
	OTHER(symlink("g", at("d/m")) == 0 && rename(at("d/m"), at("d/l")) == 0);
	CHECK(size(at("d/l")) == 3);
	OTHER(link(at("d/g"), at("d/nowhere")) == 0);
	CHECK(size(at("d/n")) == 3);
	OTHER(unlink(at("d/l")) == 0);
	CHECK(size(at("d/l")) == -ENOENT);
	CHECK(symlink("l", at("d/l")) == 0 && size(at("d/l")) == -ELOOP);
}

CASE(paths)
{
	char longer[260], *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *end = page + 4096;
	const char *f;
	struct stat s, *volatile bad = (struct stat *)8;

	begin();
	f = strdup(at("d/e/f"));
	CHECK(page != MAP_FAILED && munmap(end, 4096) == 0);
	/* up to the last byte that is there, at each alignment; and beyond it */
	for (unsigned i = 0; i < 9; i++) {
		char *p = end - strlen(f) - 1 - i;

		strcpy(p, f);
		CHECK(size(p) == 10);
		p = end - 3 - i;
		memcpy(p, "/zzzzzzzzzzzz", 3 + i);
		CHECK_ERR(stat(p, &s), EFAULT);
	}
	CHECK_ERR(stat((char *)8, &s), EFAULT);
	for (int i = 0; i < ASKED; i++)
		CHECK_ERR(stat(f, bad), EFAULT);
	/* of each length */
	strcpy(longer, dir);
	for (size_t n = strlen(longer); n < 200; n++) {
		longer[n] = n % 2 ? '/' : '.';
		longer[n + 1] = 0;
		CHECK(size(longer) == -ENOENT || (look(longer, &s) == 0 && S_ISDIR(s.st_mode)));
	}
	CHECK(chdir(at("d")) == 0 && size("e/f") == 10 && chdir(dir) == 0 && size("e/f") == -ENOENT);
	CHECK(size("") == -ENOENT && size("/") >= 0);
	CHECK_ERR(fstatat(AT_FDCWD, f, &s, 0x8000000), EINVAL);
	CHECK(fstatat(-7, f, &s, 0) == 0 && fstatat(-7, f, &s, AT_SYMLINK_NOFOLLOW) == 0 && fstatat(-7, f, &s, AT_EMPTY_PATH) == 0);
	CHECK_ERR(fstatat(-7, "d", &s, 0), EBADF);
}

/* The same where others than root may come, too; until leave_open(). */
static void begin_open(void)
{
	static char open_dir[] = "/tmp/guest-named-XXXXXX";
	int status;
	pid_t p;

	begin();
	p = fork();
	if (!p)
		_exit(setuid(4711) || chdir(dir));
	CHECK(p > 0 && waitpid(p, &status, 0) == p);
	if (!status)
		return;
	CHECK(mkdtemp(open_dir) && chdir(open_dir) == 0);
	make();
}

static void leave_open(void)
{
	CHECK(unlink("d/e/f") == 0 && rmdir("d/e") == 0 && rmdir("d") == 0 && rmdir(dir) == 0);
}

/* Who may not search a directory does not know what others do. */
CASE(rights)
{
	if (getuid())
		return;
	begin_open();
	CHECK(size(at("d/e/f")) == 10);
	OTHER(setgroups(0, NULL) == 0 && setgid(4711) == 0 && setuid(4711) == 0 && size(at("d/e/f")) == 10 && size(at("d/e/g")) == -ENOENT);
	CHECK(chmod("d", 0700) == 0 && size(at("d/e/f")) == 10);
	OTHER(size(at("d/e/f")) == 10 && setegid(4711) == 0 && seteuid(4711) == 0 && size(at("d/e/f")) == -EACCES && size(at("d/e/g")) == -EACCES &&
		seteuid(0) == 0 && size(at("d/e/f")) == 10);
	OTHER(size(at("d/e/f")) == 10 && setgid(4711) == 0 && setuid(4711) == 0 && size(at("d/e/f")) == -EACCES);
	OTHER(setgroups(1, (gid_t[]){ 4712 }) == 0 && setgid(4711) == 0 && setuid(4711) == 0 && size(at("d/e/f")) == -EACCES);
	CHECK(chown("d", 0, 4712) == 0 && chmod("d", 0710) == 0);
	OTHER(setgroups(1, (gid_t[]){ 4712 }) == 0 && setgid(4711) == 0 && setuid(4711) == 0 && size(at("d/e/f")) == 10);
	OTHER(setgroups(0, NULL) == 0 && setgid(4711) == 0 && setuid(4711) == 0 && size(at("d/e/f")) == -EACCES);
	leave_open();
}

/* One process asks while another changes who may search. */
CASE(rights_change)
{
	_Atomic int *step = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	siginfo_t end = { 0 };
	int status;
	pid_t p;

	if (getuid())
		return;
	begin_open();
	CHECK(step != MAP_FAILED);
	p = fork();
	if (!p) {
		if (setgroups(0, NULL) || setgid(4711) || setuid(4711))
			_exit(1);
		for (int i = 0; i < 6; i++) {
			while (atomic_load(step) != 2 * i)
				sched_yield();
			if (size(at("d/e/f")) != (i % 2 ? -EACCES : 10))
				_exit(2);
			atomic_store(step, 2 * i + 1);
		}
		_exit(0);
	}
	for (int i = 0; i < 6; i++) {
		while (atomic_load(step) != 2 * i + 1 && waitid(P_PID, p, &end, WEXITED | WNOHANG | WNOWAIT) == 0 && !end.si_pid)
			sched_yield();
		CHECK(chmod("d", i % 2 ? 0755 : 0700) == 0);
		atomic_store(step, 2 * i + 2);
	}
	CHECK(waitpid(p, &status, 0) == p);
	CHECK(status == 0);
	leave_open();
}

CASE(root_directories)
{
	begin();
	if (getuid())
		return;
	CHECK(mkdir(at("d/e/d"), 0755) == 0);
	CHECK(size(at("d/e/f")) == 10 && size("/e/f") == -ENOENT && size("/f") == -ENOENT);
	OTHER(size("/e/f") == -ENOENT && chroot(at("d")) == 0 && size("/e/f") == 10 && size("/f") == -ENOENT && chroot("/e") == 0 && size("/f") == 10 &&
		size("/e/f") == -ENOENT && size("/../../f") == 10);
	CHECK(size("/e/f") == -ENOENT && size("/f") == -ENOENT && size(at("d/e/f")) == 10);
}

static void *change_root(void *arg)
{
	return chroot(arg) ? arg : NULL;
}

/* A thread's root directory is the other threads' too. */
CASE(root_of_threads)
{
	pthread_t t;
	void *r;

	begin();
	if (getuid())
		return;
	CHECK(size("/e/f") == -ENOENT);
	CHECK(pthread_create(&t, NULL, change_root, strdup(at("d"))) == 0 && pthread_join(t, &r) == 0 && !r);
	CHECK(size("/e/f") == 10 && size("/d/e/f") == -ENOENT);
}

/* What was done before somebody says so is seen by whoever hears it. */
CASE(order)
{
	_Atomic int *done = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *f, *names[2];
	struct stat s;
	int status, fd, seen;
	pid_t p;

	begin();
	f = strdup(at("d/e/f"));
	names[0] = strdup(at("d/e/0"));
	names[1] = strdup(at("d/e/1"));
	CHECK(done != MAP_FAILED && rename(f, names[0]) == 0);
	p = fork();
	if (!p) {
		if ((fd = open(names[0], O_RDWR)) < 0)
			_exit(1);
		for (int i = 1; i <= 2000; i++) {
			if (i % 4 ? ftruncate(fd, i) : rename(names[i / 4 % 2 ^ 1], names[i / 4 % 2]))
				_exit(2);
			atomic_store(done, i);
			for (int k = 0; k < i % 7 * 200; k++)
				__builtin_ia32_pause();
		}
		_exit(0);
	}
	do {
		seen = atomic_load(done);
		if (stat(names[seen / 4 % 2], &s)) /* it was moved away, after the next step that comes before a fourth */
			CHECK(atomic_load(done) >= seen / 4 * 4 + 3);
		else
			CHECK(s.st_size >= seen - !(seen % 4));
	} while (seen < 2000 && waitpid(p, &status, WNOHANG) == 0);
	if (seen == 2000)
		CHECK(waitpid(p, &status, 0) == p);
	CHECK(status == 0 && atomic_load(done) == 2000);
}

/* named ask PATH: asks a thousand times what it leads to, says so, and waits for the end of its input. */
static int ask(const char *path)
{
	struct stat s;

	for (int i = 0; i < 1000; i++)
		if (stat(path, &s))
			return 1;
	puts("asked");
	fflush(stdout);
	return getchar() != EOF;
}

int main(int argc, char **argv) { return argc == 3 ? ask(argv[2]) : run_cases(); }
