// SPDX-License-Identifier: GPL-2.0-or-later

// serve_program CONFIG [VAULT]: one cycle, then the API until standard input ends.
// It says the port on its standard output.

#include "agent/agent.h"
#include "base/err.h"
#include "base/mem.h"
#include "config/config.h"
#include "config/places.h"
#include "serve/serve.h"
#include "vault/child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
run(const char *file, const char *vault, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;
	AUTO_FREE char *state = places_state_dir();
	AUTO_FREE char *runtime = places_runtime_dir();
	// Borrows the two above until it is stopped, so it goes before them.
	AUTO(serve_stopp) struct serve *serve = NULL;
	struct agent_once once = { .no_push = true };
	struct cycle_result result = { 0 };
	struct err push = { 0 };
	struct serve_options options = {
		.config_file = file,
		.state_dir = state,
		.runtime_dir = runtime,
		.vault_dir = vault,
	};
	char byte;

	if (config_load(file, &config, err) < 0 ||
		agent_once(config, &once, &result, &push, err) < 0) {
		return err->code;
	}
	options.config = config;
	if (serve_start(&options, &serve, err) < 0) {
		return err->code;
	}
	(void)printf("%u\n", serve_port(serve));
	(void)fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0) {
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct err err = { 0 };

	if (argc == 2 && strcmp(argv[1], CHILD_VERB) == 0) {
		return child_main();
	}
	if (argc < 2) {
		return 64;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if (run(argv[1], argc > 2 ? argv[2] : NULL, &err) < 0) {
		(void)fprintf(stderr, "serve_program: %s\n", err.msg);
		return 1;
	}
	return 0;
}
