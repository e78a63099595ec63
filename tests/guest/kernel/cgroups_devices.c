/*
 * cgroups_devices.c - bpf(2)'s programs that say which devices the processes of a control group may use: what programs
 * are taken, what they compute, how they are attached to groups, and what is refused then.
 */
#include "../test.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

static char top[64]; /* the test's own group, which it is in */
static pid_t maker;

/* --- groups ------------------------------------------------------------------------------- */

static char *path_of(const char *group)
{
	static char paths[4][256];
	static unsigned at;
	char *p = paths[at++ % 4];

	snprintf(p, sizeof(paths[0]), "%s%s%s", top, *group ? "/" : "", group);
	return p;
}

static int enter(const char *group)
{
	char path[300];
	int fd, r;

	snprintf(path, sizeof(path), "%s/cgroup.procs", path_of(group));
	fd = open(path, O_WRONLY);
	r = fd < 0 ? -1 : write(fd, "0", 1) == 1 ? 0 : -1;
	if (fd >= 0)
		close(fd);
	return r;
}

static void clean(void)
{
	if (getpid() != maker)
		return;
	enter("..");
	rmdir(path_of("a/b"));
	rmdir(path_of("a"));
	rmdir(path_of(""));
}

static int begin(void) /* a descriptor of the group */
{
	int fd;

	strcpy(top, "/mnt");
	CHECK(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	umount2(top, MNT_DETACH);
	CHECK(!mount("cgroup2", top, "cgroup2", 0, NULL));
	sprintf(top + strlen(top), "/redoubtd%d", getpid());
	CHECK(!mkdir(top, 0755));
	maker = getpid();
	atexit(clean);
	CHECK(!mkdir(path_of("a"), 0755) && !mkdir(path_of("a/b"), 0755) && !enter(""));
	CHECK((fd = open(top, O_RDONLY | O_DIRECTORY)) >= 0);
	return fd;
}

static int group_fd(const char *group)
{
	int fd = open(path_of(group), O_RDONLY | O_DIRECTORY);

	CHECK(fd >= 0);
	return fd;
}

/* --- programs ----------------------------------------------------------------------------- */

#define INSN(c, d, s, o, i) ((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV(d, i) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define MOV_X(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define OP(o, d, i) INSN(BPF_ALU64 | (o) | BPF_K, d, 0, 0, i)
#define OP_X(o, d, s) INSN(BPF_ALU64 | (o) | BPF_X, d, s, 0, 0)
#define OP32(o, d, i) INSN(BPF_ALU | (o) | BPF_K, d, 0, 0, i)
#define OP32_X(o, d, s) INSN(BPF_ALU | (o) | BPF_X, d, s, 0, 0)
#define LOAD(size, d, s, o) INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define STORE(size, d, o, s) INSN(BPF_STX | BPF_MEM | (size), d, s, o, 0)
#define STORE_K(size, d, o, i) INSN(BPF_ST | BPF_MEM | (size), d, 0, o, i)
#define JUMP(op, d, i, o) INSN(BPF_JMP | (op) | BPF_K, d, 0, o, i)
#define JUMP_X(op, d, s, o) INSN(BPF_JMP | (op) | BPF_X, d, s, o, 0)
#define JUMP32(op, d, i, o) INSN(BPF_JMP32 | (op) | BPF_K, d, 0, o, i)
#define WIDE(d, v) INSN(BPF_LD | BPF_DW | BPF_IMM, d, 0, 0, (int32_t)(v)), INSN(0, 0, 0, 0, (int32_t)((uint64_t)(v) >> 32))
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define N(p) (sizeof(p) / sizeof((p)[0]))

static int bpf(int cmd, union bpf_attr *a)
{
	return (int)syscall(SYS_bpf, cmd, a, sizeof(*a));
}

static int load_type(int type, const struct bpf_insn *p, size_t n)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.prog_type = type;
	a.insns = (uintptr_t)p;
	a.insn_cnt = n;
	a.license = (uintptr_t)"GPL";
	strcpy(a.prog_name, "a_name.1");
	return bpf(BPF_PROG_LOAD, &a);
}

static int load(const struct bpf_insn *p, size_t n)
{
	return load_type(BPF_PROG_TYPE_CGROUP_DEVICE, p, n);
}

static int allow_all(void)
{
	const struct bpf_insn p[] = { MOV(0, 1), EXIT };

	return load(p, N(p));
}

/* All but these accesses of the character device. */
static int deny(int access, int maj, int min)
{
	const struct bpf_insn p[] = {
		LOAD(BPF_W, 2, 1, 0), LOAD(BPF_W, 3, 1, 0), LOAD(BPF_W, 4, 1, 4), LOAD(BPF_W, 5, 1, 8), /* r2: type; r3: access */
		OP32(BPF_AND, 2, 0xffff), OP32(BPF_RSH, 3, 16), JUMP(BPF_JNE, 2, BPF_DEVCG_DEV_CHAR, 5), JUMP(BPF_JNE, 4, maj, 4), JUMP(BPF_JNE, 5, min, 3),
		JUMP(BPF_JSET, 3, access, 1), INSN(BPF_JMP | BPF_JA, 0, 0, 1, 0), INSN(BPF_JMP | BPF_JA, 0, 0, 2, 0), MOV(0, 1), EXIT, MOV(0, 0), EXIT,
	};

	return load(p, N(p));
}

static int change(int cmd, int group, int prog, unsigned flags, int replace)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.target_fd = group;
	a.attach_bpf_fd = prog;
	a.attach_type = BPF_CGROUP_DEVICE;
	a.attach_flags = flags;
	a.replace_bpf_fd = replace;
	return bpf(cmd, &a);
}

static int attach(int group, int prog, unsigned flags)
{
	return change(BPF_PROG_ATTACH, group, prog, flags, 0);
}

static int detach(int group, int prog)
{
	return change(BPF_PROG_DETACH, group, prog, 0, 0);
}

static int query(int group, int effective, uint32_t *ids, unsigned max, unsigned *flags) /* how many */
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.query.target_fd = group;
	a.query.attach_type = BPF_CGROUP_DEVICE;
	a.query.query_flags = effective ? BPF_F_QUERY_EFFECTIVE : 0;
	a.query.prog_ids = (uintptr_t)ids;
	a.query.prog_cnt = max;
	if (bpf(BPF_PROG_QUERY, &a))
		return -1;
	*flags = a.query.attach_flags;
	return (int)a.query.prog_cnt;
}

static int opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC), e = errno;

	if (fd >= 0)
		close(fd);
	errno = e;
	return fd < 0 ? -1 : 0;
}

/* ---------------------------------------------------------------------------------------------- */

CASE(what_is_refused)
{
	int group = begin(), prog = deny(BPF_DEVCG_ACC_WRITE, 1, 3), make = deny(BPF_DEVCG_ACC_MKNOD, 1, 3);
	struct stat st;

	CHECK(prog >= 0 && make >= 0 && fcntl(prog, F_GETFD) == FD_CLOEXEC);
	CHECK(!opens("/dev/null", O_RDWR) && !attach(group, prog, BPF_F_ALLOW_MULTI));
	CHECK_ERR(opens("/dev/null", O_WRONLY), EPERM);
	CHECK_ERR(opens("/dev/null", O_RDWR), EPERM);
	CHECK_ERR(access("/dev/null", W_OK), EPERM);
	CHECK(!opens("/dev/null", O_RDONLY) && !access("/dev/null", R_OK | F_OK) && !opens("/dev/null", O_PATH) && !opens("/dev/zero", O_RDWR));
	CHECK(!mknod("node", S_IFCHR | 0666, makedev(1, 3)) && !unlink("node"));
	CHECK(!attach(group, make, BPF_F_ALLOW_MULTI));
	CHECK_ERR(mknod("node", S_IFCHR | 0666, makedev(1, 3)), EPERM);
	CHECK_ERR(stat("node", &st), ENOENT);
	CHECK(!mknod("node", S_IFCHR | 0666, makedev(1, 5)) && !unlink("node"));
	CHECK(!mknod("node", S_IFBLK | 0666, makedev(1, 3)) && !unlink("node"));
	CHECK(!detach(group, prog) && !opens("/dev/null", O_RDWR));
	CHECK_ERR(detach(group, prog), ENOENT);
	CHECK(!enter("..") && !mknod("node", S_IFCHR | 0666, makedev(1, 3)) && !unlink("node"));
}

CASE(groups_below)
{
	int group = begin(), a = group_fd("a"), b = group_fd("a/b"), all = allow_all(), null = deny(BPF_DEVCG_ACC_WRITE, 1, 3), zero = deny(BPF_DEVCG_ACC_READ, 1, 5);
	uint32_t ids[4];
	unsigned flags;

	CHECK(all >= 0 && null >= 0 && zero >= 0);
	/* one that others below may not be added to */
	CHECK(!attach(group, null, 0) && !enter("a/b"));
	CHECK_ERR(opens("/dev/null", O_WRONLY), EPERM);
	CHECK_ERR(attach(a, all, 0), EPERM);
	CHECK_ERR(attach(b, all, BPF_F_ALLOW_MULTI), EPERM);
	CHECK(query(b, 0, ids, 4, &flags) == 0 && query(b, 1, ids, 4, &flags) == 1 && query(group, 0, ids, 4, &flags) == 1 && flags == 0);
	CHECK(!attach(group, all, 0)); /* instead */
	CHECK(!opens("/dev/null", O_WRONLY) && query(group, 0, ids, 4, &flags) == 1);
	CHECK_ERR(attach(group, all, BPF_F_ALLOW_MULTI), EPERM);
	CHECK(!detach(group, -1));
	CHECK_ERR(detach(group, -1), ENOENT);
	/* one that others below override */
	CHECK(!attach(group, null, BPF_F_ALLOW_OVERRIDE));
	CHECK_ERR(opens("/dev/null", O_WRONLY), EPERM);
	CHECK(!attach(b, zero, BPF_F_ALLOW_OVERRIDE) && !opens("/dev/null", O_WRONLY));
	CHECK_ERR(opens("/dev/zero", O_RDONLY), EPERM);
	CHECK(query(b, 1, ids, 4, &flags) == 1 && query(group, 0, ids, 4, &flags) == 1 && flags == BPF_F_ALLOW_OVERRIDE);
	CHECK(!detach(b, zero) && !detach(group, null));
	/* all of them together */
	CHECK(!attach(group, null, BPF_F_ALLOW_MULTI) && !attach(b, zero, BPF_F_ALLOW_MULTI) && !attach(b, all, BPF_F_ALLOW_MULTI));
	CHECK_ERR(attach(b, all, BPF_F_ALLOW_MULTI), EINVAL);
	CHECK_ERR(opens("/dev/null", O_WRONLY), EPERM);
	CHECK_ERR(opens("/dev/zero", O_RDONLY), EPERM);
	CHECK(query(b, 0, ids, 4, &flags) == 2 && flags == BPF_F_ALLOW_MULTI && query(b, 1, ids, 4, &flags) == 3);
	CHECK_ERR(query(b, 1, ids, 2, &flags), ENOSPC);
	CHECK(query(b, 1, NULL, 0, &flags) == 3);
	CHECK(!change(BPF_PROG_ATTACH, b, null, BPF_F_ALLOW_MULTI | BPF_F_REPLACE, zero) && !opens("/dev/zero", O_RDONLY));
	CHECK_ERR(change(BPF_PROG_ATTACH, b, zero, BPF_F_ALLOW_MULTI | BPF_F_REPLACE, zero), ENOENT);
	CHECK_ERR(detach(b, -1), EINVAL);
	CHECK(!enter("..") && !rmdir(path_of("a/b")));
	CHECK_ERR(attach(b, all, BPF_F_ALLOW_MULTI), ENOENT);
}

CASE(wrong_arguments)
{
	const struct bpf_insn p[] = { MOV(0, 1), EXIT };
	int group = begin(), prog = allow_all(), pipes[2], packets = load_type(BPF_PROG_TYPE_CGROUP_SKB, p, N(p));
	union bpf_attr a;

	CHECK(prog >= 0 && packets >= 0 && !pipe(pipes));
	CHECK_ERR(attach(-1, prog, 0), EBADF);
	CHECK_ERR(attach(pipes[0], prog, 0), EBADF);
	CHECK_ERR(attach(group, -1, 0), EBADF);
	CHECK_ERR(attach(group, pipes[0], 0), EINVAL);
	CHECK_ERR(attach(group, packets, 0), EINVAL);
	CHECK_ERR(attach(group, prog, BPF_F_ALLOW_MULTI | BPF_F_ALLOW_OVERRIDE), EINVAL);
	CHECK_ERR(attach(group, prog, BPF_F_REPLACE), EINVAL);
	CHECK_ERR(attach(group, prog, 128), EINVAL);
	CHECK_ERR(change(BPF_PROG_ATTACH, group, prog, BPF_F_ALLOW_MULTI | BPF_F_REPLACE, -1), EBADF);
	CHECK_ERR(load(p, 0), E2BIG);
	CHECK_ERR(load(p, 2000000), E2BIG);
	CHECK_ERR(load(NULL, 2), EFAULT);
	CHECK_ERR(load_type(1000, p, N(p)), EINVAL);
	memset(&a, 0, sizeof(a));
	a.prog_id = 0x7ffffff0;
	CHECK_ERR(bpf(BPF_PROG_GET_FD_BY_ID, &a), ENOENT);
	a.next_id = 1;
	CHECK_ERR(bpf(BPF_PROG_GET_FD_BY_ID, &a), EINVAL);
	CHECK_ERR(bpf(9999, &a), EINVAL);
	CHECK_ERR(syscall(SYS_bpf, BPF_PROG_LOAD, NULL, 8), EFAULT);
	CHECK_ERR(syscall(SYS_bpf, BPF_PROG_LOAD, &a, 5000), E2BIG);
}

CASE(who_may)
{
	const struct bpf_insn p[] = { MOV(0, 1), EXIT };
	int group = begin(), prog = allow_all();
	pid_t child;
	int st;

	CHECK(prog >= 0);
	if (!(child = fork())) {
		CHECK(!setgid(1000) && !setuid(1000));
		CHECK_ERR(load(p, N(p)), EPERM);
		_exit(0);
	}
	CHECK(waitpid(child, &st, 0) == child && !st);
	if (!(child = fork())) { /* root of a namespace of its own is nobody here */
		CHECK(!unshare(CLONE_NEWUSER));
		CHECK_ERR(load(p, N(p)), EPERM);
		_exit(0);
	}
	CHECK(waitpid(child, &st, 0) == child && !st && !attach(group, prog, 0));
}

CASE(what_is_told)
{
	const struct bpf_insn p[] = { MOV(0, 1), EXIT };
	static const uint8_t none[8];
	struct bpf_insn got[4] = { 0 };
	struct bpf_prog_info info;
	int prog, other;
	union bpf_attr a;
	uint32_t id;

	CHECK((prog = load(p, N(p))) >= 0);
	memset(&info, 0, sizeof(info));
	memset(&a, 0, sizeof(a));
	info.xlated_prog_insns = (uintptr_t)got;
	info.xlated_prog_len = sizeof(got);
	a.info.bpf_fd = prog;
	a.info.info_len = sizeof(info);
	a.info.info = (uintptr_t)&info;
	CHECK(!bpf(BPF_OBJ_GET_INFO_BY_FD, &a) && a.info.info_len >= 200);
	CHECK(info.type == BPF_PROG_TYPE_CGROUP_DEVICE && info.id && !strcmp(info.name, "a_name.1") && info.created_by_uid == getuid() && info.gpl_compatible);
	CHECK(info.xlated_prog_len == sizeof(p) && !memcmp(got, p, sizeof(p)) && !info.nr_map_ids && info.load_time);
	id = info.id;
	CHECK(memcmp(info.tag, none, sizeof(none))); /* by which function depends on the version */
	memset(&a, 0, sizeof(a));
	a.prog_id = id;
	CHECK((other = bpf(BPF_PROG_GET_FD_BY_ID, &a)) >= 0 && fcntl(other, F_GETFD) == FD_CLOEXEC);
	memset(&a, 0, sizeof(a));
	a.start_id = id - 1;
	CHECK(!bpf(BPF_PROG_GET_NEXT_ID, &a) && a.next_id == id);
	close(prog);
	memset(&a, 0, sizeof(a));
	a.prog_id = id;
	CHECK((prog = bpf(BPF_PROG_GET_FD_BY_ID, &a)) >= 0);
}

/* Programs that Linux refuses, and what it says. */
CASE(bad_programs)
{
	static const struct bad {
		int error;
		unsigned n;
		struct bpf_insn p[6];
	} bad[] = {
#define BAD(e, ...) { e, N(((struct bpf_insn[]){ __VA_ARGS__ })), { __VA_ARGS__ } }
		BAD(EACCES, EXIT), /* r0 has no value */
		BAD(EINVAL, MOV(0, 1)), /* no end */
		BAD(EINVAL, MOV(0, 2), EXIT), /* neither 0 nor 1 */
		BAD(EINVAL, LOAD(BPF_W, 0, 1, 0), EXIT),
		BAD(EINVAL, MOV(0, 1), EXIT, MOV(0, 1), EXIT), /* never reached */
		BAD(EINVAL, MOV(0, 1), INSN(BPF_JMP | BPF_JA, 0, 0, 5, 0), EXIT),
		BAD(EINVAL, MOV(0, 1), INSN(BPF_JMP | BPF_JA, 0, 0, -2, 0), EXIT), /* for ever */
		BAD(EINVAL, MOV(0, 1), JUMP(BPF_JEQ, 0, 0, 1), WIDE(0, 1), EXIT), /* into the middle */
		BAD(EACCES, LOAD(BPF_W, 2, 1, 12), MOV(0, 1), EXIT), /* beyond what is given */
		BAD(EACCES, LOAD(BPF_W, 2, 1, -4), MOV(0, 1), EXIT),
		BAD(EACCES, LOAD(BPF_W, 2, 1, 2), MOV(0, 1), EXIT),
		BAD(EACCES, LOAD(BPF_DW, 2, 1, 0), MOV(0, 1), EXIT),
		BAD(EACCES, LOAD(BPF_H, 2, 1, 4), MOV(0, 1), EXIT), /* only the first can be read in parts */
		BAD(EACCES, MOV(0, 1), STORE(BPF_W, 1, 0, 0), EXIT), /* only read */
		BAD(EACCES, MOV(2, 1), STORE(BPF_W, 2, 0, 2), MOV(0, 1), EXIT), /* a number is no pointer */
		BAD(EACCES, MOV(2, 1), LOAD(BPF_W, 2, 2, 0), MOV(0, 1), EXIT),
		BAD(EACCES, MOV(0, 1), STORE(BPF_DW, 10, -516, 0), EXIT), /* beyond the stack */
		BAD(EACCES, MOV(0, 1), STORE(BPF_DW, 10, -4, 0), EXIT),
		BAD(EACCES, MOV(0, 1), STORE(BPF_DW, 10, 0, 0), EXIT),
		BAD(EACCES, MOV(10, 1), MOV(0, 1), EXIT), /* cannot be changed */
		BAD(EACCES, MOV_X(0, 5), MOV(0, 1), EXIT), /* has no value */
		BAD(EACCES, MOV_X(2, 10), OP(BPF_MUL, 2, 3), MOV(0, 1), EXIT), /* no arithmetic for a pointer */
		BAD(EACCES, MOV_X(2, 10), OP(BPF_SUB, 2, 8), MOV(0, 1), EXIT),
		BAD(EACCES, LOAD(BPF_W, 2, 1, 0), JUMP(BPF_JEQ, 2, 0, 1), MOV(3, 1), MOV_X(0, 3), EXIT), /* on one of the ways */
		BAD(EINVAL, MOV(0, 1), OP(BPF_DIV, 0, 0), EXIT),
		BAD(EINVAL, MOV(0, 1), OP(BPF_LSH, 0, 64), EXIT),
		BAD(EINVAL, MOV(0, 1), OP32(BPF_RSH, 0, 32), EXIT),
		BAD(EINVAL, MOV(0, 1), INSN(BPF_JMP | BPF_CALL, 0, 0, 0, 100000), EXIT),
		BAD(EINVAL, INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 3, 0, 1), EXIT), /* what is not used must be 0 */
		BAD(EINVAL, MOV(0, 1), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 1)),
		BAD(EINVAL, MOV(11, 1), MOV(0, 1), EXIT),
		BAD(EINVAL, MOV(0, 1), INSN(0xff, 0, 0, 0, 0), EXIT),
	};
	char log[200] = "";
	union bpf_attr a;

	for (size_t i = 0; i < N(bad); i++) {
		int fd = load(bad[i].p, bad[i].n);

		if (fd != -1 || errno != bad[i].error)
			fprintf(stderr, "program %zu: %d, errno %d\n", i, fd, errno);
		CHECK_ERR(load(bad[i].p, bad[i].n), bad[i].error);
	}
	memset(&a, 0, sizeof(a));
	a.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	a.insns = (uintptr_t)bad[0].p;
	a.insn_cnt = bad[0].n;
	a.license = (uintptr_t)"MIT";
	a.log_level = 1;
	a.log_buf = (uintptr_t)log;
	a.log_size = sizeof(log);
	CHECK_ERR(bpf(BPF_PROG_LOAD, &a), EACCES);
	CHECK(*log && log[strlen(log) - 1] == '\n');
}

/* What is computed into r0 must be v: the group may open /dev/zero then, and only then. */
static void computes(int group, uint64_t v, const struct bpf_insn *p, size_t n)
{
	struct bpf_insn all[64];
	size_t at = n;
	int fd;

	memcpy(all, p, n * sizeof(*p));
	const struct bpf_insn end[] = { WIDE(9, v), JUMP_X(BPF_JEQ, 0, 9, 2), MOV(0, 0), EXIT, MOV(0, 1), EXIT };
	memcpy(all + at, end, sizeof(end));
	at += N(end);
	if ((fd = load(all, at)) < 0)
		fprintf(stderr, "FAIL computes %llx\n", (unsigned long long)v);
	CHECK(fd >= 0);
	CHECK(!attach(group, fd, 0) && !opens("/dev/zero", O_RDONLY));
	all[n].imm ^= 1; /* another is not */
	CHECK((fd = load(all, at)) >= 0);
	CHECK(!attach(group, fd, 0));
	CHECK_ERR(opens("/dev/zero", O_RDONLY), EPERM);
	CHECK(!detach(group, fd));
}

#define COMPUTES(v, ...)                                                                                                                             \
	do {                                                                                                                                         \
		const struct bpf_insn p_[] = { __VA_ARGS__ };                                                                                        \
		computes(group, (uint64_t)(v), p_, N(p_));                                                                                           \
	} while (0)

CASE(arithmetic)
{
	int group = begin();
	int (*volatile again)(void) = getpid;

	(void)again;
	COMPUTES(-5, MOV(0, -5));
	COMPUTES(0xfffffffb, OP32(BPF_MOV, 0, -5));
	COMPUTES(0x1122334455667788, WIDE(0, 0x1122334455667788));
	COMPUTES(0x1122334455667787, WIDE(0, 0x1122334455667788), OP(BPF_ADD, 0, -1));
	COMPUTES(0x55667787, WIDE(0, 0x1122334455667788), OP32(BPF_ADD, 0, -1));
	COMPUTES(-12, MOV(0, -5), OP(BPF_SUB, 0, 7));
	COMPUTES(35, MOV(0, -5), MOV(2, -7), OP_X(BPF_MUL, 0, 2));
	COMPUTES(0x7ffffffffffffffd, MOV(0, -5), OP(BPF_DIV, 0, 2));
	COMPUTES(0x7ffffffd, MOV(0, -5), OP32(BPF_DIV, 0, 2));
	COMPUTES(0, MOV(0, 7), MOV(2, 0), OP_X(BPF_DIV, 0, 2));
	COMPUTES(7, MOV(0, 7), MOV(2, 0), OP_X(BPF_MOD, 0, 2));
	COMPUTES(0xfffffff9, MOV(0, -7), MOV(2, 0), OP32_X(BPF_MOD, 0, 2));
	COMPUTES(3, MOV(0, 17), OP(BPF_MOD, 0, 7));
	COMPUTES(0xf0f0, WIDE(0, 0xfff0fff0), OP(BPF_AND, 0, 0xf0f0));
	COMPUTES(0xfffffffffffffff5, MOV(0, 5), OP(BPF_OR, 0, -16));
	COMPUTES(6, MOV(0, 5), OP(BPF_XOR, 0, 3));
	COMPUTES(-5, MOV(0, 5), OP(BPF_NEG, 0, 0));
	COMPUTES(0xfffffffb, MOV(0, 5), OP32(BPF_NEG, 0, 0));
	COMPUTES(0x8000000000000000, MOV(0, 1), OP(BPF_LSH, 0, 63));
	COMPUTES(2, MOV(0, 1), MOV(2, 65), OP_X(BPF_LSH, 0, 2));
	COMPUTES(2, MOV(0, 1), MOV(2, 33), OP32_X(BPF_LSH, 0, 2));
	COMPUTES(-1, MOV(0, -16), OP(BPF_ARSH, 0, 4));
	COMPUTES(0xffffffff, MOV(0, -16), OP32(BPF_ARSH, 0, 4));
	COMPUTES(0x0fffffff, MOV(0, -16), OP32(BPF_RSH, 0, 4));
	COMPUTES(0x8877, WIDE(0, 0x1122334455667788), INSN(BPF_ALU | BPF_END | BPF_TO_BE, 0, 0, 0, 16));
	COMPUTES(0x88776655, WIDE(0, 0x1122334455667788), INSN(BPF_ALU | BPF_END | BPF_TO_BE, 0, 0, 0, 32));
	COMPUTES(0x8877665544332211, WIDE(0, 0x1122334455667788), INSN(BPF_ALU | BPF_END | BPF_TO_BE, 0, 0, 0, 64));
	COMPUTES(0x55667788, WIDE(0, 0x1122334455667788), INSN(BPF_ALU | BPF_END | BPF_TO_LE, 0, 0, 0, 32));
}

CASE(memory)
{
	int group = begin();

	COMPUTES(0x5566, WIDE(2, 0x1122334455667788), STORE(BPF_DW, 10, -8, 2), LOAD(BPF_H, 0, 10, -6));
	COMPUTES(0x44, WIDE(2, 0x1122334455667788), STORE(BPF_DW, 10, -8, 2), LOAD(BPF_B, 0, 10, -4));
	COMPUTES(-7, STORE_K(BPF_DW, 10, -512, -7), LOAD(BPF_DW, 0, 10, -512));
	COMPUTES(0xffffff00fffffff9, STORE_K(BPF_DW, 10, -16, -7), STORE_K(BPF_B, 10, -12, 0), LOAD(BPF_DW, 0, 10, -16));
	COMPUTES(9, MOV_X(2, 10), OP(BPF_ADD, 2, -40), OP(BPF_ADD, 2, 8), STORE_K(BPF_W, 2, 4, 9), LOAD(BPF_W, 0, 10, -28));
	COMPUTES(5, LOAD(BPF_W, 0, 1, 8)); /* /dev/zero's number */
	COMPUTES(1, LOAD(BPF_W, 0, 1, 4));
	COMPUTES(BPF_DEVCG_ACC_READ << 16 | BPF_DEVCG_DEV_CHAR, LOAD(BPF_W, 0, 1, 0));
	COMPUTES(BPF_DEVCG_ACC_READ, LOAD(BPF_H, 0, 1, 2));
	COMPUTES(BPF_DEVCG_DEV_CHAR, LOAD(BPF_B, 0, 1, 0));
}

/* 1 where the jump is taken. */
#define TAKES(v, a, jump) COMPUTES(v, WIDE(2, a), WIDE(3, 5), MOV(0, 1), jump, MOV(0, 0))

CASE(jumps)
{
	int group = begin();

	TAKES(1, 5, JUMP(BPF_JEQ, 2, 5, 1));
	TAKES(0, 0x100000005, JUMP(BPF_JEQ, 2, 5, 1));
	TAKES(1, 0x100000005, JUMP32(BPF_JEQ, 2, 5, 1));
	TAKES(0, 5, JUMP_X(BPF_JNE, 2, 3, 1));
	TAKES(1, -1, JUMP(BPF_JGT, 2, 5, 1));
	TAKES(0, -1, JUMP(BPF_JSGT, 2, 5, 1));
	TAKES(1, -1, JUMP_X(BPF_JSLT, 2, 3, 1));
	TAKES(0, -1, JUMP_X(BPF_JLT, 2, 3, 1));
	TAKES(1, 5, JUMP_X(BPF_JGE, 2, 3, 1));
	TAKES(1, 5, JUMP_X(BPF_JLE, 2, 3, 1));
	TAKES(1, 5, JUMP(BPF_JSGE, 2, -6, 1));
	TAKES(0, 5, JUMP(BPF_JSLE, 2, -6, 1));
	TAKES(1, 0xffffffff, JUMP32(BPF_JSLT, 2, 0, 1));
	TAKES(0, 0xffffffff, JUMP(BPF_JSLT, 2, 0, 1));
	TAKES(1, 6, JUMP(BPF_JSET, 2, 4, 1));
	TAKES(0, 6, JUMP(BPF_JSET, 2, 9, 1));
}

int main(void) { return run_cases(); }
