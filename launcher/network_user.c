/*
 * network_user.c - a user-mode network (--network=user): slirp4netns(1), which connects to the outside as any
 * program of the caller's would and needs no privilege, no network namespace and no change to the host's
 * interfaces, is at the other end of the sandbox's interface.  Nothing from outside gets in, nor anything from
 * inside to the host's own loopback.  It ends with the launcher: of what it holds open nobody else has a copy.
 */
#include "network.h"

#include "failure.h"

#include "libipc/fd.h"
#include "libipc/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM "slirp4netns"
#define NAME STATE_USER_NETWORK
#define INDEX 2
#define MTU 65520
#define LISTENS_MS 10000

/* Its own addresses, as it has them by default. */
#define OWN 0x0a000264u /* 10.0.2.100/24 */
#define GATEWAY 0x0a000202u

/* The running one's; it ends when `hold` is closed. */
static struct {
	pid_t pid;
	int hold;
} running = { 0, -1 };

/* --- what the interface has, as a kernel would tell it --------------------------------------- */

static void put_attribute(struct nlmsghdr *h, unsigned short type, uint32_t value)
{
	struct rtattr *a = (void *)((char *)h + NLMSG_ALIGN(h->nlmsg_len));

	a->rta_type = type;
	a->rta_len = RTA_LENGTH(sizeof(value));
	memcpy(RTA_DATA(a), &value, sizeof(value));
	h->nlmsg_len = NLMSG_ALIGN(h->nlmsg_len) + a->rta_len;
}

static struct msg_bytes requests(struct pool *p)
{
	uint32_t *words = pool_alloc(p, 256); /* enough for both */
	struct nlmsghdr *h = (void *)words;
	size_t len;

	*h = (struct nlmsghdr){ .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)), .nlmsg_type = RTM_NEWADDR, .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE };
	*(struct ifaddrmsg *)NLMSG_DATA(h) = (struct ifaddrmsg){ .ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_flags = IFA_F_PERMANENT, .ifa_index = INDEX };
	put_attribute(h, IFA_LOCAL, htonl(OWN));
	put_attribute(h, IFA_ADDRESS, htonl(OWN));
	put_attribute(h, IFA_BROADCAST, htonl(OWN | 0xff));
	len = NLMSG_ALIGN(h->nlmsg_len);
	h = (void *)((char *)words + len);
	*h = (struct nlmsghdr){ .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)), .nlmsg_type = RTM_NEWROUTE, .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE };
	*(struct rtmsg *)NLMSG_DATA(h) = (struct rtmsg){ .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT,
		.rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST };
	put_attribute(h, RTA_GATEWAY, htonl(GATEWAY));
	put_attribute(h, RTA_OIF, INDEX);
	return (struct msg_bytes){ (const uint8_t *)words, (uint32_t)(len + NLMSG_ALIGN(h->nlmsg_len)) };
}

/* Where programs look for names, if that is an address of the host's loopback (systemd-resolved): no packets lead there. */
static bool local_name_server(struct in_addr *out)
{
	FILE *f = fopen("/etc/resolv.conf", "re");
	char line[256], text[64];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, " nameserver %63s", text) == 1;
	if (f)
		fclose(f);
	return found && inet_pton(AF_INET, text, out) == 1 && ntohl(out->s_addr) >> 24 == 127;
}

/* --- the program ------------------------------------------------------------------------------- */

static _Noreturn void become(const struct state_dir *d, int end, int words)
{
	char end_fd[32];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	snprintf(end_fd, sizeof(end_fd), "%d", end);
	if (fchdir(d->fd) < 0 || fcntl(end, F_SETFD, 0) < 0 || null < 0 || dup2(null, 0) < 0 || dup2(words, 1) < 0 || dup2(words, 2) < 0)
		_exit(126);
	/* a mount namespace of its own takes privilege; without, it is the caller's like any program of theirs */
	execlp(PROGRAM, PROGRAM, "--target-type=bess", "--mtu=65520", "--enable-seccomp", "--disable-host-loopback", "--exit-fd", end_fd,
		geteuid() ? NAME : "--enable-sandbox", geteuid() ? NULL : NAME, NULL);
	dprintf(2, "%s", errno == ENOENT ? "is not installed (Debian: " PROGRAM ")" : strerror(errno));
	_exit(127);
}

/* Connects as soon as it listens. */
static struct err *meet(const struct state_dir *d, int words, int *out)
{
	const struct timespec a_little = { .tv_nsec = 1000000 };
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char text[FAILURE_TOLD_MAX + 1];

	if (fd < 0)
		return err_new(errno, "--network=user");
	network_enlarge(fd);
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/" NAME, d->fd);
	for (int ms = 0; connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0; ms++) {
		if (errno != ENOENT && errno != ECONNREFUSED)
			return err_new(errno, "--network=user: " PROGRAM "'s socket");
		if (waitpid(running.pid, NULL, WNOHANG) == running.pid) {
			running.pid = 0;
			failure_said(words, text);
			return err_new(0, "--network=user: " PROGRAM " %s", text);
		}
		if (ms == LISTENS_MS)
			return err_new(ETIMEDOUT, "--network=user: " PROGRAM);
		nanosleep(&a_little, NULL);
	}
	*out = TAKE_FD(fd);
	return NULL;
}

struct err *network_user_begin(const struct state_dir *d, struct pool *p, struct network *out)
{
	static const uint8_t mac[] = { 0x02, 0, 0x0a, 0, 0x02, 0x64 };
	_cleanup_close_ int words = memfd_create("redoubt-user-network", MFD_CLOEXEC);
	struct in_addr names;
	struct err *e;
	int end[2];

	if (words < 0 || pipe2(end, O_CLOEXEC) < 0)
		return err_new(errno, "--network=user");
	running.hold = end[1];
	running.pid = fork();
	if (!running.pid)
		become(d, end[0], words);
	close(end[0]);
	e = running.pid < 0 ? err_new(errno, "fork") : meet(d, words, &out->fds[0]);
	unlinkat(d->fd, NAME, 0);
	if (e) {
		network_user_end();
		return e;
	}
	out->links[0] = (struct boot_link){ .name = msg_str("eth0"), .index = INDEX, .mtu = MTU, .mac = { mac, sizeof(mac) }, .up = true, .plain = true };
	out->n = out->n_fds = 1;
	out->requests = requests(p);
	return local_name_server(&names) ? network_add_name_server(out, &names, 53, p) : NULL;
}

void network_user_end(void)
{
	fd_close(&running.hold);
	while (running.pid > 0 && waitpid(running.pid, NULL, 0) < 0 && errno == EINTR)
		;
	running.pid = 0;
}
