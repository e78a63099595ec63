/* What programs read off links and directories of /proc: threads, descriptors, processes. */
#include "../test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int gate[2];

static void *waiting(void *arg)
{
	char c;

	(void)!read(gate[0], &c, 1);
	return arg;
}

struct io {
	unsigned long long rchar, wchar, syscr, syscw;
};

static struct io io_of(const char *path)
{
	struct io io = { 0 };
	FILE *f = fopen(path, "r");

	CHECK(f && fscanf(f, "rchar: %llu\nwchar: %llu\nsyscr: %llu\nsyscw: %llu\n", &io.rchar, &io.wchar, &io.syscr, &io.syscw) == 4);
	fclose(f);
	return io;
}

static void move(int calls, size_t bytes)
{
	static char b[1000];
	int p[2];

	CHECK(pipe(p) == 0);
	for (int i = 0; i < calls; i++)
		CHECK(write(p[1], b, bytes) == (ssize_t)bytes && read(p[0], b, sizeof(b)) == (ssize_t)bytes);
	close(p[0]);
	close(p[1]);
}

/* What a process reads and writes, in bytes and calls; a child's once it is waited for. */
CASE(io_is_counted)
{
	struct io a = io_of("/proc/self/io"), b;
	pid_t p;

	move(10, 100);
	b = io_of("/proc/self/io");
	CHECK(b.wchar - a.wchar == 1000 && b.syscw - a.syscw == 10);
	CHECK(b.rchar - a.rchar >= 1000 && b.rchar - a.rchar < 2000 && b.syscr - a.syscr >= 10 && b.syscr - a.syscr < 16);
	if (!(p = fork())) {
		move(5, 1000);
		_exit(0);
	}
	CHECK(waitpid(p, NULL, 0) == p);
	a = io_of("/proc/self/io");
	CHECK(a.wchar - b.wchar == 5000 && a.syscw - b.syscw == 5);
	CHECK(io_of("/proc/thread-self/io").wchar == a.wchar - 5000);
}

CASE(io_of_copies_is_counted)
{
	int from, to = memfd_create("to", 0), other = memfd_create("other", 0);
	struct io a, b;
	off_t at = 0;

	from = memfd_create("from", 0);
	CHECK(ftruncate(from, 10000) == 0);
	a = io_of("/proc/self/io");
	CHECK(copy_file_range(from, &at, to, NULL, 4000, 0) == 4000);
	CHECK(sendfile(other, from, &at, 3000) == 3000);
	b = io_of("/proc/self/io");
	CHECK(b.wchar - a.wchar == 7000 && b.syscw - a.syscw == 2);
	CHECK(b.rchar - a.rchar >= 7000 && b.rchar - a.rchar < 8000 && b.syscr - a.syscr >= 2);
}

CASE(task_links_count_threads)
{
	struct stat st;
	pthread_t th[2];

	CHECK(stat("/proc/self/task", &st) == 0 && st.st_nlink == 3);
	CHECK(pipe(gate) == 0);
	CHECK(!pthread_create(&th[0], NULL, waiting, NULL) && !pthread_create(&th[1], NULL, waiting, NULL));
	CHECK(stat("/proc/self/task", &st) == 0 && st.st_nlink == 5);
	CHECK(write(gate[1], "xx", 2) == 2);
	pthread_join(th[0], NULL);
	pthread_join(th[1], NULL);
}

CASE(fd_link_tells_mode)
{
	static const struct {
		int flags;
		unsigned mode;
	} cases[] = { { O_RDONLY, 0500 }, { O_WRONLY, 0300 }, { O_RDWR, 0700 } };

	for (unsigned i = 0; i < 3; i++) {
		int fd = open("/dev/null", cases[i].flags);
		char name[40];
		struct stat st;

		CHECK(fd >= 0);
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		CHECK(lstat(name, &st) == 0 && S_ISLNK(st.st_mode) && (st.st_mode & 0777) == cases[i].mode);
		close(fd);
	}
}

static volatile sig_atomic_t got;

static void on_usr1(int s) { got = s; }

CASE(pidfd_send_signal_by_proc_directory)
{
	int self = open("/proc/self", O_DIRECTORY | O_RDONLY), other = open("/proc", O_DIRECTORY | O_RDONLY), status;
	char name[32];
	pid_t pid;
	int fd;

	signal(SIGUSR1, on_usr1);
	CHECK(self >= 0 && syscall(SYS_pidfd_send_signal, self, SIGUSR1, NULL, 0) == 0 && got == SIGUSR1);
	CHECK_ERR(syscall(SYS_pidfd_send_signal, other, SIGUSR1, NULL, 0), EBADF);
	pid = fork();
	if (!pid)
		for (;;)
			pause();
	snprintf(name, sizeof(name), "/proc/%d", pid);
	fd = open(name, O_DIRECTORY | O_RDONLY);
	CHECK(fd >= 0 && syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	CHECK_ERR(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), ESRCH);
}

CASE(zombie_keeps_ids_and_pid_namespace)
{
	char name[40], own[64] = "", its[64] = "", text[2048] = "";
	pid_t pid = fork();
	struct stat st;
	siginfo_t si;
	int fd;

	if (!pid)
		_exit(setgid(7) || setuid(1000) ? 1 : 0);
	CHECK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT) == 0 && si.si_status == 0);
	snprintf(name, sizeof(name), "/proc/%d", pid);
	CHECK(stat(name, &st) == 0 && st.st_uid == 1000 && st.st_gid == 7);
	snprintf(name, sizeof(name), "/proc/%d/status", pid);
	CHECK((fd = open(name, O_RDONLY)) >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	CHECK(strstr(text, "State:\tZ (zombie)") && strstr(text, "Uid:\t1000\t1000\t1000\t1000\n"));
	close(fd);
	waitpid(pid, NULL, 0);

	pid = fork();
	if (!pid)
		_exit(0);
	CHECK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT) == 0);
	snprintf(name, sizeof(name), "/proc/%d/ns/pid", pid);
	CHECK(readlink("/proc/self/ns/pid", own, sizeof(own) - 1) > 0 && readlink(name, its, sizeof(its) - 1) > 0 && !strcmp(own, its));
	snprintf(name, sizeof(name), "/proc/%d/ns/mnt", pid);
	CHECK_ERR(readlink(name, its, sizeof(its) - 1), ENOENT);
	snprintf(name, sizeof(name), "/proc/%d/exe", pid);
	CHECK_ERR(readlink(name, its, sizeof(its) - 1), ENOENT);
	waitpid(pid, NULL, 0);
}

int main(void) { return run_cases(); }
