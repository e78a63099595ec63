/*
 * bus.c - see bus.h.
 */
#include "bus.h"

#include "libipc/fd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NAME "org.freedesktop.systemd1"
#define PATH "/org/freedesktop/systemd1"
#define MANAGER NAME ".Manager"
#define CALL_US (25 * UINT64_C(1000000))
#define JOB_US (30 * UINT64_C(1000000))

/* --- connecting ----------------------------------------------------------------- */

/* systemd listens without a daemon too, for those who are root or its user. */
static int open_private(bool user, sd_bus **out)
{
	const char *dir = user ? getenv("XDG_RUNTIME_DIR") : "/run";
	_cleanup_free_ char *address = NULL;
	sd_bus *bus = NULL;
	int r;

	if (!dir)
		return -ENOENT;
	if (asprintf(&address, "unix:path=%s/systemd/private", dir) < 0)
		return -ENOMEM;
	if ((r = sd_bus_new(&bus)) < 0 || (r = sd_bus_set_address(bus, address)) < 0 || (r = sd_bus_start(bus)) < 0) {
		sd_bus_unref(bus);
		return r;
	}
	*out = bus;
	return 0;
}

/* Signals are sent to those who ask; the answer shows besides that we are heard. */
static int subscribe(sd_bus *bus)
{
	_cleanup_message_ sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(bus, &m, NAME, PATH, MANAGER, "Subscribe");

	return r < 0 ? r : sd_bus_call(bus, m, CALL_US, NULL, NULL);
}

struct err *bus_open(bool user, sd_bus **out)
{
	sd_bus *bus = NULL;
	int r = user ? sd_bus_open_user(&bus) : sd_bus_open_system(&bus), first = r;

	if (r >= 0 && (r = first = subscribe(bus)) < 0)
		bus = sd_bus_flush_close_unref(bus);
	if (!bus && (r = open_private(user, &bus)) >= 0 && (r = subscribe(bus)) < 0)
		bus = sd_bus_flush_close_unref(bus);
	if (!bus)
		return user ? err_new(-first, "no systemd answers on the user's bus (DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR)")
			    : err_new(-first, "systemd does not answer on the system bus: it is not running, or access is denied");
	*out = bus;
	return NULL;
}

/* --- calls -------------------------------------------------------------------------- */

struct err *bus_manager_call(sd_bus *bus, const char *method, sd_bus_message **out)
{
	int r = sd_bus_message_new_method_call(bus, out, NAME, PATH, MANAGER, method);

	return r < 0 ? err_new(-r, "%s", method) : NULL;
}

struct err *bus_send(sd_bus *bus, sd_bus_message *m, bool *unknown, sd_bus_message **answer)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_call(bus, m, CALL_US, &error, answer);
	struct err *e = NULL;

	if (unknown)
		*unknown = r < 0 && sd_bus_error_has_name(&error, NAME ".NoSuchUnit");
	if (r < 0)
		e = error.message ? err_with_text(-r, "systemd: %s", error.message) : err_new(-r, "systemd: %s", sd_bus_message_get_member(m));
	sd_bus_error_free(&error);
	return e;
}

struct job {
	const char *path; /* NULL: not known yet */
	struct {
		char path[128], result[32];
	} done[8]; /* that ended before we knew ours, the last few */
	unsigned n;
};

static int on_removed(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *path, *unit, *result;
	struct job *j = arg;
	uint32_t id;

	if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
		return 0;
	snprintf(j->done[j->n % 8].path, sizeof(j->done[0].path), "%s", path);
	snprintf(j->done[j->n % 8].result, sizeof(j->done[0].result), "%s", result);
	j->n++;
	return 0;
}

static const char *result_of(const struct job *j)
{
	for (unsigned i = 0; i < 8 && i < j->n; i++) {
		if (!strcmp(j->done[i].path, j->path))
			return j->done[i].result;
	}
	return NULL;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static struct err *await(sd_bus *bus, const struct job *j)
{
	uint64_t end = now_us() + JOB_US;
	const char *result;

	while (!(result = result_of(j))) {
		uint64_t now = now_us();
		int r = sd_bus_process(bus, NULL);

		if (!r && now >= end)
			return err_new(ETIMEDOUT, "systemd: its job");
		if (!r)
			r = sd_bus_wait(bus, end - now);
		if (r < 0 && r != -EINTR)
			return err_new(-r, "systemd: waiting for its job");
	}
	return strcmp(result, "done") ? err_new(0, "systemd: its job ended with '%s'", result) : NULL;
}

struct err *bus_send_job(sd_bus *bus, sd_bus_message *m, bool *unknown)
{
	_cleanup_message_ sd_bus_message *answer = NULL;
	sd_bus_slot *slot = NULL;
	struct job j = { 0 };
	struct err *e;
	int r = sd_bus_match_signal(bus, &slot, NULL, PATH, MANAGER, "JobRemoved", on_removed, &j);

	if (r < 0)
		return err_new(-r, "systemd: its jobs");
	e = bus_send(bus, m, unknown, &answer);
	if (!e && (r = sd_bus_message_read(answer, "o", &j.path)) < 0)
		e = err_new(-r, "systemd: its job");
	if (!e)
		e = await(bus, &j);
	sd_bus_slot_unref(slot);
	return e;
}

struct err *bus_unit_cgroup(sd_bus *bus, const char *unit, char **out)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char *path = NULL;
	struct err *e = NULL;
	int r = sd_bus_path_encode(PATH "/unit", unit, &path);

	if (r >= 0)
		r = sd_bus_get_property_string(bus, NAME, path, NAME ".Scope", "ControlGroup", &error, out);
	if (r < 0)
		e = err_new(-r, "systemd: where %s is", unit);
	sd_bus_error_free(&error);
	free(path);
	return e;
}
