/* The stub's image: two segments at fixed addresses, no relocations. */
#include "stub.h"
ENTRY(_start)
PHDRS
{
	text PT_LOAD FLAGS(5);
	data PT_LOAD FLAGS(6);
	stack PT_GNU_STACK FLAGS(6);
}
SECTIONS
{
	. = ST_TEXT;
	.text : { *(.entry) *(.text .text.* .rodata .rodata.*) } :text
	ASSERT(. <= ST_PATCH, "the stub's text is too large")
	. = ST_PATCH;
	.patch : { *(.patch) } :text
	ASSERT(. <= ST_FILTER, "the code for patched sites is too large")
	. = ST_FILTER;
	.filter (NOLOAD) : { *(.filter) } :data
	ASSERT(. == ST_SCRATCH, "the filter's page has moved")
	.scratch (NOLOAD) : { *(.scratch) } :data
	ASSERT(. == ST_END, "the stub's scratch pages have moved")
	/DISCARD/ : { *(.note* .comment .eh_frame* .gnu*) }
	.data : { *(.data .data.* .got .got.* .bss .bss.* COMMON) } :data
	ASSERT(SIZEOF(.data) == 0, "the stub has no variables")
}
