/*
 * setup.c - receives what to run: from the launcher over the boot protocol, or from the command line.
 * Event thread.
 */
#include "boot/boot.h"

#include "abi/fs.h"
#include "control/container.h"
#include "fs/gofer/gofer_fs.h"
#include "kernel/oom.h"
#include "kernel/task_table.h"
#include "libipc/fd.h"
#include "libipc/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

#define SPEC_MAX (16u << 20)

static struct err *apply_limits(struct kernel *k, const struct boot_spec *spec)
{
	int r = oom_set_limit(oom_sandbox(k), spec->memory_limit);

	if (r)
		return err_new(-r, "the memory limit");
	if (spec->cpus && spec->cpus < k->cpus)
		k->cpus = (unsigned)spec->cpus;
	k->cpu_quota = spec->cpu_quota;
	k->cpu_period = spec->cpu_period ? spec->cpu_period : 100000;
	k->strace |= spec->strace;
	return NULL;
}

/* --- protocol boot --------------------------------------------------------------- */
static void do_setup(struct rpc_call *call, void *request)
{
	struct boot_setup *q = request;
	struct kernel *k = rpc_call_arg(call);
	struct boot_setup_reply r;
	struct boot_spec spec;
	struct msg_arena arena = { 0 };
	struct container *c;
	struct err *e;

	log_timing("asked to set up");
	if (k->containers) {
		rpc_fail(call, err_new(EBUSY, "the sandbox is set up already"));
		return;
	}
	e = msg_from_fd(&boot_spec_desc, q->spec, SPEC_MAX, &spec, &arena);
	if (e) {
		rpc_fail(call, err_wrap(e, "specification"));
		return;
	}
	if (!(e = apply_limits(k, &spec)))
		e = container_create(k, &spec, TAKE_FD(q->gofer), q->stdio, q->n_stdio, &c);
	msg_free(&boot_spec_desc, &spec, &arena);
	log_timing("container made");
	if (e) {
		rpc_fail(call, e);
		return;
	}
	rpc_reply(call, &r);
	gofer_conn_hold(c->gofer); /* the launcher does not wait for it */
}

/* Confined before it serves. */
static void do_ready(struct rpc_call *call, void *request)
{
	struct boot_ready_reply r;

	rpc_reply(call, &r);
}

static const struct rpc_method boot_methods[] = {
	RPC_METHOD(boot, ready, do_ready),
	RPC_METHOD(boot, network, boot_do_network),
	RPC_METHOD(boot, setup, do_setup),
};

/* The launcher may go after the set-up; before, nobody will ever tell what to run. */
static void boot_closed(struct rpc *r, const struct err *why, void *arg)
{
	struct kernel *k = arg;

	rpc_free(r);
	if (k->containers)
		return;
	log_error("boot: the launcher is gone before the sandbox was set up%s%s", why ? ": " : "", why ? err_text(why) : "");
	k->shutting_down = true;
	event_base_loopbreak(k->loop);
}

struct err *boot_serve(struct kernel *k, int fd)
{
	struct rpc *r;

	return rpc_new(k->loop, fd, boot_methods, sizeof(boot_methods) / sizeof(*boot_methods), boot_closed, k, &r);
}

/* --- the command line ---------------------------------------------------------------- */
static unsigned count(char **v)
{
	unsigned n = 0;

	while (v && v[n])
		n++;
	return n;
}

static struct msg_str *strings(char **v, unsigned n)
{
	struct msg_str *s = calloc(n + 1, sizeof(*s));

	for (unsigned i = 0; s && i < n; i++)
		s[i] = msg_str(v[i]);
	return s;
}

static struct boot_mount mount_of(const char *destination, const char *type, const char *options, uint64_t flags)
{
	return (struct boot_mount){ .destination = msg_str(destination), .type = msg_str(type), .options = msg_str(options), .flags = flags };
}

struct run {
	struct process_waiter w;
	struct kernel *k;
};

static void run_ended(struct process_waiter *w, int st)
{
	struct run *run = w->arg;

	run->k->shutting_down = true;
	event_base_loopbreak(run->k->loop);
}

struct err *boot_command_line(struct kernel *k, struct options *o)
{
	static char *default_env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", NULL };
	static struct run run;
	char **env = o->env ? o->env : default_env;
	const uint64_t secure = LINUX_MS_NOSUID | LINUX_MS_NODEV | LINUX_MS_NOEXEC;
	struct boot_mount mounts[] = {
		mount_of("/", "gofer", "", 0),
		mount_of("/proc", "proc", "", secure),
		mount_of("/sys", "sysfs", "", secure | LINUX_MS_RDONLY),
		mount_of("/dev", "devtmpfs", "mode=755", LINUX_MS_NOSUID),
		mount_of("/dev/pts", "devpts", "gid=5,mode=620,ptmxmode=666", LINUX_MS_NOSUID | LINUX_MS_NOEXEC),
		mount_of("/dev/shm", "tmpfs", "mode=1777", LINUX_MS_NOSUID | LINUX_MS_NODEV),
	};
	struct boot_spec spec = {
		.id = msg_str("command-line"), .hostname = msg_str(o->hostname ? o->hostname : "redoubt"), .domainname = msg_str(""),
		.mounts = mounts, .n_mounts = sizeof(mounts) / sizeof(*mounts),
	};
	struct boot_process *p = &spec.process;
	int stdio[3] = { 0, 1, 2 };
	struct container *c;
	struct err *e;

	mounts[0].overlay = o->overlay;
	p->n_args = count(o->args);
	p->args = strings(o->args, p->n_args);
	p->n_env = count(env);
	p->env = strings(env, p->n_env);
	if (!p->args || !p->env)
		return err_new(ENOMEM, "command line");
	p->cwd = msg_str(o->cwd ? o->cwd : "/");
	p->user = msg_str("");
	p->uid = o->uid;
	p->gid = o->gid;
	p->umask = 022;
	p->ordinary = true;
	p->cap_bounding = 0xa80425fb; /* the usual container's */
	if (!o->uid)
		p->cap_effective = p->cap_permitted = p->cap_bounding;
	for (int i = 0; i < 3; i++)
		stdio[i] = fcntl(i, F_DUPFD_CLOEXEC, 3);
	e = container_create(k, &spec, TAKE_FD(o->gofer_fd), stdio, 3, &c);
	free(p->args);
	free(p->env);
	if (e)
		return e;
	run = (struct run){ .w = { .fn = run_ended, .arg = &run }, .k = k };
	process_wait(c->init, &run.w);
	return container_start(c);
}
