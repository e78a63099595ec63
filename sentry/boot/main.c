/*
 * main.c - the sentry: a user-space kernel for one sandbox.
 *
 * Reads its command line, confines itself, makes the kernel, and then runs the
 * event loop on the main thread; every task is a thread of its own.
 */
#include "boot/boot.h"
#include "boot/policy.h"
#include "control/adopt.h"
#include "control/container.h"
#include "control/trace_points.h"
#include "kernel/oom.h"
#include "lib/threads.h"
#include "libipc/fd.h"
#include "libipc/log.h"
#include "libipc/sanitize.h"
#include "syscalls/syscall.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* The exit status of an option that only prints, or -1: there is none. */
static int print_asked(const struct options *o)
{
	if (o->help)
		options_usage();
	else if (o->version)
		printf("sentry (redoubt) %s\n", REDOUBT_VERSION);
	else if (o->print_policy)
		policy_print(&sentry_policy, stdout);
	else if (o->trace_points)
		trace_points_print();
	else if (o->syscalls)
		return syscall_print_table(o->syscalls) ? 1 : 0;
	else
		return -1;
	return 0;
}

/* glibc 2.36 sizes its set of arenas by opening /sys/devices/system/cpu/online when
 * many threads allocate, which the policy kills; a fixed number asks nothing, and
 * bounds what idle arenas hold. */
static void bound_arenas(void)
{
	mallopt(M_ARENA_MAX, 4);
}

/* Signals meant for the sandbox come as requests; none from outside may end a thread by chance. */
static void ignore_signals(void)
{
	static const int ignored[] = { SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU };

	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
}

static struct err *bring_up(struct kernel *k, struct options *o)
{
	struct err *e = NULL;
	int memory = -1;

	if (o->unconfined)
		log_warning("TEST ONLY: the sentry runs UNCONFINED: no namespaces, no seccomp");
	else
		e = confine_enter(&sentry_policy, &(struct confine_opts){ .namespaces_made = o->namespaces_made, .memory = &memory });
	log_timing("confined");
	if (!e)
		e = kernel_prepare(k, o, memory);
	log_timing("platform and memory");
	if (!e && !o->unconfined)
		e = confine_seal(&sentry_policy);
	log_timing("sealed");
	if (!e)
		e = kernel_assemble(k);
	log_timing("kernel assembled");
	if (!e && o->control_fd >= 0)
		e = control_serve(k, TAKE_FD(o->control_fd));
	if (!e && o->adopt_fd >= 0)
		e = adopt_serve(k, TAKE_FD(o->adopt_fd));
	if (!e && o->boot_fd >= 0)
		e = boot_serve(k, TAKE_FD(o->boot_fd));
	if (!e && o->args)
		e = boot_command_line(k, o);
	return e;
}

/* What the first container's first process ended with; killed, if the sandbox ends before it. */
static int container_status(const struct kernel *k)
{
	const struct container *c = k->containers;
	int st;

	while (c->next)
		c = c->next;
	st = c->init->ended ? c->init->status : SIGKILL;

	return WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
}

int main(int argc, char **argv)
{
	static struct kernel kernel;
	struct options o;
	int exit_status, asked;
	struct err *e = options_parse(argc, argv, &o);

	asked = e ? -1 : print_asked(&o);
	if (asked >= 0)
		return asked;
	log_init("sentry", o.log_fd >= 0 ? o.log_fd : 2, o.log_format, o.debug ? LOG_DEBUG : o.strace ? LOG_INFO : LOG_WARNING);
	if (!e) {
		log_set_user(o.user_log_fd);
		boot_panic_init(o.panic_fd);
		bound_arenas();
		ignore_signals();
		e = bring_up(&kernel, &o);
	}
	if (e) {
		log_fatal(err_text(e));
		err_free(e);
		return 1;
	}
	thread_enter("events");
	event_base_loop(kernel.loop, EVLOOP_NO_EXIT_ON_EMPTY);
	exit_status = kernel.containers ? container_status(&kernel) : 1;
	if (exit_status == 128 + SIGKILL)
		oom_tell_host(&kernel);
	/* Threads and stubs end with the process; nothing of a sandbox outlives it. */
	_exit(exit_status);
}
