/*
 * sysvipc.c - /proc/sysvipc/{msg,sem,shm}: what ipcs(1) reads: every object of the
 * namespace, whoever may use it, as on Linux.
 */
#include "fs/proc/tables.h"

#include "kernel/ipc.h"

#include <inttypes.h>

static SHOW(show_shm)
{
	struct linux_shm_info info;
	struct linux_shmid_ds d;
	int max = ipc_shm_info(task_current(), &info);

	pprintf(b, "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime"
		   "                   rss                  swap\n");
	for (int slot = 0; slot <= max; slot++) {
		int id = ipc_shm_stat(task_current(), slot, IPC_BY_SLOT_ANY, &d);

		if (id < 0)
			continue;
		pprintf(b, "%10d %10d  %4o %21" PRIu64 " %5u %5u  %5" PRIu64 " %5u %5u %5u %5u %10" PRId64 " %10" PRId64 " %10" PRId64 " %21" PRIu64
			   " %21d\n",
			d.perm.key, id, d.perm.mode, d.segsz, (unsigned)d.cpid, (unsigned)d.lpid, d.nattch, d.perm.uid, d.perm.gid, d.perm.cuid,
			d.perm.cgid, d.atime, d.dtime, d.ctime, PAGE_UP(d.segsz), 0);
	}
	return 0;
}

static SHOW(show_sem)
{
	struct linux_semid_ds d;
	int sets, sems, max = ipc_sem_info(task_current(), &sets, &sems);

	pprintf(b, "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
	for (int slot = 0; slot <= max; slot++) {
		int id = ipc_sem_stat(task_current(), slot, IPC_BY_SLOT_ANY, &d);

		if (id < 0)
			continue;
		pprintf(b, "%10d %10d  %4o %10" PRIu64 " %5u %5u %5u %5u %10" PRId64 " %10" PRId64 "\n", d.perm.key, id, d.perm.mode, d.nsems,
			d.perm.uid, d.perm.gid, d.perm.cuid, d.perm.cgid, d.otime, d.ctime);
	}
	return 0;
}

static SHOW(show_msg)
{
	int queues, messages, bytes, max = ipc_msg_info(task_current(), &queues, &messages, &bytes);
	struct linux_msqid_ds d;

	pprintf(b, "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n");
	for (int slot = 0; slot <= max; slot++) {
		int id = ipc_msg_stat(task_current(), slot, IPC_BY_SLOT_ANY, &d);

		if (id < 0)
			continue;
		pprintf(b, "%10d %10d  %4o  %10" PRIu64 " %10" PRIu64 " %5u %5u %5u %5u %5u %5u %10" PRId64 " %10" PRId64 " %10" PRId64 "\n", d.perm.key,
			id, d.perm.mode, d.cbytes, d.qnum, (unsigned)d.lspid, (unsigned)d.lrpid, d.perm.uid, d.perm.gid, d.perm.cuid, d.perm.cgid,
			d.stime, d.rtime, d.ctime);
	}
	return 0;
}

#define READERS(n, f) { .name = n, .kind = P_FILE, .mode = 0444, .show = f, .flags = PE_READER }
const struct pentry proc_sysvipc_table[] = { READERS("msg", show_msg), READERS("sem", show_sem), READERS("shm", show_shm), END_ };
