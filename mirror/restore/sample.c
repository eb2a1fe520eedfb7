// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/sample.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "restore/listing.h"

#include <stdlib.h>
#include <string.h>

static uint64_t
score_of(const struct sample *sample, const char *path)
{
	AUTO_FREE char *text =
		xasprintf("%llu %s", (unsigned long long)sample->seed, path);
	uint8_t digest[HASH_SHA1_LEN];
	uint64_t score;

	hash_sha1(text, strlen(text), digest);
	memcpy(&score, digest, sizeof(score));
	return score;
}

static void
choices_done(struct sample_choices *choices)
{
	for (size_t i = 0; i < choices->count; i++) {
		free(choices->rows[i].path);
	}
	free(choices->rows);
}

static void
find_worst(struct sample_choices *choices)
{
	choices->worst = 0;
	for (size_t i = 1; i < choices->count; i++) {
		if (choices->rows[i].score > choices->rows[choices->worst].score) {
			choices->worst = i;
		}
	}
}

// The @max smallest scores.
static void
offer(struct sample_choices *choices, const char *path, uint64_t score)
{
	if (choices->count < choices->max) {
		choices->rows[choices->count++] =
			(struct sample_choice){ .path = xstrdup(path), .score = score };
	} else if (choices->max > 0 && score < choices->rows[choices->worst].score) {
		free(choices->rows[choices->worst].path);
		choices->rows[choices->worst] =
			(struct sample_choice){ .path = xstrdup(path), .score = score };
	} else {
		return;
	}
	if (choices->count == choices->max) {
		find_worst(choices);
	}
}

static void
offer_best(struct sample_choice *best, const char *path, uint64_t score)
{
	if (best->path == NULL || score > best->score) {
		free(best->path);
		*best = (struct sample_choice){ .path = xstrdup(path), .score = score };
	}
}

void
sample_see(struct sample *sample, const struct listing_folder *folder)
{
	for (size_t i = 0; i < folder->nentries; i++) {
		const struct sidecar_entry *facts = &folder->entries[i].facts;
		AUTO_FREE char *path = NULL;
		uint64_t score;

		if (facts->kind == SIDECAR_FOLDER) {
			continue;
		}
		path = path_join(folder->path, facts->name);
		score = score_of(sample, path);
		sample->seen++;
		offer(&sample->chance, path, score);
		if (facts->at != NULL ||
			!path_is_utf8(facts->name, strlen(facts->name))) {
			offer(&sample->odd, path, score);
		}
		offer_best(&sample->biggest, path, facts->size);
		offer_best(&sample->longest, path, strlen(path));
		offer_best(&sample->newest, path,
			facts->mtime_s > 0 ? (uint64_t)facts->mtime_s : 0);
	}
}

static int
by_text(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

void
sample_gather(struct sample *sample)
{
	const struct sample_choice *more[] = { &sample->newest, &sample->biggest,
		&sample->longest };
	size_t count = 0;

	sample->paths = xcalloc(sample->chance.count + sample->odd.count + countof(more),
		sizeof(sample->paths[0]));
	for (size_t i = 0; i < sample->chance.count; i++) {
		sample->paths[count++] = sample->chance.rows[i].path;
	}
	for (size_t i = 0; i < sample->odd.count; i++) {
		sample->paths[count++] = sample->odd.rows[i].path;
	}
	for (size_t i = 0; i < countof(more); i++) {
		if (more[i]->path != NULL) {
			sample->paths[count++] = more[i]->path;
		}
	}
	if (count > 1) {
		qsort(sample->paths, count, sizeof(sample->paths[0]), by_text);
	}
	for (size_t i = 0; i < count; i++) {
		if (sample->npaths == 0 ||
			strcmp(sample->paths[sample->npaths - 1], sample->paths[i]) !=
				0) {
			sample->paths[sample->npaths++] = sample->paths[i];
		}
	}
}

void
sample_init(struct sample *sample, uint64_t seed, size_t nfiles)
{
	*sample = (struct sample){
		.seed = seed,
		.chance = { .max = nfiles },
		.odd = { .max = SAMPLE_ODD_MAX },
	};
	sample->chance.rows = xcalloc(nfiles, sizeof(sample->chance.rows[0]));
	sample->odd.rows = xcalloc(SAMPLE_ODD_MAX, sizeof(sample->odd.rows[0]));
}

void
sample_done(struct sample *sample)
{
	choices_done(&sample->chance);
	choices_done(&sample->odd);
	free(sample->newest.path);
	free(sample->biggest.path);
	free(sample->longest.path);
	free(sample->paths);
}
