/*
 * wait.h - Linux's wait options, id types and statuses (linux/wait.h).
 */
#ifndef SENTRY_ABI_WAIT_H
#define SENTRY_ABI_WAIT_H

#define LINUX_WNOHANG 0x1
#define LINUX_WUNTRACED 0x2
#define LINUX_WSTOPPED 0x2
#define LINUX_WEXITED 0x4
#define LINUX_WCONTINUED 0x8
#define LINUX_WNOWAIT 0x1000000
#define LINUX_WNOTHREAD 0x20000000
#define LINUX_WALL 0x40000000
#define LINUX_WCLONE 0x80000000

#define LINUX_P_ALL 0
#define LINUX_P_PID 1
#define LINUX_P_PGID 2
#define LINUX_P_PIDFD 3

/* wait statuses */
#define LINUX_W_EXIT(code) (((code)&0xff) << 8)
#define LINUX_W_STOP(sig) ((sig) << 8 | 0x7f)
#define LINUX_W_CONTINUED 0xffff
#define LINUX_WTERMSIG(s) ((s)&0x7f)
#define LINUX_WEXITSTATUS(s) ((s) >> 8 & 0xff)

#endif
