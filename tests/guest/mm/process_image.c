/* What exec leaves: auxiliary vector, strings, areas in /proc/self/maps. */
#include "../test.h"

#include <elf.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/uio.h>

extern char **environ;

CASE(auxiliary_vector)
{
	CHECK(getauxval(AT_PAGESZ) == 4096);
	CHECK(getauxval(AT_CLKTCK) == 100);
	CHECK(getauxval(AT_PHENT) == sizeof(Elf64_Phdr));
	CHECK(getauxval(AT_UID) == getuid());
	CHECK(getauxval(AT_EGID) == getegid());
	CHECK(getauxval(AT_SECURE) == 0);
	CHECK(!strcmp((char *)getauxval(AT_PLATFORM), "x86_64"));
	CHECK(getauxval(AT_RANDOM) != 0);
	CHECK(!memcmp((void *)getauxval(AT_SYSINFO_EHDR), ELFMAG, SELFMAG));
	CHECK(((Elf64_Phdr *)getauxval(AT_PHDR))->p_type <= PT_GNU_STACK + 16);
}

CASE(strings_lie_in_order)
{
	/* environment strings follow each other upwards, as ps and setproctitle expect */
	for (int i = 0; environ[i] && environ[i + 1]; i++)
		CHECK(environ[i] + strlen(environ[i]) + 1 == environ[i + 1]);
}

struct area {
	uintptr_t start, end;
	char perms[8], name[256];
};

static int find(const void *p, const char *name, struct area *out)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	int found = 0;

	CHECK(f);
	while (!found && fgets(line, sizeof(line), f)) {
		out->name[0] = 0;
		CHECK(sscanf(line, "%lx-%lx %7s %*s %*s %*s %255[^\n]", &out->start, &out->end, out->perms, out->name) >= 3);
		found = p ? (uintptr_t)p >= out->start && (uintptr_t)p < out->end : !strcmp(out->name, name);
	}
	fclose(f);
	return found;
}

CASE(maps_names_areas)
{
	struct area a;
	int local;
	char *heap = sbrk(8192);

	CHECK(find(&local, NULL, &a) && !strcmp(a.name, "[stack]") && !strcmp(a.perms, "rw-p"));
	CHECK(find(heap, NULL, &a) && !strcmp(a.name, "[heap]"));
	CHECK(find(NULL, "[vdso]", &a) && !strcmp(a.perms, "r-xp"));
	CHECK(find((void *)(uintptr_t)find, NULL, &a) && !strcmp(a.perms, "r-xp") && strstr(a.name, "process_image"));
}

CASE(maps_follows_changes)
{
	char *p = mmap(NULL, 3 * 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct area a;

	CHECK(find(p, NULL, &a) && !strcmp(a.perms, "r--s"));
	CHECK(mprotect(p + 4096, 4096, PROT_NONE) == 0);
	CHECK(find(p + 4096, NULL, &a) && !strcmp(a.perms, "---s") && a.end - a.start == 4096);
	CHECK(munmap(p, 3 * 4096) == 0);
	CHECK(!find(p + 4096, NULL, &a));
}

/* A line of /proc/self/smaps; *at: where the area begins that it is about, *kb: what it tells in kB, or 0. */
static void check_line(const char *line, unsigned long *at, unsigned long *kb)
{
	unsigned long start, end, off, ino;
	char as_linux[128], perms[5], label[32] = "", unit[8] = "";
	unsigned major, minor;

	*kb = 0;
	if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu", &start, &end, perms, &off, &major, &minor, &ino) == 7) {
		snprintf(as_linux, sizeof(as_linux), "%08lx-%08lx %s %08lx %02x:%02x %lu ", start, end, perms, off, major, minor, ino);
		CHECK(!strncmp(line, as_linux, strlen(as_linux)));
		if (line[strlen(as_linux)] != '\n') /* a name, in its column */
			CHECK(strspn(line + strlen(as_linux), " ") + strlen(as_linux) == (strlen(as_linux) < 73 ? 73 : strlen(as_linux)));
		*at = start;
	} else if (sscanf(line, "%16s %lu %7s\n", label, kb, unit) == 3 && !strcmp(unit, "kB") && strlen(label) < 16) {
		snprintf(as_linux, sizeof(as_linux), "%-16s%8lu kB\n", label, *kb);
		CHECK(!strcmp(line, as_linux));
	}
}

CASE(areas_in_detail)
{
	const size_t wide = (size_t)128 << 30; /* nine digits of kB */
	char *p = mmap(NULL, wide, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char name[] = "/tmp/two\nlinesXXXXXX", line[512];
	int fd = mkstemp(name), sizes = 0, names = 0;
	unsigned long at = 0, kb;
	FILE *f;

	CHECK(p != MAP_FAILED && fd >= 0 && write(fd, "x", 1) == 1);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	CHECK(mprotect(p + 4096, 4096, PROT_READ | PROT_WRITE) == 0);
	p[4096] = 1;
	CHECK(unlink(name) == 0);
	f = fopen("/proc/self/smaps", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		check_line(line, &at, &kb);
		sizes += at == (uintptr_t)p + 8192 && kb == wide / 1024 - 8 && !strncmp(line, "Size:", 5);
		sizes += at == (uintptr_t)p + 4096 && kb == 4 && !strncmp(line, "Anonymous:", 10);
		names += strstr(line, "/tmp/two\\012lines") != NULL;
	}
	fclose(f);
	CHECK(sizes == 2 && names == 1);
}

CASE(other_process_memory)
{
	static char secret[10000] = "secret";
	char buf[32] = "", word[] = "public";
	struct iovec l = { buf, 7 }, r = { secret, 7 };
	int st, fd[2];
	pid_t c;

	CHECK(pipe(fd) == 0);
	c = fork();
	if (!c) {
		char ch;

		_exit(read(fd[0], &ch, 1) == 1 && !strcmp(secret, "public") ? 0 : 1);
	}
	CHECK(process_vm_readv(c, &l, 1, &r, 1, 0) == 7 && !strcmp(buf, "secret"));
	l.iov_base = word;
	CHECK(process_vm_writev(c, &l, 1, &r, 1, 0) == 7);
	CHECK(write(fd[1], "x", 1) == 1);
	CHECK(waitpid(c, &st, 0) == c && st == 0);
	CHECK(!strcmp(secret, "secret"));
	CHECK_ERR(process_vm_readv(c, &l, 1, &r, 1, 0), ESRCH);
	r.iov_base = NULL;
	CHECK_ERR(process_vm_readv(getpid(), &l, 1, &r, 1, 0), EFAULT);
	CHECK_ERR(process_vm_readv(getpid(), &l, 1, &r, 1, 1), EINVAL);
}

int main(void) { return run_cases(); }
