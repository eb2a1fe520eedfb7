// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/scan_known.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/scan_report.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] = "mirror.baseline/1";

void
scan_known_done(struct scan_known *known)
{
	for (size_t i = 0; i < known->nplaces; i++) {
		free(known->places[i]);
	}
	free(known->places);
	free(known->prints);
	*known = (struct scan_known){ 0 };
}

int
scan_known_add(
	struct scan_known *known, const uint8_t print[FINDING_PRINT_LEN], struct err *err)
{
	if (known->nprints >= SCAN_KNOWN_MAX) {
		return err_raise(
			err, ERR_TOO_BIG, "more than %d fingerprints", SCAN_KNOWN_MAX);
	}
	known->prints = xgrow(known->prints, known->nprints, &known->prints_size,
		sizeof(known->prints[0]));
	memcpy(known->prints[known->nprints++], print, FINDING_PRINT_LEN);
	known->sorted = false;
	return 0;
}

static int
add_place(struct scan_known *known, const char *text, size_t len, struct err *err)
{
	if (known->nplaces >= SCAN_KNOWN_MAX) {
		return err_raise(err, ERR_TOO_BIG, "more than %d places", SCAN_KNOWN_MAX);
	}
	known->places = xgrow(known->places, known->nplaces, &known->places_size,
		sizeof(known->places[0]));
	known->places[known->nplaces++] = xmemdup0(text, len);
	known->sorted = false;
	return 0;
}

// A fingerprint of ours, or a place.
static int
add_word(struct scan_known *known, const char *text, size_t len, struct err *err)
{
	AUTO_FREE char *word = xmemdup0(text, len);
	uint8_t print[FINDING_PRINT_LEN];

	if (hash_unhex(word, print, sizeof(print))) {
		return scan_known_add(known, print, err);
	}
	for (char *c = word; *c != '\0'; c++) {
		*c = *c == '\\' ? '/' : *c;
	}
	return add_place(known, word, len, err);
}

static int
add_list(struct scan_known *known, const struct json *list, const char *key,
	struct err *err)
{
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *item = json_at(list, i);
		const char *word =
			key != NULL ? json_get_text(item, key) : json_text(item);

		if (word == NULL) {
			return err_raise(
				err, ERR_INVALID, "entry %zu has no fingerprint", i + 1);
		}
		if (add_word(known, word, strlen(word), err) < 0) {
			return err->code;
		}
	}
	return 0;
}

static int
add_report(struct scan_known *known, const struct json *report, struct err *err)
{
	const struct json *ours = json_get(report, "fingerprints");
	const struct json *findings = json_get(report, "findings");

	if (!json_is_object(report)) {
		return add_list(known, report, "Fingerprint", err);
	}
	if (ours == NULL && findings == NULL) {
		return err_raise(err, ERR_INVALID, "no fingerprints in it");
	}
	if (ours != NULL) {
		return add_list(known, ours, NULL, err);
	}
	return add_list(known, findings, "fingerprint", err);
}

int
scan_known_read(struct scan_known *known, const char *file, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = SCAN_KNOWN_FILE_MAX };
	AUTO(json_freep) struct json *report = NULL;

	if (file_read(AT_FDCWD, file, &text, err) < 0 ||
		json_parse(buf_text(&text), text.len, &report, err) < 0 ||
		add_report(known, report, err) < 0) {
		return err_wrap(err, "read the baseline %s", file);
	}
	return 0;
}

int
scan_known_read_ignore(
	struct scan_known *known, int dirfd, const char *name, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = SCAN_KNOWN_FILE_MAX };
	const char *at;

	if (file_read(dirfd, name, &text, err) < 0) {
		return err->code == ERR_NOT_FOUND ? 0 : err_wrap(err, "read %s", name);
	}
	at = buf_text(&text);
	while (*at != '\0') {
		size_t whole = (size_t)(strchrnul(at, '\n') - at);
		size_t blank = strspn(at, " \t");
		size_t len = whole;

		while (len > 0 && strchr(" \t\r", at[len - 1]) != NULL) {
			len--;
		}
		if (len > blank && at[blank] != '#' &&
			add_word(known, at + blank, len - blank, err) < 0) {
			return err->code;
		}
		at += whole + (at[whole] == '\n');
	}
	return 0;
}

static int
compare_prints(const void *left, const void *right)
{
	return memcmp(left, right, FINDING_PRINT_LEN);
}

static int
compare_places(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

void
scan_known_sort(struct scan_known *known)
{
	if (known->nprints > 0) {
		qsort(known->prints, known->nprints, sizeof(known->prints[0]),
			compare_prints);
	}
	if (known->nplaces > 0) {
		qsort(known->places, known->nplaces, sizeof(known->places[0]),
			compare_places);
	}
	known->sorted = true;
}

static bool
has_place(const struct scan_known *known, const char *object, const char *path,
	const struct finding *finding)
{
	AUTO_FREE char *place = xasprintf("%s%s%s:%s:%zu", object != NULL ? object : "",
		object != NULL ? ":" : "", path, finding->rule, finding->line);

	return bsearch(&place, known->places, known->nplaces, sizeof(known->places[0]),
		       compare_places) != NULL;
}

bool
scan_known_has(const struct scan_known *known, const struct scan_place *place,
	const char *rel, const struct finding *finding)
{
	assert(known->sorted);
	if (known->nprints > 0 &&
		bsearch(finding->fingerprint, known->prints, known->nprints,
			sizeof(known->prints[0]), compare_prints) != NULL) {
		return true;
	}
	if (known->nplaces == 0) {
		return false;
	}
	// Three fields match in a history too.
	return has_place(known, NULL, place->path, finding) ||
		(place->object != NULL &&
			has_place(known, place->object, place->path, finding)) ||
		(rel != NULL && has_place(known, NULL, rel, finding));
}

int
scan_known_write(struct scan_known *known, const char *file, struct err *err)
{
	AUTO(json_freep) struct json *object = json_new_object();
	struct json *list = json_new_array();
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *whole = NULL;

	scan_known_sort(known);
	for (size_t i = 0; i < known->nprints; i++) {
		char print[HASH_HEX_MAX];

		// One secret may have been found many times.
		if (i == 0 ||
			compare_prints(known->prints[i - 1], known->prints[i]) != 0) {
			hash_hex(known->prints[i], FINDING_PRINT_LEN, print);
			json_append_text(list, print);
		}
	}
	json_set_text(object, "schema", schema);
	json_set(object, "fingerprints", list);
	text = json_write(object, 2);
	whole = xasprintf("%s\n", text);
	if (file_replace_at(file, whole, strlen(whole), 0644, err) < 0) {
		return err_wrap(err, "write the baseline %s", file);
	}
	return 0;
}
