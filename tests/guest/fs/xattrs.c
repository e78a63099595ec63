/* Extended attributes of many files, asked for file after file, as ls, cp and getfacl do: each
 * is told of its own, also when it has just got or lost one.
 *
 * "xattrs make" only makes the files, in ./xattrs: outside, before a sandbox sees them. */
#include "../test.h"

#include <endian.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define FILES 300
#define SETS 200
#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

static bool have_user, have_acl; /* the file system stores them */

/* --- making ---------------------------------------------------------------------------- */

/* u::rw- u:12345:r-- g::r-- m::r-- o::r--, as the kernel takes it */
struct acl {
	uint32_t version;
	struct {
		uint16_t tag, perm;
		uint32_t id;
	} e[5];
};

static struct acl an_acl(void)
{
	return (struct acl){ htole32(2), { { htole16(1), htole16(6), UINT32_MAX }, { htole16(2), htole16(4), htole32(12345) },
		{ htole16(4), htole16(4), UINT32_MAX }, { htole16(16), htole16(4), UINT32_MAX }, { htole16(32), htole16(4), UINT32_MAX } } };
}

static const char *name_of(int f)
{
	static _Thread_local char path[64];

	snprintf(path, sizeof(path), f % 20 == 19 ? "xattrs/d%d" : "xattrs/f%d", f);
	return path;
}

static bool is_dir(int f) { return f % 20 == 19; }
static bool has_acl(int f) { return have_acl && f % 10 == 7; }
static bool has_user(int f) { return have_user && f % 10 == 3; }

static void put(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	CHECK(fd >= 0 && !close(fd));
}

static void make(void)
{
	struct acl acl = an_acl();

	CHECK(!mkdir("xattrs", 0755));
	CHECK(!mkdir("xattrs/inherits", 0755) && !mkdir("xattrs/user", 0755));
	have_acl = !setxattr("xattrs/inherits", DEFAULT, &acl, sizeof(acl), 0);
	have_user = !setxattr("xattrs/user", "user.is", "there", 5, 0);
	for (int f = 0; f < FILES; f++) {
		if (is_dir(f))
			CHECK(!mkdir(name_of(f), 0755));
		else
			put(name_of(f));
		if (has_acl(f))
			CHECK(!setxattr(name_of(f), ACCESS, &acl, sizeof(acl), 0));
		if (has_user(f))
			CHECK(!setxattr(name_of(f), "user.is", "there", 5, 0));
	}
	CHECK(!symlink("f0", "xattrs/link") && !mkfifo("xattrs/fifo", 0644));
}

/* --- asking ------------------------------------------------------------------------------ */

#define CHECK_LACKS(call) CHECK((call) == -1 && (errno == ENODATA || errno == EOPNOTSUPP))

/* Its list says so. */
static bool is_listed(const char *path, const char *name)
{
	char list[4096];
	ssize_t n = llistxattr(path, list, sizeof(list));

	CHECK(n >= 0);
	for (const char *s = list; s < list + n; s += strlen(s) + 1)
		if (!strcmp(s, name))
			return true;
	return false;
}

static void look_at(int f)
{
	const char *path = name_of(f);
	struct acl acl, wanted = an_acl();
	char value[16];

	if (has_acl(f)) {
		CHECK(getxattr(path, ACCESS, NULL, 0) == sizeof(acl));
		CHECK(getxattr(path, ACCESS, &acl, sizeof(acl)) == sizeof(acl) && !memcmp(&acl, &wanted, sizeof(acl)));
	} else {
		CHECK_LACKS(getxattr(path, ACCESS, NULL, 0));
	}
	CHECK_LACKS(getxattr(path, DEFAULT, NULL, 0));
	CHECK_LACKS(getxattr(path, "security.capability", value, sizeof(value)));
	CHECK(is_listed(path, ACCESS) == has_acl(f));
	CHECK(is_listed(path, "user.is") == has_user(f));
	if (has_user(f))
		CHECK(getxattr(path, "user.is", value, sizeof(value)) == 5 && !memcmp(value, "there", 5));
	else
		CHECK_LACKS(getxattr(path, "user.is", value, sizeof(value)));
}

CASE(backwards)
{
	for (int f = FILES - 1; f >= 0; f -= 3)
		look_at(f);
}

CASE(each)
{
	struct acl acl;

	for (int again = 0; again < 2; again++)
		for (int f = 0; f < FILES; f++)
			look_at(f);
	CHECK((getxattr("xattrs/inherits", DEFAULT, &acl, sizeof(acl)) == sizeof(acl)) == have_acl);
	CHECK(is_listed("xattrs/inherits", DEFAULT) == have_acl && is_listed("xattrs/user", "user.is") == have_user);
	CHECK(!is_listed("xattrs/link", ACCESS) && !is_listed("xattrs/fifo", ACCESS));
	CHECK_LACKS(lgetxattr("xattrs/link", ACCESS, NULL, 0));
	CHECK_LACKS(getxattr("xattrs/fifo", ACCESS, NULL, 0));
}

CASE(inherited)
{
	for (int i = 0; i < 20; i++) {
		char path[64];

		snprintf(path, sizeof(path), "xattrs/inherits/%d", i);
		put(path);
		CHECK((getxattr(path, ACCESS, NULL, 0) > 0) == have_acl && is_listed(path, ACCESS) == have_acl);
		CHECK(!unlink(path));
	}
}

CASE(set_and_removed)
{
	if (!have_user)
		return;
	for (int f = 0; f < FILES; f++)
		CHECK(!is_listed(name_of(f), "user.new"));
	for (int f = 0; f < FILES; f += 7) {
		CHECK(!setxattr(name_of(f), "user.new", "v", 1, XATTR_CREATE));
		CHECK(is_listed(name_of(f), "user.new"));
	}
	for (int f = 0; f < FILES; f++)
		CHECK(is_listed(name_of(f), "user.new") == (f % 7 == 0));
	for (int f = 0; f < FILES; f += 7) {
		CHECK(!removexattr(name_of(f), "user.new"));
		CHECK(!is_listed(name_of(f), "user.new"));
	}
	for (int f = 0; f < FILES; f++)
		look_at(f);
}

static atomic_bool done;

static void *lister(void *arg)
{
	while (!done)
		for (int f = 0; f < FILES && !done; f++)
			(void)!is_listed(name_of(f), "user.mean");
	return NULL;
}

/* Somebody asks for all of them meanwhile. */
CASE(set_meanwhile)
{
	pthread_t t;

	if (!have_user)
		return;
	done = false;
	CHECK(!pthread_create(&t, NULL, lister, NULL));
	for (int i = 0; i < SETS; i++) {
		int f = i * 37 % FILES;

		CHECK(!setxattr(name_of(f), "user.mean", "v", 1, 0) && is_listed(name_of(f), "user.mean"));
		CHECK(!removexattr(name_of(f), "user.mean") && !is_listed(name_of(f), "user.mean"));
	}
	done = true;
	CHECK(!pthread_join(t, NULL));
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/xattrsXXXXXX", remove[64];
	bool own = access("xattrs", F_OK) != 0;
	int r;

	if (argc > 1) {
		make();
		return 0;
	}
	if (own) {
		CHECK(mkdtemp(dir) && !chdir(dir));
		make();
	} else { /* as it was made */
		have_acl = getxattr("xattrs/inherits", DEFAULT, NULL, 0) > 0;
		have_user = getxattr("xattrs/user", "user.is", NULL, 0) > 0;
	}
	r = run_cases();
	if (own) {
		snprintf(remove, sizeof(remove), "rm -rf %s", dir);
		CHECK(!chdir("/") && !system(remove));
	}
	return r;
}
