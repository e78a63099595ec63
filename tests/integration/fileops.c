/*
 * fileops DIRECTORY SEED COUNT [ATTRIBUTES] - COUNT file operations at random in an
 * empty or prepared directory: a line each with what it was asked and what it
 * answered, and the whole tree after every hundred.  The same seed gives the same
 * operations everywhere, so that two runs can be compared line by line: fileops.sh
 * does so with what Linux and the sandbox answer.
 *
 * Names are few and paths short, so that they meet: files, directories, links and
 * nothing at all stand for one another.  Times are told as "set" (by us, long ago)
 * or "now"; sizes of directories, inode numbers and blocks are the file system's own.
 * ATTRIBUTES names what is left out: h where holes lie, t times of access, f files
 * made without a name.
 */
#include "fileops.h"

struct run run;

static const struct op {
	const char *name;
	int weight;
	op_fn fn;
} ops[] = {
	{ "open", 20, op_open },
	{ "close", 1, op_close },
	{ "write", 8, op_write },
	{ "pwrite", 6, op_pwrite },
	{ "pwritev2", 2, op_pwritev2 },
	{ "read", 4, op_read },
	{ "pread", 4, op_pread },
	{ "lseek", 4, op_lseek },
	{ "hole", 4, op_hole },
	{ "append", 2, op_append },
	{ "dup", 1, op_dup },
	{ "truncate", 3, op_truncate },
	{ "ftruncate", 4, op_ftruncate },
	{ "fallocate", 5, op_fallocate },
	{ "mmap", 5, op_mmap },
	{ "copy_file_range", 4, op_copy_range },
	{ "sendfile", 3, op_sendfile },
	{ "fsync", 1, op_fsync },
	{ "fstat", 3, op_fstat },
	{ "fchmod", 2, op_fchmod },
	{ "fchown", 2, op_fchown },
	{ "futimens", 2, op_futimens },
	{ "mkdir", 7, op_mkdir },
	{ "rmdir", 3, op_rmdir },
	{ "unlink", 5, op_unlink },
	{ "link", 6, op_link },
	{ "symlink", 4, op_symlink },
	{ "readlink", 2, op_readlink },
	{ "mknod", 2, op_mknod },
	{ "tmpfile", 2, op_tmpfile },
	{ "rename", 6, op_rename },
	{ "renameat2", 5, op_renameat2 },
	{ "chmod", 4, op_chmod },
	{ "chown", 4, op_chown },
	{ "utimensat", 4, op_utimensat },
	{ "stat", 5, op_stat },
	{ "access", 3, op_access },
	{ "list", 3, op_list },
	{ "umask", 1, op_umask },
	{ "user", 3, op_user },
};

/* xorshift: the same everywhere */
unsigned rnd(unsigned n)
{
	run.random ^= run.random << 13;
	run.random ^= run.random >> 7;
	run.random ^= run.random << 17;
	return (unsigned)(run.random >> 16) % n;
}

unsigned one_of(const unsigned *of, unsigned n)
{
	return of[rnd(n)];
}

/* One to three names of a few, now and then with something odd. */
const char *a_path(void)
{
	static char made[4][64];
	static unsigned next;
	char *p = made[next++ % 4];
	static const char *const odd[] = { "/", "/.", "/..", "//a", "" };
	size_t at = 0;

	for (unsigned depth = 1 + rnd(8) / 3, i = 0; i < depth; i++) {
		if (i)
			p[at++] = '/';
		p[at++] = (char)('a' + rnd(5));
	}
	p[at] = 0;
	if (!rnd(12))
		strcpy(p + at, odd[rnd(5)]);
	return p;
}

unsigned sum_of(const void *data, size_t size)
{
	const unsigned char *p = data;
	unsigned sum = 2166136261u;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ p[i]) * 16777619u;
	return sum;
}

/* What the operation answered: its error, or a number. */
void answer(long result)
{
	if (result < 0)
		printf(" = %s\n", strerrorname_np(errno));
	else
		printf(" = %ld\n", result);
}

static unsigned pick(void)
{
	unsigned total = 0, at;

	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		total += (unsigned)ops[i].weight;
	at = rnd(total);
	for (unsigned i = 0;; i++) {
		if (at < (unsigned)ops[i].weight)
			return i;
		at -= (unsigned)ops[i].weight;
	}
}

int main(int argc, char **argv)
{
	int count;

	if (argc < 4 || chdir(argv[1])) {
		fprintf(stderr, "usage: fileops DIRECTORY SEED COUNT [ATTRIBUTES]\n");
		return 2;
	}
	run.random = 0x9e3779b97f4a7c15ull * (strtoull(argv[2], NULL, 10) + 1);
	count = atoi(argv[3]);
	run.no_holes = argc > 4 && strchr(argv[4], 'h');
	run.no_tmpfile = argc > 4 && strchr(argv[4], 'f');
	run.no_access = argc > 4 && strchr(argv[4], 't');
	umask(022);
	if (chmod(".", 0777))
		return 2;
	for (int i = 0; i < FILES; i++)
		run.fd[i] = -1;
	for (int i = 1; i <= count; i++) {
		unsigned op = pick();

		printf("%d %s", i, ops[op].name);
		ops[op].fn();
		if (i % 100 == 0 || i == count)
			tell_tree();
	}
	return 0;
}
