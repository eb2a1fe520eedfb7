// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * restore/sample - which files does a drill try?
 *
 * As many as asked for by a seed's choice, some with names that git cannot hold, the
 * newest, the biggest and the one with the longest path.
 *
 * Knows: base, listing.
 * Owns:  its texts, until sample_done().
 * Never: chooses otherwise the second time: one commit and one seed make one sample.
 */

#ifndef RESTORE_SAMPLE_H
#define RESTORE_SAMPLE_H

#include "base/base.h"

struct listing_folder;

enum {
	/** Files with names that git cannot hold, beside the others. */
	SAMPLE_ODD_MAX = 10,
};

/** A file of the sample. */
struct sample_choice {
	char *path;
	uint64_t score;
};

struct sample_choices {
	struct sample_choice *rows;
	size_t count;
	size_t max;
	/** Where the one with the largest score is, once it is full. */
	size_t worst;
};

struct sample {
	uint64_t seed;
	/** Files seen so far. */
	uint64_t seen;
	struct sample_choices chance;
	struct sample_choices odd;
	struct sample_choice newest;
	struct sample_choice biggest;
	struct sample_choice longest;
	/** After sample_gather(): each path once, sorted; borrowed from the above. */
	const char **paths;
	size_t npaths;
};

void sample_init(struct sample *sample, uint64_t seed, size_t nfiles) NONNULL;
void sample_done(struct sample *sample) NONNULL;

/** Look at every file of a folder. */
void sample_see(struct sample *sample, const struct listing_folder *folder) NONNULL;
/** That was all: fill in the paths. */
void sample_gather(struct sample *sample) NONNULL;

#endif
