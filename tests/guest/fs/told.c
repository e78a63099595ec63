/* What is known of an open file without asking, while it changes in every way. */
#include "fs.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>

static int fd;
static char text[64];

/* A file of ten bytes, closed and opened again for reading, as its content is mostly read. */
static void begin(void)
{
	in_temp();
	make_file("f", "0123456789");
	fd = open("f", O_RDONLY);
	CHECK(fd >= 0);
}

static struct stat look(void)
{
	struct stat s = { 0 }, t = { 0 };

	CHECK(fstat(fd, &s) == 0 && syscall(SYS_fstat, fd, &t) == 0 && !memcmp(&s, &t, sizeof(s)));
	return s;
}

static int look_as_child(int (*change)(void))
{
	int status;
	pid_t p = fork();

	if (!p)
		_exit(change());
	CHECK(p > 0 && waitpid(p, &status, 0) == p);
	return status;
}

CASE(questions)
{
	struct termios t;
	struct stat s;
	char *volatile bad = (char *)8;

	begin();
	CHECK(look().st_size == 10 && S_ISREG(look().st_mode) && look().st_nlink == 1);
	CHECK(stat("f", &s) == 0 && s.st_ino == look().st_ino);
	CHECK_ERR(ioctl(fd, TCGETS, &t), ENOTTY);
	CHECK(lseek(fd, 0, SEEK_CUR) == 0 && read(fd, text, 4) == 4 && lseek(fd, 0, SEEK_CUR) == 4);
	CHECK(read(fd, text, sizeof(text)) == 6 && read(fd, text, sizeof(text)) == 0 && lseek(fd, 0, SEEK_CUR) == 10);
	CHECK_ERR(fstat(fd, (struct stat *)bad), EFAULT);
	CHECK_ERR(fstatat(fd, bad, &s, AT_EMPTY_PATH), EFAULT);
	CHECK_ERR(syscall(SYS_read, fd, text, -1L), EFAULT);
	CHECK(lseek(fd, 3, SEEK_SET) == 3 && lseek(fd, 0, SEEK_CUR) == 3 && read(fd, text, 1) == 1 && text[0] == '3');
	CHECK(lseek(fd, -1, SEEK_END) == 9 && lseek(fd, 0, SEEK_CUR) == 9);
	CHECK_ERR(lseek(fd, 0, 99), EINVAL);
	CHECK(readlinkat(fd, "", text, sizeof(text)) < 0);
}

static int change_mode(void) { return chmod("f", 0400); }
static int change_size(void) { return truncate("f", 4); }
static int change_links(void) { return link("f", "g"); }
static int change_name(void) { return rename("f", "h"); }
static int change_links_back(void) { return unlink("g"); }
static int change_times(void) { return utimensat(AT_FDCWD, "h", (struct timespec[2]){ { 5, 0 }, { 7, 0 } }, 0); }

static int change_text(void)
{
	int w = open("f", O_WRONLY | O_APPEND);

	return write(w, "abc", 3) != 3;
}

CASE(attributes)
{
	struct stat was, is;

	begin();
	CHECK(look().st_size == 10 && look_as_child(change_mode) == 0 && (look().st_mode & 07777) == 0400);
	CHECK(look().st_size == 10 && look_as_child(change_text) == 0 && look().st_size == 13);
	CHECK(look_as_child(change_size) == 0 && look().st_size == 4);
	CHECK(look_as_child(change_links) == 0 && look().st_nlink == 2);
	was = look();
	until_later(&was.st_ctim);
	CHECK(look_as_child(change_name) == 0);
	is = look();
	CHECK(memcmp(&was.st_ctim, &is.st_ctim, sizeof(is.st_ctim)) != 0);
	CHECK(look_as_child(change_links_back) == 0 && look().st_nlink == 1);
	CHECK(look_as_child(change_times) == 0 && look().st_mtim.tv_sec == 7);
	CHECK(unlink("h") == 0 && look().st_nlink == 0);
}

/* Another process changes the file while this one asks and asks. */
CASE(watched)
{
	struct stat s = { 0 };
	int status, pipes[2];
	pid_t p;

	begin();
	CHECK(pipe(pipes) == 0);
	p = fork();
	if (!p) {
		usleep(100000);
		if (truncate("f", 77) || write(pipes[1], "x", 1) != 1)
			_exit(1);
		_exit(0);
	}
	CHECK(p > 0 && close(fd) == 0);
	fd = open("f", O_RDONLY);
	while (s.st_size != 77) /* the case's time limit bounds it */
		CHECK(fstat(fd, &s) == 0);
	CHECK(look().st_size == 77 && read(pipes[0], text, 1) == 1 && look().st_size == 77);
	CHECK(waitpid(p, &status, 0) == p && status == 0);
}

static int read_in_child(void) { return read(fd, text, 5) != 5; }

CASE(position_shared)
{
	int d;

	begin();
	CHECK(lseek(fd, 0, SEEK_CUR) == 0 && look_as_child(read_in_child) == 0 && lseek(fd, 0, SEEK_CUR) == 5);
	d = dup(fd);
	CHECK(d >= 0 && lseek(fd, 0, SEEK_CUR) == 5 && lseek(d, 8, SEEK_SET) == 8 && lseek(fd, 0, SEEK_CUR) == 8);
	CHECK(read(d, text, 9) == 2 && read(fd, text, 1) == 0 && lseek(d, 0, SEEK_SET) == 0 && read(fd, text, 1) == 1);
}

CASE(number_reused)
{
	int other;

	begin();
	make_file("g", "four");
	other = open("g", O_RDONLY);
	CHECK(look().st_size == 10 && dup2(other, fd) == fd && look().st_size == 4);
	CHECK(close(fd) == 0);
	CHECK_ERR(fstat(fd, &(struct stat){ 0 }), EBADF);
	CHECK_ERR(lseek(fd, 0, SEEK_CUR), EBADF);
	CHECK_ERR(read(fd, text, 1), EBADF);
	CHECK(open("f", O_RDONLY | O_CLOEXEC) == fd && look().st_size == 10 && close_range((unsigned)fd, (unsigned)fd, 0) == 0);
	CHECK_ERR(fstat(fd, &(struct stat){ 0 }), EBADF);
	CHECK(pipe((int[2]){ 0 }) == 0 && S_ISFIFO(look().st_mode));
}

static void *closes(void *arg)
{
	CHECK(close(fd) == 0);
	return arg;
}

CASE(closed_by_a_thread)
{
	pthread_t t;

	begin();
	CHECK(look().st_size == 10 && pthread_create(&t, NULL, closes, NULL) == 0 && pthread_join(t, NULL) == 0);
	CHECK_ERR(fstat(fd, &(struct stat){ 0 }), EBADF);
}

CASE(closed)
{
	int other;

	begin();
	CHECK(look().st_size == 10 && close(fd) == 0);
	CHECK_ERR(close(fd), EBADF);
	CHECK(open("f", O_RDONLY) == fd && close(fd) == 0);
	CHECK_ERR(read(fd, text, 1), EBADF);
	CHECK(open("f", O_RDONLY) == fd && read(fd, text, sizeof(text)) == 10 && close(fd) == 0);
	CHECK_ERR(fstat(fd, &(struct stat){ 0 }), EBADF);
	CHECK(open("f", O_RDONLY) == fd && (other = dup(fd)) > fd && close(fd) == 0 && read(other, text, 1) == 1 && close(other) == 0);
	CHECK(open("f", O_RDONLY) == fd && close(fd) == 0 && open("f", O_WRONLY) == fd && write(fd, "x", 1) == 1 && close(fd) == 0);
	CHECK(open("f", O_RDONLY) == fd && unlink("f") == 0 && look().st_nlink == 0 && close(fd) == 0);
}

static int is_closed(void) { return fstat(fd, &(struct stat){ 0 }) == 0 || errno != EBADF; }

CASE(closed_before_fork)
{
	begin();
	CHECK(look().st_size == 10 && close(fd) == 0 && look_as_child(is_closed) == 0);
}

static int may_lock(void)
{
	struct flock l = { .l_type = F_WRLCK };
	int w = open("f", O_RDWR);

	return w < 0 || fcntl(w, F_SETLK, &l);
}

/* Closing any descriptor of a file ends the process's locks on it. */
CASE(close_unlocks)
{
	struct flock l = { .l_type = F_WRLCK };
	int w;

	begin();
	w = open("f", O_RDWR);
	CHECK(w >= 0 && fcntl(w, F_SETLK, &l) == 0 && look_as_child(may_lock) != 0);
	CHECK(close(fd) == 0 && look_as_child(may_lock) == 0 && fcntl(w, F_SETLK, &l) == 0);
	CHECK(open("f", O_RDONLY) == fd && look().st_size == 10 && close(fd) == 0 && look_as_child(may_lock) == 0);
}

/* Flags that two processes see without a call. */
static _Atomic int *flags(void)
{
	_Atomic int *f = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(f != MAP_FAILED);
	return f;
}

/* Closes the file, and works on without a call until it is told to end. */
static pid_t close_and_work(_Atomic int *f)
{
	pid_t p = fork();

	CHECK(p >= 0);
	if (p)
		return p;
	CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0); /* it would work on for ever */
	CHECK(close(fd) == 0 && open("f", O_RDONLY) == fd && fstat(fd, &(struct stat){ 0 }) == 0 && close(fd) == 0);
	for (f[0] = 1; !f[1];)
		;
	_exit(fstat(fd, &(struct stat){ 0 }) == 0);
}

/* Who looks sees it closed, soon. */
CASE(closed_by_a_busy_process)
{
	_Atomic int *f = flags();
	char path[64];
	int status;
	pid_t p;

	begin();
	p = close_and_work(f);
	while (!f[0])
		usleep(1000);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", p, fd);
	while (readlink(path, text, sizeof(text)) >= 0)
		usleep(1000);
	CHECK_ERR(readlink(path, text, sizeof(text)), ENOENT);
	f[1] = 1;
	CHECK(waitpid(p, &status, 0) == p && status == 0);
}

/* Who watches hears of it if it is closed after that, and only then. */
CASE(close_watched)
{
	_Atomic int *f = flags();
	struct inotify_event e;
	int in = inotify_init1(IN_NONBLOCK), status;
	pid_t p;

	begin();
	p = close_and_work(f);
	while (!f[0])
		usleep(1000);
	CHECK(in >= 0 && inotify_add_watch(in, "f", IN_CLOSE) == 1);
	f[1] = 1;
	CHECK(waitpid(p, &status, 0) == p && status == 0);
	CHECK_ERR(read(in, &e, sizeof(e)), EAGAIN);
	CHECK(close(fd) == 0 && read(in, &e, sizeof(e)) == sizeof(e) && e.mask == IN_CLOSE_NOWRITE);
	CHECK(open("f", O_RDONLY) == fd && look().st_size == 10 && close(fd) == 0);
	CHECK(read(in, &e, sizeof(e)) == sizeof(e) && e.mask == IN_CLOSE_NOWRITE);
}

/* The end of a file is found wherever the buffer lies. */
CASE(read_at_end)
{
	char *high = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	begin();
	CHECK(high != MAP_FAILED && read(fd, high, 4096) == 10 && read(fd, high, 4096) == 0 && read(fd, text, 1) == 0);
	CHECK(lseek(fd, 9, SEEK_SET) == 9 && read(fd, high, 4096) == 1 && high[0] == '9' && read(fd, high, 1) == 0);
}

#define LARGE 0100000 /* the kernel's O_LARGEFILE */

CASE(flags)
{
	begin();
	CHECK(fcntl(fd, F_GETFD) == 0 && (fcntl(fd, F_GETFL) & ~LARGE) == O_RDONLY && fcntl(fd, F_SETFD, 0) == 0);
	CHECK(fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && look().st_size == 10);
	CHECK(fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(fd, F_SETFD, 2) == 0 && fcntl(fd, F_GETFD) == 0);
	CHECK(look().st_size == 10 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && fcntl(fd, F_GETFL) & O_NONBLOCK && look().st_size == 10);
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK && ioctl(fd, FIOCLEX) == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(close(fd) == 0 && open("f", O_RDONLY | O_CLOEXEC | O_NOFOLLOW) == fd && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(fd, F_GETFL) & ~LARGE) == O_NOFOLLOW);
	CHECK_ERR(fcntl(fd, 1024 + 99), EINVAL);
	CHECK(close(fd) == 0);
	CHECK_ERR(fcntl(fd, F_GETFL), EBADF);
}

static int entries(void)
{
	static char buf[4096];
	long r = syscall(SYS_getdents64, fd, buf, sizeof(buf));
	int n = 0;

	CHECK(r >= 0);
	for (long at = 0; at < r; at += ((struct dirent64 *)(void *)(buf + at))->d_reclen)
		n++;
	return n;
}

static int make_directory(void) { return mkdir("d/new", 0700); }
static int remove_directory(void) { return rmdir("d/new"); }

CASE(directory)
{
	struct stat before;

	begin();
	CHECK(mkdir("d", 0755) == 0 && close(open("d/a", O_CREAT | O_WRONLY, 0600)) == 0 && close(fd) == 0);
	CHECK(open("d", O_RDONLY | O_DIRECTORY | O_CLOEXEC) == fd);
	before = look();
	CHECK(S_ISDIR(before.st_mode) && fcntl(fd, F_GETFL) & O_DIRECTORY && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
	CHECK(read(fd, text, 1) < 0);
	CHECK(entries() == 3 && entries() == 0 && entries() == 0);
	CHECK(syscall(SYS_getdents64, fd, (char *)8, 4096L) == 0);
	CHECK(read(fd, text, 1) < 0);
	CHECK(look().st_ino == before.st_ino && look_as_child(make_directory) == 0);
	CHECK(look().st_nlink == before.st_nlink + 1);
	CHECK(lseek(fd, 0, SEEK_SET) == 0 && entries() == 4 && entries() == 0);
	CHECK(look().st_nlink == before.st_nlink + 1 && look_as_child(remove_directory) == 0 && look().st_nlink == before.st_nlink);
	CHECK(lseek(fd, 0, SEEK_SET) == 0 && entries() == 3 && look().st_ino == before.st_ino);
	CHECK(close(fd) == 0 && open("d", O_RDONLY | O_DIRECTORY) == fd && look().st_ino == before.st_ino);
	CHECK_ERR(syscall(SYS_getdents64, fd, text, 1L), EINVAL);
	CHECK_ERR(syscall(SYS_getdents64, fd, (char *)8, 4096L), EFAULT);
	CHECK(entries() == 3 && entries() == 0 && close(fd) == 0);
	CHECK_ERR(syscall(SYS_getdents64, fd, text, sizeof(text)), EBADF);
}

int main(void) { return run_cases(); }
