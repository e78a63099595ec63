/*
 * trace.c - see trace.h.
 */
#include "trace.h"

#include "json_read.h"
#include "unix_address.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

/* --- the configuration -------------------------------------------------------------- */

struct trace_point {
	const char *name;
	struct jstrs optional, context;
};
struct sink_config {
	const char *endpoint, *path;
	uint64_t retries;
};
struct sink {
	const char *name;
	bool ignore_setup_error;
	struct sink_config *config;
};
struct session {
	const char *name;
	bool ignore_missing;
	struct {
		struct trace_point *v;
		size_t n;
	} points;
	struct {
		struct sink *v;
		size_t n;
	} sinks;
};
struct file {
	struct session *session;
};

static const struct jfield point_fields[] = {
	JFIELD(struct trace_point, name, J_STR, "name", .required = true, .max = 64),
	JFIELD(struct trace_point, optional, J_STRS, "optional_fields", .max = 32),
	JFIELD(struct trace_point, context, J_STRS, "context_fields", .max = 32),
};
static const struct jobject point_object = JOBJECT(struct trace_point, point_fields);
static const struct jfield config_fields[] = {
	JFIELD(struct sink_config, endpoint, J_STR, "endpoint", .max = 4095),
	JFIELD(struct sink_config, path, J_STR, "path", .max = 4095),
	JFIELD(struct sink_config, retries, J_U64, "retries", .max = 100),
};
static const struct jobject config_object = JOBJECT(struct sink_config, config_fields);
static const struct jfield sink_fields[] = {
	JFIELD(struct sink, name, J_STR, "name", .required = true, .max = 64),
	JFIELD(struct sink, ignore_setup_error, J_BOOL, "ignore_setup_error"),
	JFIELD(struct sink, config, J_OBJECT, "config", .of = &config_object),
};
static const struct jobject sink_object = JOBJECT(struct sink, sink_fields);
static const struct jfield session_fields[] = {
	JFIELD(struct session, name, J_STR, "name", .required = true, .max = 64),
	JFIELD(struct session, ignore_missing, J_BOOL, "ignore_missing"),
	JFIELD(struct session, points, J_LIST, "points", .required = true, .of = &point_object),
	JFIELD(struct session, sinks, J_LIST, "sinks", .required = true, .of = &sink_object),
};
static const struct jobject session_object = JOBJECT(struct session, session_fields);
static const struct jfield file_fields[] = { JFIELD(struct file, session, J_OBJECT, "trace_session", .required = true, .of = &session_object) };
static const struct jobject file_object = JOBJECT(struct file, file_fields);

/* --- sinks ----------------------------------------------------------------------------- */

static struct err *connect_to(const char *path, int *out)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un a;

	if (fd < 0)
		return err_new(errno, "socket");
	if (!unix_address(path, &a))
		return err_new(ENAMETOOLONG, "%s", path);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return err_new(errno, "%s", path);
	*out = TAKE_FD(fd);
	return NULL;
}

static struct err *open_sink(const struct sink *s, int *out)
{
	const struct sink_config none = { 0 }, *c = s->config ? s->config : &none;

	if (!strcmp(s->name, "remote"))
		return c->endpoint ? connect_to(c->endpoint, out) : err_new(0, "remote: config.endpoint is needed");
	if (strcmp(s->name, "file"))
		return err_new(0, "'%s' is not remote or file", s->name);
	if (!c->path)
		return err_new(0, "file: config.path is needed");
	*out = open(c->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return *out < 0 ? err_new(errno, "%s", c->path) : NULL;
}

/* --- the session ------------------------------------------------------------------------- */

static void add_names(struct pool *p, struct control_trace_point *to, const struct jstrs *from)
{
	for (size_t i = 0; i < from->n && to->n_fields < 16; i++)
		to->fields[to->n_fields++] = msg_str(from->v[i]);
}

static struct control_trace_point *points_of(const struct session *s, struct pool *p)
{
	struct control_trace_point *all = pool_alloc(p, (s->points.n + 1) * sizeof(*all));

	for (size_t i = 0; i < s->points.n; i++) {
		all[i].name = msg_str(s->points.v[i].name);
		all[i].fields = pool_alloc(p, 16 * sizeof(*all[i].fields));
		add_names(p, &all[i], &s->points.v[i].context);
		add_names(p, &all[i], &s->points.v[i].optional);
	}
	return all;
}

static struct err *ask(struct rpc_client *rpc, const char *id, const struct session *s, int sink, bool force, struct pool *p)
{
	const struct sink_config *c = s->sinks.v[0].config;
	const struct control_trace_create request = {
		.id = msg_str(id), .name = msg_str(s->name), .force = force, .ignore_missing = s->ignore_missing, .retries = c ? c->retries : 0,
		.points = points_of(s, p), .n_points = (uint32_t)s->points.n, .sink = sink,
	};
	struct control_trace_create_reply reply;
	_cleanup_arena_ struct msg_arena a = { 0 };

	return RPC_CALL(rpc, control, trace_create, &request, &reply, &a, CLIENT_QUICK_MS);
}

static struct err *create(struct rpc_client *rpc, const char *id, json_t *text, bool force, struct pool *p)
{
	_cleanup_close_ int sink = -1;
	struct file f = { 0 };
	struct err *e = json_read(&file_object, text, p, &f);

	if (e)
		return e;
	if (f.session->sinks.n != 1)
		return err_new(0, "trace_session.sinks: %zu, must be one", f.session->sinks.n);
	if ((e = open_sink(&f.session->sinks.v[0], &sink))) {
		if (!f.session->sinks.v[0].ignore_setup_error)
			return err_wrap(e, "trace_session.sinks[0]");
		log_warning("trace session %s: not begun: %s", f.session->name, err_text(e));
		err_free(e);
		return NULL;
	}
	return ask(rpc, id, f.session, sink, force, p);
}

struct err *trace_create(struct rpc_client *rpc, const char *id, const char *config, bool force, struct pool *p)
{
	_cleanup_json_ json_t *text = NULL;
	struct err *e = json_load_path(config, &text);

	return e || !(e = create(rpc, id, text, force, p)) ? e : err_wrap(e, "%s", config);
}

struct err *trace_init(struct context *c, const struct state_dir *d)
{
	struct rpc_client *rpc;
	struct err *e;

	if (!c->g->pod_init_config)
		return NULL;
	if ((e = client_connect(d, &rpc)))
		return e;
	e = trace_create(rpc, d->id, c->g->pod_init_config, false, c->pool);
	rpc_client_free(rpc);
	return e ? err_wrap(e, "--pod-init-config") : NULL;
}
