/*
 * served.c - see served.h.  Pure, but for looking at the socket.
 */
#include "served.h"

#include "json_read.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES 4096

struct document {
	uint64_t socket;
	struct {
		struct plan_tree *v;
		size_t n;
	} trees;
	struct id_maps ids;
	int64_t oom_score_adj;
};

static const struct jfield id_fields[] = {
	JFIELD(struct oci_id_mapping, container, J_U64, "container", .required = true, .max = UINT32_MAX),
	JFIELD(struct oci_id_mapping, host, J_U64, "host", .required = true, .max = UINT32_MAX),
	JFIELD(struct oci_id_mapping, size, J_U64, "size", .required = true, .max = UINT32_MAX),
};
static const struct jobject id_object = JOBJECT(struct oci_id_mapping, id_fields);

static const struct jfield maps_fields[] = {
	JFIELD(struct id_maps, uids, J_LIST, "uids", .of = &id_object),
	JFIELD(struct id_maps, gids, J_LIST, "gids", .of = &id_object),
};
static const struct jobject maps_object = JOBJECT(struct id_maps, maps_fields);

static const struct jfield tree_fields[] = {
	JFIELD(struct plan_tree, path, J_STR, "path", .required = true, .max = PATH_BYTES),
	JFIELD(struct plan_tree, readonly, J_BOOL, "readonly"),
	JFIELD(struct plan_tree, overlay, J_STR, "overlay", .max = 65536),
	JFIELD(struct plan_tree, ids, J_OBJECT, "ids", .of = &maps_object),
	JFIELD(struct plan_tree, ids_below, J_BOOL, "idsBelow"),
	JFIELD(struct plan_tree, where, J_STR, "where", .max = 64),
};
static const struct jobject tree_object = JOBJECT(struct plan_tree, tree_fields);

static const struct jfield fields[] = {
	JFIELD(struct document, socket, J_U64, "socket", .required = true, .max = UINT64_MAX >> 1),
	JFIELD(struct document, trees, J_LIST, "trees", .of = &tree_object),
	JFIELD(struct document, ids.uids, J_LIST, "uids", .of = &id_object),
	JFIELD(struct document, ids.gids, J_LIST, "gids", .of = &id_object),
	JFIELD(struct document, oom_score_adj, J_INT, "oomScoreAdj", .min = -1000, .max = 1000),
};
static const struct jobject object = JOBJECT(struct document, fields);

static json_t *ids_json(const struct oci_id_mappings *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->n; i++)
		json_array_append_new(list, json_pack("{s:I, s:I, s:I}", "container", (json_int_t)m->v[i].container, "host",
			(json_int_t)m->v[i].host, "size", (json_int_t)m->v[i].size));
	return list;
}

static json_t *tree_json(const struct plan_tree *t)
{
	json_t *j = json_pack("{s:s, s:b}", "path", t->path, "readonly", t->readonly);

	if (j && t->overlay)
		json_object_set_new(j, "overlay", json_string(t->overlay));
	if (j && t->where)
		json_object_set_new(j, "where", json_string(t->where));
	if (j && t->ids) {
		json_object_set_new(j, "ids", json_pack("{s:o, s:o}", "uids", ids_json(&t->ids->uids), "gids", ids_json(&t->ids->gids)));
		json_object_set_new(j, "idsBelow", json_boolean(t->ids_below));
	}
	return j;
}

const char *served_text(const struct plan *plan, int gofer_sock, struct pool *p)
{
	_cleanup_json_ json_t *doc = NULL;
	json_t *trees = json_array();
	struct stat st;
	char *text, *copy;

	for (size_t i = 0; i < plan->trees.n; i++) {
		if (json_array_append_new(trees, tree_json(&plan->trees.v[i])) < 0 || fstat(gofer_sock, &st) < 0) {
			json_decref(trees);
			return NULL;
		}
	}
	doc = json_pack("{s:I, s:o, s:o, s:o, s:I}", "socket", (json_int_t)st.st_ino, "trees", trees, "uids", ids_json(&plan->ids.uids),
		"gids", ids_json(&plan->ids.gids), "oomScoreAdj", (json_int_t)plan->spec.process.oom_score_adj);
	if (!(text = json_dumps(doc, JSON_COMPACT)))
		return NULL;
	copy = pool_strdup(p, text);
	free(text);
	return copy;
}

struct err *served_read(const char *text, struct pool *p, struct plan *out, uint64_t *inode)
{
	_cleanup_json_ json_t *doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct document d = { 0 };
	struct err *e = doc ? json_read(&object, doc, p, &d) : err_new(0, "not JSON");

	if (!e && !d.trees.n)
		e = err_new(0, "no tree");
	if (e)
		return err_wrap(e, "what the gofer serves");
	out->trees.v = d.trees.v;
	out->trees.n = out->trees.cap = d.trees.n;
	out->ids = d.ids;
	out->spec.process.oom_score_adj = d.oom_score_adj;
	*inode = d.socket;
	return NULL;
}
