/*
 * logs.c - see logs.h.
 */
#include "logs.h"

#include "libipc/fd.h"
#include "libipc/panic.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct err *logs_open(struct globals *g)
{
	const char *format = g->log_format ? g->log_format : "text";

	if (!strcmp(format, "json"))
		g->format = LOG_JSON;
	else if (strcmp(format, "text"))
		return err_new(0, "--log-format: '%.64s' is neither text nor json", format);
	if (g->log && (g->log_fd = open(g->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644)) < 0)
		return err_new(errno, "--log %s", g->log);
	g->error_fd = g->log_fd;
	/* a copy: the components' own standard error is elsewhere */
	if (!g->log && (g->debug || g->strace))
		g->log_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	log_init("launcher", g->log_fd >= 0 ? g->log_fd : STDERR_FILENO, g->format, g->debug ? LOG_DEBUG : LOG_WARNING);
	return NULL;
}

/* A directory gets a file of its own for each command. */
static struct err *file_name(const char *pattern, const char *command, const char *id, struct pool *p, const char **out)
{
	const bool directory = *pattern && pattern[strlen(pattern) - 1] == '/';
	const char *rest = directory ? pool_printf(p, "%sredoubt.log.%%TIMESTAMP%%.%%COMMAND%%.txt", pattern) : pattern, *name = "";
	time_t now = time(NULL);
	struct tm tm;
	char stamp[32];

	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", gmtime_r(&now, &tm));
	const struct {
		const char *word, *value;
	} words[] = { { "%ID%", id }, { "%COMMAND%", command }, { "%TIMESTAMP%", pool_printf(p, "%s.%d", stamp, getpid()) } };

	while (*rest) {
		size_t i = 0;

		while (i < 3 && strncmp(rest, words[i].word, strlen(words[i].word)))
			i++;
		name = i < 3 ? pool_printf(p, "%s%s", name, words[i].value) : pool_printf(p, "%s%c", name, *rest);
		rest += i < 3 ? strlen(words[i].word) : 1;
	}
	*out = name;
	return strlen(name) < 4096 ? NULL : err_new(ENAMETOOLONG, "%s", pattern);
}

static struct err *open_named(const char *option, const char *pattern, const char *command, const char *id, struct pool *p, int *fd)
{
	const char *name;
	struct err *e = file_name(pattern, command, id, p, &name);

	if (e)
		return err_wrap(e, "%s", option);
	*fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
	return *fd < 0 ? err_new(errno, "%s %s", option, name) : NULL;
}

/* From here on everything goes there, the components' too; errors besides to --log. */
static struct err *open_debug_log(struct globals *g, const char *command, const char *id, struct pool *p)
{
	int fd;
	struct err *e = open_named("--debug-log", g->debug_log, command, id, p, &fd);

	if (e)
		return e;
	if (g->log_fd >= 0 && g->log_fd != g->error_fd)
		close(g->log_fd);
	g->log_fd = fd;
	g->debug = true;
	log_init("launcher", fd, g->format, LOG_DEBUG);
	return NULL;
}

struct err *logs_open_named(struct globals *g, const char *command, const char *id, struct pool *p)
{
	struct err *e = NULL;

	if (g->debug_log)
		e = open_debug_log(g, command, id, p);
	if (!e && g->panic_log && !(e = open_named("--panic-log", g->panic_log, command, id, p, &g->panic_fd)))
		panic_init("launcher", g->panic_fd, NULL);
	if (!e && g->user_log)
		e = open_named("--user-log", g->user_log, command, id, p, &g->user_fd);
	return e;
}

void logs_close(struct globals *g)
{
	if (g->error_fd != g->log_fd)
		fd_close(&g->error_fd);
	fd_close(&g->log_fd);
	fd_close(&g->panic_fd);
	fd_close(&g->user_fd);
}
