/*
 * log.h - log lines, text or JSON, each naming its component.
 *
 * Used by the executables' own code (not by libraries).  One write(2) a line.
 * text: "2026-11-21T22:00:00.123Z gofer[12] warning: message"
 * json: {"time":"...","level":"warning","component":"gofer","pid":12,"msg":"..."}
 * Safe from any thread.
 */
#ifndef REDOUBT_LIBIPC_LOG_H
#define REDOUBT_LIBIPC_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

/* fd is borrowed; -1 means nowhere.  component: a string constant. */
void log_init(const char *component, int fd, enum log_format format, enum log_level max);
void log_set_level(enum log_level max);
/* This process will not fork any more: its lines need no getpid. */
void log_keep_pid(void);
bool log_enabled(enum log_level level);
/* Where lines go; -1: nowhere. */
int log_descriptor(enum log_format *format);
void log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What a process ends of: to the log, and to standard error where that is another place. */
void log_fatal(const char *text);

/* The user log: what concerns who runs the program, not who runs Redoubt (calls that
 * are not supported).  fd is borrowed; -1, as at first: no such log. */
void log_set_user(int fd);
void log_user(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "2026-11-21T22:00:00.123Z", now.  Safe in a signal handler. */
#define LOG_TIME_MAX 32
void log_time(char buf[LOG_TIME_MAX]);

/* At level debug: the time since the line before of the same process, or since
 * log_init: "timing: PHASE: 1.23 ms".  For the one thread that starts a process up. */
void log_timing(const char *phase);

#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) do { if (log_enabled(LOG_DEBUG)) log_at(LOG_DEBUG, __VA_ARGS__); } while (0)

#endif
