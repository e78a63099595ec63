/*
 * cmd_metrics.c - export-metrics: prints the metrics of one or all sandboxes; metric-server: serves the
 * same over HTTP, for Prometheus to fetch.
 *
 * The server has one answer and serves one client at a time, each within a few seconds: it reads the
 * first line of a request and skips the rest.
 */
#include "clock.h"
#include "metrics.h"

#include "unix_address.h"

#include "libipc/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

static struct err *run_export(struct context *c, int *status)
{
	return metrics_print(c, c->argc ? c->argv[0] : NULL, stdout);
}

const struct command command_export_metrics = {
	.name = "export-metrics",
	.arguments = "[ID]",
	.summary = "print the metrics of one or all sandboxes in Prometheus' format",
	.min_args = 0,
	.max_args = 1,
	.run = run_export,
};

/* --- metric-server --------------------------------------------------------------------- */

#define CLIENT_MS 5000

struct server_options {
	const char *address;
};

static const struct option_def options[] = {
	{ "metric-server", 0, OPTION_TEXT, offsetof(struct server_options, address), "ADDRESS", "IP:PORT (localhost:1337) or the path of a unix socket" },
	{ 0 },
};

static struct err *listen_unix(const char *path, int *out)
{
	struct sockaddr_un a;
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!unix_address(path, &a))
		return err_new(ENAMETOOLONG, "--metric-server %s", path);
	if (fd < 0 || fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 16) < 0)
		return err_new(errno, "--metric-server %s", path);
	*out = TAKE_FD(fd);
	return NULL;
}

static struct err *listen_tcp(const char *text, int *out)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const char *colon = strrchr(text, ':');
	socklen_t len = sizeof(a);
	char host[64] = "127.0.0.1", *end = NULL;
	unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
	const int on = 1;

	if (colon && strncmp(text, "localhost:", 10))
		snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	if (!end || end == colon + 1 || *end || port > 65535 || inet_pton(AF_INET, *host ? host : "0.0.0.0", &a.sin_addr) != 1)
		return err_new(0, "--metric-server: '%.64s' is neither IP:PORT nor a path", text);
	a.sin_port = htons((uint16_t)port);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 || bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 16) < 0 ||
		getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		return err_new(errno, "--metric-server %s", text);
	printf("%s:%u\n", *host ? host : "0.0.0.0", ntohs(a.sin_port));
	fflush(stdout);
	*out = TAKE_FD(fd);
	return NULL;
}

/* Up to the blank line; false: not such a request, or not in time. */
static bool read_request(int fd, char *buf, size_t size)
{
	const int64_t end = now_ms() + CLIENT_MS;
	size_t n = 0;

	while (n + 1 < size) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = end - now_ms();
		ssize_t r = left > 0 && poll(&p, 1, (int)left) == 1 ? recv(fd, buf + n, size - 1 - n, MSG_DONTWAIT) : 0;

		if (r <= 0)
			return false;
		n += (size_t)r;
		buf[n] = 0;
		if (strstr(buf, "\r\n\r\n") || strstr(buf, "\n\n"))
			return true;
	}
	return false;
}

static void send_all(int fd, const char *p, size_t n)
{
	const struct timeval limit = { .tv_sec = CLIENT_MS / 1000 };

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	while (n) {
		ssize_t r = send(fd, p, n, MSG_NOSIGNAL);

		if (r <= 0)
			return;
		p += r;
		n -= (size_t)r;
	}
}

static void answer(int fd, const char *status, const char *body, size_t len)
{
	char head[256];
	int n = snprintf(head, sizeof(head), "HTTP/1.0 %s\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", status, len);

	send_all(fd, head, (size_t)n);
	send_all(fd, body, len);
}

static void serve_one(struct context *c, int fd)
{
	_cleanup_pool_ struct pool pool = { 0 };
	struct context mine = { .g = c->g, .pool = &pool };
	char request[8192], *text = NULL;
	size_t len = 0;
	struct err *e;
	FILE *f;

	if (!read_request(fd, request, sizeof(request)))
		return;
	if (strncmp(request, "GET ", 4) || (strncmp(request + 4, "/metrics ", 9) && strncmp(request + 4, "/ ", 2))) {
		answer(fd, "404 Not Found", "there is /metrics\n", 18);
		return;
	}
	if (!(f = open_memstream(&text, &len)))
		return;
	e = metrics_print(&mine, NULL, f);
	fclose(f);
	if (e)
		answer(fd, "500 Internal Server Error", err_text(e), strlen(err_text(e)));
	else
		answer(fd, "200 OK", text, len);
	err_free(e);
	free(text);
}

static struct err *run_server(struct context *c, int *status)
{
	const struct server_options *o = c->options;
	const char *address = o->address ? o->address : "localhost:1337";
	_cleanup_close_ int fd = -1;
	struct err *e = *address == '/' || *address == '.' ? listen_unix(address, &fd) : listen_tcp(address, &fd);

	while (!e) {
		_cleanup_close_ int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (client < 0 && errno != ECONNABORTED && errno != EINTR)
			e = err_new(errno, "--metric-server %s", address);
		else if (client >= 0)
			serve_one(c, client);
	}
	return e;
}

const struct command command_metric_server = {
	.name = "metric-server",
	.arguments = "",
	.summary = "serve the metrics of all sandboxes over HTTP",
	.options = options,
	.options_size = sizeof(struct server_options),
	.min_args = 0,
	.max_args = 0,
	.run = run_server,
};
