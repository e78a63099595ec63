/*
 * processor.c - what cpuid answers in a program's loader, where it may be answered by
 * other means: the same as anywhere else, with the flags, the registers and the stack as
 * they are to be, by whatever way a thread comes there, and when it is stopped there.
 *
 * The loader is one of our own: the code below, in a file.
 */
#include "../test.h"

#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

#define PAGE 4096
#define STOPS 40

/* Ends with the number of the check that failed, or 0. */
extern const char loader[], loader_end[];
__asm__(".pushsection .rodata\n"
	/* The forms; they go on at r15. */
	"	.macro asks name, leaf\n"
	"\\name: mov $\\leaf, %eax\n"
	"	cpuid\n"
	"	jmp *%r15\n"
	"	.endm\n"
	"	.macro asks_first name, leaf\n"
	"\\name: mov $\\leaf, %eax\n"
	"	xor %ecx, %ecx\n"
	"	cpuid\n"
	"	jmp *%r15\n"
	"	.endm\n"
	/* Comes to `at` with all flags set, and looks at what it finds then. */
	"	.macro check n, at, leaf, mask, flags\n"
	"	mov $-1, %rbx\n"
	"	mov $-1, %rdx\n"
	"	mov $\\leaf, %esi\n"
	"	movq $0x5a5a5a5a, -64(%rsp)\n"
	"	movq $0xa5a5a5, -128(%rsp)\n"
	"	mov %rsp, %rbp\n"
	"	push $0xad7\n"
	"	popfq\n"
	"	mov $0, %ecx\n"
	"	mov %esi, %eax\n"
	"	lea 9f(%rip), %r15\n"
	"	jmp \\at\n"
	"9:	pushfq\n"
	"	pop %r12\n"
	"	mov $\\n, %edi\n"
	"	cmp %rsp, %rbp\n"
	"	jne fail\n"
	"	cmpq $0x5a5a5a5a, -64(%rsp)\n"
	"	jne fail\n"
	"	cmpq $0xa5a5a5, -128(%rsp)\n"
	"	jne fail\n"
	"	cmp $\\leaf, %esi\n"
	"	jne fail\n"
	"	and $\\mask, %r12\n"
	"	cmp $\\flags, %r12\n"
	"	jne fail\n"
	"	mov %rax, %r8\n"
	"	mov %rbx, %r9\n"
	"	mov %rcx, %r10\n"
	"	mov %rdx, %r11\n"
	"	mov $0, %ecx\n"
	"	mov %esi, %eax\n"
	"	nop\n"
	"	cpuid\n" /* this is the processor's answer */
	"	cmp %rax, %r8\n"
	"	jne fail\n"
	"	cmp %rbx, %r9\n"
	"	jne fail\n"
	"	cmp %rcx, %r10\n"
	"	jne fail\n"
	"	cmp %rdx, %r11\n"
	"	jne fail\n"
	"	.endm\n"
	"loader:\n"
	"	mov $400, %r14d\n"
	"1:\n"
	"	check 1, a0, 0, 0x8d5, 0x8d5\n"
	"	check 2, a1, 0x80000000, 0x8d5, 0x8d5\n"
	"	check 3, a2, 0x80000001, 0x8d5, 0x8d5\n"
	"	check 4, a3, 0x80000004, 0x8d5, 0x8d5\n"
	"	check 5, a4, 0x80000006, 0x8d5, 0x8d5\n"
	"	check 6, a5, 0x80000008, 0x8d5, 0x8d5\n"
	"	check 7, b0, 4, 0x8c5, 0x44\n"
	"	check 8, b1, 7, 0x8c5, 0x44\n"
	"	check 9, b2, 0xd, 0x8c5, 0x44\n"
	"	check 10, b3, 0x80000005, 0x8c5, 0x44\n"
	/* past the beginning: another question */
	"	check 11, a1 + 5, 0x80000008, 0x8d5, 0x8d5\n"
	"	check 12, b2 + 5, 0x80000006, 0x8c5, 0x44\n"
	"	check 13, b2 + 7, 0x80000006, 0x8d5, 0x8d5\n"
	"	dec %r14d\n"
	"	jnz 1b\n"
	"	xor %edi, %edi\n"
	"fail:	mov $231, %eax\n"
	"	syscall\n"
	"	asks a0, 0\n"
	"	asks a1, 0x80000000\n"
	"	asks a2, 0x80000001\n"
	"	asks a3, 0x80000004\n"
	"	asks a4, 0x80000006\n"
	"	asks a5, 0x80000008\n"
	"	asks_first b0, 4\n"
	"	asks_first b1, 7\n"
	"	asks_first b2, 0xd\n"
	"	asks_first b3, 0x80000005\n"
	"loader_end:\n"
	"	.popsection\n");

static void header(Elf64_Ehdr *e, uint16_t type, uint64_t entry, uint16_t segments)
{
	memcpy(e->e_ident, ELFMAG "\x02\x01\x01", 7);
	e->e_type = type;
	e->e_machine = EM_X86_64;
	e->e_version = EV_CURRENT;
	e->e_entry = entry;
	e->e_phoff = sizeof(*e);
	e->e_ehsize = sizeof(*e);
	e->e_phentsize = sizeof(Elf64_Phdr);
	e->e_phnum = segments;
}

static void put_file(const char *path, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	CHECK(fd >= 0);
	CHECK(write(fd, bytes, n) == (ssize_t)n);
	CHECK(close(fd) == 0);
}

/* Files that are gone when the case ends. */
static char interpreter[64], program[64];

static void make_files(void)
{
	struct {
		Elf64_Ehdr e;
		Elf64_Phdr p[2];
		char path[sizeof(interpreter)];
	} prog = { 0 };
	static union {
		Elf64_Ehdr e;
		char bytes[4 * PAGE];
	} load;
	Elf64_Phdr *p = (Elf64_Phdr *)(void *)(load.bytes + sizeof(load.e));
	size_t len = (size_t)(loader_end - loader);

	CHECK(len <= 2 * PAGE);
	snprintf(interpreter, sizeof(interpreter), "/tmp/processor-ld.%d", (int)getpid());
	snprintf(program, sizeof(program), "/tmp/processor.%d", (int)getpid());
	header(&load.e, ET_DYN, PAGE, 1);
	*p = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = PAGE + len, .p_memsz = PAGE + len, .p_align = PAGE };
	memcpy(load.bytes + PAGE, loader, len);
	put_file(interpreter, &load, PAGE + len);

	header(&prog.e, ET_EXEC, 0x400000, 2);
	strcpy(prog.path, interpreter);
	prog.p[0] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_flags = PF_R, .p_offset = (uint64_t)(prog.path - (char *)&prog), .p_filesz = strlen(interpreter) + 1, .p_memsz = strlen(interpreter) + 1, .p_align = 1 };
	prog.p[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R, .p_vaddr = 0x400000, .p_filesz = sizeof(prog), .p_memsz = sizeof(prog), .p_align = PAGE };
	put_file(program, &prog, sizeof(prog));
}

static pid_t start(void)
{
	pid_t p = fork();

	CHECK(p >= 0);
	if (!p) {
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	return p;
}

/* The number of what it found wrong: 0. */
static void ends_well(pid_t p)
{
	int st;

	CHECK(waitpid(p, &st, 0) == p);
	CHECK(WIFEXITED(st));
	CHECK(WEXITSTATUS(st) == 0);
}

static void remove_files(void)
{
	CHECK(unlink(interpreter) == 0);
	CHECK(unlink(program) == 0);
}

CASE(a_loader_is_told_what_the_processor_is)
{
	make_files();
	for (int i = 0; i < 3; i++)
		ends_well(start());
	remove_files();
}

CASE(wherever_it_is_stopped)
{
	pid_t p;

	make_files();
	p = start();
	for (int i = 0; i < STOPS; i++) {
		int st;

		CHECK(kill(p, SIGSTOP) == 0);
		CHECK(waitpid(p, &st, WUNTRACED) == p);
		if (!WIFSTOPPED(st)) { /* it was faster */
			CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 0);
			remove_files();
			return;
		}
		CHECK(kill(p, SIGCONT) == 0);
		usleep(200);
	}
	ends_well(p);
	remove_files();
}

/* The file is written: what it says now is what is executed. */
CASE(a_loader_that_has_changed)
{
	static const char end[] = "\xbf\x2a\x00\x00\x00\xb8\xe7\x00\x00\x00\x0f\x05"; /* exit_group(42) */
	int fd, st;
	pid_t p;

	make_files();
	ends_well(start());
	fd = open(interpreter, O_WRONLY);
	CHECK(fd >= 0);
	CHECK(pwrite(fd, end, sizeof(end) - 1, PAGE) == (ssize_t)sizeof(end) - 1);
	CHECK(close(fd) == 0);
	p = start();
	CHECK(waitpid(p, &st, 0) == p && WIFEXITED(st) && WEXITSTATUS(st) == 42);
	remove_files();
}

int main(void)
{
	return run_cases();
}
