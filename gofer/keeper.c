/*
 * keeper.c - the process that starts the one that serves, and another in its place
 * when it is killed.
 *
 * The keeper is the first process of the gofer's pid namespace, so that whoever
 * serves dies with it.  It has the trees and the socket, and keeps them: the
 * sentry's connection outlives the process that served it.  It reads nothing, from
 * nobody; its filter is the server's and the few calls that making another one
 * takes, which the server's own filter takes away again.  Only what was killed from
 * outside is replaced here (an administrator, the host out of memory).  One that
 * crashed is not: a sentry that can make it crash shall not try again, on a copy
 * of the same address space.  Then we end too, as if killed, for another gofer that lies
 * elsewhere in memory (launcher/revive_gofer.c); a few times, and no more.
 *
 * The sentry may have this end of the connection, too (op_own_end), for another
 * keeper should this one be killed.  Whenever there is to be no other, the connection is
 * shut down: that nobody can undo.
 */
#include "keeper.h"

#include "policy.h"

#include "libipc/ending.h"
#include "libipc/fd.h"
#include "libipc/own_text.h"
#include "libipc/panic.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CRASHES_MAX 3 /* gofers of a container: the later ones, whose --start tells, are the last when they crash */

/* Signals that a program sends itself, or the kernel for what it did. */
static bool crashed(int sig)
{
	static const int own[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP, SIGXCPU, SIGXFSZ };

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		if (own[i] == sig)
			return true;
	}
	return false;
}

/* Without the C library's fork: it would make calls that no policy has. */
static pid_t copy_process(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static void open_gate(int gate)
{
	char c = 1;
	struct iovec iov = { &c, 1 };
	const struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (sendmsg(gate, &m, MSG_NOSIGNAL) != 1)
		_exit(1); /* whoever serves goes with us */
}

struct err *keeper_wait_sealed(struct keeper *k)
{
	char c = 0;
	struct iovec iov = { &c, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (k->gate < 0)
		return NULL;
	while ((n = recvmsg(k->gate, &m, 0)) < 0 && errno == EINTR)
		;
	fd_close(&k->gate);
	return n == 1 ? NULL : err_new(0, "the keeper has ended");
}

static void seal(const struct options *o)
{
	struct err *e;

	e = confine_seal(gofer_keeper_policy(o));
	if (!e)
		return;
	log_error("%s", err_text(e));
	_exit(1);
}

static _Noreturn void end(const struct options *o, int status)
{
	shutdown(o->ipc_fd, SHUT_RDWR);
	_exit(status);
}

/* Returns when the one that served is to have a successor. */
static void await_end(const struct options *o, pid_t child)
{
	char text[ENDING_MAX];
	int status;

	own_text_drop();
	while (wait4(child, &status, 0, NULL) < 0) {
		if (errno != EINTR)
			end(o, 1);
	}
	if (WIFEXITED(status))
		end(o, WEXITSTATUS(status));
	ending_text(status, text);
	if (crashed(WTERMSIG(status))) {
		const bool again = o->start < CRASHES_MAX * KEEPER_STARTS;

		log_error("the process that served %s: %s", text, again ? "it is another gofer's turn" : "it is not replaced");
		panic_note("process that served", text);
		if (again)
			_exit(1); /* the connection stays */
		end(o, 1);
	}
	log_warning("the process that served %s: another takes its place", text);
}

struct err *keeper_split(const struct options *o, struct keeper *out)
{
	int gate[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, gate) < 0)
		return err_new(errno, "socketpair");
	for (unsigned start = o->start; start < o->start + KEEPER_STARTS; start++) {
		pid_t child = copy_process();

		if (child < 0)
			return err_new(errno, "the process that serves");
		if (!child) {
			fd_close(&gate[1]);
			*out = (struct keeper){ .start = start, .gate = gate[0] };
			return NULL;
		}
		if (start == o->start) {
			fd_close(&gate[0]);
			seal(o);
			open_gate(gate[1]);
			fd_close(&gate[1]);
		}
		await_end(o, child);
	}
	log_error("killed %d times: it is another gofer's turn", KEEPER_STARTS);
	_exit(1); /* the connection stays, as if we were killed too */
}
