/*
 * systemd.c SOCKET LOG - stands in for systemd's manager where none runs: answers the
 * calls that a scope's life takes, and writes each with its arguments into LOG.
 * One connection after the other, as a bus would hand them on.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define MANAGER "org.freedesktop.systemd1.Manager"
#define PATH "/org/freedesktop/systemd1"

static FILE *out;
static char unit[256];

static int plain(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	sd_bus_message_dump(m, out, 0);
	fflush(out);
	return sd_bus_reply_method_return(m, NULL);
}

static int hello(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	return sd_bus_reply_method_return(m, "s", ":1.1");
}

static int job(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *name;
	int r;

	sd_bus_message_read(m, "s", &name);
	snprintf(unit, sizeof(unit), "%s", name);
	sd_bus_message_rewind(m, 1);
	sd_bus_message_dump(m, out, 0);
	fflush(out);
	if ((r = sd_bus_reply_method_return(m, "o", PATH "/job/1")) < 0)
		return r;
	return sd_bus_emit_signal(sd_bus_message_get_bus(m), PATH, MANAGER, "JobRemoved", "uoss", 1, PATH "/job/1", unit, "done");
}

static int control_group(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	char text[300];

	snprintf(text, sizeof(text), "/redoubt-test/%s", unit);
	return sd_bus_message_append(reply, "s", text);
}

static int any_unit(sd_bus *bus, const char *path, const char *interface, void *arg, void **found, sd_bus_error *error)
{
	*found = arg;
	return 1;
}

static const sd_bus_vtable manager[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Subscribe", "", "", plain, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("StartTransientUnit", "ssa(sv)a(sa(sv))", "o", job, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("StopUnit", "ss", "o", job, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("ResetFailedUnit", "s", "", plain, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("AttachProcessesToUnit", "ssau", "", plain, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("SetUnitProperties", "sba(sv)", "", plain, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL("JobRemoved", "uoss", 0),
	SD_BUS_VTABLE_END,
};
static const sd_bus_vtable scope[] = { SD_BUS_VTABLE_START(0), SD_BUS_PROPERTY("ControlGroup", "s", control_group, 0, 0), SD_BUS_VTABLE_END };
static const sd_bus_vtable daemon_calls[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Hello", "", "s", hello, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("AddMatch", "s", "", plain, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("RemoveMatch", "s", "", plain, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

static void serve(int fd)
{
	sd_id128_t id;
	sd_bus *bus;

	sd_id128_randomize(&id);
	sd_bus_new(&bus);
	sd_bus_set_fd(bus, fd, fd);
	sd_bus_set_server(bus, 1, id);
	sd_bus_set_anonymous(bus, 1);
	sd_bus_add_object_vtable(bus, NULL, PATH, MANAGER, manager, NULL);
	sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/DBus", "org.freedesktop.DBus", daemon_calls, NULL);
	sd_bus_add_fallback_vtable(bus, NULL, PATH "/unit", "org.freedesktop.systemd1.Scope", scope, any_unit, bus);
	sd_bus_start(bus);
	for (;;) {
		int r = sd_bus_process(bus, NULL);

		if (r < 0 || (!r && sd_bus_wait(bus, UINT64_MAX) < 0))
			break;
	}
	sd_bus_close_unref(bus);
}

int main(int argc, char **argv)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	if (argc != 3 || !(out = fopen(argv[2], "ae")))
		return 2;
	/* whoever finds it by its name is heard */
	snprintf(a.sun_path, sizeof(a.sun_path), "%s.new", argv[1]);
	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(listener, 16) < 0 || rename(a.sun_path, argv[1]))
		return 1;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		/* the one that holds a scope stays while others come */
		if (!fork()) {
			serve(fd);
			_exit(0);
		}
		close(fd);
	}
	return 0;
}
