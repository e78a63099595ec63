/* memfd_create(2), seals, tmpfs mounts. */
#include "fs.h"

#include <sys/mman.h>
#include <sys/mount.h>

CASE(data)
{
	char buf[8], path[64], link[64];
	struct stat st;
	int fd = memfd_create("name", MFD_CLOEXEC);

	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(write(fd, "hello", 5) == 5 && pread(fd, buf, 8, 0) == 5 && fstat(fd, &st) == 0 && st.st_size == 5 && S_ISREG(st.st_mode));
	CHECK(ftruncate(fd, 1 << 20) == 0);
	char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED && !memcmp(p, "hello", 5) && p[500000] == 0);
	p[0] = 'J';
	p[100000] = 'x';
	CHECK(pread(fd, buf, 1, 0) == 1 && buf[0] == 'J' && pread(fd, buf, 1, 100000) == 1 && buf[0] == 'x');
	CHECK(pwrite(fd, "K", 1, 1) == 1 && p[1] == 'K');
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(path, link, sizeof(link) - 1);
	CHECK(n > 0);
	link[n] = 0;
	CHECK(!strcmp(link, "/memfd:name (deleted)"));
	CHECK_ERR(memfd_create("x", 0x1000), EINVAL);
	CHECK_ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
}

CASE(seals)
{
	int fd = memfd_create("s", MFD_ALLOW_SEALING);

	CHECK(fcntl(fd, F_GET_SEALS) == 0 && ftruncate(fd, 100) == 0);
	CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
	CHECK_ERR(ftruncate(fd, 50), EPERM);
	CHECK(ftruncate(fd, 200) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == 0);
	CHECK_ERR(ftruncate(fd, 300), EPERM);
	CHECK_ERR(pwrite(fd, "x", 1, 200), EPERM);
	CHECK(pwrite(fd, "x", 1, 199) == 1);
	CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) == 0);
	CHECK_ERR(write(fd, "x", 1), EPERM);
	CHECK_ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
	CHECK(mmap(NULL, 200, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM);
	CHECK(fcntl(fd, F_GET_SEALS) == (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL));
	CHECK_ERR(fcntl(0, F_GET_SEALS), EINVAL);
}

/* A mapping made for reading cannot be widened once writing is sealed; one that could be hinders the seal. */
CASE(sealed_mappings)
{
	int fd = memfd_create("s", MFD_ALLOW_SEALING);
	char *own, *p;

	CHECK(ftruncate(fd, 4096) == 0);
	own = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(own != MAP_FAILED);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK_ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	CHECK(munmap(p, 4096) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED) /* older kernels refuse */
		CHECK_ERR(mprotect(p, 4096, PROT_READ | PROT_WRITE), EACCES);
	own[0] = 'x';
	CHECK(pread(fd, own + 1, 1, 0) == 1 && own[1] == 0);
}

/* F_SEAL_FUTURE_WRITE leaves the mappings that there are. */
CASE(sealed_future)
{
	int fd = memfd_create("s", MFD_ALLOW_SEALING);
	char *w, *r, c;

	CHECK(ftruncate(fd, 4096) == 0);
	w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(w != MAP_FAILED && fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) == 0);
	w[0] = 'x';
	CHECK(pread(fd, &c, 1, 0) == 1 && c == 'x');
	CHECK_ERR(pwrite(fd, "y", 1, 0), EPERM);
	CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM);
	r = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(r != MAP_FAILED && r[0] == 'x');
	CHECK_ERR(mprotect(r, 4096, PROT_READ | PROT_WRITE), EACCES);
}

CASE(sharing)
{
	int fd = memfd_create("m", 0), st;
	volatile char *p;

	CHECK(ftruncate(fd, 4096) == 0);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!fork()) {
		p[7] = 42;
		_exit(0);
	}
	CHECK(wait(&st) > 0 && st == 0 && p[7] == 42);
	CHECK(ftruncate(fd, 0) == 0 && ftruncate(fd, 4096) == 0 && p[7] == 0);
}

CASE(dev_shm)
{
	int fd = open("/dev/shm/guest-test", O_CREAT | O_RDWR, 0600);

	CHECK(fd >= 0 && write(fd, "x", 1) == 1 && unlink("/dev/shm/guest-test") == 0);
}

int main(void) { return run_cases(); }
