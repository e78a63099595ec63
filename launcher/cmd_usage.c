/*
 * cmd_usage.c - usage: what a sandbox holds, by kind, as JSON: what its kernel
 * counts for the programs, and what each of its processes is charged for on the
 * host (PSS: shared pages in shares).  Bytes.
 */
#include "client.h"
#include "sandbox.h"

#include "libipc/fd.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 0: gone, or not ours to look at. */
static uint64_t pss(uint64_t pid)
{
	unsigned long long kib = 0;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%llu/smaps_rollup", (unsigned long long)pid);
	if (!(f = fopen(path, "re")))
		return 0;
	while (fgets(line, sizeof(line), f) && sscanf(line, "Pss: %llu kB", &kib) != 1)
		;
	fclose(f);
	return kib * 1024;
}

static uint64_t parent_of(const char *pid)
{
	char path[300], line[512], *end;
	unsigned long long ppid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	if (!(f = fopen(path, "re")))
		return 0;
	/* "PID (NAME) STATE PPID": the name may hold anything */
	if (fgets(line, sizeof(line), f) && (end = strrchr(line, ')')))
		sscanf(end + 1, " %*c %llu", &ppid);
	fclose(f);
	return ppid;
}

/* The processes in which programs' own code runs are the sentry's children. */
static json_t *stubs(uint64_t sentry)
{
	uint64_t n = 0, bytes = 0;
	DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && parent_of(e->d_name) == sentry) {
			n++;
			bytes += pss(strtoull(e->d_name, NULL, 10));
		}
	}
	if (d)
		closedir(d);
	return json_pack("{s:I, s:I}", "count", (json_int_t)n, "memory", (json_int_t)bytes);
}

static json_t *host_usage(const struct state *s)
{
	const struct {
		const char *name;
		const struct proc_id *id;
	} all[] = { { "controld", s->controld }, { "gofer", s->gofer }, { "sentry", s->sentry } };
	json_t *j = json_object();

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		_cleanup_close_ int alive = proc_open(all[i].id);

		if (alive >= 0)
			json_object_set_new(j, all[i].name, json_integer((json_int_t)pss(all[i].id->pid)));
	}
	if (s->sentry)
		json_object_set_new(j, "stubs", stubs(s->sentry->pid));
	return j;
}

static struct err *guest_usage(const struct state_dir *d, json_t **out)
{
	const struct control_usage request = { .id = msg_str(d->id) };
	struct control_usage_reply r;
	struct msg_arena a = { 0 };
	struct rpc_client *rpc;
	struct err *e = client_connect(d, &rpc);

	if (e)
		return e;
	if (!(e = RPC_CALL(rpc, control, usage, &request, &r, &a, CLIENT_QUICK_MS))) {
		*out = json_pack("{s:I, s:I, s:I}", "memory", (json_int_t)r.memory, "cpuNs", (json_int_t)r.cpu_ns, "tasks", (json_int_t)r.tasks);
		msg_free(&control_usage_reply_desc, &r, &a);
	}
	rpc_client_free(rpc);
	return e;
}

static struct err *run(struct context *c, int *status)
{
	_cleanup_json_ json_t *all = json_object();
	struct sandbox s = SANDBOX_NONE;
	json_t *guest = NULL;
	struct err *e = sandbox_open(c, c->argv[0], &s);

	if (e)
		return e;
	if (!(e = guest_usage(&s.dir, &guest))) {
		json_object_set_new(all, "guest", guest);
		json_object_set_new(all, "host", host_usage(&s.state));
		json_dumpf(all, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	sandbox_close(&s);
	return e;
}

const struct command command_usage = {
	.name = "usage",
	.arguments = "ID",
	.summary = "print what memory a sandbox holds, inside and on the host",
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
