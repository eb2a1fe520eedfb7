// SPDX-License-Identifier: GPL-2.0-or-later

// Whatever we take apart ourselves, fed with anything: clang -fsanitize=fuzzer.  What
// holds for every input is asserted, not only that nothing falls over.

#include "base/err.h"
#include "base/mem.h"
#include "serve/parse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_target(const char *text)
{
	AUTO(parse_target_done) struct parse_target target = { 0 };
	struct err err;

	if (parse_target(text, &target, &err) < 0) {
		return;
	}
	assert(text[0] == '/');
	for (size_t i = 0; i < target.nsegments; i++) {
		assert(target.segments[i][0] != '\0');
		assert(strchr(target.segments[i], '/') == NULL);
		assert(strcmp(target.segments[i], "..") != 0);
	}
	for (size_t i = 0; i < target.query.count; i++) {
		assert(parse_value(&target.query, target.query.pairs[i].name) ==
			target.query.pairs[i].value);
	}
}

static void
try_range(const char *text, int64_t total)
{
	int64_t start = -1;
	int64_t len = -1;

	if (parse_range(text, total, &start, &len) == PARSE_RANGE_PART) {
		assert(start >= 0 && len > 0 && start + len <= total);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = xmemdup0(data, size);
	AUTO(parse_pairs_done) struct parse_pairs pairs = { 0 };
	struct err err;
	char cookie[16];
	int64_t number = 0;

	try_target(text);
	try_range(text, 0);
	try_range(text, 100);
	try_range(text, INT64_MAX);
	(void)!parse_form((const char *)data, size, &pairs, &err);
	(void)parse_host_is_local(text);
	(void)parse_host_is_bare(text);
	(void)parse_origin_is(text, "localhost");
	(void)parse_etag_matches(text, "\"a\"");
	(void)parse_bearer(text);
	if (parse_cookie(text, "a", cookie, sizeof(cookie))) {
		assert(strlen(cookie) < sizeof(cookie));
	}
	if (parse_number(text, 0, 1000, &number, &err) > 0) {
		assert(number >= 0 && number <= 1000);
	}
	return 0;
}
