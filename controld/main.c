/*
 * main.c - controld: supervises one sandbox and serves its control socket.
 *
 * One thread.  Started by the launcher's child, which it is: the gofer and the
 * sentry are its children already when it begins.  Everything it works with
 * was donated to it; it opens nothing and writes to no file but its log.  It
 * ends when it is told to destroy the sandbox, or when the launcher goes before
 * the sandbox was let go of (--lifeline-fd); after the container's end it
 * stays to tell its exit status.
 */
#include "options.h"
#include "policy.h"
#include "sandbox.h"

#include "libipc/confine.h"
#include "libipc/fd.h"
#include "libipc/panic.h"
#include "libipc/rest.h"
#include "libipc/sanitize.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

/* Nothing but epoll: other back ends would need other calls. */
static struct err *make_base(struct event_base **out)
{
	struct event_config *cfg = event_config_new();

	if (cfg) {
		event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
		event_config_require_features(cfg, EV_FEATURE_O1);
		*out = event_base_new_with_config(cfg);
		event_config_free(cfg);
	}
	return *out ? NULL : err_new(ENOMEM, "event loop");
}

static struct err *serve(const struct options *o, struct sandbox *s)
{
	struct err *e = confine_enter(&controld_policy, &(struct confine_opts){ .namespaces_made = o->namespaces_made });

	log_timing("confined");
	if (e || (e = make_base(&s->base)) || (e = containers_start(s, o->id)) || (e = methods_connect_sentry(s, o->sentry)) || (e = supervise_start(s, o)) ||
		(e = o->adopted ? adopted_start(s, o->listen) : server_start(s, o->listen)) || (e = terminal_start(s, o->terminal)))
		return e;
	log_timing("control socket served");
	rest_watch(s->base);
	if ((e = confine_seal(&controld_policy)))
		return e;
	log_timing("sealed");
	event_base_dispatch(s->base);
	return NULL;
}

static void clean_up(struct sandbox *s)
{
	server_stop(s);
	methods_sentry_gone(s);
	terminal_stop(s);
	supervise_stop(s);
	containers_stop(s);
	if (s->let_go)
		event_free(s->let_go);
	if (s->base)
		event_base_free(s->base);
}

int main(int argc, char **argv)
{
	struct sandbox s = { .listen = -1, .lifeline = -1, .terminal = -1, .resized = -1, .sentry = { .pidfd = -1, .epoll = -1 }, .gofer.pidfd = -1 };
	struct options o;
	struct err *e = options_parse(argc, argv, &o);

	log_init("controld", e ? STDERR_FILENO : o.log_fd, o.log_format, o.debug ? LOG_DEBUG : LOG_WARNING);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN); /* a terminal that goes is the program's affair */
	LIST_INIT(&s.clients);
	LIST_INIT(&s.containers);
	if (!e && o.help) {
		options_usage(stdout);
	} else if (!e && o.version) {
		printf("controld (redoubt) %s\n", REDOUBT_VERSION);
	} else if (!e && o.print_policy) {
		policy_print(&controld_policy, stdout);
	} else if (!e) {
		panic_init("controld", o.panic_fd, NULL);
		e = serve(&o, &s);
		clean_up(&s);
	}
	if (e) {
		log_fatal(err_text(e));
		err_free(e);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
