/* Pseudo terminals by name and by TIOCGPTPEER. */
#include "../test.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <asm/termbits.h>

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

static int terminal(int *slave, char name[static 32])
{
	int m = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY), n, zero = 0;

	CHECK(m >= 0 && ioctl(m, TIOCGPTN, &n) == 0 && ioctl(m, TIOCSPTLCK, &zero) == 0);
	snprintf(name, 32, "/dev/pts/%d", n);
	*slave = open(name, O_RDWR | O_NOCTTY);
	CHECK(*slave >= 0);
	return m;
}

struct short_settings { /* struct termio, which clashes with libc's names */
	unsigned short iflag, oflag, cflag, lflag;
	unsigned char line, cc[8];
};

CASE(short_settings)
{
	struct short_settings s;
	struct termios t, u;
	char name[32];
	int slave, m = terminal(&slave, name);

	CHECK(ioctl(slave, TCGETS, &t) == 0);
	t.c_iflag |= 0x40000000;
	t.c_cc[VWERASE] = 7;
	CHECK(ioctl(slave, TCSETS, &t) == 0);
	CHECK(ioctl(slave, TCGETA, &s) == 0);
	CHECK(s.iflag == (unsigned short)t.c_iflag && s.lflag == (unsigned short)t.c_lflag && s.cc[VINTR] == t.c_cc[VINTR]);
	s.lflag &= (unsigned short)~ECHO;
	s.cc[VINTR] = 5;
	CHECK(ioctl(m, TCSETA, &s) == 0 && ioctl(slave, TCSETAW, &s) == 0 && ioctl(slave, TCSETAF, &s) == 0);
	CHECK(ioctl(slave, TCGETS, &u) == 0);
	CHECK(u.c_iflag == t.c_iflag && u.c_lflag == (t.c_lflag & ~(unsigned)ECHO) && u.c_cc[VINTR] == 5 && u.c_cc[VWERASE] == 7);
	CHECK_ERR(ioctl(slave, TCGETA, NULL), EFAULT);
}

CASE(locked_settings)
{
	struct termios locks, t;
	char name[32];
	int slave;

	terminal(&slave, name);
	CHECK(ioctl(slave, TIOCGLCKTRMIOS, &locks) == 0 && !locks.c_lflag);
	locks.c_lflag = ECHO;
	locks.c_cc[VINTR] = 1;
	if (ioctl(slave, TIOCSLCKTRMIOS, &locks)) { /* in a container without CAP_SYS_ADMIN */
		CHECK_ERR(ioctl(slave, TIOCSLCKTRMIOS, &locks), EPERM);
		return;
	}
	CHECK(ioctl(slave, TCGETS, &t) == 0 && t.c_lflag & ECHO && t.c_cc[VINTR] == 3);
	t.c_lflag &= ~(unsigned)(ECHO | ISIG);
	t.c_cc[VINTR] = 9;
	CHECK(ioctl(slave, TCSETS, &t) == 0 && ioctl(slave, TCGETS, &t) == 0);
	CHECK(t.c_lflag & ECHO && !(t.c_lflag & ISIG) && t.c_cc[VINTR] == 3);
}

CASE(exclusive)
{
	char name[32];
	int slave, m = terminal(&slave, name), on = 9, st;

	CHECK(ioctl(slave, TIOCGEXCL, &on) == 0 && on == 0);
	CHECK(ioctl(slave, TIOCEXCL) == 0 && ioctl(slave, TIOCGEXCL, &on) == 0 && on == 1);
	CHECK(ioctl(m, TIOCGEXCL, &on) == 0 && on == 0);
	CHECK(chmod(name, 0666) == 0);
	if (!fork()) {
		CHECK(setuid(1) == 0);
		CHECK_ERR(open(name, O_RDWR | O_NOCTTY), EBUSY);
		CHECK(ioctl(slave, TIOCNXCL) == 0);
		CHECK(open(name, O_RDWR | O_NOCTTY) >= 0);
		CHECK(ioctl(slave, TIOCEXCL) == 0);
		_exit(0);
	}
	CHECK(wait(&st) > 0 && st == 0);
	CHECK(ioctl(slave, TIOCGEXCL, &on) == 0 && on == 1);
}

int main(void) { return run_cases(); }
