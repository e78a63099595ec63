/*
 * The ELF loader's checks, with broken files from a table, and the stack it builds.
 *
 * links: sentry/mm/elf_image.c sentry/mm/elf_load.c sentry/mm/elf_stack.c sentry/mm/procinfo.c sentry/mm/memfile.c sentry/mm/memfile_freed.c sentry/mm/ranges.c sentry/mm/charge.c sentry/mm/huge.c sentry/mm/mm.c sentry/mm/fork.c sentry/mm/vma.c sentry/mm/nothing.c sentry/mm/pma.c sentry/mm/stub.c sentry/mm/stub_queue.c sentry/mm/text.c sentry/mm/text_event.c sentry/mm/text_known.c sentry/mm/text_emulate.c sentry/arch/x86_64/lea.c sentry/arch/x86_64/move.c sentry/mm/text_cache.c sentry/mm/fault.c sentry/mm/cow.c sentry/mm/mmap.c sentry/mm/memobj.c sentry/mm/memobj_anon.c sentry/mm/usercopy.c sentry/mm/peek.c sentry/mm/env.c sentry/mm/safe_copy.c sentry/mm/safe_code.S sentry/lib/lock.c
 */
#include "fake_platform.h"
#include "mm/elf_internal.h"

#include <limits.h>
#include <sys/auxv.h>

/* A file in memory: header, program headers, then data up to 3 pages. */
#define FILE_SIZE (3 * PAGE_SIZE)
static struct {
	union {
		struct {
			Elf64_Ehdr eh;
			Elf64_Phdr ph[8];
		};
		uint8_t bytes[FILE_SIZE];
	};
	size_t size;
} prog, interp;
static struct memobj *prog_obj, *interp_obj;

static ssize_t read_mem(void *priv, void *buf, size_t n, int64_t off)
{
	size_t size = priv == &prog ? prog.size : interp.size;
	uint8_t *bytes = priv == &prog ? prog.bytes : interp.bytes;

	if ((uint64_t)off >= size)
		return 0;
	if (n > size - (size_t)off)
		n = size - (size_t)off;
	memcpy(buf, bytes + off, n);
	return (ssize_t)n;
}

static void make(void *file, int type)
{
	Elf64_Ehdr *eh = file;
	Elf64_Phdr *ph = (Elf64_Phdr *)(eh + 1);

	memset(file, 0, FILE_SIZE);
	memcpy(eh->e_ident, ELFMAG, SELFMAG);
	eh->e_ident[EI_CLASS] = ELFCLASS64;
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_type = (uint16_t)type;
	eh->e_machine = EM_X86_64;
	eh->e_phoff = sizeof(*eh);
	eh->e_phentsize = sizeof(*ph);
	eh->e_phnum = 2;
	eh->e_entry = 0x400100;
	ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x400000, .p_filesz = PAGE_SIZE, .p_memsz = PAGE_SIZE, .p_align = PAGE_SIZE };
	ph[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_vaddr = 0x401000, .p_offset = PAGE_SIZE, .p_filesz = 100, .p_memsz = 3 * PAGE_SIZE,
		.p_align = PAGE_SIZE };
}

static struct memobj *object_of(const void *bytes)
{
	struct memobj *o = memobj_anon_new(&env, FILE_SIZE);
	struct backing b;

	ck_assert_int_eq(o->ops->translate(o, 0, FILE_SIZE, ACCESS_READ, &b), 0);
	memcpy(memfile_ptr(env.mf, b.off), bytes, FILE_SIZE);
	return o;
}

static void setup(void)
{
	fake_env();
	make(prog.bytes, ET_EXEC);
	make(interp.bytes, ET_DYN);
	prog.size = interp.size = FILE_SIZE;
}

static int open_interp(void *arg, const char *path, struct elf_file *out)
{
	if (strcmp(path, "/ld.so"))
		return -ENOENT;
	interp_obj = object_of(interp.bytes);
	*out = (struct elf_file){ .priv = &interp, .pread = read_mem, .obj = interp_obj };
	return 0;
}

static void close_interp(void *arg, struct elf_file *f) { memobj_put(f->obj); }

static const char *const argv[] = { "prog", "-x", "a b" }, *const envp[] = { "HOME=/", "E=" };

static int load(struct mm **mm, struct elf_result *r, bool fixed)
{
	struct elf_args a = { .open_interp = open_interp, .close_interp = close_interp, .argv = argv, .argc = 3, .envp = envp, .envc = 2,
		.execfn = "/bin/prog", .uid = 1, .euid = 2, .gid = 3, .egid = 4, .no_randomize = fixed };
	int e;

	prog_obj = object_of(prog.bytes);
	a.prog = (struct elf_file){ .priv = &prog, .pread = read_mem, .obj = prog_obj };
	*mm = mm_new(&env);
	e = elf_load(*mm, &a, r);
	memobj_put(prog_obj);
	return e;
}

static uint64_t word(struct mm *mm, uint64_t a)
{
	uint64_t v;

	ck_assert_int_eq(copy_from_user(mm, &v, UADDR(a), 8), 0);
	return v;
}

static void string_is(struct mm *mm, uint64_t a, const char *want)
{
	char buf[64];

	ck_assert_int_ge(copy_str_from_user(mm, buf, UADDR(a), sizeof(buf)), 0);
	ck_assert_str_eq(buf, want);
}

START_TEST(stack_is_linux)
{
	struct elf_result r;
	struct mm_layout l;
	struct mm *mm;
	uint64_t p, aux[64] = { 0 };

	ck_assert_int_eq(load(&mm, &r, _i == 0), 0);
	ck_assert_uint_eq(r.entry, 0x400100);
	ck_assert_uint_eq(r.sp % 16, 0);
	ck_assert_uint_eq(word(mm, r.sp), 3);
	for (int i = 0; i < 3; i++)
		string_is(mm, word(mm, r.sp + 8 + 8 * (uint64_t)i), argv[i]);
	ck_assert_uint_eq(word(mm, r.sp + 32), 0);
	for (int i = 0; i < 2; i++)
		string_is(mm, word(mm, r.sp + 40 + 8 * (uint64_t)i), envp[i]);
	ck_assert_uint_eq(word(mm, r.sp + 56), 0);
	for (p = r.sp + 64; word(mm, p); p += 16)
		if (word(mm, p) < 64)
			aux[word(mm, p)] = word(mm, p + 8);
	ck_assert_uint_eq(aux[AT_PHDR], 0x400040);
	ck_assert_uint_eq(aux[AT_PHNUM], 2);
	ck_assert_uint_eq(aux[AT_ENTRY], 0x400100);
	ck_assert_uint_eq(aux[AT_PAGESZ], 4096);
	ck_assert_uint_eq(aux[AT_UID], 1);
	ck_assert_uint_eq(aux[AT_EGID], 4);
	string_is(mm, aux[AT_EXECFN], "/bin/prog");
	string_is(mm, aux[AT_PLATFORM], "x86_64");
	ck_assert_uint_ne(word(mm, aux[AT_RANDOM]), 0);
	ck_assert_uint_eq(word(mm, aux[AT_SYSINFO_EHDR]) & 0xffffffff, 0x464c457f);
	mm_get_layout(mm, &l);
	string_is(mm, l.arg_start, "prog");
	string_is(mm, l.env_start, "HOME=/");
	ck_assert_uint_eq(l.arg_end, l.env_start);
	ck_assert_uint_ge(l.start_brk, 0x404000);
	if (_i == 0)
		ck_assert_uint_eq(l.start_brk, 0x404000);
	/* the bss: zero to its end, nothing behind */
	for (p = 0x401068; p < 0x404000; p += 8)
		ck_assert_uint_eq(word(mm, p), 0);
	mm_put(mm);
}
END_TEST

START_TEST(interpreter)
{
	struct elf_result r;
	struct mm *mm;

	prog.eh.e_type = ET_DYN;
	prog.eh.e_phnum = 3;
	prog.ph[2] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = 1024, .p_filesz = 7 };
	memcpy(prog.bytes + 1024, "/ld.so", 7);
	prog.ph[0].p_align = 0x200000;
	ck_assert_int_eq(load(&mm, &r, true), 0);
	ck_assert_uint_eq(r.entry & 0xfff, 0x100);
	ck_assert_uint_gt(r.entry, UINT64_C(0x7f0000000000));
	ck_assert_ptr_nonnull(vma_at(mm, UINT64_C(0x555555400000)));
	mm_put(mm);
	memcpy(interp.bytes, "text", 4);
	ck_assert_int_eq(load(&mm, &r, true), -ELIBBAD);
	mm_put(mm);
	memcpy(prog.bytes + 1024, "/ld.sx", 7);
	ck_assert_int_eq(load(&mm, &r, true), -ENOENT);
	mm_put(mm);
	prog.bytes[1030] = 'x'; /* no NUL */
	ck_assert_int_eq(load(&mm, &r, true), -ENOEXEC);
	mm_put(mm);
}
END_TEST

#define EH(f, v) offsetof(Elf64_Ehdr, f), sizeof(((Elf64_Ehdr *)0)->f), (uint64_t)(v)
#define PH(i, f, v) sizeof(Elf64_Ehdr) + (i) * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, f), sizeof(((Elf64_Phdr *)0)->f), (uint64_t)(v)
static const struct broken {
	size_t off, len;
	uint64_t value;
	int want; /* 1: anything but 0 */
} broken[] = {
	{ 0, 1, 0, -ENOEXEC },
	{ EI_CLASS, 1, ELFCLASS32, -ENOEXEC },
	{ EI_DATA, 1, ELFDATA2MSB, -ENOEXEC },
	{ EH(e_type, ET_REL), -ENOEXEC },
	{ EH(e_type, ET_CORE), -ENOEXEC },
	{ EH(e_machine, EM_AARCH64), -ENOEXEC },
	{ EH(e_phentsize, 55), -ENOEXEC },
	{ EH(e_phnum, 0), -ENOEXEC },
	{ EH(e_phnum, 0xffff), -ENOEXEC },
	{ EH(e_phoff, FILE_SIZE), -ENOEXEC },
	{ EH(e_phoff, UINT64_MAX), -ENOEXEC },
	{ EH(e_phoff, INT64_MAX), -ENOEXEC },
	{ EH(e_entry, UINT64_MAX), -EINVAL },
	{ EH(e_entry, TASK_SIZE), -EINVAL },
	{ PH(0, p_filesz, 2 * PAGE_SIZE), -EINVAL },
	{ PH(0, p_filesz, UINT64_MAX), -EINVAL },
	{ PH(0, p_memsz, UINT64_MAX), -EINVAL },
	{ PH(0, p_memsz, TASK_SIZE), -EINVAL },
	{ PH(0, p_vaddr, UINT64_MAX & ~4095ul), -EINVAL },
	{ PH(0, p_vaddr, TASK_SIZE), -EINVAL },
	{ PH(0, p_vaddr, 0), -EINVAL },
	{ PH(0, p_vaddr, 0x400008), -EINVAL },
	{ PH(0, p_offset, 8), -EINVAL },
	{ PH(0, p_offset, UINT64_MAX & ~4095ul), -EINVAL },
	{ PH(0, p_align, UINT64_C(1) << 63), -ENOMEM },
	{ PH(1, p_memsz, 0), -EINVAL },
	{ PH(1, p_offset, 100 * PAGE_SIZE), 1 },
};

START_TEST(broken_files)
{
	const struct broken *b = &broken[_i];
	struct elf_result r;
	struct mm *mm;
	int e;

	memcpy(prog.bytes + b->off, &b->value, b->len);
	e = load(&mm, &r, true);
	mm_put(mm);
	ck_assert_msg(b->want == 1 ? e < 0 : e == b->want, "row %d: %d", _i, e);
}
END_TEST

START_TEST(short_files)
{
	struct elf_result r;
	struct mm *mm;

	for (prog.size = 0; prog.size < sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr); prog.size += 13) {
		ck_assert_int_eq(load(&mm, &r, true), -ENOEXEC);
		mm_put(mm);
	}
}
END_TEST

START_TEST(random_bytes)
{
	struct elf_result r;
	struct mm *mm;

	srand((unsigned)_i);
	for (int i = 0; i < 400; i++) {
		make(prog.bytes, rand() % 2 ? ET_EXEC : ET_DYN);
		for (int k = 0; k < 4; k++)
			prog.bytes[rand() % (int)(sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr))] = (uint8_t)rand();
		load(&mm, &r, false); /* must return */
		check_invariants(mm);
		mm_put(mm);
	}
}
END_TEST

START_TEST(too_many_arguments)
{
	static char big[(128 << 10) + 1];
	const char *const one[] = { big };
	struct elf_args a = { .argv = one, .argc = 1, .execfn = "x" };
	struct elf_result r;
	struct mm *mm = mm_new(&env);

	memset(big, 'x', sizeof(big) - 1);
	prog_obj = object_of(prog.bytes);
	a.prog = (struct elf_file){ .priv = &prog, .pread = read_mem, .obj = prog_obj };
	ck_assert_int_eq(elf_load(mm, &a, &r), -E2BIG);
	mm_put(mm);
	memobj_put(prog_obj);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("elf");
	TCase *t = tcase_create("elf");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, stack_is_linux, 0, 2);
	tcase_add_test(t, interpreter);
	tcase_add_loop_test(t, broken_files, 0, sizeof(broken) / sizeof(broken[0]));
	tcase_add_test(t, short_files);
	tcase_add_loop_test(t, random_bytes, 0, 4);
	tcase_add_test(t, too_many_arguments);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
