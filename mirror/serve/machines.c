// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/machines.h"

#include "base/err.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "config/config.h"
#include "serve/desk.h"
#include "serve/options.h"

#include <stdlib.h>
#include <string.h>

struct host {
	char *name;
	struct oid commit;
	int64_t at_ms;
};

struct hosts {
	struct host *hosts;
	size_t count;
	size_t capacity;
};

static int
add_host(const char *name, const struct oid *commit, void *payload)
{
	struct hosts *hosts = payload;

	if (hosts->count == MACHINES_MAX) {
		return 1;
	}
	hosts->hosts = xgrow(
		hosts->hosts, hosts->count, &hosts->capacity, sizeof(hosts->hosts[0]));
	hosts->hosts[hosts->count++] =
		(struct host){ .name = xstrdup(name), .commit = *commit };
	return 0;
}

static void
hosts_done(struct hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++) {
		free(hosts->hosts[i].name);
	}
	free(hosts->hosts);
}

static int
take_time(const struct repo_commit *commit, void *payload)
{
	*(int64_t *)payload = commit->time * 1000;
	return 1;
}

// By name, the newest of each first.
static int
by_name(const void *left, const void *right)
{
	const struct host *a = left;
	const struct host *b = right;
	int order = strcmp(a->name, b->name);

	return order != 0 ? order : (a->at_ms < b->at_ms) - (a->at_ms > b->at_ms);
}

int
machines_each(struct desk *desk, machines_fn *fn, void *payload, struct err *err)
{
	AUTO(hosts_done) struct hosts hosts = { 0 };
	const char *self = config_host(desk->options->config);
	int result = 0;

	if (repo_each_host(desk->repo, add_host, &hosts, err) < 0) {
		return err_wrap(err, "list the machines");
	}
	for (size_t i = 0; i < hosts.count; i++) {
		if (repo_log(desk->repo, &hosts.hosts[i].commit, take_time,
			    &hosts.hosts[i].at_ms, err) < 0) {
			return err->code;
		}
	}
	if (hosts.count > 1) {
		qsort(hosts.hosts, hosts.count, sizeof(hosts.hosts[0]), by_name);
	}
	for (size_t i = 0; i < hosts.count && result == 0; i++) {
		const struct host *host = &hosts.hosts[i];
		struct machine machine = {
			.name = host->name,
			.is_this = strcmp(host->name, self) == 0,
			.commit = host->commit,
			.at_ms = host->at_ms,
		};

		if (i == 0 || strcmp(host->name, hosts.hosts[i - 1].name) != 0) {
			result = fn(&machine, payload);
		}
	}
	return result;
}
