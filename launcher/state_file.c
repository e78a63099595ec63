/*
 * state_file.c - state.json: written whole, read as strictly as any
 * configuration.  See state.h.
 */
#include "state.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME STATE_RECORD
#define STATE_VERSION 1

struct state_document {
	uint64_t version;
	struct state state;
};

static const struct jfield proc_fields[] = {
	JFIELD(struct proc_id, pid, J_U64, "pid", .required = true, .max = INT32_MAX),
	JFIELD(struct proc_id, start, J_U64, "start", .required = true),
};
static const struct jobject proc_object = JOBJECT(struct proc_id, proc_fields);

static const struct jfield state_fields[] = {
	JFIELD(struct state_document, version, J_U64, "version", .required = true, .max = 1000),
	JFIELD(struct state_document, state.id, J_STR, "id", .required = true, .max = 255),
	JFIELD(struct state_document, state.bundle, J_STR, "bundle", .max = 4095),
	JFIELD(struct state_document, state.created, J_STR, "created", .max = 64),
	JFIELD(struct state_document, state.phase, J_STR, "phase", .required = true, .max = 16),
	JFIELD(struct state_document, state.owner, J_U64, "owner", .max = UINT32_MAX),
	JFIELD(struct state_document, state.terminal, J_BOOL, "terminal"),
	JFIELD(struct state_document, state.transient, J_BOOL, "transient"),
	JFIELD(struct state_document, state.sandbox, J_STR, "sandbox", .max = 255),
	JFIELD(struct state_document, state.controld, J_OBJECT, "controld", .of = &proc_object),
	JFIELD(struct state_document, state.sentry, J_OBJECT, "sentry", .of = &proc_object),
	JFIELD(struct state_document, state.gofer, J_OBJECT, "gofer", .of = &proc_object),
	JFIELD(struct state_document, state.guard, J_OBJECT, "guard", .of = &proc_object),
	JFIELD(struct state_document, state.served, J_STR, "served", .max = 8 << 20),
	JFIELD(struct state_document, state.gofers, J_U64, "gofers", .max = UINT32_MAX),
	JFIELD(struct state_document, state.annotations, J_MAP, "annotations", .max = 65536),
	JFIELD(struct state_document, state.adopt_fd, J_U64, "adoptFd", .max = INT32_MAX),
	JFIELD(struct state_document, state.rootfs, J_STR, "rootfs", .max = 4095),
	JFIELD(struct state_document, state.hooks, J_STR, "hooks", .max = 4 << 20),
	JFIELD(struct state_document, state.cgroup, J_MAP, "cgroup", .max = 8191),
	JFIELD(struct state_document, state.network, J_STR, "network", .max = 16),
	JFIELD(struct state_document, state.scope, J_STR, "scope", .max = 255),
};
static const struct jobject state_object = JOBJECT(struct state_document, state_fields);

static void set_proc(json_t *doc, const char *name, const struct proc_id *p)
{
	if (p && p->pid)
		json_object_set_new(doc, name, json_pack("{s:I, s:I}", "pid", (json_int_t)p->pid, "start", (json_int_t)p->start));
}

static void set_map(json_t *doc, const char *name, const struct jmap *m)
{
	json_t *j = json_object();

	for (size_t i = 0; i < m->n; i++)
		json_object_set_new(j, m->v[i].name, json_string(m->v[i].value));
	json_object_set_new(doc, name, j);
}

static json_t *to_json(const struct state *s)
{
	json_t *doc = json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:b}", "version", STATE_VERSION, "id", s->id, "bundle",
		s->bundle ? s->bundle : "", "created", s->created ? s->created : "", "phase", s->phase, "owner", (json_int_t)s->owner,
		"terminal", s->terminal);

	set_map(doc, "annotations", &s->annotations);
	set_map(doc, "cgroup", &s->cgroup);
	if (s->transient)
		json_object_set_new(doc, "transient", json_true());
	if (s->network)
		json_object_set_new(doc, "network", json_string(s->network));
	if (s->scope)
		json_object_set_new(doc, "scope", json_string(s->scope));
	if (s->sandbox)
		json_object_set_new(doc, "sandbox", json_string(s->sandbox));
	if (s->hooks)
		json_object_set_new(doc, "hooks", json_string(s->hooks));
	if (s->served)
		json_object_set_new(doc, "served", json_string(s->served));
	json_object_set_new(doc, "gofers", json_integer((json_int_t)s->gofers));
	if (s->rootfs)
		json_object_set_new(doc, "rootfs", json_string(s->rootfs));
	if (s->adopt_fd)
		json_object_set_new(doc, "adoptFd", json_integer((json_int_t)s->adopt_fd));
	set_proc(doc, "controld", s->controld);
	set_proc(doc, "sentry", s->sentry);
	set_proc(doc, "gofer", s->gofer);
	set_proc(doc, "guard", s->guard);
	return doc;
}

/* The new record's name becomes the record's.  In exchange if there is one: renamed over
 * it, ext4 would write the new one to the disk first. */
static int replace_record(const struct state_dir *d)
{
	if (renameat2(d->fd, NAME ".tmp", d->fd, NAME, RENAME_EXCHANGE))
		return renameat(d->fd, NAME ".tmp", d->fd, NAME); /* the first, or a file system that cannot */
	return unlinkat(d->fd, NAME ".tmp", 0);
}

struct err *state_write(const struct state_dir *d, const struct state *s)
{
	_cleanup_json_ json_t *doc = to_json(s);
	_cleanup_free_ char *text = doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;
	_cleanup_close_ int fd = -1;
	ssize_t n;

	if (!text)
		return err_new(EINVAL, "%s/" NAME ": a text in it is not UTF-8", d->path);
	if ((fd = openat(d->fd, NAME ".tmp", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)) < 0)
		return err_new(errno, "%s/" NAME ".tmp", d->path);
	/* not synced: after a crash of the machine there is no sandbox to know of */
	n = write(fd, text, strlen(text));
	if (n != (ssize_t)strlen(text))
		return err_new(n < 0 ? errno : ENOSPC, "writing %s/" NAME ".tmp", d->path);
	if (replace_record(d))
		return err_new(errno, "%s/" NAME, d->path);
	return NULL;
}

struct err *state_read(const struct state_dir *d, struct pool *p, struct state *out)
{
	_cleanup_json_ json_t *doc = NULL;
	_cleanup_close_ int fd = openat(d->fd, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct state_document r = { 0 };
	struct err *e;

	if (fd < 0)
		return err_new(errno, "%s/" NAME, d->path);
	if ((e = json_load_fd(fd, &doc)) || (e = json_read(&state_object, doc, p, &r)))
		return err_wrap(e, "%s/" NAME, d->path);
	if (r.version != STATE_VERSION)
		return err_new(0, "%s/" NAME ": version: is %llu, this program knows %d", d->path, (unsigned long long)r.version, STATE_VERSION);
	if (strcmp(r.state.id, d->id))
		return err_new(0, "%s/" NAME ": id: is '%s', must be '%s'", d->path, r.state.id, d->id);
	if (strcmp(r.state.phase, "creating") && strcmp(r.state.phase, "created"))
		return err_new(0, "%s/" NAME ": phase: unknown phase '%s'", d->path, r.state.phase);
	*out = r.state;
	return NULL;
}
