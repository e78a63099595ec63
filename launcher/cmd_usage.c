/*
 * cmd_usage.c - usage: what a sandbox holds, by kind, as JSON: what its kernel
 * counts for the programs, and what each of its processes is charged for on the
 * host (PSS: shared pages in shares).  Bytes.
 */
#include "client.h"
#include "proc_stat.h"
#include "sandbox.h"

#include "libipc/fd.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>

#define CHILDREN_MAX 4096

struct usage_options {
	const char *interval;
	bool fd;
};

static const struct option_def options[] = {
	{ "fd", 0, OPTION_FLAG, offsetof(struct usage_options, fd), NULL, "what its programs' memory takes, from the file that holds it" },
	{ "interval", 0, OPTION_TEXT, offsetof(struct usage_options, interval), "TIME", "with --fd: again and again; once" },
	{ 0 },
};

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

/* The processes in which programs' own code runs are the sentry's children. */
static json_t *stubs(pid_t sentry)
{
	pid_t pids[CHILDREN_MAX];
	size_t n = proc_children(sentry, pids, CHILDREN_MAX);
	uint64_t bytes = 0;

	for (size_t i = 0; i < n && i < CHILDREN_MAX; i++)
		bytes += pss((uint64_t)pids[i]);
	return json_pack("{s:I, s:I}", "count", (json_int_t)n, "memory", (json_int_t)bytes);
}

/* The gofer is two: one that serves, and its keeper. */
static uint64_t with_child(uint64_t pid)
{
	pid_t child;

	return pss(pid) + (proc_children((pid_t)pid, &child, 1) ? pss((uint64_t)child) : 0);
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
			json_object_set_new(j, all[i].name, json_integer((json_int_t)(all[i].id == s->gofer ? with_child : pss)(all[i].id->pid)));
	}
	if (s->sentry)
		json_object_set_new(j, "stubs", stubs((pid_t)s->sentry->pid));
	return j;
}

/* The memory file tells what it takes without the sandbox being asked again. */
static struct err *follow_file(const struct state_dir *d, int fd, int ms)
{
	struct stat st;

	for (;;) {
		if (fstat(fd, &st) < 0)
			return err_new(errno, "memory file of '%s'", d->id);
		printf("{\"memory\": %llu}\n", (unsigned long long)st.st_blocks * 512);
		fflush(stdout);
		if (!ms)
			return NULL;
		poll(NULL, 0, ms);
	}
}

static struct err *file_usage(const struct state_dir *d, int ms)
{
	const struct control_usage_file request = { .id = msg_str(d->id) };
	struct control_usage_file_reply r;
	struct msg_arena a = { 0 };
	struct rpc_client *rpc;
	struct err *e = client_connect(d, &rpc);

	if (e)
		return e;
	e = RPC_CALL(rpc, control, usage_file, &request, &r, &a, CLIENT_QUICK_MS);
	rpc_client_free(rpc);
	if (e)
		return e;
	e = follow_file(d, r.memory, ms);
	msg_free(&control_usage_file_reply_desc, &r, &a);
	return e;
}

static struct err *guest_usage(const struct state_dir *d, json_t **out)
{
	struct control_usage_reply r;
	struct err *e = client_usage(d, &r);

	if (!e)
		*out = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "memory", (json_int_t)r.memory, "memoryLimit", (json_int_t)r.memory_limit, "shmem",
			(json_int_t)r.shmem, "oomKills", (json_int_t)r.oom_kills, "cpuNs", (json_int_t)r.cpu_ns, "tasks", (json_int_t)r.tasks);
	return e;
}

static struct err *run(struct context *c, int *status)
{
	const struct usage_options *o = c->options;
	_cleanup_json_ json_t *all = json_object();
	struct sandbox s = SANDBOX_NONE;
	json_t *guest = NULL;
	int ms = 0;
	struct err *e;

	if ((e = option_ms("interval", o->interval, 86400000, &ms)) || (e = sandbox_open(c, c->argv[0], &s)))
		return e;
	if (o->fd) {
		e = file_usage(&s.dir, ms);
	} else if (!(e = guest_usage(&s.dir, &guest))) {
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
	.summary = "print how much memory a sandbox uses, inside and on the host",
	.options = options,
	.options_size = sizeof(struct usage_options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
