/*
 * fileops_tell.c - what is told of a file, and of the whole tree.
 */
#include <dirent.h>
#include "fileops.h"

static const char *told_time(const struct timespec *t)
{
	static char made[3][24];
	static unsigned next;
	char *p = made[next++ % 3];

	if (t->tv_sec >= SET_TIME + 100000)
		return "now";
	snprintf(p, sizeof(made[0]), "%ld", (long)t->tv_sec - SET_TIME);
	return p;
}

void tell_stat(const struct stat *st)
{
	printf(" %o %u:%u", st->st_mode, st->st_uid, st->st_gid);
	if (!S_ISDIR(st->st_mode))
		printf(" links %lu size %ld", (unsigned long)st->st_nlink, (long)st->st_size);
	printf(" m %s c %s", told_time(&st->st_mtim), told_time(&st->st_ctim));
	if (!run.no_access && S_ISREG(st->st_mode))
		printf(" a %s", told_time(&st->st_atim));
}

void op_stat(void)
{
	struct stat st;
	const char *path = a_path();
	int flags = rnd(2) ? AT_SYMLINK_NOFOLLOW : 0;
	int r = fstatat(AT_FDCWD, path, &st, flags);

	printf(" %s %x", path, flags);
	if (!r)
		tell_stat(&st);
	answer(r);
}

void op_fstat(void)
{
	struct stat st;
	int slot = a_slot(), r = fstat(run.fd[slot], &st);

	if (!r)
		tell_stat(&st);
	answer(r);
}

void op_access(void)
{
	const char *path = a_path();
	int mode = (int)rnd(8), flags = (int)ONE_OF(0, AT_EACCESS, AT_SYMLINK_NOFOLLOW);

	printf(" %s %d %x", path, mode, flags);
	answer(faccessat(AT_FDCWD, path, mode, flags));
}

void op_readlink(void)
{
	char to[80];
	const char *path = a_path();
	ssize_t n = readlink(path, to, rnd(4) ? sizeof(to) : 3);

	printf(" %s", path);
	if (n > 0)
		printf(" -> %.*s", (int)n, to);
	answer(n);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

void op_list(void)
{
	struct dirent **list;
	const char *path = a_path();
	int n;

	printf(" %s", path);
	errno = 0;
	n = scandir(path, &list, NULL, by_name);
	for (int i = 0; i < n; i++) {
		printf(" %s:%d", list[i]->d_name, list[i]->d_type);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	answer(n);
}

static void tell_content(const char *path)
{
	static char data[1 << 20];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NOATIME);
	ssize_t n = fd < 0 ? -1 : read(fd, data, sizeof(data));

	if (n < 0)
		printf(" ? %s", strerrorname_np(errno));
	else
		printf(" %08x", sum_of(data, (size_t)n));
	if (fd >= 0)
		close(fd);
}

static void tell_directory(const char *path)
{
	struct dirent **list;
	int n = scandir(path, &list, NULL, by_name);

	for (int i = 0; i < n; i++) {
		char sub[512], to[80];
		struct stat st;
		ssize_t len;

		snprintf(sub, sizeof(sub), "%.200s/%s", path, list[i]->d_name);
		if (!strcmp(list[i]->d_name, ".") || !strcmp(list[i]->d_name, "..") || lstat(sub, &st))
			goto next;
		printf("\t%s", sub);
		tell_stat(&st);
		if (S_ISREG(st.st_mode))
			tell_content(sub);
		else if (S_ISLNK(st.st_mode) && (len = readlink(sub, to, sizeof(to))) >= 0)
			printf(" -> %.*s", (int)len, to);
		printf("\n");
		if (S_ISDIR(st.st_mode))
			tell_directory(sub);
next:
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

/* By root, whoever the operations are done by. */
void tell_tree(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (seteuid(0) || setegid(0))
		abort();
	tell_directory(".");
	if (setegid(gid) || seteuid(uid))
		abort();
}
