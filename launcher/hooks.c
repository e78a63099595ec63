/*
 * hooks.c - see hooks.h.
 */
#include "hooks.h"

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

#define WORDS_MAX 400 /* bytes of a failed hook's standard error that are told */

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

/* --- one hook ------------------------------------------------------------------- */

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
	char text[WORDS_MAX + 1] = "";
	ssize_t n = pread(words, text, WORDS_MAX, 0);

	for (ssize_t i = 0; i < n; i++)
		text[i] = (unsigned char)text[i] < ' ' ? ' ' : text[i];
	if (WIFSIGNALED(status))
		return err_new(0, "%s was killed by signal %d%s%s", h->path, WTERMSIG(status), n > 0 ? ": " : "", text);
	return err_new(0, "%s ended with status %d%s%s", h->path, WEXITSTATUS(status), n > 0 ? ": " : "", text);
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

static struct err *run_one(const struct oci_hook *h, const char *state, struct pool *p)
{
	_cleanup_close_ int input = memfd_create("redoubt-hook-state", MFD_CLOEXEC), words = memfd_create("redoubt-hook-words", MFD_CLOEXEC);
	size_t len = strlen(state);
	pid_t pid;

	if (input < 0 || words < 0 || write(input, state, len) != (ssize_t)len || lseek(input, 0, SEEK_SET) < 0)
		return err_new(errno, "hook's state");
	if ((pid = fork()) < 0)
		return err_new(errno, "fork");
	if (!pid)
		exec_hook(h, input, words, p);
	return await(h, pid, words);
}

/* --- a kind's hooks ---------------------------------------------------------------- */

static struct err *run_list(const struct state *s, enum hook_kind kind, const char *status, uint64_t pid, bool all)
{
	_cleanup_pool_ struct pool p = { 0 };
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
		if (!(e = run_one(&list->v[i], text, &p)))
			continue;
		e = err_wrap(e, "hooks.%s[%zu]", kinds[kind], i);
		if (!all)
			return e;
		log_warning("%s", err_text(e));
		err_free(e);
	}
	return NULL;
}

struct err *hooks_run(const struct state *s, enum hook_kind kind, const char *status, uint64_t pid)
{
	return run_list(s, kind, status, pid, false);
}

void hooks_run_all(const struct state *s, enum hook_kind kind, const char *status, uint64_t pid)
{
	_cleanup_err_ struct err *e = run_list(s, kind, status, pid, true);

	if (e)
		log_warning("%s", err_text(e));
}
