/*
 * engine_config.c - see engine_config.h.
 */
#include "engine_config.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

struct err *engine_runtime_check(const struct engine_runtime *r)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t len = strlen(r->name);

	if (!len || len > 63 || !islower((unsigned char)r->name[0]) || strspn(r->name, allowed) != len)
		return err_new(0, "--name: '%.64s' must be 1 to 63 of a-z 0-9 - _, beginning with a letter", r->name);
	if (r->path[0] != '/')
		return err_new(0, "--path: '%.64s' is not an absolute path", r->path);
	for (const char *s = r->path; *s; s++) {
		if ((unsigned char)*s < ' ' || *s == '"' || *s == '\\' || *s == 127)
			return err_new(0, "--path: '%.64s' holds a character that configuration files would need quoted", r->path);
	}
	return NULL;
}

/* --- TOML: a block of our own ------------------------------------------------------- */

static const char *begin_line(const struct engine_runtime *r, struct pool *p)
{
	return pool_printf(p, "# begin of %s, written by redoubt install\n", r->name);
}

static const char *end_line(const struct engine_runtime *r, struct pool *p)
{
	return pool_printf(p, "# end of %s\n", r->name);
}

/* At the beginning of a line only. */
static const char *find_line(const char *text, const char *line)
{
	const char *at = text;

	while ((at = strstr(at, line)) && at != text && at[-1] != '\n')
		at++;
	return at;
}

static struct err *without_block(const char *text, const struct engine_runtime *r, struct pool *p, const char **out)
{
	const char *end_text = end_line(r, p), *begin = find_line(text, begin_line(r, p)), *end;

	*out = text;
	if (!begin)
		return NULL;
	if (!(end = find_line(begin, end_text)))
		return err_new(0, "the end of the block for '%s' is missing; remove what is left of it by hand", r->name);
	*out = pool_printf(p, "%.*s%s", (int)(begin - text), text, end + strlen(end_text));
	return NULL;
}

static const char *with_block(const char *text, const struct engine_runtime *r, const char *body, struct pool *p)
{
	size_t len = strlen(text);

	return pool_printf(p, "%s%s%s%s%s", text, len && text[len - 1] != '\n' ? "\n" : "", begin_line(r, p), body, end_line(r, p));
}

static struct err *remove_block(const char *text, const struct engine_runtime *r, struct pool *p, const char **out)
{
	if (!find_line(text, begin_line(r, p)))
		return err_new(ENOENT, "the runtime '%s'", r->name);
	return without_block(text, r, p, out);
}

/* A table of that name outside of our block; a text search, for it is refused, not changed. */
static bool names_table(const char *text, const char *table)
{
	for (const char *at = text; (at = strstr(at, table)); at++) {
		const char *line = at;

		while (line > text && line[-1] != '\n')
			line--;
		line += strspn(line, " \t");
		if (*line == '[')
			return true;
	}
	return false;
}

static struct err *podman_add(const char *text, const struct engine_runtime *r, struct pool *p, const char **out)
{
	const char *rest;
	struct err *e = without_block(text, r, p, &rest);

	if (e)
		return e;
	if (names_table(rest, "engine.runtimes]"))
		return err_new(EEXIST, "there is a table engine.runtimes already, which redoubt did not write");
	*out = with_block(rest, r, pool_printf(p, "[engine.runtimes]\n%s = [\"%s\"]\n", r->name, r->path), p);
	return NULL;
}

/* The number in "version = N", which comes before all tables; 1, as containerd has it, without. */
static int containerd_version(const char *text)
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		int version;

		line += strspn(line, " \t");
		if (*line == '[')
			break;
		if (sscanf(line, "version = %d", &version) == 1 || sscanf(line, "version=%d", &version) == 1)
			return version;
	}
	return 1;
}

static struct err *containerd_add(const char *text, const struct engine_runtime *r, struct pool *p, const char **out)
{
	static const char *const plugins[] = { [2] = "io.containerd.grpc.v1.cri", [3] = "io.containerd.cri.v1.runtime" };
	const char *rest, *table;
	int version;
	struct err *e = without_block(*text ? text : "version = 2\n", r, p, &rest);

	if (e)
		return e;
	version = containerd_version(rest);
	if (version != 2 && version != 3)
		return err_new(0, "version %d is not supported; containerd's `config migrate` makes it 2 or 3", version);
	if (names_table(rest, pool_printf(p, "runtimes.%s]", r->name)))
		return err_new(EEXIST, "the runtime '%s' exists already, and redoubt did not add it", r->name);
	table = pool_printf(p, "plugins.\"%s\".containerd.runtimes.%s", plugins[version], r->name);
	*out = with_block(rest, r,
		pool_printf(p, "[%s]\n  runtime_type = \"io.containerd.runc.v2\"\n  pod_annotations = [\"dev.redoubt.*\", \"dev.gvisor.*\"]\n"
			       "  container_annotations = [\"dev.redoubt.*\", \"dev.gvisor.*\"]\n  [%s.options]\n    BinaryName = \"%s\"\n",
			table, table, r->path), p);
	return NULL;
}

static struct err *containerd_remove(const char *text, const struct engine_runtime *r, struct pool *p, const char **out)
{
	const char *use = pool_printf(p, "default_runtime_name = \"%s\"", r->name);
	struct err *e = remove_block(text, r, p, out);

	if (!e && strstr(*out, use))
		e = err_new(EBUSY, "'%s' is the default runtime; change default_runtime_name first", r->name);
	if (!e && !strcmp(*out, "version = 2\n")) /* all that is left is ours too */
		*out = "";
	return e;
}

/* --- Docker's JSON -------------------------------------------------------------------- */

static struct err *docker_load(const char *text, json_t **out)
{
	json_error_t je;

	*out = *text ? json_loads(text, JSON_REJECT_DUPLICATES, &je) : json_object();
	if (!*out)
		return *text ? err_new(0, "line %d: %s", je.line, je.text) : err_new(ENOMEM, "JSON");
	if (json_is_object(*out) && (!json_object_get(*out, "runtimes") || json_is_object(json_object_get(*out, "runtimes"))))
		return NULL;
	json_decref(*out);
	return err_new(0, "is not an object, or its \"runtimes\" is not one");
}

static const char *docker_text(json_t *j, struct pool *p)
{
	char *text = json_dumps(j, JSON_INDENT(4));
	const char *copy = json_object_size(j) && text ? pool_printf(p, "%s\n", text) : "";

	free(text);
	return copy;
}

static struct err *docker_add(const char *text, const struct engine_runtime *r, struct pool *p, const char **out)
{
	json_t *j, *runtimes;
	struct err *e = docker_load(text, &j);

	if (e)
		return e;
	if (!(runtimes = json_object_get(j, "runtimes"))) {
		runtimes = json_object();
		json_object_set_new(j, "runtimes", runtimes);
	}
	json_object_set_new(runtimes, r->name, json_pack("{s:s}", "path", r->path));
	*out = docker_text(j, p);
	json_decref(j);
	return NULL;
}

static struct err *docker_remove(const char *text, const struct engine_runtime *r, struct pool *p, const char **out)
{
	json_t *j, *runtimes;
	const char *used;
	struct err *e = docker_load(text, &j);

	if (e)
		return e;
	used = json_string_value(json_object_get(j, "default-runtime"));
	runtimes = json_object_get(j, "runtimes");
	if (!json_object_get(runtimes, r->name)) {
		e = err_new(ENOENT, "the runtime '%s'", r->name);
	} else if (used && !strcmp(used, r->name)) {
		e = err_new(EBUSY, "'%s' is the default runtime; change \"default-runtime\" first", r->name);
	} else {
		json_object_del(runtimes, r->name);
		if (!json_object_size(runtimes))
			json_object_del(j, "runtimes");
		*out = docker_text(j, p);
	}
	json_decref(j);
	return e;
}

/* --- the table ------------------------------------------------------------------------- */

static const struct engine engines[] = {
	{ "podman", "/etc/containers/containers.conf.d/%s.conf", "containers/containers.conf.d/%s.conf", "it is read at each command", podman_add,
		remove_block },
	{ "containerd", "/etc/containerd/config.toml", NULL, "systemctl restart containerd", containerd_add, containerd_remove },
	{ "docker", "/etc/docker/daemon.json", NULL, "systemctl reload docker", docker_add, docker_remove },
};

const struct engine *engine_find(const char *name)
{
	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
		if (!strcmp(engines[i].name, name))
			return &engines[i];
	}
	return NULL;
}
