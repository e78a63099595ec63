/* Pseudo terminals by name and by TIOCGPTPEER. */
#include "../test.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>

CASE(peer_has_its_name)
{
	int m = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY), s, n;
	char name[32], *found;
	struct stat st;

	CHECK(m >= 0 && ioctl(m, TIOCGPTN, &n) == 0);
	CHECK_ERR(ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY), EIO); /* locked */
	CHECK(unlockpt(m) == 0);
	s = ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(s >= 0 && fcntl(s, F_GETFD) == FD_CLOEXEC);
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	found = ttyname(s);
	CHECK(found && !strcmp(found, name));
	CHECK(fstat(s, &st) == 0 && S_ISCHR(st.st_mode) && major(st.st_rdev) == 136 && (int)minor(st.st_rdev) == n);
	CHECK(write(m, "hi\n", 3) == 3 && read(s, name, 10) == 3);
	close(m);
	CHECK(read(s, name, 10) == 0);
}

int main(void) { return run_cases(); }
