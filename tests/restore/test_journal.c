// SPDX-License-Identifier: GPL-2.0-or-later

#include "restore/journal.h"

#include "base/base.h"
#include "base/buf.h"
#include "base/mem.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

static const char hex[] = "0123456789abcdef0123456789abcdef01234567";

static void
write_one(struct buf *text)
{
	const struct restore_root roots[] = {
		{ "notes", "/home/me/no\ttes" },
		{ "\xff", "/x" },
	};
	char path[] = "notes/new\nline";
	char folder[] = "notes/sub";
	struct oid oid;
	struct err err;

	assert_true(oid_parse(hex, &oid));
	ok(journal_write_head(text, &oid, roots, countof(roots), &err));
	ok(journal_write_line(text,
		&(struct journal_line){ .kind = JOURNAL_MADE, .oid = oid, .path = path },
		&err));
	ok(journal_write_line(text,
		&(struct journal_line){
			.kind = JOURNAL_MADE, .entry = SIDECAR_FOLDER, .path = folder },
		&err));
	ok(journal_write_line(text,
		&(struct journal_line){ .kind = JOURNAL_REPLACED,
			.entry = SIDECAR_LINK,
			.oid = oid,
			.path = path },
		&err));
	ok(journal_write_line(text,
		&(struct journal_line){ .kind = JOURNAL_CHANGED,
			.mode = 04755,
			.mtime = { -5, 7 },
			.path = folder },
		&err));
	ok(journal_write_line(text,
		&(struct journal_line){ .kind = JOURNAL_REPLACED,
			.entry = SIDECAR_FOLDER,
			.path = folder },
		&err));
}

static void
what_was_written_is_read(void **state)
{
	AUTO(buf_done) struct buf text = { .max = 1 << 20 };
	AUTO(journal_done) struct journal journal = { 0 };
	struct err err;

	(void)state;
	write_one(&text);
	ok(buf_add_text(&text, JOURNAL_DONE, &err));
	ok(journal_parse(buf_text(&text), text.len, &journal, &err));

	assert_int_equal(journal.nroots, 2);
	assert_string_equal(journal.roots[0].path, "/home/me/no\ttes");
	assert_string_equal(journal.roots[1].name, "\xff");
	assert_int_equal(journal.nlines, 5);
	assert_string_equal(journal.lines[0].path, "notes/new\nline");
	assert_int_equal(journal.lines[1].entry, SIDECAR_FOLDER);
	assert_int_equal(journal.lines[2].kind, JOURNAL_REPLACED);
	assert_int_equal(journal.lines[3].mode, 04755);
	assert_int_equal(journal.lines[3].mtime.tv_sec, -5);
	assert_int_equal(journal.lines[4].kind, JOURNAL_REPLACED);
	assert_int_equal(journal.lines[4].entry, SIDECAR_FOLDER);
	assert_true(journal.done);
	assert_false(journal.undone);
}

static void
a_last_line_that_was_cut_off_is_as_if_never_begun(void **state)
{
	AUTO(buf_done) struct buf text = { .max = 1 << 20 };
	size_t all;
	struct err err;

	(void)state;
	write_one(&text);
	all = text.len;
	for (size_t len = 0; len < all; len++) {
		struct journal journal = { 0 };
		int got = journal_parse(buf_text(&text), len, &journal, &err);

		// Either it does not even begin, or it is a journal without its end.
		assert_true(got == 0 || got == ERR_INVALID);
		if (got == 0) {
			assert_true(journal.nlines < 5);
			assert_false(journal.done);
			journal_done(&journal);
		}
	}
}

static void
a_text_we_would_not_write_is_refused(void **state)
{
	static const char *const bad[] = {
		"made\tfile\t%s\t../out\n",
		"made\tfile\t%s\tnotes//x\n",
		"made\tfile\t%s\t/etc/passwd\n",
		"made\tfile\t%s\tnotes/./x\n",
		"made\tfile\t%s\tnotes/x/\n",
		"made\tfile\t-\tnotes/x\n",
		"made\tfolder\t%s\tnotes/x\n",
		"replaced\tfolder\t%s\tnotes/x\n",
		"made\tdevice\t%s\tnotes/x\n",
		"made\tfile\t%s\n",
		"made\tfile\t%s\tnotes\tx\n",
		"changed\t755 1.000000000\tnotes\n",
		"changed\t0755 1.5\tnotes\n",
		"changed\t0755 +1.000000000\tnotes\n",
		"changed\t17777 1.000000000\tnotes\n",
		"root\tnotes\trelative\n",
		"root\ta/b\t/x\n",
		"nonsense\n",
		"\n",
		"done\nmade\tfile\t%s\tnotes/x\n",
		"undone\ndone\n",
	};

	(void)state;
	for (size_t i = 0; i < countof(bad); i++) {
		AUTO(buf_done) struct buf text = { .max = 4096 };
		struct journal journal = { 0 };
		struct err err;

		ok(buf_add_fmt(&text, &err, "mirror-undo 1\ncommit\t%s\n", hex));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		ok(buf_add_fmt(&text, &err, bad[i], hex));
#pragma GCC diagnostic pop
		if (journal_parse(buf_text(&text), text.len, &journal, &err) !=
			ERR_INVALID) {
			fail_msg("accepted: %s", bad[i]);
		}
	}
}

static void
any_bytes_are_read_or_refused(void **state)
{
	AUTO(buf_done) struct buf whole = { .max = 1 << 20 };
	unsigned int seed = 3;

	(void)state;
	write_one(&whole);
	for (int i = 0; i < 20000; i++) {
		AUTO_FREE char *text = xmemdup0(buf_text(&whole), whole.len);
		struct journal journal = { 0 };
		struct err err;

		for (int flips = 1 + rand_r(&seed) % 4; flips > 0; flips--) {
			text[(size_t)rand_r(&seed) % whole.len] = (char)rand_r(&seed);
		}
		if (journal_parse(text, (size_t)rand_r(&seed) % (whole.len + 1), &journal,
			    &err) == 0) {
			for (size_t j = 0; j < journal.nlines; j++) {
				assert_true(journal.lines[j].path[0] != '/');
				assert_null(strstr(journal.lines[j].path, "/../"));
			}
			journal_done(&journal);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(a_last_line_that_was_cut_off_is_as_if_never_begun),
		cmocka_unit_test(a_text_we_would_not_write_is_refused),
		cmocka_unit_test(any_bytes_are_read_or_refused),
	};

	return cmocka_run_group_tests_name("restore/journal", tests, NULL, NULL);
}
