/*
 * fileops_data.c - the operations on open files and what is in them.
 */
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include "fileops.h"

static char data[128 << 10];

/* Most often one in which a file is open. */
int a_slot(void)
{
	int slot = (int)rnd(FILES);

	for (int i = 0; i < FILES && run.fd[slot] < 0 && rnd(20); i++)
		slot = (slot + 1) % FILES;
	printf(" %d", slot);
	return slot;
}

/* Lengths and offsets: small ones, some about pages, few large. */
static size_t a_length(void)
{
	size_t n = rnd(3) ? rnd(300) : rnd(3) ? (rnd(4) << 12) + rnd(5) - (rnd(2) ? 2 : 0) : rnd(sizeof(data));

	n = n > sizeof(data) ? 0 : n;
	printf(" %zu", n);
	return n;
}

static off_t an_offset(void)
{
	off_t at = rnd(3) ? (off_t)rnd(20000) : (off_t)rnd(30) << 12;

	printf(" @%ld", (long)at);
	return at;
}

static void fill(size_t n)
{
	unsigned with = rnd(255) + 1;

	for (size_t i = 0; i < n; i++)
		data[i] = (char)(with + i * 7);
}

static void put_in_slot(int slot, int fd)
{
	if (fd < 0)
		return;
	if (run.fd[slot] >= 0)
		close(run.fd[slot]);
	run.fd[slot] = fd;
}

/* Not a FIFO: how much one takes at a time is not told anywhere. */
static void opened(int slot, int fd)
{
	struct stat st;

	answer(fd < 0 ? -1 : 0);
	if (fd >= 0 && !fstat(fd, &st) && S_ISFIFO(st.st_mode) && !(fcntl(fd, F_GETFL) & O_PATH))
		close(fd);
	else
		put_in_slot(slot, fd);
}

void op_open(void)
{
	const char *path = a_path();
	int slot = (int)rnd(FILES), flags = (int)ONE_OF(O_RDONLY, O_RDWR, O_RDWR, O_RDWR, O_WRONLY) | O_NONBLOCK | O_CLOEXEC;
	mode_t mode = a_mode();

	if (rnd(3))
		flags |= O_CREAT;
	flags |= (int)ONE_OF(0, 0, 0, 0, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_NOATIME, O_PATH);
	printf(" %d %s %x %o", slot, path, flags, mode);
	opened(slot, open(path, flags, mode));
}

/* A file without a name, which may get one. */
void op_tmpfile(void)
{
	const char *path = a_path(), *to = a_path();
	char self[32];
	int slot = (int)rnd(FILES), linked = (int)rnd(2), fd;

	printf(" %d %s", slot, path);
	if (run.no_tmpfile) {
		answer(0);
		return;
	}
	fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0640);
	if (fd >= 0 && linked && !geteuid()) {
		snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
		printf(" %s %d", to, linkat(AT_FDCWD, self, AT_FDCWD, to, AT_SYMLINK_FOLLOW));
	}
	opened(slot, fd);
}

void op_close(void)
{
	int slot = a_slot();

	answer(close(run.fd[slot]));
	run.fd[slot] = -1;
}

void op_dup(void)
{
	int from = a_slot(), to = a_slot();

	opened(to, fcntl(run.fd[from], F_DUPFD_CLOEXEC, 0));
}

void op_append(void)
{
	int slot = a_slot(), flags = fcntl(run.fd[slot], F_GETFL);

	printf(" %x", flags);
	answer(flags < 0 ? -1 : fcntl(run.fd[slot], F_SETFL, flags ^ O_APPEND));
}

void op_write(void)
{
	int slot = a_slot();
	size_t n = a_length();

	fill(n);
	answer(write(run.fd[slot], data, n));
}

void op_pwrite(void)
{
	int slot = a_slot();
	size_t n = a_length();
	off_t at = an_offset();

	fill(n);
	answer(pwrite(run.fd[slot], data, n, at));
}

void op_pwritev2(void)
{
	int slot = a_slot(), flags = (int)ONE_OF(0, RWF_APPEND, RWF_DSYNC);
	size_t n = a_length() / 2;
	off_t at = rnd(3) ? an_offset() : -1;
	struct iovec iov[2] = { { data, n }, { data + n, n } };

	printf(" %x", flags);
	fill(2 * n);
	answer(pwritev2(run.fd[slot], iov, 2, at, flags));
}

static void was_read(ssize_t n)
{
	if (n > 0)
		printf(" %08x", sum_of(data, (size_t)n));
	answer(n);
}

void op_read(void)
{
	int slot = a_slot();
	size_t n = a_length();

	was_read(read(run.fd[slot], data, n));
}

void op_pread(void)
{
	int slot = a_slot();
	size_t n = a_length();
	off_t at = an_offset();

	was_read(pread(run.fd[slot], data, n, at));
}

/* Where a directory's entries lie is the file system's own. */
static bool is_file(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode);
}

void op_lseek(void)
{
	int slot = a_slot(), whence = (int)rnd(3);
	off_t at = an_offset() - (rnd(2) ? 0 : 5000);

	printf(" %d %d", (int)at, whence);
	if (run.fd[slot] >= 0 && !is_file(run.fd[slot]))
		answer(0);
	else
		answer(lseek(run.fd[slot], at, whence));
}

void op_hole(void)
{
	int slot = a_slot(), whence = rnd(2) ? SEEK_DATA : SEEK_HOLE;
	off_t at = an_offset();

	printf(" %d", whence);
	if (run.no_holes || (run.fd[slot] >= 0 && !is_file(run.fd[slot])))
		answer(0);
	else
		answer(lseek(run.fd[slot], at, whence));
}

void op_ftruncate(void)
{
	int slot = a_slot();
	off_t at = an_offset();

	answer(ftruncate(run.fd[slot], at));
}

void op_fallocate(void)
{
	int slot = a_slot();
	int mode = (int)ONE_OF(0, 0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE);
	off_t at = an_offset();
	size_t n = a_length();

	printf(" %x", mode);
	answer(fallocate(run.fd[slot], mode, at, (off_t)n));
}

/* What is written through a mapping, and what another sees there. */
void op_mmap(void)
{
	int slot = a_slot(), shared = rnd(4) ? MAP_SHARED : MAP_PRIVATE;
	off_t at = an_offset() & ~4095;
	size_t n = a_length(), size;
	struct stat st;
	char *p;

	if (!is_file(run.fd[slot]) || fstat(run.fd[slot], &st)) {
		answer(0);
		return;
	}
	size = st.st_size <= at ? 0 : (size_t)(st.st_size - at);
	n = n < size ? n : size;
	p = mmap(NULL, n, PROT_READ | PROT_WRITE, shared, run.fd[slot], at);
	printf(" %x", shared);
	if (p == MAP_FAILED) {
		answer(-1);
		return;
	}
	printf(" %08x", sum_of(p, n));
	fill(n);
	memcpy(p, data, n);
	if (rnd(3))
		printf(" %08x", pread(run.fd[slot], data, n, at) > 0 ? sum_of(data, n) : 0);
	answer(munmap(p, n));
}

void op_copy_range(void)
{
	int from = a_slot(), to = a_slot();
	off_t in = an_offset(), out = an_offset(), *pin = rnd(2) ? &in : NULL, *pout = rnd(2) ? &out : NULL;
	size_t n = a_length();

	printf(" %d%d", pin != NULL, pout != NULL);
	answer(copy_file_range(run.fd[from], pin, run.fd[to], pout, n, 0));
}

static bool same_file(int a, int b)
{
	struct stat sa, sb;

	return !fstat(a, &sa) && !fstat(b, &sb) && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

void op_sendfile(void)
{
	int from = a_slot(), to = a_slot();
	off_t in = an_offset(), *pin = rnd(2) ? &in : NULL;
	size_t n = a_length();

	printf(" %d", pin != NULL);
	if (same_file(run.fd[from], run.fd[to])) { /* Linux sends pages, which change under it */
		answer(0);
		return;
	}
	answer(sendfile(run.fd[to], run.fd[from], pin, n));
}

void op_fsync(void)
{
	int slot = a_slot();

	answer(rnd(2) ? fsync(run.fd[slot]) : fdatasync(run.fd[slot]));
}

void op_fchmod(void)
{
	int slot = a_slot();
	mode_t mode = a_mode();

	printf(" %o", mode);
	answer(fchmod(run.fd[slot], mode));
}

void op_futimens(void)
{
	int slot = a_slot();
	struct timespec ts[2];

	some_times(ts);
	answer(futimens(run.fd[slot], ts));
}
