/*
 * property.c - see property.h.
 */
#include "property.h"

#include "libipc/fd.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Each appends a value; negative errno as sd-bus has it, -EINVAL: not such a value. */
typedef int append_fn(sd_bus_message *m, const char *type, const char *value);

static int append_string(sd_bus_message *m, const char *type, const char *value)
{
	return sd_bus_message_append(m, type, value);
}

static int append_bool(sd_bus_message *m, const char *type, const char *value)
{
	if (strcmp(value, "true") && strcmp(value, "false"))
		return -EINVAL;
	return sd_bus_message_append(m, type, !strcmp(value, "true"));
}

/* Whole, and within what the type holds. */
static int number(const char *value, bool is_signed, uint64_t max, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = is_signed ? (uint64_t)strtoll(value, &end, 10) : strtoull(value, &end, 10);
	if (errno || end == value || *end || (!is_signed && (*value == '-' || *out > max)))
		return -EINVAL;
	return is_signed && ((int64_t)*out > (int64_t)max || (int64_t)*out < -(int64_t)max - 1) ? -EINVAL : 0;
}

static int append_number(sd_bus_message *m, const char *type, const char *value)
{
	bool is_signed = *type == 'i' || *type == 'x', wide = *type == 't' || *type == 'x';
	uint64_t v;
	int r = number(value, is_signed, *type == 't' ? UINT64_MAX : *type == 'x' ? INT64_MAX : *type == 'u' ? UINT32_MAX : INT32_MAX, &v);

	if (r < 0)
		return r;
	return wide ? sd_bus_message_append(m, type, v) : sd_bus_message_append(m, type, (uint32_t)v);
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int append_bytes(sd_bus_message *m, const char *type, const char *value)
{
	uint8_t bytes[1024];
	size_t n = 0;

	for (; *value; value += 2, n++) {
		int high = hex(value[0]), low = high < 0 ? -1 : hex(value[1]);

		if (low < 0 || n == sizeof(bytes))
			return -EINVAL;
		bytes[n] = (uint8_t)(high << 4 | low);
	}
	return sd_bus_message_append_array(m, 'y', bytes, n);
}

/* An array, an element a line. */
static int append_lines(sd_bus_message *m, const char *element, const char *value)
{
	_cleanup_free_ char *copy = strdup(value);
	char *rest = copy, *line;
	int r = copy ? sd_bus_message_open_container(m, 'a', element) : -ENOMEM;

	while (r >= 0 && (line = strsep(&rest, "\n"))) {
		char *second = element[0] == '(' ? strchr(line, ' ') : NULL;

		if (element[0] == 's')
			r = *line ? sd_bus_message_append(m, "s", line) : 0;
		else if (!second)
			r = *line ? -EINVAL : 0;
		else
			*second = 0, r = sd_bus_message_append(m, "(ss)", line, second + 1);
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_list(sd_bus_message *m, const char *type, const char *value)
{
	return append_lines(m, type + 1, value);
}

static const struct {
	const char *type;
	append_fn *append;
} types[] = {
	{ "a(ss)", append_list }, { "as", append_list }, { "ay", append_bytes }, { "b", append_bool }, { "i", append_number },
	{ "s", append_string }, { "t", append_number }, { "u", append_number }, { "x", append_number },
};

struct err *property_append(sd_bus_message *m, const char *text)
{
	const char *type = strchr(text, '='), *value = type ? strchr(type, ':') : NULL;
	_cleanup_free_ char *name = type ? strndup(text, (size_t)(type - text)) : NULL;
	size_t i = 0, n = sizeof(types) / sizeof(types[0]);
	int r;

	if (!name || !*name || !value)
		return err_new(0, "'%.64s' is not NAME=TYPE:VALUE", text);
	type++;
	while (i < n && (strlen(types[i].type) != (size_t)(value - type) || strncmp(types[i].type, type, (size_t)(value - type))))
		i++;
	if (i == n)
		return err_new(0, "property %s: unknown type '%.*s'", name, (int)(value - type), type);
	if ((r = sd_bus_message_open_container(m, 'r', "sv")) < 0 || (r = sd_bus_message_append(m, "s", name)) < 0 ||
		(r = sd_bus_message_open_container(m, 'v', types[i].type)) < 0 || (r = types[i].append(m, types[i].type, value + 1)) < 0 ||
		(r = sd_bus_message_close_container(m)) < 0 || (r = sd_bus_message_close_container(m)) < 0)
		return err_new(-r, "property %s: '%.64s'", name, value + 1);
	return NULL;
}
