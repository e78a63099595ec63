/*
 * doctor.h - the checks of `doctor`: each examines one property of the machine.
 */
#ifndef REDOUBT_LAUNCHER_DOCTOR_H
#define REDOUBT_LAUNCHER_DOCTOR_H

#include "pool.h"

#include <stddef.h>

enum health { HEALTHY, POOR, ILL }; /* ILL: no sandbox can run */

struct finding {
	enum health health;
	const char *what; /* what was found, a line */
	const char *advice; /* what to do; "" */
};

struct doctor_check {
	const char *name;
	void (*look)(const char *root, struct pool *p, struct finding *f);
};

/* One after the other; NULL at the end. */
const struct doctor_check *doctor_check(size_t i);

#endif
