/*
 * debug_procfs.c - what /proc shows of each process of a container, as JSON.  See debug.h.  The members
 * have runsc's names (trace procfs).
 *
 * The sandbox sends the contents of the files, which are parsed here; what does not parse is left out.
 */
#include "debug.h"

#include "libipc/fd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROCFS_SIZE (64u << 20)

json_t *debug_text(const char *s, size_t n)
{
	json_t *j = json_stringn(s, n);
	char *copy;

	if (j || !(copy = malloc(n + 1)))
		return j;
	for (size_t i = 0; i < n; i++)
		copy[i] = (unsigned char)s[i] < 128 ? s[i] : '?';
	j = json_stringn(copy, n);
	free(copy);
	return j;
}

/* Strings that each end with a NUL. */
static json_t *strings_json(struct pool *p, const char *s, size_t n)
{
	json_t *all = json_array();

	for (size_t at = 0; at < n;) {
		size_t len = strnlen(s + at, n - at);

		json_array_append_new(all, debug_text(s + at, len));
		at += len + 1;
	}
	return all;
}

/* The number or numbers behind "Name:" at the beginning of a line of status. */
static unsigned status_numbers(const char *status, const char *name, unsigned long long *v, unsigned max)
{
	const char *line = status;
	unsigned n = 0;
	char *end;

	while (line && (strncmp(line, name, strlen(name)) || line[strlen(name)] != ':'))
		line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL;
	for (line = line ? line + strlen(name) + 1 : NULL; line && n < max; line = end) {
		v[n] = strtoull(line, &end, 10);
		if (end == line)
			break;
		n++;
	}
	return n;
}

static json_t *ids_json(const char *status, const char *name)
{
	unsigned long long v[4] = { 0 };

	status_numbers(status, name, v, 4);
	return json_pack("{s:I, s:I, s:I}", "real", (json_int_t)v[0], "effective", (json_int_t)v[1], "saved", (json_int_t)v[2]);
}

static json_t *status_json(struct pool *p, const char *s)
{
	unsigned long long size = 0, rss = 0;
	size_t len = strcspn(s, "\n");

	status_numbers(s, "VmSize", &size, 1);
	status_numbers(s, "VmRSS", &rss, 1);
	return json_pack("{s:o, s:o, s:o, s:I, s:I}", "comm", debug_text(len > 6 ? s + 6 : "", len > 6 ? len - 6 : 0), "uid", ids_json(s, "Uid"), "gid",
		ids_json(s, "Gid"), "vm_size", (json_int_t)size, "vm_rss", (json_int_t)rss);
}

/* Behind the command's name, which may hold anything: state, parent, group, session. */
static json_t *stat_json(const char *s)
{
	const char *at = strrchr(s, ')');
	int pgid = 0, sid = 0;

	if (at)
		sscanf(at + 1, " %*c %*d %d %d", &pgid, &sid);
	return json_pack("{s:i, s:i}", "pgid", pgid, "sid", sid);
}

static json_int_t limit_number(const char *s)
{
	return strncmp(s, "unlimited", 9) ? (json_int_t)strtoull(s, NULL, 10) : -1;
}

/* "Max open files            1024                 4096                 files": columns. */
static json_t *limits_json(char *s)
{
	json_t *all = json_object();

	for (char *line = strtok(s, "\n"); line; line = strtok(NULL, "\n")) {
		size_t len = 26;

		if (strlen(line) < 68 || strncmp(line, "Max ", 4))
			continue;
		while (len && line[len - 1] == ' ')
			len--;
		json_object_setn_new(all, line, len, json_pack("{s:I, s:I}", "cur", limit_number(line + 26), "max", limit_number(line + 47)));
	}
	return all;
}

/* "START-END rwxp OFFSET MAJOR:MINOR INODE    PATH" a line. */
static json_t *maps_json(struct pool *p, char *s)
{
	json_t *all = json_array();

	for (char *line = strtok(s, "\n"); line; line = strtok(NULL, "\n")) {
		unsigned long long start, end, offset, inode;
		unsigned major, minor;
		char prot[5];
		int path = 0;

		if (sscanf(line, "%llx-%llx %4s %llx %x:%x %llu %n", &start, &end, prot, &offset, &major, &minor, &inode, &path) != 7 || strlen(prot) != 4)
			continue;
		json_array_append_new(all, json_pack("{s:{s:I, s:I}, s:{s:b, s:b, s:b}, s:b, s:I, s:i, s:i, s:I, s:o}", "address", "Start", (json_int_t)start, "End",
			(json_int_t)end, "permissions", "Read", prot[0] == 'r', "Write", prot[1] == 'w', "Execute", prot[2] == 'x', "private", prot[3] == 'p',
			"offset", (json_int_t)offset, "deviceMajor", (int)major, "deviceMinor", (int)minor, "inode", (json_int_t)inode, "pathname",
			debug_text(line + path, strlen(line + path))));
	}
	return all;
}

static json_t *cgroup_json(struct pool *p, char *s)
{
	json_t *all = json_array();

	for (char *line = strtok(s, "\n"); line; line = strtok(NULL, "\n")) {
		char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;

		if (path)
			json_array_append_new(all, json_pack("{s:o, s:o, s:o}", "hierarchy_id", debug_text(line, (size_t)(controllers - line)), "controllers",
				debug_text(controllers + 1, (size_t)(path - controllers - 1)), "path", debug_text(path + 1, strlen(path + 1))));
	}
	return all;
}

static void add_file(struct pool *p, json_t *process, json_t *fds, const struct control_text *f)
{
	char *text = pool_alloc(p, (size_t)f->content.len + 1); /* ends with a NUL */

	memcpy(text, f->content.p, f->content.len);
	if (!strncmp(f->name.p, "fd/", 3))
		json_array_append_new(fds,
			json_pack("{s:I, s:o, s:I}", "number", (json_int_t)strtoull(f->name.p + 3, NULL, 10), "path", debug_text(text, f->content.len), "mode", (json_int_t)f->mode));
	else if (!strcmp(f->name.p, "cmdline"))
		json_object_set_new(process, "args", strings_json(p, text, f->content.len));
	else if (!strcmp(f->name.p, "environ"))
		json_object_set_new(process, "env", strings_json(p, text, f->content.len));
	else if (!strcmp(f->name.p, "status"))
		json_object_set_new(process, "status", status_json(p, text));
	else if (!strcmp(f->name.p, "stat"))
		json_object_set_new(process, "stat", stat_json(text));
	else if (!strcmp(f->name.p, "limits"))
		json_object_set_new(process, "limits", limits_json(text));
	else if (!strcmp(f->name.p, "maps"))
		json_object_set_new(process, "maps", maps_json(p, text));
	else if (!strcmp(f->name.p, "cgroup"))
		json_object_set_new(process, "cgroup", cgroup_json(p, text));
	else if (!strcmp(f->name.p, "exe") || !strcmp(f->name.p, "cwd") || !strcmp(f->name.p, "root"))
		json_object_set_new(process, f->name.p, debug_text(text, f->content.len));
}

static json_t *process_json(const struct control_process_files *r)
{
	_cleanup_pool_ struct pool pool = { 0 };
	json_t *j = json_object(), *fds = json_array();

	json_object_set_new(j, "pid", json_integer((json_int_t)r->pid));
	json_object_set_new(j, "clone_ts", json_integer((json_int_t)r->start));
	for (uint32_t i = 0; i < r->n_files; i++)
		add_file(&pool, j, fds, &r->files[i]);
	json_object_set_new(j, "fdlist", fds);
	return j;
}

struct err *debug_procfs(const struct debug *d)
{
	_cleanup_close_ int out = -1;
	_cleanup_json_ json_t *all = json_array();
	struct control_procfs request = { .id = msg_str(d->s->dir.id) };
	struct control_procfs_reply reply;
	struct control_procfs_data data;
	struct msg_arena a = { 0 };
	struct err *e = msg_answer_file(PROCFS_SIZE, &out);

	if (e)
		return e;
	request.out = out;
	if ((e = RPC_CALL(d->rpc, control, procfs, &request, &reply, &a, CLIENT_QUICK_MS)) ||
		(e = msg_answer_read(&control_procfs_data_desc, out, reply.length, &data, &a)))
		return e;
	for (uint32_t i = 0; i < data.n_processes; i++)
		json_array_append_new(all, process_json(&data.processes[i]));
	msg_free(&control_procfs_data_desc, &data, &a);
	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	return NULL;
}

struct err *debug_network(const struct debug *d)
{
	const struct control_links request = { .id = msg_str(d->s->dir.id) };
	_cleanup_json_ json_t *j = NULL;
	struct control_links_reply reply;
	struct msg_arena a = { 0 };
	struct err *e = RPC_CALL(d->rpc, control, links, &request, &reply, &a, CLIENT_QUICK_MS);

	if (e)
		return e;
	if (!(e = msg_to_json(&control_links_reply_desc, &reply, &j))) {
		json_dumpf(j, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	msg_free(&control_links_reply_desc, &reply, &a);
	return e;
}
