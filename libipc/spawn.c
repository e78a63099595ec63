/*
 * spawn.c - starting and ending the commands that ipcctl and ipcwire run.
 * Single-threaded callers; owns nothing.
 */
#include "libipc/spawn.h"
#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- places -------------------------------------------------------------------- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name_char(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool spawn_next_place(const char *p, struct spawn_place *place)
{
	for (const char *s = p; (s = strchr(s, '{')); s++) {
		size_t n = 0;
		if ((s > p && s[-1] == '$') || !is_letter(s[1]))
			continue;
		while (is_name_char(s[1 + n]))
			n++;
		if (s[1 + n] != '}')
			continue;
		*place = (struct spawn_place){ .start = s, .name = s + 1, .len = n };
		return true;
	}
	return false;
}

struct err *spawn_expand(const char *command, int (*fd_of)(void *arg, const char *name, size_t len), void *arg, char **out)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct spawn_place at;
	struct err *e = NULL;
	if (!f)
		return err_new(ENOMEM, "expanding a command");
	while (!e && spawn_next_place(command, &at)) {
		int fd = fd_of(arg, at.name, at.len);
		if (fd < 0)
			e = err_new(0, "'{%.*s}' stands for nothing", (int)at.len, at.name);
		fprintf(f, "%.*s%d", (int)(at.start - command), command, fd);
		command = at.name + at.len + 1;
	}
	fputs(command, f);
	if (fclose(f) != 0 && !e)
		e = err_new(ENOMEM, "expanding a command");
	if (e) {
		free(text);
		return e;
	}
	*out = text;
	return NULL;
}

/* --- starting ------------------------------------------------------------------- */

static _Noreturn void child(const char *command, const struct spawn_opts *o)
{
	sigset_t none;
	struct err *e = fd_donate_only(o->keep, o->n_keep);
	sigemptyset(&none);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (o->own_group)
		setpgid(0, 0);
	if (!e && o->null_stdin) {
		int fd = open("/dev/null", O_RDONLY);
		if (fd < 0 || (fd != 0 && dup2(fd, 0) < 0))
			e = err_new(errno, "/dev/null");
		if (fd > 2)
			close(fd);
	}
	if (!e) {
		char *const argv[] = { (char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c", (char *)(uintptr_t)command, NULL };
		execv("/bin/sh", argv);
		e = err_new(errno, "/bin/sh");
	}
	dprintf(2, "%s: %s\n", command, err_text(e));
	_exit(127);
}

struct err *spawn_shell(const char *command, const struct spawn_opts *o, pid_t *pid)
{
	_cleanup_free_ char *line = NULL;
	if (asprintf(&line, "exec %s", command) < 0)
		return err_new(ENOMEM, "starting '%s'", command);
	pid_t p = fork();
	if (p < 0)
		return err_new(errno, "starting '%s'", command);
	if (p == 0)
		child(line, o);
	*pid = p;
	return NULL;
}

/* --- ending ----------------------------------------------------------------------- */

/* Waits up to ms for pid's end; false: it goes on.  Else *status is wait(2)'s. */
static bool spawn_wait(pid_t pid, unsigned ms, int *status)
{
	if (waitpid(pid, status, WNOHANG) == pid)
		return true;
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	if (fd >= 0)
		poll(&p, 1, (int)ms);
	return waitpid(pid, status, WNOHANG) == pid;
}

int spawn_end(pid_t pid, unsigned grace_ms)
{
	int status = 0;
	if (spawn_wait(pid, grace_ms, &status))
		return status;
	kill(pid, SIGTERM);
	if (spawn_wait(pid, grace_ms, &status))
		return status;
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* --- connecting ------------------------------------------------------------------- */

struct err *spawn_connect(const char *path, int *fd)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	_cleanup_close_ int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	_cleanup_close_ int node = open(path, O_PATH | O_CLOEXEC);
	if (s < 0)
		return err_new(errno, "socket");
	if (node < 0)
		return err_new(errno, "%s", path);
	/* any path fits into sun_path this way */
	snprintf(sa.sun_path, sizeof sa.sun_path, "/proc/self/fd/%d", node);
	if (connect(s, (struct sockaddr *)&sa, sizeof sa) < 0)
		return err_new(errno, "connecting to %s", path);
	*fd = TAKE_FD(s);
	return NULL;
}
