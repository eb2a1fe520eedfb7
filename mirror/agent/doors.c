// SPDX-License-Identifier: GPL-2.0-or-later

#include "agent/doors.h"

#include "agent/kit.h"
#include "agent/state_door.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "config/places.h"
#include "serve/serve.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Sockets that systemd handed over stand from 3 on (sd_listen_fds(3)).
static size_t
inherited_sockets(int fds[SERVE_LISTENERS_MAX])
{
	const char *pid = getenv("LISTEN_PID");
	const char *count = getenv("LISTEN_FDS");
	size_t nfds = 0;

	if (pid != NULL && count != NULL && strtol(pid, NULL, 10) == (long)getpid()) {
		nfds = MIN_OF(
			(size_t)strtoul(count, NULL, 10), (size_t)SERVE_LISTENERS_MAX);
	}
	for (size_t i = 0; i < nfds; i++) {
		fds[i] = 3 + (int)i;
	}
	return nfds;
}

void
doors_open(struct doors *doors, const struct kit *kit, const char *config_file)
{
	AUTO_FREE char *data = places_data_dir();
	int fds[SERVE_LISTENERS_MAX];
	struct serve_options options = {
		.config = kit->config,
		.config_file = config_file,
		.state_dir = kit->state_dir,
		.runtime_dir = kit->runtime_dir,
		.bell_dir = kit->bell_dir,
		.self = kit->self,
		.fds = fds,
	};
	struct err err;

	doors->vault_dir = path_join(data, "snapshots");
	options.vault_dir = doors->vault_dir;
	options.nfds = inherited_sockets(fds);
	if (serve_start(&options, &doors->serve, &err) < 0) {
		log_warn("the API does not answer: %s; going on without it", err.msg);
	}

	const struct state_door_options state = {
		.config = kit->config,
		.state_dir = kit->state_dir,
		.runtime_dir = kit->runtime_dir,
		.self = kit->self,
	};
	if (state_door_start(&state, &doors->state, &err) < 0) {
		log_warn("copies of the state cannot be asked for: %s; going on without",
			err.msg);
	}
}

void
doors_close(struct doors *doors)
{
	serve_stopp(&doors->serve);
	state_door_stop(doors->state);
	free(doors->vault_dir);
	*doors = (struct doors){ 0 };
}
