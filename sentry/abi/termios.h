/*
 * termios.h - Linux's terminal types and numbers on x86_64 (asm/termbits.h, asm/ioctls.h).
 */
#ifndef SENTRY_ABI_TERMIOS_H
#define SENTRY_ABI_TERMIOS_H

#include <stdint.h>

#define LINUX_NCCS 19
struct linux_termios {
	uint32_t c_iflag, c_oflag, c_cflag, c_lflag;
	uint8_t c_line;
	uint8_t c_cc[LINUX_NCCS];
};
struct linux_termios2 {
	struct linux_termios t;
	uint32_t c_ispeed, c_ospeed;
};
_Static_assert(sizeof(struct linux_termios) == 36, "termios");
#define LINUX_NCC 8
struct linux_termio { /* System V's */
	uint16_t c_iflag, c_oflag, c_cflag, c_lflag;
	uint8_t c_line;
	uint8_t c_cc[LINUX_NCC];
};
_Static_assert(sizeof(struct linux_termio) == 18, "termio");
struct linux_winsize {
	uint16_t ws_row, ws_col, ws_xpixel, ws_ypixel;
};

/* c_cc */
enum {
	LINUX_VINTR, LINUX_VQUIT, LINUX_VERASE, LINUX_VKILL, LINUX_VEOF, LINUX_VTIME, LINUX_VMIN, LINUX_VSWTC, LINUX_VSTART,
	LINUX_VSTOP, LINUX_VSUSP, LINUX_VEOL, LINUX_VREPRINT, LINUX_VDISCARD, LINUX_VWERASE, LINUX_VLNEXT, LINUX_VEOL2,
};
/* c_iflag */
#define LINUX_ISTRIP 0000040u
#define LINUX_INLCR 0000100u
#define LINUX_IGNCR 0000200u
#define LINUX_ICRNL 0000400u
#define LINUX_IUCLC 0001000u
#define LINUX_IXON 0002000u
#define LINUX_IXANY 0004000u
#define LINUX_IMAXBEL 0020000u
#define LINUX_IUTF8 0040000u
/* c_oflag */
#define LINUX_OPOST 0000001u
#define LINUX_OLCUC 0000002u
#define LINUX_ONLCR 0000004u
#define LINUX_OCRNL 0000010u
#define LINUX_ONOCR 0000020u
#define LINUX_ONLRET 0000040u
#define LINUX_TABDLY 0014000u
#define LINUX_XTABS 0014000u
/* c_cflag */
#define LINUX_B38400 0000017u
#define LINUX_CS8 0000060u
#define LINUX_CREAD 0000200u
/* c_lflag */
#define LINUX_ISIG 0000001u
#define LINUX_ICANON 0000002u
#define LINUX_ECHO 0000010u
#define LINUX_ECHOE 0000020u
#define LINUX_ECHOK 0000040u
#define LINUX_ECHONL 0000100u
#define LINUX_NOFLSH 0000200u
#define LINUX_TOSTOP 0000400u
#define LINUX_ECHOCTL 0001000u
#define LINUX_ECHOKE 0004000u
#define LINUX_IEXTEN 0100000u
#define LINUX_EXTPROC 0200000u

#define LINUX_TCGETS 0x5401
#define LINUX_TCSETS 0x5402
#define LINUX_TCSETSW 0x5403
#define LINUX_TCSETSF 0x5404
#define LINUX_TCGETA 0x5405
#define LINUX_TCSETA 0x5406
#define LINUX_TCSETAW 0x5407
#define LINUX_TCSETAF 0x5408
#define LINUX_TCSBRK 0x5409
#define LINUX_TCXONC 0x540a
#define LINUX_TCFLSH 0x540b
#define LINUX_TIOCEXCL 0x540c
#define LINUX_TIOCNXCL 0x540d
#define LINUX_TIOCSCTTY 0x540e
#define LINUX_TIOCGPGRP 0x540f
#define LINUX_TIOCSPGRP 0x5410
#define LINUX_TIOCOUTQ 0x5411
#define LINUX_TIOCSTI 0x5412
#define LINUX_TIOCGWINSZ 0x5413
#define LINUX_TIOCSWINSZ 0x5414
#define LINUX_TIOCPKT 0x5420
#define LINUX_TIOCGLCKTRMIOS 0x5456
#define LINUX_TIOCSLCKTRMIOS 0x5457
#define LINUX_TIOCGEXCL 0x80045440
#define LINUX_TIOCNOTTY 0x5422
#define LINUX_TIOCGETD 0x5424
#define LINUX_TCSBRKP 0x5425
#define LINUX_TIOCGSID 0x5429
#define LINUX_TCGETS2 0x802c542a
#define LINUX_TCSETS2 0x402c542b
#define LINUX_TCSETSW2 0x402c542c
#define LINUX_TCSETSF2 0x402c542d
#define LINUX_TIOCGPTN 0x80045430
#define LINUX_TIOCSPTLCK 0x40045431
#define LINUX_TIOCGPKT 0x80045438
#define LINUX_TIOCGPTLCK 0x80045439
#define LINUX_TIOCGPTPEER 0x5441

#endif
