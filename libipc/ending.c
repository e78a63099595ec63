/*
 * ending.c - see ending.h.  Pure.
 */
#include "libipc/ending.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

const char *ending_text(int wait_status, char buf[ENDING_MAX])
{
	int sig = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;

	if (!sig)
		snprintf(buf, ENDING_MAX, "ended with status %d", WEXITSTATUS(wait_status));
	else if (sig == SIGSYS)
		snprintf(buf, ENDING_MAX, "was killed by its seccomp filter: it made a host call that its policy does not permit; "
			"the host kernel's log names the call (dmesg | grep type=1326: syscall=N)");
	else
		snprintf(buf, ENDING_MAX, "was killed by signal %d (%s)", sig, strsignal(sig));
	return buf;
}
