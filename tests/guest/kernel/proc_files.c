/* Small files of /proc/PID: coredump_filter, timerslack_ns, map_files, pagemap, mountstats, children; and those
 * that refuse as they are read. */
#include "../test.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PAGE 4096u

static char text[8192];

/* Bytes, or -errno; *opened: whether it could be opened. */
static int look(const char *path, int *opened)
{
	int fd = open(path, O_RDONLY);
	ssize_t n;

	*opened = fd >= 0;
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	n = n < 0 ? -errno : n;
	text[n > 0 ? n : 0] = 0;
	close(fd);
	return (int)n;
}

static char *get(const char *path)
{
	int opened;

	look(path, &opened);
	CHECK(opened);
	return text;
}

/* 0 or errno */
static int put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY), r;

	CHECK(fd >= 0);
	r = write(fd, value, strlen(value)) < 0 ? errno : 0;
	close(fd);
	return r;
}

CASE(coredump_filter)
{
	static const char *const bad[] = { "x", "-1", "1 2", "0x", "4294967296", "0x33g" };
	int st;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(put("/proc/self/coredump_filter", bad[i]) != 0);
	CHECK(put("/proc/self/coredump_filter", "0x25\n") == 0);
	CHECK(!strcmp(get("/proc/self/coredump_filter"), "00000025\n"));
	if (!fork()) {
		CHECK(!strcmp(get("/proc/self/coredump_filter"), "00000025\n"));
		execl("/bin/cat", "cat", "/proc/self/coredump_filter", NULL);
		_exit(1);
	}
	CHECK(wait(&st) > 0 && !st);
	CHECK(put("/proc/self/coredump_filter", "0xffffffff") == 0);
	CHECK(!strcmp(get("/proc/self/coredump_filter"), "000001ff\n"));
}

CASE(coredump_filter_outlives_exec)
{
	char out[32] = "";
	int p[2];

	CHECK(pipe(p) == 0);
	CHECK(put("/proc/self/coredump_filter", "0x7") == 0);
	if (!fork()) {
		dup2(p[1], 1);
		execl("/bin/cat", "cat", "/proc/self/coredump_filter", NULL);
		_exit(1);
	}
	CHECK(read(p[0], out, sizeof(out) - 1) == 9 && !strcmp(out, "00000007\n"));
}

CASE(timerslack)
{
	CHECK(prctl(PR_SET_TIMERSLACK, 70000) == 0);
	CHECK(!strcmp(get("/proc/self/timerslack_ns"), "70000\n"));
	CHECK(put("/proc/self/timerslack_ns", "12345\n") == 0);
	CHECK(prctl(PR_GET_TIMERSLACK) == 12345);
	CHECK(put("/proc/self/timerslack_ns", "x") == EINVAL);
	CHECK(put("/proc/self/timerslack_ns", "0x10") == EINVAL);
}

static char exe[4096];

/* The first mapping of this program's file, as /proc/PID/map_files names it. */
static char *first_map(void)
{
	static char name[64];
	char line[512];
	FILE *f = fopen("/proc/self/maps", "r");
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	CHECK(f && n > 0);
	exe[n] = 0;
	while (fgets(line, sizeof(line), f))
		if (strstr(line, exe)) {
			unsigned long from, to;

			CHECK(sscanf(line, "%lx-%lx", &from, &to) == 2);
			snprintf(name, sizeof(name), "%lx-%lx", from, to);
			break;
		}
	fclose(f);
	CHECK(name[0]);
	return name;
}

CASE(map_files)
{
	const char *name = first_map();
	char path[128], to[4096] = "";
	DIR *d = opendir("/proc/self/map_files");
	struct dirent *e;
	struct stat st;
	int found = 0, others = 0;
	void *m;

	CHECK(d);
	while ((e = readdir(d))) {
		unsigned long a, b;

		if (e->d_name[0] == '.')
			continue;
		CHECK(sscanf(e->d_name, "%lx-%lx", &a, &b) == 2 && a < b && e->d_type == DT_LNK);
		strcmp(e->d_name, name) ? others++ : found++;
	}
	closedir(d);
	CHECK(found == 1);
	(void)others;
	snprintf(path, sizeof(path), "/proc/self/map_files/%s", name);
	CHECK(readlink(path, to, sizeof(to) - 1) == (ssize_t)strlen(exe) && !strcmp(to, exe));
	CHECK(lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && (st.st_mode & 0777) == 0400);
	snprintf(path, sizeof(path), "/proc/self/map_files/0%s", name);
	CHECK_ERR(readlink(path, to, sizeof(to)), ENOENT);
	CHECK_ERR(readlink("/proc/self/map_files/1000-2000", to, sizeof(to)), ENOENT);
	CHECK_ERR(readlink("/proc/self/map_files/x", to, sizeof(to)), ENOENT);
	m = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)m, (unsigned long)m + PAGE);
	CHECK_ERR(readlink(path, to, sizeof(to)), ENOENT);
}

static uint64_t entry_of(int fd, const char *addr)
{
	uint64_t e = 1;

	CHECK(pread(fd, &e, 8, (off_t)((uintptr_t)addr / PAGE * 8)) == 8);
	return e;
}

CASE(pagemap)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	char *m = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *none = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t two[2];

	CHECK(fd >= 0 && m != MAP_FAILED && none != MAP_FAILED && shared != MAP_FAILED);
	m[PAGE] = 1;
	*shared = 1;
	CHECK(entry_of(fd, m + PAGE) >> 63 && !(entry_of(fd, m + PAGE) >> 61 & 1));
	CHECK(entry_of(fd, shared) >> 63 && entry_of(fd, shared) >> 61 & 1);
	CHECK(!(entry_of(fd, none) >> 63));
	CHECK(pread(fd, two, 16, (off_t)((uintptr_t)m / PAGE * 8)) == 16 && two[1] >> 63);
	CHECK(munmap(m, 4 * PAGE) == 0);
	CHECK(!(entry_of(fd, m + PAGE) >> 63));
	CHECK_ERR(pread(fd, two, 7, 0), EINVAL);
	CHECK_ERR(pread(fd, two, 8, 4), EINVAL);
	CHECK(pread(fd, two, 8, (off_t)(UINT64_C(1) << 47 >> 12) * 8) == 0);
	CHECK(lseek(fd, 16, SEEK_SET) == 16 && read(fd, two, 16) == 16 && lseek(fd, 0, SEEK_CUR) == 32);
}

CASE(mountstats)
{
	CHECK(strstr(get("/proc/self/mountstats"), " mounted on /proc with fstype proc"));
}

static void *has_a_child(void *arg)
{
	pid_t *p = arg;
	char path[64], want[32];

	*p = fork();
	if (!*p)
		for (;;)
			pause();
	snprintf(path, sizeof(path), "/proc/self/task/%ld/children", syscall(SYS_gettid));
	snprintf(want, sizeof(want), "%d ", *p);
	CHECK(!strcmp(get(path), want));
	return NULL;
}

CASE(children)
{
	char path[64], want[64];
	pid_t p[3];
	pthread_t t;

	for (int i = 0; i < 2; i++)
		if (!(p[i] = fork()))
			for (;;)
				pause();
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	snprintf(want, sizeof(want), "%d %d ", p[0], p[1]);
	CHECK(!strcmp(get(path), want));
	CHECK(pthread_create(&t, NULL, has_a_child, &p[2]) == 0 && pthread_join(t, NULL) == 0);
	for (int i = 0; i < 3; i++)
		kill(p[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	CHECK(!strcmp(get(path), ""));
}

/* Who may not look at a process is refused as it reads: the owner opens them, though without its capabilities. */
CASE(refused_as_read)
{
	struct { uint32_t version; int pid; } head = { 0x20080522, 0 };
	struct { uint32_t effective, permitted, inheritable; } none[2] = { { 0 }, { 0 } };
	char path[64];
	int st, opened, ppid = getpid();

	if (getuid())
		return;
	if (!fork()) {
		CHECK(syscall(SYS_capset, &head, none) == 0);
		snprintf(path, sizeof(path), "/proc/%d/io", ppid);
		CHECK(look(path, &opened) == -EACCES && opened);
		snprintf(path, sizeof(path), "/proc/%d/personality", ppid);
		CHECK(look(path, &opened) == -EPERM && opened);
		snprintf(path, sizeof(path), "/proc/%d/syscall", ppid);
		CHECK(look(path, &opened) == -EPERM && opened);
		snprintf(path, sizeof(path), "/proc/%d/environ", ppid);
		CHECK(look(path, &opened) == -EACCES && !opened);
		snprintf(path, sizeof(path), "/proc/%d/pagemap", ppid);
		CHECK(look(path, &opened) == -EACCES && !opened);
		snprintf(path, sizeof(path), "/proc/%d/timerslack_ns", ppid);
		CHECK(look(path, &opened) == -EPERM && opened);
		_exit(0);
	}
	CHECK(wait(&st) > 0 && !st);
}

int main(void) { return run_cases(); }
