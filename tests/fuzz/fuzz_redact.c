// SPDX-License-Identifier: GPL-2.0-or-later

// Whatever the bytes: a cut output is clean, its newlines are kept, and the rest of the
// input is all there.

#include "base/err.h"
#include "scanner/redact.h"
#include "scanner/scanner.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct scanner *
shared_scanner(void)
{
	static const uint8_t key[32] = { 1 };
	static struct scanner *scanner;
	struct scanner_options options = { .key = key };
	struct err err = { 0 };

	if (scanner == NULL && scanner_new(&options, &scanner, &err) < 0) {
		abort();
	}
	return scanner;
}

static void
check_cut(const uint8_t *data, size_t size, const struct redaction *cut)
{
	size_t in = 0, out = 0;

	for (size_t i = 0; i < cut->nspans; i++) {
		const struct redact_span *span = &cut->spans[i];

		if (span->start < in || span->end <= span->start || span->end > size ||
			span->start - in != span->out_start - out ||
			memcmp(data + in, cut->out.data + out, span->start - in) != 0) {
			abort();
		}
		in = span->end;
		out = span->out_end;
	}
	if (size - in != cut->out.len - out ||
		(size > in && memcmp(data + in, cut->out.data + out, size - in) != 0)) {
		abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scanner *scanner = shared_scanner();
	AUTO(redaction_done) struct redaction cut = { .out = { .max = 1 << 24 } };
	AUTO(redaction_done) struct redaction again = { .out = { .max = 1 << 24 } };
	struct scan_input input = { .data = data, .len = size, .path = "a.env" };
	struct err err = { 0 };

	if (redact_bytes(scanner, &input, &cut, &err) < 0) {
		if (err.code != ERR_BLOCKED) {
			abort();
		}
		return 0;
	}
	if (cut.outcome == REDACT_CUT) {
		check_cut(data, size, &cut);
		input.data = cut.out.data;
		input.len = cut.out.len;
		if (redact_bytes(scanner, &input, &again, &err) < 0 ||
			again.outcome != REDACT_CLEAN) {
			abort();
		}
	}
	return 0;
}
