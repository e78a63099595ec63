/*
 * growth - what N of something cost: "NAME NS-EACH" lines.
 *
 * A plain static program for scripts/bench, which runs it natively and in sandboxes
 * with growing N, to see that the cost of each does not grow with their number.
 *   growth threads N | mappings N | processes N | files N DIRECTORY
 * When all of the N exist it prints "peak" and waits for the end of its standard
 * input, so that the memory which they take can be looked at; files needs none.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 1000u
#define CALLS 1000 /* by each thread: the same at each step, as is what it costs to wake them all */
#define PAGE 4096

static pthread_barrier_t begin, end;

static void must(int ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "growth: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void tell(const char *name, double since, double n)
{
	printf("%s\t%.0f\n", name, (now() - since) / n);
	fflush(stdout);
}

static void peak(void)
{
	char c;

	puts("peak");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
}

static void *caller(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&begin);
	for (unsigned i = 0; i < CALLS; i++)
		syscall(SYS_getppid);
	pthread_barrier_wait(&end);
	pthread_barrier_wait(&end); /* until the peak has been looked at */
	return NULL;
}

static void threads(unsigned n, const char *dir)
{
	pthread_t *t = calloc(n, sizeof(*t));
	pthread_attr_t small;
	double a = now();

	(void)dir;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 * 1024);
	pthread_barrier_init(&begin, NULL, n + 1);
	pthread_barrier_init(&end, NULL, n + 1);
	for (unsigned i = 0; i < n; i++)
		must(!(errno = pthread_create(&t[i], &small, caller, NULL)), "pthread_create");
	tell("thread made", a, n);
	a = now();
	pthread_barrier_wait(&begin);
	pthread_barrier_wait(&end);
	tell("call, all threads calling", a, (double)n * CALLS);
	peak();
	a = now();
	pthread_barrier_wait(&end);
	for (unsigned i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	tell("thread ended", a, n);
	free(t);
}

/* Every other page with another protection, so that none melt into one. */
static void mappings(unsigned n, const char *dir)
{
	char *area = mmap(NULL, (size_t)n * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	double a = now();

	(void)dir;
	must(area != MAP_FAILED, "mmap");
	for (unsigned i = 0; i < n; i++)
		must(mmap(area + (size_t)i * PAGE, PAGE, PROT_READ | (i & 1 ? PROT_WRITE : 0), MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED,
			"mmap");
	tell("mapping made", a, n);
	a = now();
	for (unsigned i = 1; i < n; i += 2)
		area[(size_t)i * PAGE] = 1;
	tell("mapping touched", a, n / 2 ? n / 2 : 1);
	peak();
	a = now();
	for (unsigned i = 0; i < n; i++)
		munmap(area + (size_t)i * PAGE, PAGE);
	tell("mapping removed", a, n);
}

/* As many in all at each step: what is put off as one ends is paid for by the next. */
static void processes(unsigned n, const char *dir)
{
	pid_t *p = calloc(n, sizeof(*p));
	double made = 0, ended = 0, a;
	unsigned times = n && n < PROCESSES ? PROCESSES / n : 1;

	(void)dir;
	for (unsigned k = 0; k < times; k++) {
		a = now();
		for (unsigned i = 0; i < n; i++) {
			must((p[i] = fork()) >= 0, "fork");
			if (!p[i]) {
				pause();
				_exit(0);
			}
		}
		made += now() - a;
		if (k == times - 1) {
			tell("process made", now() - made, (double)n * times);
			peak();
		}
		a = now();
		for (unsigned i = 0; i < n; i++)
			kill(p[i], SIGKILL);
		for (unsigned i = 0; i < n; i++)
			must(waitpid(p[i], NULL, 0) == p[i], "wait");
		ended += now() - a;
	}
	tell("process ended", now() - ended, (double)n * times);
	free(p);
}

static void files(unsigned n, const char *dir)
{
	char name[32];
	struct stat st;
	unsigned seen = 0;
	DIR *d;
	double a = now();

	must(!mkdir(dir, 0755) && !chdir(dir), dir);
	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "file%u", i);
		int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

		must(fd >= 0, name);
		close(fd);
	}
	tell("file made", a, n);
	for (unsigned again = 0; again < 2; again++) {
		a = now();
		must((d = opendir(".")) != NULL, dir);
		for (seen = 0; readdir(d); seen++)
			;
		closedir(d);
		tell(again ? "entry listed again" : "entry listed", a, n);
		must(seen == n + 2, "all entries");
		a = now();
		for (unsigned i = 0; i < n; i++) {
			snprintf(name, sizeof(name), "file%u", i);
			must(!stat(name, &st), name);
		}
		tell(again ? "file stat'ed again" : "file stat'ed", a, n);
	}
	a = now();
	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "file%u", i);
		must(!unlink(name), name);
	}
	tell("file removed", a, n);
	must(!chdir("/") && !rmdir(dir), dir);
}

static const struct {
	const char *name;
	void (*fn)(unsigned n, const char *dir);
} kinds[] = {
	{ "threads", threads },
	{ "mappings", mappings },
	{ "processes", processes },
	{ "files", files },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc >= 3 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(argv[1], kinds[i].name) && atoi(argv[2]) > 0) {
			kinds[i].fn((unsigned)atoi(argv[2]), argc > 3 ? argv[3] : "/tmp/growth");
			return 0;
		}
	}
	fputs("usage: growth threads|mappings|processes|files N [DIRECTORY]\n", stderr);
	return 2;
}
