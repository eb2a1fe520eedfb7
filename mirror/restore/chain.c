// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/chain.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
chain_done(struct chain *chain)
{
	while (chain->count > 0) {
		(void)close(chain->links[--chain->count].fd);
	}
	free(chain->rel);
	chain->rel = NULL;
}

// Is that much of the last way the way to @rel, too, and @rel below it?
static bool
leads_to(const struct chain *chain, size_t len, const char *rel)
{
	return strncmp(chain->rel, rel, len) == 0 && rel[len] == '/';
}

// Keep what is common to both; the deepest comes first to go.
static void
go_back(struct chain *chain, int basefd, const char *rel)
{
	if (chain->rel == NULL || chain->basefd != basefd) {
		chain_done(chain);
	}
	while (chain->count > 0 &&
		!leads_to(chain, chain->links[chain->count - 1].len, rel)) {
		(void)close(chain->links[--chain->count].fd);
	}
	free(chain->rel);
	chain->rel = xstrdup(rel);
	chain->basefd = basefd;
}

static void
keep(struct chain *chain, size_t len, int fd)
{
	if (chain->count == CHAIN_MAX) {
		(void)close(chain->links[0].fd);
		memmove(&chain->links[0], &chain->links[1],
			(CHAIN_MAX - 1) * sizeof(chain->links[0]));
		chain->count--;
	}
	chain->links[chain->count].len = len;
	chain->links[chain->count++].fd = fd;
}

int
chain_open(struct chain *chain, int basefd, const char *rel, enum place_way way,
	int *ret_fd, struct err *err)
{
	const char *at;

	go_back(chain, basefd, rel);
	at = chain->count > 0 ? rel + chain->links[chain->count - 1].len + 1 : rel;
	for (const char *slash; (slash = strchr(at, '/')) != NULL; at = slash + 1) {
		AUTO_FREE char *name = xmemdup0(at, (size_t)(slash - at));
		int from = chain->count > 0 ? chain->links[chain->count - 1].fd : basefd;
		int fd = place_enter(from, name, way, false, err);

		if (fd < 0) {
			return err->code;
		}
		keep(chain, (size_t)(slash - rel), fd);
	}
	int fd =
		place_enter(chain->count > 0 ? chain->links[chain->count - 1].fd : basefd,
			at[0] != '\0' ? at : ".", way, true, err);

	if (fd < 0) {
		return err->code;
	}
	*ret_fd = fd;
	return 0;
}
