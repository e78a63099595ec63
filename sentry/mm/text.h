/*
 * text.h - patched program text: pages of mapped files whose system calls have
 * been replaced by jumps (platform_patching), so that they need not trap.
 *
 * A page version is a page of the memory file: the file's bytes with some sites
 * patched in.  It never changes, and is shared by all processes that map that
 * page of that file.  Another site makes another version.
 */
#ifndef SENTRY_MM_TEXT_H
#define SENTRY_MM_TEXT_H

#include "platform/platform.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct memfile;
struct memobj;
struct mm;
struct texts; /* all page versions */

#define TEXT_SITES_PER_PAGE 48u

struct text_site {
	struct platform_site site;
	uint16_t index; /* of its entry */
};

/* Immutable but for the links. */
struct text_page {
	TAILQ_ENTRY(text_page) lru; /* [texts' mu] */
	LIST_ENTRY(text_page) hash; /* [texts' mu] */
	bool cached; /* [texts' mu] */
	unsigned refs; /* [texts' mu] the cache's, and one a process that maps it */
	const struct memobj *obj; /* names the file, is never used: it may be gone */
	uint64_t obj_off;
	uint64_t mem; /* offset in the memory file; one reference is ours */
	unsigned n;
	struct text_site sites[TEXT_SITES_PER_PAGE];
};

struct texts *texts_new(struct memfile *mf, const struct platform_patching *p); /* NULL: no memory */
const struct platform_patching *texts_patching(const struct texts *t);

/* The version of a page of obj whose bytes now are at memory file offset `mem`
 * (a page that only the caller has, and whose reference is taken over), with the
 * call at `end`, that trapped with those registers, patched, besides those that were found before.  A reference, or
 * NULL: that call cannot be patched, or no memory. */
struct text_page *text_page_get(struct texts *t, const struct memobj *obj, uint64_t obj_off, uint64_t mem, unsigned end,
				const struct regs *r);
/* The same of a page with those bytes, which are overwritten, as it is known already. */
struct text_page *text_page_known(struct texts *t, const struct memobj *obj, uint64_t obj_off, uint8_t *bytes);
/* Makes a page with those bytes known, if it has sites that need not trap to be found. */
void text_page_seek(struct texts *t, const struct memobj *obj, uint64_t obj_off, const uint8_t *bytes);
/* Whether a page of obj in [*off, end) is known; *off: the first. */
bool text_next_known(struct texts *t, const struct memobj *obj, uint64_t *off, uint64_t end);
void text_page_put(struct texts *t, struct text_page *p);

/* --- text_emulate.c --- */
#define TEXT_SITE_LEN 7
#define TEXT_STORE_LEN 5
bool text_stores(const uint8_t code[TEXT_SITE_LEN]); /* mov %r11, 8(%rsp), before a call */
/* Does what the file has at rip, if that is part of a site; PLATFORM_TRAP: it is not. */
enum platform_event text_emulate(struct regs *r, const uint8_t code[TEXT_SITE_LEN]);

/* --- text_known.c: the program's loader has been mapped there, and not run yet. No locks held --- */
void mm_text_load(struct mm *mm, uint64_t start, uint64_t end);

/* --- text.c: a debugger looks at the process: its text is as the file has it, and stays so ---
 * hold: may sleep.  hold_new: of an address space that has not run, nor been loaded.  release: any locks held. */
void mm_text_hold(struct mm *mm);
void mm_text_hold_new(struct mm *mm);
void mm_text_release(struct mm *mm);

/* --- text.c: for the task loop, before the event is handled --- */
/* A call has trapped at its instruction, which ends at rip. */
void mm_text_trapped(struct mm *mm, const struct regs *r);
/* --- text_event.c --- */
/* An event other than a system call: what it is to the program, which knows
 * nothing of patched sites. */
enum platform_event mm_text_event(struct mm *mm, enum platform_event ev, const struct platform_trap *trap, struct regs *r);

#endif
