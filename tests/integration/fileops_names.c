/*
 * fileops_names.c - the operations on names, and who does them.
 */
#include "fileops.h"

enum { USER = 1000 };

/* None that is sticky and open to others: what may be done there is each host's
 * own setting (fs.protected_symlinks, _regular, _fifos). */
unsigned a_mode(void)
{
	return ONE_OF(0644, 0755, 0600, 0700, 0777, 0444, 0, 0111, 04755, 02755, 02644, 06777, 01700, 02070, 0666);
}

/* Whoever might own a file; an id of -1 is let be. */
static void some_ids(uid_t *uid, gid_t *gid)
{
	*uid = ONE_OF(0, USER, USER + 1, -1u);
	*gid = ONE_OF(0, USER, USER + 1, -1u);
	printf(" %d:%d", (int)*uid, (int)*gid);
}

void some_times(struct timespec ts[2])
{
	for (int i = 0; i < 2; i++) {
		static const long special[] = { 0, 0, 0, UTIME_NOW, UTIME_OMIT };

		ts[i] = (struct timespec){ SET_TIME + (time_t)rnd(1000), special[rnd(5)] };
		printf(" %ld%s", (long)ts[i].tv_sec - SET_TIME, ts[i].tv_nsec == UTIME_NOW ? "now" : ts[i].tv_nsec == UTIME_OMIT ? "omit" : "");
	}
}

void op_truncate(void)
{
	const char *path = a_path();
	off_t size = (off_t)rnd(70000);

	printf(" %s %ld", path, (long)size);
	answer(truncate(path, size));
}

void op_mkdir(void)
{
	const char *path = a_path();
	mode_t mode = a_mode();

	printf(" %s %o", path, mode);
	answer(mkdir(path, mode));
}

void op_rmdir(void)
{
	const char *path = a_path();

	printf(" %s", path);
	answer(rmdir(path));
}

void op_unlink(void)
{
	const char *path = a_path();
	int flags = rnd(6) ? 0 : AT_REMOVEDIR;

	printf(" %s %x", path, flags);
	answer(unlinkat(AT_FDCWD, path, flags));
}

void op_link(void)
{
	const char *from = a_path(), *to = a_path();
	int flags = rnd(3) ? 0 : AT_SYMLINK_FOLLOW;

	printf(" %s %s %x", from, to, flags);
	if (geteuid()) /* whose files may be linked is a setting too (fs.protected_hardlinks) */
		answer(0);
	else
		answer(linkat(AT_FDCWD, from, AT_FDCWD, to, flags));
}

void op_symlink(void)
{
	const char *to = a_path(), *path = a_path();

	while (strstr(to, "..")) /* which might lead out of our directory */
		to = a_path();
	printf(" %s %s", to, path);
	answer(symlink(to, path));
}

void op_mknod(void)
{
	const char *path = a_path();
	mode_t mode = ONE_OF(S_IFREG, S_IFIFO, S_IFSOCK, 0, S_IFDIR, S_IFLNK) | a_mode();

	printf(" %s %o", path, mode);
	answer(mknod(path, mode, 0));
}

void op_rename(void)
{
	const char *from = a_path(), *to = a_path();

	printf(" %s %s", from, to);
	answer(rename(from, to));
}

void op_renameat2(void)
{
	const char *from = a_path(), *to = a_path();
	unsigned flags = ONE_OF(RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_EXCHANGE, RENAME_NOREPLACE | RENAME_EXCHANGE, 8);

	printf(" %s %s %x", from, to, flags);
	answer(renameat2(AT_FDCWD, from, AT_FDCWD, to, flags));
}

void op_chmod(void)
{
	const char *path = a_path();
	mode_t mode = a_mode();

	printf(" %s %o", path, mode);
	answer(chmod(path, mode));
}

void op_chown(void)
{
	const char *path = a_path();
	int flags = rnd(2) ? AT_SYMLINK_NOFOLLOW : 0;
	uid_t uid;
	gid_t gid;

	printf(" %s %x", path, flags);
	some_ids(&uid, &gid);
	answer(fchownat(AT_FDCWD, path, uid, gid, flags));
}

void op_fchown(void)
{
	int slot = a_slot();
	uid_t uid;
	gid_t gid;

	some_ids(&uid, &gid);
	answer(fchown(run.fd[slot], uid, gid));
}

void op_utimensat(void)
{
	const char *path = a_path();
	int flags = rnd(2) ? AT_SYMLINK_NOFOLLOW : 0;
	struct timespec ts[2];

	printf(" %s %x", path, flags);
	some_times(ts);
	answer(utimensat(AT_FDCWD, path, ts, flags));
}

void op_umask(void)
{
	mode_t mask = ONE_OF(022, 0, 077, 027);

	printf(" %o", mask);
	answer(umask(mask));
}

/* From here on another one asks: root more often than not. */
void op_user(void)
{
	uid_t uid = ONE_OF(0, 0, USER);
	gid_t gid = ONE_OF(0, USER);

	printf(" %u:%u", uid, gid);
	answer(seteuid(0) || setegid(gid) || seteuid(uid));
}
