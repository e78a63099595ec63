/*
 * cmd_install.c - install, uninstall: the launcher as a runtime in an engine's
 * configuration, and out of it again.
 *
 * A file is replaced whole by rename, with the mode it had, or not at all; what
 * else is in it stays.
 */
#include "command.h"
#include "engine_config.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define CONFIG_MAX (1 << 20)

struct install_options {
	const char *engine, *name, *path, *config;
};

static const struct option_def options[] = {
	{ "engine", 0, OPTION_TEXT, offsetof(struct install_options, engine), "NAME", "podman, containerd or docker" },
	{ "name", 0, OPTION_TEXT, offsetof(struct install_options, name), "NAME", "what the engine calls the runtime (redoubt)" },
	{ "path", 0, OPTION_TEXT, offsetof(struct install_options, path), "FILE", "the launcher (this one)" },
	{ "config", 0, OPTION_TEXT, offsetof(struct install_options, config), "FILE", "the configuration file (the engine's own place)" },
	{ 0 },
};

struct target {
	const struct engine *engine;
	struct engine_runtime runtime;
	const char *file;
};

static struct err *own_path(struct pool *p, const char **out)
{
	char self[PATH_MAX];

	if (!realpath("/proc/self/exe", self))
		return err_new(errno, "/proc/self/exe");
	*out = pool_strdup(p, self);
	return NULL;
}

static struct err *config_file(const struct engine *g, const char *name, struct pool *p, const char **out)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME"), *pattern = geteuid() ? g->user_file : g->file, *s;

	if (geteuid()) {
		if (!g->user_file)
			return err_new(EPERM, "%s's configuration is root's", g->name);
		if (!base || base[0] != '/')
			base = home && home[0] == '/' ? pool_printf(p, "%s/.config", home) : NULL;
		if (!base)
			return err_new(0, "neither XDG_CONFIG_HOME nor HOME is set: --config is needed");
	}
	s = strstr(pattern, "%s");
	*out = s ? pool_printf(p, "%.*s%s%s", (int)(s - pattern), pattern, name, s + 2) : pattern;
	if (geteuid())
		*out = pool_printf(p, "%s/%s", base, *out);
	return NULL;
}

static struct err *understand(struct context *c, struct target *t)
{
	const struct install_options *o = c->options;
	char real[PATH_MAX];
	struct err *e;

	if (!o->engine)
		return err_new(0, "--engine is missing");
	if (!(t->engine = engine_find(o->engine)))
		return err_new(0, "--engine: '%.64s' must be podman, containerd or docker", o->engine);
	t->runtime = (struct engine_runtime){ o->name ? o->name : "redoubt", o->path };
	t->file = o->config;
	if ((!o->path && (e = own_path(c->pool, &t->runtime.path))) || (e = engine_runtime_check(&t->runtime)))
		return e;
	if (!t->file && (e = config_file(t->engine, t->runtime.name, c->pool, &t->file)))
		return e;
	if (realpath(t->file, real)) /* a link stays one */
		t->file = pool_strdup(c->pool, real);
	return NULL;
}

/* Its text and mode; "" when there is none. */
static struct err *read_file(const char *path, struct pool *p, const char **text, mode_t *mode)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *buf;
	struct stat st;
	ssize_t n;

	*text = "";
	*mode = 0644;
	if (fd < 0)
		return errno == ENOENT ? NULL : err_new(errno, "%s", path);
	if (fstat(fd, &st) < 0)
		return err_new(errno, "%s", path);
	if (!S_ISREG(st.st_mode) || st.st_size > CONFIG_MAX)
		return err_new(0, "%s: is not a file of at most %d bytes", path, CONFIG_MAX);
	buf = pool_alloc(p, (size_t)st.st_size + 1);
	if ((n = read(fd, buf, (size_t)st.st_size)) != st.st_size)
		return err_new(n < 0 ? errno : EIO, "%s", path);
	if (strlen(buf) != (size_t)n)
		return err_new(0, "%s: holds a NUL byte", path);
	*text = buf;
	*mode = st.st_mode & 07777;
	return NULL;
}

static struct err *make_parents(const char *path, struct pool *p)
{
	char *copy = pool_strdup(p, path);

	for (char *s = copy + 1; (s = strchr(s, '/')); *s++ = '/') {
		*s = 0;
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return err_new(errno, "%s", copy);
	}
	return NULL;
}

static struct err *write_file(const char *path, const char *text, mode_t mode, struct pool *p)
{
	const char *temp = pool_printf(p, "%s.redoubt-tmp", path);
	_cleanup_close_ int fd = -1;
	size_t len = strlen(text);
	struct err *e = NULL;

	if (!len)
		return unlink(path) < 0 && errno != ENOENT ? err_new(errno, "%s", path) : NULL;
	if ((e = make_parents(path, p)))
		return e;
	unlink(temp);
	if ((fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) < 0)
		return err_new(errno, "%s", temp);
	if (write(fd, text, len) != (ssize_t)len || fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(temp, path) < 0) {
		e = err_new(errno, "%s", path);
		unlink(temp);
	}
	return e;
}

static struct err *change(struct context *c, bool add)
{
	struct target t;
	const char *before, *after = NULL;
	struct err *e = understand(c, &t);
	mode_t mode;

	if (e || (e = read_file(t.file, c->pool, &before, &mode)))
		return e;
	if ((e = (add ? t.engine->add : t.engine->remove)(before, &t.runtime, c->pool, &after)))
		return err_wrap(e, "%s", t.file);
	if (!strcmp(before, after)) {
		printf("%s: nothing to change\n", t.file);
		return NULL;
	}
	if ((e = write_file(t.file, after, mode, c->pool)))
		return e;
	printf("%s: the runtime '%s' is %s; %s\n", t.file, t.runtime.name, add ? t.runtime.path : "gone", t.engine->reload);
	return NULL;
}

static struct err *install(struct context *c, int *status)
{
	return change(c, true);
}

static struct err *uninstall(struct context *c, int *status)
{
	return change(c, false);
}

const struct command command_install = {
	.name = "install",
	.arguments = "",
	.summary = "register this launcher as a runtime of a container engine",
	.options = options,
	.options_size = sizeof(struct install_options),
	.run = install,
};

const struct command command_uninstall = {
	.name = "uninstall",
	.arguments = "",
	.summary = "remove this launcher from a container engine's configuration",
	.options = options,
	.options_size = sizeof(struct install_options),
	.run = uninstall,
};
