/* Memory across fork: copy-on-write, sharing, and the advices about fork. */
#include "../test.h"

#include <sys/mman.h>

#define PG 4096ul

static int child_says(int (*fn)(char *), char *p)
{
	pid_t c = fork();
	int st;

	CHECK(c >= 0);
	if (!c)
		_exit(fn(p));
	CHECK(waitpid(c, &st, 0) == c);
	return WIFEXITED(st) ? WEXITSTATUS(st) : 1000 + WTERMSIG(st);
}

static int reads_then_writes(char *p)
{
	for (size_t i = 0; i < 600 * PG; i += PG)
		if (p[i] != (char)(i / PG))
			return 1;
	for (size_t i = 0; i < 600 * PG; i += PG)
		p[i] = 99;
	for (size_t i = 0; i < 600 * PG; i += PG)
		if (p[i] != 99 || p[i + 1] != 0)
			return 2;
	return 0;
}

CASE(copies_are_private)
{
	char *p = mmap(NULL, 600 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; i < 600 * PG; i += PG)
		p[i] = (char)(i / PG);
	CHECK(child_says(reads_then_writes, p) == 0);
	for (size_t i = 0; i < 600 * PG; i += PG)
		CHECK(p[i] == (char)(i / PG));
	for (size_t i = 0; i < 600 * PG; i += PG)
		p[i]++;
	for (size_t i = 0; i < 600 * PG; i += PG)
		CHECK(p[i] == (char)(i / PG + 1));
}

static int sees_old(char *p)
{
	char buf[1];

	/* p is a pipe pair and a page: the parent has written by the time a byte comes */
	int *fd = (int *)(void *)p;

	if (read(fd[0], buf, 1) != 1)
		return 1;
	return p[64] == 5 ? 0 : 2;
}

CASE(parent_writes_child_keeps)
{
	char *p = mmap(NULL, PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int *fd = (int *)(void *)p, st;
	pid_t c;

	CHECK(pipe(fd) == 0);
	p[64] = 5;
	c = fork();
	if (!c)
		_exit(sees_old(p));
	p[64] = 6;
	CHECK(write(fd[1], "x", 1) == 1);
	CHECK(waitpid(c, &st, 0) == c && st == 0);
	CHECK(p[64] == 6);
}

static int stores(char *p)
{
	p[10 * PG] = 42;
	return p[0] == 7 ? 0 : 1;
}

CASE(shared_is_shared)
{
	char *p = mmap(NULL, 1024 * PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	p[0] = 7;
	CHECK(child_says(stores, p) == 0);
	CHECK(p[10 * PG] == 42);
	p[1000 * PG] = 1;
}

static int wiped(char *p) { return p[0] || p[PG]; }

CASE(wipe_on_fork)
{
	char *p = mmap(NULL, 2 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	p[0] = p[PG] = 1;
	CHECK(madvise(p, 2 * PG, MADV_WIPEONFORK) == 0);
	CHECK(child_says(wiped, p) == 0);
	CHECK(p[0] == 1);
	CHECK(madvise(p, 2 * PG, MADV_KEEPONFORK) == 0);
	CHECK(child_says(wiped, p) == 1);
}

CASE(dont_fork)
{
	char *p = mmap(NULL, 2 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	p[0] = 1;
	CHECK(madvise(p, PG, MADV_DONTFORK) == 0);
	CHECK(child_says(wiped, p) == 1000 + SIGSEGV);
}

static int grandchildren(char *p)
{
	int st;
	pid_t c;

	p[0]++;
	c = fork();
	if (!c) {
		p[0]++;
		_exit(p[0] == 3 && p[PG] == 9 ? 0 : 1);
	}
	waitpid(c, &st, 0);
	return st || p[0] != 2;
}

CASE(generations)
{
	char *p = mmap(NULL, 2 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	p[0] = 1;
	p[PG] = 9;
	for (int i = 0; i < 10; i++)
		CHECK(child_says(grandchildren, p) == 0);
	CHECK(p[0] == 1);
}

int main(void) { return run_cases(); }
