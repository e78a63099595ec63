/*
 * unit.c - see unit.h.
 */
#include "unit.h"

#include "property.h"

#include "libipc/fd.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static struct err *bad(int r, const char *method)
{
	return err_new(-r, "systemd: %s", method);
}

static struct err *append_properties(sd_bus_message *m, char **args)
{
	struct err *e = NULL;

	for (; *args && !e; args++)
		e = property_append(m, *args);
	return e;
}

/* --- start -------------------------------------------------------------------------- */

static struct err *start_message(sd_bus *bus, const char *unit, char **args, sd_bus_message **out)
{
	static const char method[] = "StartTransientUnit";
	sd_bus_message *m;
	struct err *e = bus_manager_call(bus, method, out);
	int r;

	if (e)
		return e;
	m = *out;
	if ((r = sd_bus_message_append(m, "ss", unit, "fail")) < 0 || (r = sd_bus_message_open_container(m, 'a', "(sv)")) < 0 ||
		(r = sd_bus_message_append(m, "(sv)", "PIDs", "au", 1, (uint32_t)getpid())) < 0)
		return bad(r, method);
	if ((e = append_properties(m, args)))
		return e;
	/* no auxiliary units */
	if ((r = sd_bus_message_close_container(m)) < 0 || (r = sd_bus_message_append(m, "a(sa(sv))", 0)) < 0)
		return bad(r, method);
	return NULL;
}

/* One that has failed before keeps its name until it is told to forget. */
static struct err *reset_failed(sd_bus *bus, const char *unit)
{
	_cleanup_message_ sd_bus_message *m = NULL;
	struct err *e = bus_manager_call(bus, "ResetFailedUnit", &m);
	bool unknown = false;
	int r;

	if (e)
		return e;
	if ((r = sd_bus_message_append(m, "s", unit)) < 0)
		return bad(r, "ResetFailedUnit");
	if ((e = bus_send(bus, m, &unknown, NULL)) && unknown) {
		err_free(e);
		e = NULL;
	}
	return e;
}

static struct err *start_once(sd_bus *bus, const char *unit, char **args)
{
	_cleanup_message_ sd_bus_message *m = NULL;
	struct err *e = start_message(bus, unit, args, &m);

	return e ? e : bus_send_job(bus, m, NULL);
}

static struct err *tell_and_hold(sd_bus *bus, const char *unit)
{
	_cleanup_free_ char *path = NULL, *line = NULL;
	struct err *e = bus_unit_cgroup(bus, unit, &path);
	char c;

	if (e)
		return e;
	/* at once, without a buffer that asks what it writes to */
	if (asprintf(&line, "%s\n", path) < 0 || write(STDOUT_FILENO, line, strlen(line)) < 0)
		return err_new(errno, "standard output");
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return NULL;
}

struct err *unit_start(sd_bus *bus, const char *unit, char **args)
{
	struct err *e = start_once(bus, unit, args), *again;

	if (e && err_errno(e) == EEXIST) {
		if ((again = reset_failed(bus, unit))) {
			err_free(again);
			return e;
		}
		err_free(e);
		e = start_once(bus, unit, args);
	}
	return e ? e : tell_and_hold(bus, unit);
}

/* --- while it lives, and its end ------------------------------------------------------ */

struct err *unit_set(sd_bus *bus, const char *unit, char **args)
{
	_cleanup_message_ sd_bus_message *m = NULL;
	static const char method[] = "SetUnitProperties";
	struct err *e = bus_manager_call(bus, method, &m);
	int r;

	if (e)
		return e;
	if ((r = sd_bus_message_append(m, "sb", unit, true)) < 0 || (r = sd_bus_message_open_container(m, 'a', "(sv)")) < 0)
		return bad(r, method);
	if ((e = append_properties(m, args)))
		return e;
	if ((r = sd_bus_message_close_container(m)) < 0)
		return bad(r, method);
	return bus_send(bus, m, NULL, NULL);
}

struct err *unit_attach(sd_bus *bus, const char *unit, char **args)
{
	_cleanup_message_ sd_bus_message *m = NULL;
	static const char method[] = "AttachProcessesToUnit";
	struct err *e = bus_manager_call(bus, method, &m);
	int r;

	if (e)
		return e;
	if ((r = sd_bus_message_append(m, "ss", unit, "/")) < 0 || (r = sd_bus_message_open_container(m, 'a', "u")) < 0)
		return bad(r, method);
	for (; *args; args++) {
		char *end;
		unsigned long pid = strtoul(*args, &end, 10);

		if (end == *args || *end || !pid || pid > INT32_MAX)
			return err_new(0, "'%.32s' is not a process's number", *args);
		if ((r = sd_bus_message_append(m, "u", (uint32_t)pid)) < 0)
			return bad(r, method);
	}
	if ((r = sd_bus_message_close_container(m)) < 0)
		return bad(r, method);
	return bus_send(bus, m, NULL, NULL);
}

struct err *unit_stop(sd_bus *bus, const char *unit, char **args)
{
	_cleanup_message_ sd_bus_message *m = NULL;
	struct err *e = bus_manager_call(bus, "StopUnit", &m);
	bool unknown = false;
	int r;

	if (e)
		return e;
	if ((r = sd_bus_message_append(m, "ss", unit, "replace")) < 0)
		return bad(r, "StopUnit");
	if ((e = bus_send_job(bus, m, &unknown)) && unknown) {
		err_free(e);
		return NULL;
	}
	return e ? e : reset_failed(bus, unit);
}
