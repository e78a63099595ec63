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
