/* Core dumps: core(5). */
#include "../test.h"

#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char dir[] = "/tmp/core.XXXXXX";
static volatile uint64_t *mark;

static void *waits(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* Ends a child by sig, in a directory of its own. */
static int dies(int sig, rlim_t limit, int dumpable, int threads)
{
	struct rlimit rl = { limit, RLIM_INFINITY };
	pthread_t t;
	pid_t p = fork();
	int st;

	if (!p) {
		alarm(20);
		if (chdir(dir) || setrlimit(RLIMIT_CORE, &rl) || prctl(PR_SET_DUMPABLE, dumpable))
			_exit(1);
		while (threads--)
			pthread_create(&t, NULL, waits, NULL);
		usleep(10000);
		raise(sig);
		_exit(2);
	}
	CHECK(waitpid(p, &st, 0) == p && WIFSIGNALED(st) && WTERMSIG(st) == sig);
	return WCOREDUMP(st);
}

static int plain_pattern(void)
{
	char b[64] = "";
	int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY), uses_pid = 0, f2 = open("/proc/sys/kernel/core_uses_pid", O_RDONLY);
	char c;

	if (f2 >= 0 && read(f2, &c, 1) == 1)
		uses_pid = c == '1';
	return fd >= 0 && read(fd, b, sizeof(b) - 1) > 0 && !strcmp(b, "core\n") && !uses_pid;
}

static void begin(void)
{
	CHECK(mkdtemp(dir));
	mark = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(mark != MAP_FAILED);
	mark[100] = 0x1234567890abcdef;
}

static void end(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/core", dir);
	unlink(path);
	CHECK(rmdir(dir) == 0);
}

/* What lies at addr, by the file. */
static uint64_t word_in(const char *core, uintptr_t addr)
{
	const Elf64_Ehdr *e = (const void *)core;
	const Elf64_Phdr *p = (const void *)(core + e->e_phoff);

	for (int i = 0; i < e->e_phnum; i++)
		if (p[i].p_type == PT_LOAD && p[i].p_vaddr <= addr && addr < p[i].p_vaddr + p[i].p_filesz)
			return *(const uint64_t *)(const void *)(core + p[i].p_offset + (addr - p[i].p_vaddr));
	return 0;
}

static int notes_of(const char *core, uint32_t type)
{
	const Elf64_Ehdr *e = (const void *)core;
	const Elf64_Phdr *p = (const void *)(core + e->e_phoff);
	const char *at = core + p->p_offset, *stop = at + p->p_filesz;
	int n = 0;

	CHECK(p->p_type == PT_NOTE);
	while (at < stop) {
		const Elf64_Nhdr *h = (const void *)at;

		n += h->n_type == type;
		at += sizeof(*h) + ((h->n_namesz + 3) & ~3u) + ((h->n_descsz + 3) & ~3u);
	}
	return n;
}

CASE(contents)
{
	char path[64], *core;
	const Elf64_Ehdr *e;
	struct stat st;
	int fd;

	if (!plain_pattern())
		return;
	begin();
	CHECK(dies(SIGSEGV, RLIM_INFINITY, 1, 2));
	snprintf(path, sizeof(path), "%s/core", dir);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0600);
	core = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	e = (const void *)core;
	CHECK(core != MAP_FAILED && !memcmp(core, ELFMAG, SELFMAG) && e->e_type == ET_CORE && e->e_machine == EM_X86_64);
	CHECK(word_in(core, (uintptr_t)&mark[100]) == 0x1234567890abcdef);
	CHECK(notes_of(core, NT_PRSTATUS) == 3 && notes_of(core, NT_X86_XSTATE) == 3);
	CHECK(notes_of(core, NT_PRPSINFO) == 1 && notes_of(core, NT_SIGINFO) == 1 && notes_of(core, NT_AUXV) == 1 && notes_of(core, NT_FILE) == 1);
	end();
}

/* The word that lies at addr in the core of a child that was told what to dump. */
static uint64_t word_with(const char *filter, uintptr_t addr)
{
	char path[64], *core;
	struct stat st;
	uint64_t w;
	int fd = open("/proc/self/coredump_filter", O_WRONLY);

	CHECK(fd >= 0 && write(fd, filter, strlen(filter)) == (ssize_t)strlen(filter));
	close(fd);
	CHECK(dies(SIGQUIT, RLIM_INFINITY, 1, 0));
	snprintf(path, sizeof(path), "%s/core", dir);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0 && fstat(fd, &st) == 0);
	core = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(core != MAP_FAILED);
	w = word_in(core, addr);
	munmap(core, (size_t)st.st_size);
	close(fd);
	unlink(path);
	return w;
}

extern const char __ehdr_start, __etext; /* by the linker: the ELF header, the end of the code */

/* Of what lies at p, a word that is aligned. */
static const void *first_of(const char *p) { return (const void *)((uintptr_t)p & ~UINT64_C(7)); }

CASE(filter)
{
	uint64_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (!plain_pattern())
		return;
	begin();
	*shared = 7;
	CHECK(word_with("0x33", (uintptr_t)shared) == 7);
	CHECK(word_with("0x33", (uintptr_t)&mark[100]) == 0x1234567890abcdef);
	CHECK(word_with("0x31", (uintptr_t)shared) == 0);
	CHECK(word_with("0x31", (uintptr_t)&mark[100]) == 0x1234567890abcdef);
	CHECK(word_with("0x32", (uintptr_t)shared) == 7);
	CHECK(word_with("0x32", (uintptr_t)&mark[100]) == 0);
	CHECK(word_with("0x10", (uintptr_t)first_of(&__ehdr_start)) == *(const uint64_t *)first_of(&__ehdr_start));
	CHECK(word_with("0x4", (uintptr_t)first_of(&__etext)) == *(const uint64_t *)first_of(&__etext));
	CHECK(madvise((void *)(uintptr_t)mark, 1 << 20, MADV_DONTDUMP) == 0);
	CHECK(word_with("0x33", (uintptr_t)&mark[100]) == 0);
	end();
}

CASE(conditions)
{
	if (!plain_pattern())
		return;
	begin();
	CHECK(!dies(SIGABRT, 0, 1, 0)); /* not wanted */
	CHECK(!dies(SIGTERM, RLIM_INFINITY, 1, 0)); /* not that signal */
	CHECK(!dies(SIGABRT, RLIM_INFINITY, 0, 0)); /* not to be looked at */
	CHECK(rmdir(dir) == 0 && mkdir(dir, 0700) == 0); /* nothing was left */
	CHECK(dies(SIGQUIT, RLIM_INFINITY, 1, 0));
	end();
}

int main(void) { return run_cases(); }
