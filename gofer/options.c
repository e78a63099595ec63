/*
 * options.c - the command line: a table of long options.
 */
#include "options.h"

#include "libipc/fd.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_ROOT = 256,
	OPT_TREE,
	OPT_TREE_RO,
	OPT_TREE_FD,
	OPT_TREE_FILE_FD,
	OPT_IPC_FD,
	OPT_LISTEN,
	OPT_READ_ONLY,
	OPT_ALLOW_MKNOD,
	OPT_HOST_UDS,
	OPT_KEEPER,
	OPT_START,
	OPT_GO_FD,
	OPT_NO_CONFINE,
	OPT_NAMESPACES,
	OPT_PANIC_FD,
	OPT_LOG_FD,
	OPT_LOG_FORMAT,
	OPT_DEBUG,
	OPT_PRINT_POLICY,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{ "root", required_argument, NULL, OPT_ROOT },
	{ "tree", required_argument, NULL, OPT_TREE },
	{ "tree-ro", required_argument, NULL, OPT_TREE_RO },
	{ "tree-fd", required_argument, NULL, OPT_TREE_FD },
	{ "tree-file-fd", required_argument, NULL, OPT_TREE_FILE_FD },
	{ "ipc-fd", required_argument, NULL, OPT_IPC_FD },
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "read-only", no_argument, NULL, OPT_READ_ONLY },
	{ "allow-mknod", no_argument, NULL, OPT_ALLOW_MKNOD },
	{ "host-uds", required_argument, NULL, OPT_HOST_UDS },
	{ "keeper", no_argument, NULL, OPT_KEEPER },
	{ "start", required_argument, NULL, OPT_START },
	{ "go-fd", required_argument, NULL, OPT_GO_FD },
	{ "no-confine", no_argument, NULL, OPT_NO_CONFINE },
	{ "namespaces-made", no_argument, NULL, OPT_NAMESPACES },
	{ "panic-fd", required_argument, NULL, OPT_PANIC_FD },
	{ "log-fd", required_argument, NULL, OPT_LOG_FD },
	{ "log-format", required_argument, NULL, OPT_LOG_FORMAT },
	{ "debug", no_argument, NULL, OPT_DEBUG },
	{ "print-policy", no_argument, NULL, OPT_PRINT_POLICY },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

void options_usage(FILE *f)
{
	fputs("usage: gofer --root DIR [--tree PATH | --tree-ro PATH | --tree-fd N]... (--ipc-fd N | --listen PATH) [options]\n"
	      "\n"
	      "Serves the files below the given directories to a sentry, and nothing else.\n"
	      "\n"
	      "  --root DIR            tree 0\n"
	      "  --tree PATH           a further tree: a directory or a single file\n"
	      "  --tree-ro PATH        the same, read-only\n"
	      "  --tree-fd N           a further tree: the detached mount of a directory, open as descriptor N\n"
	      "  --tree-file-fd N      a further tree: the file 'file' in such a mount\n"
	      "  --ipc-fd N            serve this SEQPACKET socket and end with it\n"
	      "  --listen PATH         serve every connection to a socket made here (mode 0600)\n"
	      "  --read-only           all trees are read-only\n"
	      "  --allow-mknod         device files may be made (needs CAP_MKNOD)\n"
	      "  --host-uds=connect    host UNIX sockets in the trees may be connected to\n"
	      "  --host-uds=create     and may be made\n"
	      "  --keeper              with --ipc-fd: one process serves, another starts its successor if it is killed\n"
	      "  --start N             with --keeper: up to N of them served this socket before, and were killed\n"
	      "  --go-fd N             begin when a byte comes from here; if it ends without, so does the gofer\n"
	      "  --no-confine          tests only: keep the caller's namespaces and root\n"
	      "  --namespaces-made     the network, IPC and host name namespaces are the sandbox's own already\n"
	      "  --panic-fd N          for last words: why this process fails\n"
	      "  --log-fd N            log to this descriptor (standard error)\n"
	      "  --log-format FORMAT   text or json (text)\n"
	      "  --debug               log every request\n"
	      "  --print-policy        print what this process may do, with these options\n"
	      "  --help, --version\n",
		f);
}

static struct err *add_tree(struct options *o, const char *path, bool root, bool read_only)
{
	struct tree *t;

	if (!*path)
		return err_new(0, "a tree's path is empty");
	if (root && o->trees[0].path)
		return err_new(0, "--root given twice");
	if (!root && o->n_trees == TREES_MAX)
		return err_new(0, "more than %d trees", TREES_MAX);
	t = &o->trees[root ? 0 : o->n_trees++];
	*t = (struct tree){ .path = path, .read_only = read_only, .fd = -1 };
	return NULL;
}

static struct err *add_given(struct options *o, const char *option, const char *number, bool holder)
{
	int fd = -1;
	struct err *e = fd_from_option(option, number, &fd);

	if (e || (e = add_tree(o, number, false, false)))
		return e;
	o->trees[o->n_trees - 1].fd = fd;
	o->trees[o->n_trees - 1].holder = holder;
	return NULL;
}

static struct err *parse_host_uds(struct options *o, const char *value)
{
	if (!strcmp(value, "connect"))
		o->host_uds = HOST_UDS_CONNECT;
	else if (!strcmp(value, "create"))
		o->host_uds = HOST_UDS_CREATE;
	else if (strcmp(value, "none") != 0)
		return err_new(0, "--host-uds=%s: not connect or create", value);
	return NULL;
}

static struct err *parse_log_format(struct options *o, const char *value)
{
	if (!strcmp(value, "json"))
		o->log_format = LOG_JSON;
	else if (strcmp(value, "text") != 0)
		return err_new(0, "--log-format %s: not text or json", value);
	return NULL;
}

static struct err *parse_start(struct options *o, const char *value)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || n > STARTS_MAX - KEEPER_STARTS)
		return err_new(0, "--start %.64s: not a number of at most %d", value, STARTS_MAX - KEEPER_STARTS);
	o->start = (unsigned)n;
	return NULL;
}

static struct err *parse_one(struct options *o, int opt)
{
	switch (opt) {
	case OPT_ROOT:
		return add_tree(o, optarg, true, false);
	case OPT_TREE:
		return add_tree(o, optarg, false, false);
	case OPT_TREE_RO:
		return add_tree(o, optarg, false, true);
	case OPT_TREE_FD:
		return add_given(o, "--tree-fd", optarg, false);
	case OPT_TREE_FILE_FD:
		return add_given(o, "--tree-file-fd", optarg, true);
	case OPT_IPC_FD:
		return fd_from_option("--ipc-fd", optarg, &o->ipc_fd);
	case OPT_LISTEN:
		o->listen = optarg;
		return NULL;
	case OPT_READ_ONLY:
		o->read_only = true;
		return NULL;
	case OPT_ALLOW_MKNOD:
		o->allow_mknod = true;
		return NULL;
	case OPT_HOST_UDS:
		return parse_host_uds(o, optarg);
	case OPT_KEEPER:
		o->keeper = true;
		return NULL;
	case OPT_START:
		return parse_start(o, optarg);
	case OPT_GO_FD:
		return fd_from_option("--go-fd", optarg, &o->go_fd);
	case OPT_NO_CONFINE:
		o->no_confine = true;
		return NULL;
	case OPT_NAMESPACES:
		o->namespaces_made = true;
		return NULL;
	case OPT_PANIC_FD:
		return fd_from_option("--panic-fd", optarg, &o->panic_fd);
	case OPT_LOG_FD:
		return fd_from_option("--log-fd", optarg, &o->log_fd);
	case OPT_LOG_FORMAT:
		return parse_log_format(o, optarg);
	case OPT_DEBUG:
		o->debug = true;
		return NULL;
	case OPT_PRINT_POLICY:
		o->print_policy = true;
		return NULL;
	case OPT_HELP:
		o->help = true;
		return NULL;
	case OPT_VERSION:
		o->version = true;
		return NULL;
	case ':':
		return err_new(0, "an option lacks its value; see --help");
	default:
		return err_new(0, "unknown option; see --help");
	}
}

static struct err *check(struct options *o)
{
	if (o->help || o->version || o->print_policy)
		return NULL;
	if (!o->trees[0].path)
		return err_new(0, "--root is missing; see --help");
	if ((o->ipc_fd >= 0) == (o->listen != NULL))
		return err_new(0, "give --ipc-fd or --listen, one of them");
	/* it must be its pid namespace's first process, and one more with sockets of the host were too powerful */
	if (o->keeper && (o->listen || o->no_confine || o->host_uds != HOST_UDS_NONE))
		return err_new(0, "--keeper: not with --listen, --no-confine or --host-uds");
	if (o->start && !o->keeper)
		return err_new(0, "--start: only with --keeper");
	for (size_t i = 0; o->read_only && i < o->n_trees; i++)
		o->trees[i].read_only = true;
	return NULL;
}

struct err *options_parse(int argc, char **argv, struct options *o)
{
	struct err *e = NULL;
	int opt;

	*o = (struct options){ .n_trees = 1, .ipc_fd = -1, .go_fd = -1, .panic_fd = -1, .log_fd = STDERR_FILENO };
	o->trees = calloc(TREES_MAX, sizeof(*o->trees));
	if (!o->trees)
		return err_new(ENOMEM, "options");
	o->trees[0].fd = -1;
	opterr = 0;
	while (!e && (opt = getopt_long(argc, argv, ":", long_options, NULL)) >= 0) {
		e = parse_one(o, opt);
		if (e && (opt == '?' || opt == ':'))
			e = err_wrap(e, "%s", argv[optind - 1]);
	}
	if (!e && optind < argc)
		e = err_new(0, "%s: not an option; see --help", argv[optind]);
	return e ? e : check(o);
}
