/*
 * podman-loop.c - a server and a client on the loopback, for containers that
 * share it: `loop serve PORT TEXT` answers every connection with TEXT, `loop get
 * PORT` prints what it is told.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int serve(int s, const struct sockaddr_in *a, const char *text)
{
	int one = 1, c;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s, (const struct sockaddr *)a, sizeof(*a)) || listen(s, 8)) {
		perror("bind");
		return 1;
	}
	while ((c = accept(s, NULL, NULL)) >= 0) {
		dprintf(c, "%s\n", text);
		close(c);
	}
	return 1;
}

/* The server may have been started just now: asks for five seconds. */
static int get(int s, const struct sockaddr_in *a)
{
	char buf[256];
	ssize_t n;

	for (int tries = 0; connect(s, (const struct sockaddr *)a, sizeof(*a)); tries++) {
		if (errno != ECONNREFUSED || tries == 100) {
			perror("connect");
			return 1;
		}
		usleep(50000);
	}
	while ((n = read(s, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, stdout);
	return n < 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int s = socket(AF_INET, SOCK_STREAM, 0);

	if (argc < 3 || s < 0)
		return 2;
	a.sin_port = htons((unsigned short)atoi(argv[2]));
	return argc > 3 ? serve(s, &a, argv[3]) : get(s, &a);
}
