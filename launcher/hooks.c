/*
 * hooks.c - see hooks.h.
 */
#include "hooks.h"

#include "client.h"
#include "failure.h"
#include "plan.h"

#include "libipc/fd.h"
#include "libipc/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *const kinds[] = {
	[HOOK_PRESTART] = "prestart", [HOOK_CREATE_RUNTIME] = "createRuntime", [HOOK_CREATE_CONTAINER] = "createContainer",
	[HOOK_START_CONTAINER] = "startContainer", [HOOK_POSTSTART] = "poststart", [HOOK_POSTSTOP] = "poststop",
};

static const struct oci_hook_list *list_of(const struct oci_hooks *h, enum hook_kind kind)
{
	const struct oci_hook_list *lists[] = {
		[HOOK_PRESTART] = &h->prestart, [HOOK_CREATE_RUNTIME] = &h->create_runtime, [HOOK_CREATE_CONTAINER] = &h->create_container,
		[HOOK_START_CONTAINER] = &h->start_container, [HOOK_POSTSTART] = &h->poststart, [HOOK_POSTSTOP] = &h->poststop,
	};

	return lists[kind];
}

/* What the hooks of a kind have in common. */
struct run {
	const struct state *state;
	const struct state_dir *dir; /* inside; NULL: outside */
	struct pool *pool;
};

/* --- one outside ------------------------------------------------------------------- */

static char **vector(const struct jstrs *in, const char *otherwise, struct pool *p)
{
	char **v = pool_array(p, in->n + 2, sizeof(*v));

	for (size_t i = 0; i < in->n; i++)
		v[i] = pool_strdup(p, in->v[i]);
	if (!in->n && otherwise)
		v[0] = pool_strdup(p, otherwise);
	return v;
}

static _Noreturn void exec_hook(const struct oci_hook *h, int input, int words, struct pool *p)
{
	char **args = vector(&h->args, h->path, p), **env = h->env.n ? vector(&h->env, NULL, p) : environ;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null < 0 || dup2(input, 0) < 0 || dup2(null, 1) < 0 || dup2(words, 2) < 0)
		_exit(127);
	execve(h->path, args, env);
	dprintf(2, "%s", strerror(errno));
	_exit(127);
}

static struct err *failed(const struct oci_hook *h, int status, int words)
{
	char text[FAILURE_TOLD_MAX + 1];

	failure_said(words, text);
	if (WIFSIGNALED(status))
		return err_new(0, "%s was killed by signal %d%s%s", h->path, WTERMSIG(status), *text ? ": " : "", text);
	return err_new(0, "%s ended with status %d%s%s", h->path, WEXITSTATUS(status), *text ? ": " : "", text);
}

/* Waits for the end, no longer than the hook's timeout. */
static struct err *await(const struct oci_hook *h, pid_t pid, int words)
{
	_cleanup_close_ int pidfd = pidfd_open(pid, 0);
	struct pollfd p = { pidfd, POLLIN, 0 };
	int ms = h->timeout ? (int)h->timeout * 1000 : -1, n = 1, status = 0;

	while (pidfd >= 0 && (n = poll(&p, 1, ms)) < 0 && errno == EINTR)
		;
	if (pidfd >= 0 && n == 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pidfd >= 0 && n == 0)
		return err_new(ETIMEDOUT, "%s took longer than %lld s", h->path, (long long)h->timeout);
	return status ? failed(h, status, words) : NULL;
}

struct standard {
	int input, words; /* the state; what is written to standard error */
};

static struct err *standard_files(const char *state, struct standard *out)
{
	_cleanup_close_ int input = memfd_create("redoubt-hook-state", MFD_CLOEXEC), words = memfd_create("redoubt-hook-words", MFD_CLOEXEC);
	size_t len = strlen(state);

	if (input < 0 || words < 0 || write(input, state, len) != (ssize_t)len || lseek(input, 0, SEEK_SET) < 0)
		return err_new(errno, "hook's state");
	*out = (struct standard){ TAKE_FD(input), TAKE_FD(words) };
	return NULL;
}

static struct err *run_outside(const struct run *r, const struct oci_hook *h, const struct standard *f)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_new(errno, "fork");
	if (!pid)
		exec_hook(h, f->input, f->words, r->pool);
	return await(h, pid, f->words);
}

/* --- one inside --------------------------------------------------------------------- */

/* As the container's own first process, but for program, arguments and environment. */
static struct err *process_inside(const struct run *r, const struct oci_hook *h, struct boot_process *out)
{
	const char *path = pool_printf(r->pool, "%s/config.json", r->state->bundle);
	_cleanup_json_ json_t *doc = NULL;
	const char *name = h->path;
	struct oci_spec spec = { 0 };
	struct err *e = json_load_path(path, &doc);

	if (e || (e = oci_read(doc, r->pool, &spec)))
		return err_wrap(e, "%s", path);
	spec.process->args = h->args.n ? h->args : (struct jstrs){ &name, 1 };
	spec.process->env = h->env;
	plan_process(spec.process, r->pool, out);
	/* the program is the hook's path, whatever its argument 0 says: found in no PATH, as it is absolute */
	out->args[0] = msg_str(h->path);
	out->terminal = false;
	return NULL;
}

static struct err *wait_inside(struct rpc_client *rpc, const struct run *r, const struct oci_hook *h, uint64_t pid, int words)
{
	const struct control_wait wait = { .id = msg_str(r->dir->id), .pid = pid };
	const struct control_signal kill = { .id = wait.id, .pid = pid, .signal = SIGKILL };
	struct control_wait_reply ended;
	struct control_signal_reply killed;
	struct msg_arena a = { 0 };
	struct err *e = RPC_CALL(rpc, control, wait, &wait, &ended, &a, (unsigned)h->timeout * 1000);

	if (!e) {
		msg_free(&control_wait_reply_desc, &ended, &a);
		return ended.status ? failed(h, (int)ended.status, words) : NULL;
	}
	if (err_errno(e) != ETIMEDOUT)
		return e;
	err_free(e);
	if ((e = RPC_CALL(rpc, control, signal, &kill, &killed, &a, CLIENT_QUICK_MS)))
		return err_wrap(e, "%s took longer than %lld s", h->path, (long long)h->timeout);
	msg_free(&control_signal_reply_desc, &killed, &a);
	return err_new(ETIMEDOUT, "%s took longer than %lld s", h->path, (long long)h->timeout);
}

static struct err *run_inside(const struct run *r, const struct oci_hook *h, const struct standard *f)
{
	_cleanup_close_ int null = open("/dev/null", O_WRONLY | O_CLOEXEC), process = -1;
	int stdio[] = { f->input, null, f->words };
	struct control_exec request = { .id = msg_str(r->dir->id), .hook = true, .stdio = stdio, .n_stdio = 3 };
	struct control_exec_reply reply;
	struct boot_process bp;
	struct msg_arena a = { 0 };
	struct rpc_client *rpc;
	struct err *e = process_inside(r, h, &bp);

	if (e || (e = msg_to_memfd(&boot_process_desc, &bp, &process)) || (e = client_connect(r->dir, &rpc)))
		return e;
	request.process = process;
	if (!(e = RPC_CALL(rpc, control, exec, &request, &reply, &a, 60000))) {
		msg_free(&control_exec_reply_desc, &reply, &a);
		e = wait_inside(rpc, r, h, reply.pid, f->words);
	}
	rpc_client_free(rpc);
	return e;
}

static struct err *run_one(const struct run *r, const struct oci_hook *h, const char *state)
{
	struct standard f;
	struct err *e = standard_files(state, &f);

	if (e)
		return e;
	e = r->dir ? run_inside(r, h, &f) : run_outside(r, h, &f);
	fd_close(&f.input);
	fd_close(&f.words);
	return e;
}

/* --- a kind's hooks ---------------------------------------------------------------- */

static struct err *run_list(const struct state_dir *inside, const struct state *s, enum hook_kind kind, const char *status, uint64_t pid, bool all)
{
	_cleanup_pool_ struct pool p = { 0 };
	const struct run r = { s, inside, &p };
	_cleanup_json_ json_t *doc = s->hooks ? json_loads(s->hooks, 0, NULL) : NULL, *state = NULL;
	_cleanup_free_ char *text = NULL;
	struct oci_hooks hooks = { 0 };
	struct err *e;

	if (!doc)
		return NULL;
	if ((e = oci_read_hooks(doc, &p, &hooks)))
		return e;
	const struct oci_hook_list *list = list_of(&hooks, kind);

	if (list->n && (!(state = state_json(s, status, pid)) || !(text = json_dumps(state, JSON_COMPACT))))
		return err_new(ENOMEM, "hook's state");
	for (size_t i = 0; i < list->n; i++) {
		if (!(e = run_one(&r, &list->v[i], text)))
			continue;
		e = err_wrap(e, "hooks.%s[%zu]", kinds[kind], i);
		if (!all)
			return e;
		log_warning("%s", err_text(e));
		err_free(e);
	}
	return NULL;
}

struct err *hooks_come_early(const char *hooks, struct pool *p, bool *out)
{
	_cleanup_json_ json_t *doc = hooks ? json_loads(hooks, 0, NULL) : NULL;
	struct oci_hooks h = { 0 };
	struct err *e = doc ? oci_read_hooks(doc, p, &h) : NULL;

	if (!e)
		*out = h.prestart.n || h.create_runtime.n || h.create_container.n;
	return e;
}

struct err *hooks_run_inside(const struct state_dir *d, const struct state *s, uint64_t pid)
{
	return run_list(d, s, HOOK_START_CONTAINER, "created", pid, false);
}

struct err *hooks_run(const struct state *s, enum hook_kind kind, const char *status, uint64_t pid)
{
	return run_list(NULL, s, kind, status, pid, false);
}

void hooks_run_all(const struct state *s, enum hook_kind kind, const char *status, uint64_t pid)
{
	_cleanup_err_ struct err *e = run_list(NULL, s, kind, status, pid, true);

	if (e)
		log_warning("%s", err_text(e));
}
