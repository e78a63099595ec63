/*
 * console.c - see console.h.
 */
#include "console.h"

#include "unix_address.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>

/* The user's terminal as it was; tty -1: nothing to restore.  A static because
 * the terminal is the process's one, and atexit() passes no argument. */
static struct {
	int tty;
	bool at_exit;
	struct termios before;
} user = { .tty = -1 };

struct err *console_make(const struct winsize *size, int *master_out, int *slave_out)
{
	_cleanup_close_ int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK), slave = -1;
	struct termios t;
	int unlock = 0;

	if (master < 0)
		return err_new(errno, "/dev/ptmx");
	/* by the master's own descriptor: no name under /dev/pts is trusted */
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0 || (slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0)
		return err_new(errno, "opening a pty");
	if (tcgetattr(slave, &t) < 0)
		return err_new(errno, "pty");
	cfmakeraw(&t);
	if (tcsetattr(slave, TCSANOW, &t) < 0 || ioctl(master, TIOCSWINSZ, size) < 0)
		return err_new(errno, "pty");
	*master_out = TAKE_FD(master);
	*slave_out = TAKE_FD(slave);
	return NULL;
}

struct err *console_send(const char *path, int master)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a;
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	char name[] = "/dev/ptmx";
	struct iovec iov = { name, sizeof(name) - 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	if (fd < 0)
		return err_new(errno, "socket");
	if (!unix_address(path, &a))
		return err_new(ENAMETOOLONG, "--console-socket '%s'", path);
	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(c), &master, sizeof(int));
	/* its new owner expects an ordinary descriptor */
	if (fcntl(master, F_SETFL, fcntl(master, F_GETFL) & ~O_NONBLOCK) < 0)
		return err_new(errno, "pty");
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || sendmsg(fd, &m, MSG_NOSIGNAL) < 0)
		return err_new(errno, "--console-socket '%s'", path);
	return NULL;
}

struct err *console_raw(int tty)
{
	struct termios raw;

	if (tcgetattr(tty, &user.before) < 0)
		return err_new(errno, "the terminal");
	raw = user.before;
	cfmakeraw(&raw);
	if (!user.at_exit && atexit(console_restore))
		return err_new(ENOMEM, "the terminal");
	user.at_exit = true;
	user.tty = tty;
	if (tcsetattr(tty, TCSADRAIN, &raw) < 0) {
		user.tty = -1;
		return err_new(errno, "the terminal");
	}
	return NULL;
}

void console_restore(void)
{
	if (user.tty >= 0)
		tcsetattr(user.tty, TCSADRAIN, &user.before);
	user.tty = -1;
}
