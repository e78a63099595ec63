/* System V shared memory. */
#include "../test.h"

#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#define KEY 0x52645368

static struct shmid_ds stat_of(int id)
{
	struct shmid_ds ds;

	CHECK(shmctl(id, IPC_STAT, &ds) == 0);
	return ds;
}

CASE(shm_get)
{
	int id = shmget(KEY, 5000, IPC_CREAT | IPC_EXCL | 0640);
	struct shmid_ds ds;

	CHECK(id >= 0);
	CHECK(shmget(KEY, 5000, 0) == id);
	CHECK(shmget(KEY, 100, 0) == id);
	CHECK_ERR(shmget(KEY, 5001, 0), EINVAL);
	CHECK_ERR(shmget(KEY, 5000, IPC_CREAT | IPC_EXCL), EEXIST);
	CHECK_ERR(shmget(KEY + 1, 5000, 0), ENOENT);
	CHECK_ERR(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
	ds = stat_of(id);
	CHECK(ds.shm_segsz == 5000 && ds.shm_nattch == 0 && ds.shm_cpid == getpid() && ds.shm_lpid == 0);
	CHECK((ds.shm_perm.mode & 0777) == 0640 && ds.shm_perm.__key == KEY && ds.shm_perm.uid == geteuid());
	CHECK(ds.shm_atime == 0 && ds.shm_ctime != 0);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
	CHECK_ERR(shmget(KEY, 5000, 0), ENOENT);
	CHECK_ERR(shmctl(id, IPC_RMID, NULL), EINVAL);
	CHECK_ERR(shmctl(-1, IPC_STAT, &ds), EINVAL);
}

CASE(shm_attach)
{
	int id = shmget(IPC_PRIVATE, 3 * 4096 + 10, 0600);
	char *p = shmat(id, NULL, 0), *q;

	CHECK(id >= 0 && p != (void *)-1);
	for (int i = 0; i < 4 * 4096; i++)
		CHECK(p[i] == 0);
	q = shmat(id, NULL, SHM_RDONLY);
	CHECK(q != (void *)-1 && q != p);
	strcpy(p + 4096, "seen twice");
	CHECK(!strcmp(q + 4096, "seen twice"));
	CHECK_ERR(mprotect(q, 4096, PROT_READ | PROT_WRITE), EACCES);
	CHECK(stat_of(id).shm_nattch == 2 && stat_of(id).shm_lpid == getpid());
	CHECK(shmdt(q) == 0);
	CHECK_ERR(shmdt(q), EINVAL);
	CHECK_ERR(shmdt(p + 4096), EINVAL);
	CHECK(stat_of(id).shm_nattch == 1);
	CHECK(shmdt(p) == 0);
	CHECK(stat_of(id).shm_nattch == 0 && stat_of(id).shm_dtime != 0);
	p = shmat(id, NULL, 0);
	CHECK(!strcmp(p + 4096, "seen twice"));
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
}

CASE(shm_address)
{
	int id = shmget(IPC_PRIVATE, 8192, 0600);
	char *hole = mmap(NULL, 16384, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(shmat(id, hole, 0) == (void *)-1 && errno == EINVAL);
	CHECK(shmat(id, hole + 1, 0) == (void *)-1 && errno == EINVAL);
	CHECK(shmat(id, NULL, SHM_REMAP) == (void *)-1 && errno == EINVAL);
	CHECK(shmat(id, hole, SHM_REMAP) == hole);
	CHECK(stat_of(id).shm_nattch == 1);
	CHECK(shmdt(hole) == 0);
	CHECK(munmap(hole, 16384) == 0);
	CHECK(shmat(id, hole + 5, SHM_RND) == hole);
	/* what is left after a hole was cut in goes too */
	CHECK(munmap(hole, 4096) == 0);
	CHECK(stat_of(id).shm_nattch == 1);
	CHECK(shmdt(hole) == 0);
	CHECK(stat_of(id).shm_nattch == 0);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
}

CASE(shm_fork_exit)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600), st;
	volatile int *p = shmat(id, NULL, 0);
	pid_t pid = fork();

	CHECK(p != (void *)-1);
	if (!pid) {
		if (stat_of(id).shm_nattch != 2)
			_exit(1);
		*p = 42;
		_exit(0);
	}
	CHECK(waitpid(pid, &st, 0) == pid && st == 0);
	CHECK(*p == 42);
	CHECK(stat_of(id).shm_nattch == 1);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
}

CASE(shm_removed_while_attached)
{
	int id = shmget(KEY + 2, 4096, IPC_CREAT | 0600), st;
	char *p = shmat(id, NULL, 0), *q;
	struct shmid_ds ds;
	pid_t pid;

	strcpy(p, "still here");
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
	CHECK_ERR(shmget(KEY + 2, 4096, 0), ENOENT);
	ds = stat_of(id);
	CHECK(ds.shm_perm.mode & SHM_DEST && ds.shm_perm.__key == 0 && ds.shm_nattch == 1);
	q = shmat(id, NULL, 0); /* Linux allows it */
	CHECK(q != (void *)-1 && !strcmp(q, "still here"));
	pid = fork();
	if (!pid) {
		execl("/bin/true", "true", NULL);
		_exit(127);
	}
	CHECK(waitpid(pid, &st, 0) == pid && st == 0);
	CHECK(stat_of(id).shm_nattch == 2);
	CHECK(shmdt(p) == 0 && shmdt(q) == 0);
	CHECK_ERR(shmctl(id, IPC_STAT, &ds), EINVAL);
}

CASE(shm_permission)
{
	int id = shmget(IPC_PRIVATE, 4096, 0640), st;
	pid_t pid = fork();

	if (!pid) {
		struct shmid_ds ds;

		if (geteuid() == 0 && (setgid(4242) || setuid(4242)))
			_exit(1);
		if (getuid() == 4242) {
			CHECK(shmat(id, NULL, SHM_RDONLY) == (void *)-1 && errno == EACCES);
			CHECK_ERR(shmctl(id, IPC_STAT, &ds), EACCES);
			CHECK_ERR(shmctl(id, IPC_RMID, NULL), EPERM);
		}
		_exit(0);
	}
	CHECK(waitpid(pid, &st, 0) == pid && st == 0);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
}

CASE(shm_proc_and_info)
{
	int id = shmget(IPC_PRIVATE, 12345, 0604), found = 0, max;
	FILE *f = fopen("/proc/sysvipc/shm", "r");
	struct shm_info info;
	struct shmid_ds ds;
	char line[512];

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		int key, nr, mode;
		unsigned long size;

		if (sscanf(line, "%d %d %o %lu", &key, &nr, &mode, &size) == 4 && nr == id)
			found = mode == 0604 && size == 12345;
	}
	CHECK(found);
	max = shmctl(0, SHM_INFO, (struct shmid_ds *)&info);
	CHECK(max >= 0 && info.used_ids >= 1);
	found = 0;
	for (int i = 0; i <= max; i++)
		found |= shmctl(i, SHM_STAT, &ds) == id;
	CHECK(found);
	CHECK(shmctl(id, IPC_RMID, NULL) == 0);
}

int main(void) { return run_cases(); }
