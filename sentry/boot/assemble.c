/*
 * assemble.c - makes the kernel's objects, in the order of the layers.
 */
#include "abi/time.h"
#include "boot/boot.h"

#include "fs/cgroup/cgroup.h"
#include "fs/dev/dev.h"
#include "fs/devpts/tty.h"
#include "fs/dnotify.h"
#include "fs/gofer/gofer_fs.h"
#include "fs/inotify.h"
#include "fs/mqueue/mqueue.h"
#include "fs/nsfs.h"
#include "fs/union/union.h"
#include "fs/pipe.h"
#include "fs/proc/proc.h"
#include "fs/sys/sys.h"
#include "fs/tmpfs/tmpfs.h"
#include "lib/wait.h"
#include "libipc/fd.h"
#include "libipc/log.h"
#include "mm/memfile.h"
#include "mm/text.h"
#include "mm/usercopy.h"
#include "net/net.h"
#include "platform/platform.h"
#include "syscalls/strace/strace.h"
#include "syscalls/syscall.h"
#include "vfs/named.h"
#include "vfs/vfs.h"

#include <errno.h>
#include <event2/thread.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <time.h>

#ifdef __SANITIZE_THREAD__ /* leaves 1.5 TiB for all mappings, scattered */
#define MEMFILE_SIZE (UINT64_C(1) << 38)
#else
#define MEMFILE_SIZE (UINT64_C(1) << 40)
#endif

#define DESCRIPTOR_TABLE 16384 /* 130 KiB of the host's memory */

static unsigned host_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

static int64_t host_tick(void)
{
	struct timespec ts;

	return clock_getres(CLOCK_MONOTONIC_COARSE, &ts) || ts.tv_sec ? NSEC_PER_SEC / 100 : ts.tv_nsec;
}

static int by_byte(const void *a, const void *b)
{
	return *(const unsigned char *)a - *(const unsigned char *)b;
}

/* glibc's qsort asks the host once how much memory there is, when what it sorts
 * is large: a call that the filter ends the process for, later. */
static void warm_up_qsort(void)
{
	unsigned char large[2048] = { 0 };

	qsort(large, sizeof(large), 1, by_byte);
}

/*
 * Makes this process's table of descriptors large while it has one thread.  Later the host
 * waits each time for an RCU grace period before it goes on with a table twice as large: that
 * takes 5 to 20 ms, for all threads, and a program that reads many files has five of them.
 * fd: any descriptor; limit: how many there may be.  If that fails, it only takes longer later.
 */
static void enlarge_descriptor_table(int fd, uint64_t limit)
{
	int last = fcntl(fd, F_DUPFD_CLOEXEC, (int)(limit < DESCRIPTOR_TABLE ? limit : DESCRIPTOR_TABLE) - 1);

	fd_close(&last);
}

static void loop_log(int severity, const char *text)
{
	log_at(severity == EVENT_LOG_ERR ? LOG_ERROR : severity == EVENT_LOG_WARN ? LOG_WARNING : LOG_DEBUG, "event loop: %s", text);
}

struct err *kernel_prepare(struct kernel *k, const struct options *o, int memory)
{
	struct event_config *cfg;
	struct rlimit files;
	struct sysinfo si;
	struct err *e;

	*k = (struct kernel){ .cpus = host_cpus(), .strace = o->strace, .no_patch = o->no_patch, .boot_monotonic = now_monotonic(), .boot_realtime = now_realtime() };
	k->host_cpus = k->cpus;
	k->host_tick = host_tick();
	mutex_init(&k->containers_mu, RANK_CONTROL);
	if (sysinfo(&si))
		return err_new(errno, "sysinfo");
	if (getrlimit(RLIMIT_NOFILE, &files))
		return err_new(errno, "RLIMIT_NOFILE");
	warm_up_qsort();
	k->host_files = files.rlim_cur;
	k->memory_total = (uint64_t)si.totalram * si.mem_unit;
	e = safe_copy_init();
	if (!e)
		e = memfile_new(memory, MEMFILE_SIZE, k->memory_total, &k->memfile);
	if (!e)
		enlarge_descriptor_table(memfile_fd(k->memfile), k->host_files);
	if (!e)
		e = platform_new(o->platform, memfile_fd(k->memfile), &k->platform);
	if (e)
		return e;
	event_set_log_callback(loop_log);
	if (evthread_use_pthreads())
		return err_new(0, "libevent: no thread support");
	cfg = event_config_new();
	if (cfg) {
		event_config_set_flag(cfg, EVENT_BASE_FLAG_NO_CACHE_TIME);
		k->loop = event_base_new_with_config(cfg);
		event_config_free(cfg);
	}
	return k->loop ? NULL : err_new(ENOMEM, "event loop");
}

static int register_all(struct kernel *k)
{
	int ret = tmpfs_register(k->vfs);

	if (!ret)
		ret = gofer_fs_register(k->vfs);
	if (!ret)
		ret = union_register(k->vfs);
	if (!ret)
		ret = dev_register(k->vfs);
	if (!ret)
		ret = devpts_register(k);
	if (!ret)
		ret = proc_register(k);
	if (!ret)
		ret = nsfs_register(k);
	if (!ret)
		ret = sys_register(k);
	if (!ret)
		ret = cgroup_register(k);
	if (!ret)
		ret = mqueue_register(k);
	if (!ret)
		ret = inotify_register(k->vfs);
	if (!ret)
		ret = dnotify_register(k);
	if (!ret)
		ret = net_init(k);
	return ret;
}

struct err *kernel_assemble(struct kernel *k)
{
	struct platform_names_words words;
	int ret;

	k->mm_env.mf = k->memfile;
	k->mm_env.platform = k->platform;
	k->mm_env.hooks = (struct mm_file_hooks){ .get = file_get, .put = file_put, .ns_get = user_ns_get, .ns_put = user_ns_put };
	ret = mm_env_init(&k->mm_env);
	if (ret)
		return err_new(-ret, "memory");
	if (!k->no_patch && platform_patching(k->platform)) /* without memory for it, calls trap */
		k->mm_env.texts = texts_new(k->memfile, platform_patching(k->platform));
	k->vfs = vfs_new(k->cpus);
	if (!k->vfs)
		return err_new(ENOMEM, "file systems");
	if (platform_names_words(k->platform, &words))
		names_words_set(k->vfs, words.changes, words.roots);
	vfs_kernel_set(k->vfs, k);
	vfs_host_files_set(k->vfs, k->host_files);
	vfs_host_memory_set(k->vfs, k->memory_total);
	vfs_mm_env_set(k->vfs, &k->mm_env);
	vfs_set_fifo_ops(k->vfs, fifo_open, NULL);
	ret = kernel_init(k);
	if (ret)
		return err_new(-ret, "tasks");
	k->dispatch = syscall_dispatch;
	k->strace_waits = strace_waits;
	ret = register_all(k);
	return ret ? err_new(-ret, "file systems") : NULL;
}
