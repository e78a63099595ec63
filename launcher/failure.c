/*
 * failure.c - see failure.h.
 *
 * One component's end brings others down: when controld is gone its gofer is killed, and when the
 * sentry is gone the gofer ends by itself.  So they are examined in that order.  A component's own
 * message is read from the file that is its standard error; if it logs elsewhere, it writes what it
 * fails of to standard error as well (log_fatal).
 */
#include "failure.h"

#include "proc_stat.h"

#include "libipc/ending.h"
#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#define DEATH_MS 2000 /* a connection closes a little before its process is gone */
#define SAYING_MS 200 /* one that is gone: another may be about to tell how */
#define LINES 3
#define LINE_MAX_SHOWN 300

static off_t words_from; /* before it is what others said */

struct err *failure_words_file(int *out)
{
#ifdef REDOUBT_SANITIZE
	/* where the tests gather what a sanitizer says, after the container was made too */
	const char *reports = getenv("REDOUBT_REPORTS");

	if (reports) {
		*out = open(reports, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (*out < 0 || (words_from = lseek(*out, 0, SEEK_END)) < 0)
			return err_new(errno, "%s", reports);
		return NULL;
	}
#endif
	_cleanup_close_ int fd = memfd_create("redoubt-last-words", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, WORDS_MAX) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return err_new(errno, "memfd");
	*out = TAKE_FD(fd);
	return NULL;
}

/* --- what was said ------------------------------------------------------------------ */

void failure_said(int words, char text[FAILURE_TOLD_MAX + 1])
{
	ssize_t n = pread(words, text, FAILURE_TOLD_MAX, 0);

	text[n > 0 ? n : 0] = 0;
	for (ssize_t i = 0; i < n; i++)
		text[i] = (unsigned char)text[i] < ' ' ? ' ' : text[i];
}

/* A log line's "TIME COMPONENT[PID] LEVEL: TEXT" without what says nothing here. */
static const char *shorten(const char *line, struct pool *p)
{
	char component[16], level[8];
	int end = 0;

	if (sscanf(line, "%*24[-0-9T:.Z] %15[a-z][%*d] %7[a-z]: %n", component, level, &end) == 2 && end)
		return pool_printf(p, "%s: %.*s", component, LINE_MAX_SHOWN, line + end);
	return pool_printf(p, "%.*s", LINE_MAX_SHOWN, line);
}

/* The last lines, the oldest first; "": nothing was said. */
static const char *last_words(int fd, struct pool *p)
{
	char *text = pool_alloc(p, WORDS_MAX + 1), *save, *lines[LINES] = { NULL };
	ssize_t n = pread(fd, text, WORDS_MAX, words_from);
	const char *all = "";
	unsigned count = 0;

	text[n > 0 ? n : 0] = 0;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		lines[count++ % LINES] = l;
	for (unsigned i = count > LINES ? count - LINES : 0; i < count; i++) {
		for (char *c = lines[i % LINES]; *c; c++)
			*c = (unsigned char)*c < ' ' ? '?' : *c;
		all = pool_printf(p, "%s%s%s", all, *all ? "; " : "", shorten(lines[i % LINES], p));
	}
	return all;
}

static const char *wait_for_words(int fd, struct pool *p)
{
	const struct timespec a_little = { .tv_nsec = 5000000 };
	const char *words = last_words(fd, p);

	for (int ms = 0; !*words && ms < SAYING_MS; ms += 5) {
		nanosleep(&a_little, NULL);
		words = last_words(fd, p);
	}
	return words;
}

/* --- who has ended --------------------------------------------------------------------- */

static struct err *ended(const struct failure *f, const char *who, const char *how)
{
	const char *words = wait_for_words(f->words, f->pool);

	return err_new(0, "before the container was made %s %s%s%s", who, how, *words ? ": " : "", words);
}

/* Our own child, if it ends now; NULL: it has not. */
static struct err *child_ended(struct failure *f, const char *who, pid_t *pid)
{
	char text[ENDING_MAX];
	int status;

	if (*pid <= 0 || waitpid(*pid, &status, WNOHANG) <= 0)
		return NULL;
	*pid = 0;
	return ended(f, who, ending_text(status, text));
}

static bool gone(const struct proc_id *id)
{
	_cleanup_close_ int fd = proc_open(id);

	return fd < 0;
}

static struct err *gofer_ended(struct failure *f)
{
	pid_t pid = f->gofer_is_ours ? (pid_t)f->gofer->pid : 0;
	struct err *e = child_ended(f, "the gofer", &pid);

	return e ? e : gone(f->gofer) ? ended(f, "the gofer", "ended") : NULL;
}

static struct err *who_ended(struct failure *f)
{
	struct err *e;

	if ((e = child_ended(f, "controld", &f->controld)) || (e = child_ended(f, "the sentry", &f->sentry)))
		return e;
	return f->gofer && f->gofer->pid ? gofer_ended(f) : NULL;
}

struct err *failure_explain(struct failure *f, struct err *cause)
{
	const struct timespec a_little = { .tv_nsec = 5000000 };
	struct err *e = NULL;

	for (int ms = 0; !(e = who_ended(f)) && ms < DEATH_MS; ms += 5)
		nanosleep(&a_little, NULL);
	if (!e)
		return cause;
	err_free(cause);
	return e;
}
