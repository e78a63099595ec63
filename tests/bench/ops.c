/*
 * ops - what one operation costs a program, in ns: "NAME NS" lines.
 *
 * A plain static program for scripts/bench, which runs it natively and in a
 * sandbox.  Each operation is repeated for about 20 ms (at most LIMIT times), and
 * the mean of that is printed; scripts/bench repeats the whole and takes medians.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLICE 20e6
#define LIMIT 100000

static char buffer[1 << 16];
static int file, event, pipes[2], sockets[2], there[2], back[2], poller;

static void must(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(1);
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void getppid_(void) { syscall(SYS_getppid); }
static void clock_(void) { now(); }
static void read_1(void) { must(pread(file, buffer, 1, 5) == 1, "pread"); }
static void read_64k(void) { must(pread(file, buffer, sizeof(buffer), 0) == sizeof(buffer), "pread"); }
static void write_64k(void) { must(pwrite(file, buffer, sizeof(buffer), 0) == sizeof(buffer), "pwrite"); }

static void stat_(void)
{
	struct stat st;

	must(stat("/usr/bin/env", &st) == 0, "stat");
}

static void open_close(void)
{
	int fd = open("/usr/bin/env", O_RDONLY);

	must(fd >= 0, "open");
	close(fd);
}

static void create_unlink(void)
{
	int fd = open("/tmp/ops.new", O_RDWR | O_CREAT, 0600);

	must(fd >= 0, "create");
	close(fd);
	unlink("/tmp/ops.new");
}

static void mmap_touch(void)
{
	char *p = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED, "mmap");
	*p = 1;
	munmap(p, 1 << 16);
}

static void pipe_(void) { must(write(pipes[1], buffer, 1) == 1 && read(pipes[0], buffer, 1) == 1, "pipe"); }
static void unix_(void) { must(send(sockets[0], buffer, 64, 0) == 64 && recv(sockets[1], buffer, 64, 0) == 64, "socket"); }
static void eventfd_(void) { uint64_t v = 1; must(write(event, &v, 8) == 8 && read(event, &v, 8) == 8, "eventfd"); }
static void epoll_(void) { struct epoll_event e; epoll_wait(poller, &e, 1, 0); }
static void on_signal(int s) { (void)s; }
static void signal_(void) { raise(SIGUSR1); }

/* One byte to another process and back. */
static void ping_pong(void) { must(write(there[1], buffer, 1) == 1 && read(back[0], buffer, 1) == 1, "ping"); }

static void *nothing(void *arg) { return arg; }

static void thread_join(void)
{
	pthread_t t;

	must(pthread_create(&t, NULL, nothing, NULL) == 0, "thread");
	pthread_join(t, NULL);
}

static void fork_wait(void)
{
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
}

static void exec_wait(void)
{
	pid_t pid = vfork();

	must(pid >= 0, "vfork");
	if (!pid) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
}

static const struct {
	const char *name;
	void (*op)(void);
} ops[] = {
	{ "getppid", getppid_ },
	{ "clock_gettime (vDSO)", clock_ },
	{ "stat of a cached path", stat_ },
	{ "open + close", open_close },
	{ "create + unlink (tmpfs)", create_unlink },
	{ "read 1 byte of a file", read_1 },
	{ "read 64 KiB of a file", read_64k },
	{ "write 64 KiB of a file", write_64k },
	{ "mmap 64 KiB, touch, munmap", mmap_touch },
	{ "byte through a pipe", pipe_ },
	{ "64 bytes through a socket", unix_ },
	{ "eventfd write + read", eventfd_ },
	{ "epoll_wait, nothing ready", epoll_ },
	{ "signal to itself", signal_ },
	{ "byte to a process and back", ping_pong },
	{ "thread create + join", thread_join },
	{ "fork + wait", fork_wait },
	{ "vfork + exec + wait", exec_wait },
};

static void echo(void)
{
	char c;

	close(there[1]);
	while (read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
		;
	_exit(0);
}

static void prepare(void)
{
	must((file = open("/tmp/ops.file", O_RDWR | O_CREAT | O_TRUNC, 0600)) >= 0, "/tmp/ops.file");
	must(write(file, buffer, sizeof(buffer)) == sizeof(buffer), "write");
	must(!pipe(pipes) && !pipe(there) && !pipe(back), "pipe");
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), "socketpair");
	must((event = eventfd(0, 0)) >= 0 && (poller = epoll_create1(0)) >= 0, "eventfd, epoll");
	must(!epoll_ctl(poller, EPOLL_CTL_ADD, pipes[0], &(struct epoll_event){ .events = EPOLLIN }), "epoll_ctl");
	signal(SIGUSR1, on_signal);
	if (!fork())
		echo();
}

int main(void)
{
	prepare();
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		double begin, end;
		int n = 0;

		ops[i].op();
		begin = now();
		do {
			ops[i].op();
			end = now();
		} while (++n < LIMIT && end - begin < SLICE);
		printf("%s\t%.1f\n", ops[i].name, (end - begin) / n);
	}
	close(there[1]);
	unlink("/tmp/ops.file");
	return 0;
}
