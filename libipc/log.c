/*
 * log.c - log lines (log.h).
 *
 * Settings are made once by log_init before threads exist; only the level
 * changes later (atomic).  A line is put together on the stack and written by
 * one write(2), so that lines of several threads and processes on one
 * descriptor do not mix.  Uses the vDSO's clock and arithmetic instead of
 * gmtime, which would open /etc/localtime in a process that may not.
 */
#include "libipc/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
	const char *component;
	int fd;
	enum log_format format;
	_Atomic int max;
	int pid; /* 0: to be asked for each time */
	int user; /* descriptor of the user log */
} logger = { "redoubt", 2, LOG_TEXT, LOG_WARNING, 0, -1 };

static double last_phase; /* log_timing's, ms */

static const char *const level_names[] = { "error", "warning", "info", "debug" };

void log_init(const char *component, int fd, enum log_format format, enum log_level max)
{
	logger.component = component;
	logger.fd = fd;
	logger.format = format;
	log_set_level(max);
	log_timing(NULL);
}

void log_keep_pid(void)
{
	logger.pid = (int)getpid();
}

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

void log_timing(const char *phase)
{
	if (!log_enabled(LOG_DEBUG))
		return;
	double now = now_ms(), since = last_phase;
	last_phase = now;
	if (phase)
		log_debug("timing: %s: %.2f ms", phase, now - since);
}

void log_set_level(enum log_level max)
{
	atomic_store_explicit(&logger.max, (int)max, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
	return logger.fd >= 0 && (int)level <= atomic_load_explicit(&logger.max, memory_order_relaxed);
}

int log_descriptor(enum log_format *format)
{
	*format = logger.format;
	return logger.fd;
}

static char *digits(char *p, unsigned v, int n)
{
	for (int i = n; i-- > 0; v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + n;
}

/* Days to a date in the proleptic Gregorian calendar, counting years from March
 * so that the leap day is the last. */
void log_time(char buf[LOG_TIME_MAX])
{
	static const char between[] = "--T::.";
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	int64_t days = ts.tv_sec / 86400, rest = ts.tv_sec % 86400;
	int64_t z = days + 719468, era = z / 146097, doe = z % 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	unsigned day = (unsigned)(doy - (153 * mp + 2) / 5 + 1), month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	const unsigned parts[] = { (unsigned)(yoe + era * 400 + (month <= 2)), month, day, (unsigned)(rest / 3600), (unsigned)(rest / 60 % 60),
		(unsigned)(rest % 60), (unsigned)(ts.tv_nsec / 1000000) };
	for (int i = 0; i < 7; i++) {
		buf = digits(buf, parts[i], i == 0 ? 4 : i == 6 ? 3 : 2);
		*buf++ = between[i] ? between[i] : 'Z';
	}
	*buf = 0;
}

/* The length of the UTF-8 sequence at p (RFC 3629), 0 if it is none. */
static size_t utf8_len(const unsigned char *p)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80) /* stops at a NUL too */
			return 0;
	bool too_long = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
	bool not_a_character = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
	return n > 1 && (too_long || not_a_character) ? 0 : n;
}

/* Appends text to line[*n], escaped for a JSON string or, in text lines, with
 * control characters made visible: a log line is one line whatever a hostile
 * peer's text says.  In JSON, bytes that are not UTF-8 become U+FFFD. */
static void append_escaped(char *line, size_t size, size_t *n, const char *text, bool json)
{
	const unsigned char *p = (const unsigned char *)text;
	while (*p && *n + 8 < size) {
		size_t len = json ? utf8_len(p) : 1;
		if (!len) {
			*n += (size_t)snprintf(line + *n, 8, "\\ufffd");
			len = 1;
		} else if (json && (*p == '"' || *p == '\\')) {
			line[(*n)++] = '\\';
			line[(*n)++] = (char)*p;
		} else if (*p < 0x20 || *p == 0x7f) {
			*n += (size_t)snprintf(line + *n, 8, json ? "\\u%04x" : "\\x%02x", *p);
		} else {
			memcpy(line + *n, p, len);
			*n += len;
		}
		p += len;
	}
}

static void put(int fd, const char *line, size_t n)
{
	ssize_t r;
	do {
		r = write(fd, line, n);
	} while (r < 0 && errno == EINTR);
}

static __attribute__((format(printf, 3, 0))) void write_line(int fd, enum log_level level, const char *fmt, va_list ap)
{
	int saved = errno, pid = logger.pid ? logger.pid : (int)getpid();
	char text[4096], line[8192 + 256], when[LOG_TIME_MAX];
	vsnprintf(text, sizeof text, fmt, ap);
	log_time(when);

	bool json = logger.format == LOG_JSON;
	size_t n;
	if (json)
		n = (size_t)snprintf(line, 256, "{\"time\":\"%s\",\"level\":\"%s\",\"component\":\"%s\",\"pid\":%d,\"msg\":\"", when,
			level_names[level], logger.component, pid);
	else
		n = (size_t)snprintf(line, 256, "%s %s[%d] %s: ", when, logger.component, pid, level_names[level]);
	append_escaped(line, sizeof line - 4, &n, text, json);
	if (json) {
		line[n++] = '"';
		line[n++] = '}';
	}
	line[n++] = '\n';
	put(fd, line, n);
	errno = saved;
}

void log_at(enum log_level level, const char *fmt, ...)
{
	va_list ap;
	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	write_line(logger.fd, level, fmt, ap);
	va_end(ap);
}

void log_fatal(const char *text)
{
	char line[1024];
	log_at(LOG_ERROR, "%s", text);
	if (logger.fd == STDERR_FILENO)
		return;
	/* not dprintf, which asks what kind of file it is: a call that no policy has */
	snprintf(line, sizeof line - 1, "%s: %s", logger.component, text);
	strcat(line, "\n");
	put(STDERR_FILENO, line, strlen(line));
}

void log_set_user(int fd)
{
	logger.user = fd;
}

void log_user(const char *fmt, ...)
{
	va_list ap;
	if (logger.user < 0)
		return;
	va_start(ap, fmt);
	write_line(logger.user, LOG_WARNING, fmt, ap);
	va_end(ap);
}
