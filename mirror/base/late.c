// SPDX-License-Identifier: GPL-2.0-or-later

#include "base/late.h"

#include "base/err.h"

#include <dlfcn.h>
#include <string.h>

static int
missing(const char *file, struct err *err)
{
	const char *why = dlerror();

	err_raise(err, ERR_NOT_FOUND, "load %s: %s", file, why != NULL ? why : "unknown");
	return err_advise(
		err, "install the package that has %s, or build mirror again", file);
}

int
late_load(const char *file, const struct late_call *calls, size_t ncalls, struct err *err)
{
	// Everything now, as for what is linked: nothing is looked up while it runs.
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);

	if (library == NULL) {
		return missing(file, err);
	}
	for (size_t i = 0; i < ncalls; i++) {
		void *function = dlsym(library, calls[i].name);

		if (function == NULL) {
			return missing(file, err);
		}
		memcpy(calls[i].function, &function, sizeof(function));
	}
	return 0;
}
