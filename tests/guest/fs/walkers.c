/* Many walk through names while others change them: whoever looks finds what is there all the time, and never what is not. */
#include "../test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#define ROUNDS 1500
#define SECONDS 8 /* for a machine that is slow at it: fewer rounds */

static _Atomic bool over;
static _Atomic int wrong, walks;
static time_t end;

static bool goes_on(int round)
{
	return round < ROUNDS && (round < 10 || time(NULL) < end);
}

static void *walk(void *arg)
{
	struct stat st;

	while (!over) {
		walks++;
		wrong += stat("w/a/b/c/file", &st) || st.st_size != 4;
		wrong += stat("w/a/../a/b/./c", &st) || !S_ISDIR(st.st_mode);
		wrong += stat("w/link/c/file", &st) || !S_ISREG(st.st_mode);
		wrong += !stat("w/a/b/c/never", &st) || errno != ENOENT;
		wrong += !stat("w/a/b/c/file/x", &st) || errno != ENOTDIR;
	}
	return arg;
}

/* Renamed from one place to the other: it is at one of them; looked for twice, as it may move between. */
static void *follow(void *arg)
{
	while (!over) {
		int fd = open("w/moving/here/deep", O_RDONLY);

		if (fd < 0)
			fd = open("w/moving/there/deep", O_RDONLY);
		if (fd >= 0)
			close(fd);
		else if (errno != ENOENT)
			wrong++;
	}
	return arg;
}

static void *change(void *arg)
{
	const char *n = arg;
	char a[64], b[64];

	snprintf(a, sizeof(a), "w/a/b/c/%s", n);
	snprintf(b, sizeof(b), "w/a/%s", n);
	for (int i = 0; goes_on(i); i++) {
		int fd = open(a, O_CREAT | O_EXCL | O_RDWR, 0600);

		wrong += fd < 0 || close(fd);
		wrong += rename(a, b) != 0;
		wrong += open(a, O_RDONLY) >= 0;
		wrong += unlink(b) != 0;
		wrong += mkdir(a, 0700) != 0;
		wrong += rmdir(a) != 0;
	}
	return NULL;
}

static void *move(void *arg)
{
	for (int i = 0; goes_on(i); i++) {
		wrong += rename("w/moving/here", "w/moving/there") != 0;
		wrong += rename("w/moving/there", "w/moving/here") != 0;
	}
	return arg;
}

static int file(const char *name)
{
	int fd = open(name, O_CREAT | O_WRONLY, 0600);

	return fd >= 0 && write(fd, "text", 4) == 4 ? close(fd) : -1;
}

CASE(walks_while_names_change)
{
	static char *names[] = { "one", "two", "a-name-that-is-too-long-to-lie-within-a-dentry-of-its-own" };
	pthread_t looking[5], changing[4];

	CHECK(!mkdir("w", 0700) && !mkdir("w/a", 0700) && !mkdir("w/a/b", 0700) && !mkdir("w/a/b/c", 0700));
	CHECK(!mkdir("w/moving", 0700) && !mkdir("w/moving/here", 0700) && !file("w/moving/here/deep"));
	CHECK(!file("w/a/b/c/file") && !symlink("a/b", "w/link"));
	end = time(NULL) + SECONDS;
	for (int i = 0; i < 5; i++)
		CHECK(pthread_create(&looking[i], NULL, i < 3 ? walk : follow, NULL) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&changing[i], NULL, i < 3 ? change : move, i < 3 ? names[i] : NULL) == 0);
	for (int i = 0; i < 4; i++)
		pthread_join(changing[i], NULL);
	over = true;
	for (int i = 0; i < 5; i++)
		pthread_join(looking[i], NULL);
	CHECK(wrong == 0 && walks > 0);
	CHECK(system("rm -r w") == 0);
}

int main(void)
{
	return run_cases();
}
