/*
 * ctl_local.c - the lines of an ipcctl conversation that are about its own
 * descriptors, so that a script can look at what a component handed out.
 * Single-threaded.
 */
#include "libipc/ctl_json.h"
#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define CONTENT_MAX (16u << 20)

static json_t *bytes_json(const char *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	json_t *text = json_stringn(p, n);
	if (text)
		return text;
	_cleanup_free_ char *hex = malloc(n * 2 + 1);
	for (size_t i = 0; hex && i < n; i++) {
		hex[2 * i] = digits[(p[i] >> 4) & 15];
		hex[2 * i + 1] = digits[p[i] & 15];
	}
	return hex ? json_pack("{s:s#}", "hex", hex, (int)(2 * n)) : NULL;
}

static struct err *show_content(int fd, const char *rest, json_t **out)
{
	_cleanup_free_ char *buf = malloc(CONTENT_MAX);
	ssize_t n = 0;
	size_t got = 0;
	while (buf && got < CONTENT_MAX && (n = pread(fd, buf + got, CONTENT_MAX - got, (off_t)got)) > 0)
		got += (size_t)n;
	if (!buf || n < 0)
		return err_new(buf ? errno : ENOMEM, "!cat %d", fd);
	*out = json_pack("{s:o}", "data", bytes_json(buf, got));
	return NULL;
}

static struct err *write_text(int fd, const char *rest, json_t **out)
{
	json_t *j = json_loads(rest, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (!json_is_string(j)) {
		json_decref(j);
		return err_with_text(EINVAL, "!write: not a JSON string");
	}
	ssize_t n = write(fd, json_string_value(j), json_string_length(j));
	int errnum = errno;
	json_decref(j);
	if (n < 0)
		return err_new(errnum, "!write %d", fd);
	*out = json_pack("{s:I}", "written", (json_int_t)n);
	return NULL;
}

static struct err *show_stat(int fd, const char *rest, json_t **out)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_new(errno, "!stat %d", fd);
	*out = json_pack("{s:I, s:I, s:I, s:I, s:i}", "mode", (json_int_t)st.st_mode, "size", (json_int_t)st.st_size, "ino",
		(json_int_t)st.st_ino, "dev", (json_int_t)st.st_dev, "flags", fcntl(fd, F_GETFL));
	return NULL;
}

static struct err *close_it(int fd, const char *rest, json_t **out)
{
	if (fd <= 2 || close(fd) < 0)
		return err_new(fd <= 2 ? EINVAL : errno, "!close %d", fd);
	*out = json_object();
	return NULL;
}

static const struct {
	const char *verb;
	struct err *(*fn)(int fd, const char *rest, json_t **out);
} verbs[] = {
	{ "cat", show_content },
	{ "close", close_it },
	{ "stat", show_stat },
	{ "write", write_text },
};

struct err *ctl_local(const char *command, int keep, json_t **out)
{
	char verb[16];
	int fd, end = 0;
	if (sscanf(command, "!%15s %d %n", verb, &fd, &end) < 2 || fd == keep)
		return err_with_text(EINVAL, "'%s': must be !VERB DESCRIPTOR", command);
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(verb, verbs[i].verb) == 0)
			return verbs[i].fn(fd, command + end, out);
	return err_with_text(EINVAL, "'%s': unknown", command);
}
