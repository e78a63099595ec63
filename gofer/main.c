/*
 * main.c - the gofer: the only process that can reach a container's files by
 * name.
 *
 * One thread.  Opens the trees with what its caller may do, then confines
 * itself (policy.c) and serves the file system protocol (gofer.msg.h) to peers
 * that may be hostile; with --keeper in a process of its own (keeper.c).  Exit status: 0 when the one peer went, or after --help
 * and the like; 1 for an error, or when the one peer broke the protocol.
 */
#include "attr.h"
#include "keeper.h"
#include "listen.h"
#include "near.h"
#include "options.h"
#include "policy.h"
#include "server.h"

#include "libipc/confine.h"
#include "libipc/fd.h"
#include "libipc/panic.h"
#include "libipc/sanitize.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Descriptors that no set counts: standard ones, sockets, epoll, the trees,
 * and what one request opens beyond the budget before it is trimmed. */
#define FDS_RESERVED 256u
#define FDS_ENOUGH 65536u

/* Raises the limit as far as it may go; answers what may be kept open. */
static struct err *fd_budget(size_t n_trees, unsigned *budget)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return err_new(errno, "RLIMIT_NOFILE");
	r.rlim_cur = r.rlim_max < FDS_ENOUGH ? r.rlim_max : FDS_ENOUGH;
	if (setrlimit(RLIMIT_NOFILE, &r))
		return err_new(errno, "RLIMIT_NOFILE");
	if (r.rlim_cur < FDS_RESERVED + n_trees + 64)
		return err_new(EMFILE, "RLIMIT_NOFILE is %llu", (unsigned long long)r.rlim_cur);
	*budget = (unsigned)(r.rlim_cur - FDS_RESERVED - n_trees);
	return NULL;
}

/* What the caller left open by mistake is not ours to hold. */
static struct err *close_others(const struct options *o)
{
	_cleanup_free_ int *keep = calloc(o->n_trees + 3, sizeof(*keep));
	size_t n = 0;

	if (!keep)
		return err_new(ENOMEM, "closing descriptors");
	keep[n++] = o->ipc_fd;
	keep[n++] = o->log_fd;
	keep[n++] = o->panic_fd;
	for (size_t i = 0; i < o->n_trees; i++)
		keep[n++] = o->trees[i].fd; /* given ones; the others are not open yet */
	return fd_keep_only(keep, n);
}

/* Nothing asked for so long: what serving takes is given back (conn_run). */
static const struct timeval idle_after = { .tv_usec = 500000 };

static struct err *prepare_socket(int fd)
{
	int type = 0, domain = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len))
		return err_new(errno, "--ipc-fd %d", fd);
	if (type != SOCK_SEQPACKET || domain != AF_UNIX)
		return err_new(0, "--ipc-fd %d: not a SEQPACKET socket of AF_UNIX", fd);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &idle_after, sizeof(idle_after)))
		return err_new(errno, "--ipc-fd %d", fd);
	return NULL;
}

static struct err *confine(const struct options *o, struct server *s)
{
	struct confine_opts how = { .no_namespaces = o->no_confine, .namespaces_made = o->namespaces_made };
	struct err *e;

	if (o->no_confine)
		log_warning("--no-confine: this process keeps its caller's namespaces and root");
	e = confine_enter(o->keeper ? gofer_keeper_policy(o) : gofer_policy(o), &how);
	if (e)
		return e;
	umask(0); /* modes come from the peer, exact */
	log_keep_pid();
	s->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return s->root < 0 ? err_new(errno, "/") : NULL;
}

/* Nothing but epoll: other back ends would need other calls.  With a keeper it is one
 * set for each process that serves after the other; all it ever holds is the socket, which
 * the next one finds in it (libevent copes). */
static struct err *make_base(struct server *s)
{
	struct event_config *cfg = event_config_new();

	if (cfg) {
		event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV | EVENT_BASE_FLAG_NO_CACHE_TIME);
		event_config_require_features(cfg, EV_FEATURE_O1);
		s->base = event_base_new_with_config(cfg);
		event_config_free(cfg);
	}
	return s->base ? NULL : err_new(ENOMEM, "event loop");
}

/* Up to what every process that serves begins with. */
static struct err *prepare(const struct options *o, struct server *s, int *listener)
{
	unsigned budget = 0;
	struct err *e = o->listen ? NULL : prepare_socket(o->ipc_fd);

	if (e || (e = fd_budget(o->n_trees, &budget)) || (e = trees_open(o->trees, o->n_trees)))
		return e;
	if (s->once)
		near_init(&s->cpus);
	if ((o->listen && (e = listen_open(o->listen, listener))) || (e = confine(o, s)))
		return e;
	log_timing("trees opened, confined");
	node_fds_init(&s->fds, budget);
	if (getrandom(&s->seed, sizeof(s->seed), 0) != sizeof(s->seed))
		return err_new(errno, "getrandom");
	return make_base(s);
}

/* The only peer there is; told first if it has known another process before this one. */
static struct err *open_only(const struct options *o, struct server *s, struct conn **out)
{
	struct err *e = conn_open(s, o->ipc_fd, out);

	return e || !s->start ? e : conn_tell_restarted(*out);
}

/* Nothing is touched before, and the connection is as it was if it never comes. */
static void await_word(int fd)
{
	ssize_t n;
	char c;

	while ((n = read(fd, &c, 1)) < 0 && errno == EINTR)
		;
	if (n != 1)
		_exit(1);
}

static struct err *serve(const struct options *o, struct server *s)
{
	_cleanup_close_ int listener = -1;
	struct keeper keeper = { .gate = -1 };
	struct conn *only = NULL;
	struct err *e = prepare(o, s, &listener);

	if (e || (o->keeper && (e = keeper_split(o, &keeper))))
		return e;
	s->start = keeper.start;
	if ((e = o->listen ? listen_serve(s, TAKE_FD(listener)) : open_only(o, s, &only)) ||
		(e = keeper_wait_sealed(&keeper)) || (e = o->keeper ? confine_seal_child(gofer_policy(o)) : confine_seal(gofer_policy(o))))
		return e;
	log_timing("sealed");
	if (only)
		conn_run(only);
	else
		event_base_dispatch(s->base);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct server s; /* scratch memory is large */
	struct options o;
	_cleanup_err_ struct err *e = options_parse(argc, argv, &o);

	if (!e && o.go_fd >= 0)
		await_word(o.go_fd);
	log_init("gofer", o.log_fd, o.log_format, o.debug ? LOG_DEBUG : LOG_WARNING);
	signal(SIGPIPE, SIG_IGN);
	mallopt(M_MMAP_MAX, 0); /* the heap is enough, and the policy knows no munmap */
	attr_probe();
	if (!e && o.help) {
		options_usage(stdout);
	} else if (!e && o.version) {
		printf("gofer (redoubt) %s\n", REDOUBT_VERSION);
	} else if (!e && o.print_policy) {
		policy_print(o.keeper ? gofer_keeper_policy(&o) : gofer_policy(&o), stdout);
	} else if (!e && !(e = close_others(&o))) {
		panic_init("gofer", o.panic_fd, NULL);
		s.options = &o;
		s.trees = o.trees;
		s.n_trees = o.n_trees;
		s.once = !o.listen;
		e = serve(&o, &s);
	}
	if (e)
		log_fatal(err_text(e));
	if (e && o.keeper && o.ipc_fd >= 0)
		shutdown(o.ipc_fd, SHUT_RDWR); /* the peer may hold our end: see keeper.c */
	return e || s.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
