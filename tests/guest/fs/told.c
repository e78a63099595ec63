/* What is known of an open file without asking, while it changes in every way. */
#include "fs.h"

#include <errno.h>
#include <pthread.h>
#include <sys/ioctl.h>
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
	usleep(20000);
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
	for (time_t end = time(NULL) + 10; s.st_size != 77 && time(NULL) < end;)
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

int main(void) { return run_cases(); }
