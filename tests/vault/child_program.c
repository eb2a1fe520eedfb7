// SPDX-License-Identifier: GPL-2.0-or-later

#include "vault/child.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	// A child that cannot do its work in time.
	if (getenv("VAULT_CHILD_HANGS") != NULL) {
		(void)pause();
	}
	return argc == 2 && strcmp(argv[1], CHILD_VERB) == 0 ? child_main() : 64;
}
