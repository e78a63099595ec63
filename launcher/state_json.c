/*
 * state_json.c - a container's state as the OCI specification prints it, with
 * runc's members on top.  See state.h.
 */
#include "oci.h"
#include "state.h"

#include <pwd.h>

json_t *state_json(const struct state *s, const char *status, uint64_t pid)
{
	json_t *j = json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:s}", "ociVersion", OCI_VERSION, "id", s->id, "pid", (json_int_t)pid, "status",
		status, "bundle", s->bundle ? s->bundle : "", "rootfs", s->rootfs ? s->rootfs : "", "created", s->created ? s->created : "");
	json_t *annotations = s->annotations.n ? json_object() : NULL;

	for (size_t i = 0; i < s->annotations.n; i++)
		json_object_set_new(annotations, s->annotations.v[i].name, json_string(s->annotations.v[i].value));
	if (annotations)
		json_object_set_new(j, "annotations", annotations);
	return j;
}

const char *owner_name(uint64_t uid, struct pool *p)
{
	const struct passwd *pw = getpwuid((uid_t)uid);

	return pw ? pool_strdup(p, pw->pw_name) : pool_printf(p, "%llu", (unsigned long long)uid);
}
