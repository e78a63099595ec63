/*
 * cmd_port_forward.c - port-forward: joins connections to a local TCP port (or one connection to a local
 * socket) to a port inside.  Each connection is handed over to the sandbox, which copies the bytes
 * itself; so connections live on when this command ends.
 */
#include "client.h"
#include "sandbox.h"
#include "unix_address.h"

#include "libipc/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct port_forward_options {
	const char *stream;
};

static const struct option_def options[] = {
	{ "stream", 0, OPTION_TEXT, offsetof(struct port_forward_options, stream), "SOCKET", "connect to this local socket, and join that one connection" },
	{ 0 },
};

static bool parse_port(const char *text, size_t len, bool zero, uint16_t *out)
{
	unsigned v = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || len > 5)
			return false;
		v = v * 10 + (unsigned)(text[i] - '0');
	}
	*out = (uint16_t)v;
	return len && v <= 65535 && (v || zero);
}

/* "[LOCAL:]PORT" */
static struct err *parse_ports(const char *text, uint16_t *local, uint16_t *port)
{
	const char *colon = strchr(text, ':'), *inside = colon ? colon + 1 : text;

	if (!parse_port(inside, strlen(inside), false, port) || !parse_port(text, colon ? (size_t)(colon - text) : strlen(text), colon != NULL, local))
		return err_new(0, "'%.64s' is not [LOCAL:]PORT", text);
	return NULL;
}

static struct err *join(struct sandbox *s, uint16_t port, int fd)
{
	const struct control_port_forward request = { .id = msg_str(s->dir.id), .port = port, .stream = fd };
	struct control_port_forward_reply reply;
	_cleanup_arena_ struct msg_arena a = { 0 };
	struct rpc_client *rpc;
	struct err *e = client_connect(&s->dir, &rpc);

	if (e)
		return e;
	e = RPC_CALL(rpc, control, port_forward, &request, &reply, &a, CLIENT_QUICK_MS);
	rpc_client_free(rpc);
	return e;
}

static struct err *listen_at(uint16_t port, int *out)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(a);
	const int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 || bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 64) < 0 ||
		getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		return err_new(errno, "local port %u", port);
	printf("127.0.0.1:%u\n", ntohs(a.sin_port));
	fflush(stdout);
	*out = TAKE_FD(fd);
	return NULL;
}

/* Until the sandbox is gone; a port inside that nobody listens at costs that one connection. */
static struct err *serve(struct sandbox *s, uint16_t local, uint16_t port)
{
	_cleanup_close_ int fd = -1;
	struct err *e = listen_at(local, &fd);

	while (!e) {
		_cleanup_close_ int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (c < 0)
			return err_new(errno, "local port");
		if ((e = join(s, port, c)) && err_errno(e) == ECONNREFUSED) {
			fprintf(stderr, "redoubt: port-forward: %s\n", err_text(e));
			err_free(e);
			e = NULL;
		}
	}
	return e;
}

static struct err *forward_stream(struct sandbox *s, const char *path, uint16_t port)
{
	struct sockaddr_un a;
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!unix_address(path, &a))
		return err_new(ENAMETOOLONG, "--stream %s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return err_new(errno, "--stream %s", path);
	return join(s, port, fd);
}

static struct err *run(struct context *c, int *status)
{
	const struct port_forward_options *o = c->options;
	struct sandbox s = SANDBOX_NONE;
	uint16_t local, port;
	struct err *e;

	if ((e = parse_ports(c->argv[1], &local, &port)) || (e = sandbox_open(c, c->argv[0], &s)))
		return e;
	e = o->stream ? forward_stream(&s, o->stream, port) : serve(&s, local, port);
	sandbox_close(&s);
	return e;
}

const struct command command_port_forward = {
	.name = "port-forward",
	.arguments = "ID [LOCAL:]PORT",
	.summary = "forward connections to a local port to a port inside",
	.options = options,
	.options_size = sizeof(struct port_forward_options),
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
