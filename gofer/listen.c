/*
 * listen.c - --listen: makes the socket, accepts.  Who may
 * connect is decided by the socket's mode, 0600: its owner and root.
 *
 * The loop's thread.  The listening socket lives as long as the process; its
 * name in the file system is the caller's to remove (it is out of reach after
 * confinement).
 */
#include "listen.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* By way of the directory's descriptor, so that the path's length is no matter. */
static struct err *short_address(const char *path, int *dir, struct sockaddr_un *a)
{
	_cleanup_free_ char *p = strdup(path), *q = strdup(path);
	int n;

	if (!p || !q)
		return err_new(ENOMEM, "--listen");
	*dir = open(dirname(p), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*dir < 0)
		return err_new(errno, "--listen %s: its directory", path);
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(a->sun_path, sizeof(a->sun_path), "/proc/self/fd/%d/%s", *dir, basename(q));
	return n < (int)sizeof(a->sun_path) ? NULL : err_new(ENAMETOOLONG, "--listen %s", path);
}

struct err *listen_open(const char *path, int *fd)
{
	_cleanup_close_ int dir = -1, sock = -1;
	struct sockaddr_un a;
	struct err *e = short_address(path, &dir, &a);
	mode_t mask;
	int rc;

	if (e)
		return e;
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0)
		return err_new(errno, "socket");
	mask = umask(0177);
	rc = bind(sock, (struct sockaddr *)&a, sizeof(a));
	umask(mask);
	if (rc || listen(sock, 16))
		return err_new(errno, "--listen %s", path);
	*fd = TAKE_FD(sock);
	return NULL;
}

static void on_connection(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	int sock = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct err *e = NULL;

	if (sock < 0)
		return;
	e = conn_open(s, sock, NULL);
	if (e)
		log_warning("connection refused: %s", err_text(e));
	err_free(e);
}

struct err *listen_serve(struct server *s, int fd)
{
	struct event *ev = event_new(s->base, fd, EV_READ | EV_PERSIST, on_connection, s);

	if (ev && !event_add(ev, NULL))
		return NULL;
	close(fd);
	return err_new(ENOMEM, "--listen");
}
