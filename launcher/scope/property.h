/*
 * property.h - a unit's property as text, "NAME=TYPE:VALUE", into a bus message.
 *
 *   s   MemoryMax's like "Slice=s:system.slice"     b    true or false
 *   t u x i   numbers                               ay   bytes, as hex digits
 *   as  strings, a line each                        a(ss)  "first second", a line each
 */
#ifndef REDOUBT_SCOPE_PROPERTY_H
#define REDOUBT_SCOPE_PROPERTY_H

#include "libipc/err.h"

#include <systemd/sd-bus.h>

/* Appends one (sv) to an open array of them. */
struct err *property_append(sd_bus_message *m, const char *text) ERR_MUST_USE;

#endif
