// SPDX-License-Identifier: GPL-2.0-or-later

#include "brain/sidecar.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "brain/commit.h"
#include "brain/pack.h"
#include "brain/repo.h"
#include "brain/tree.h"
#include "room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char sample[] =
	"mirror-folder 1\n"
	"path\tnotes/sub\\x0adir\n"
	"self\t0755 1763716438.123456789 owner=1000:100\n"
	"file\t0600 -5.250000000 7 at=.mirror/files/ab/"
	"0123456789abcdef0123456789abcdef012345\t.gitignore\n"
	"dir\tdrafts\n"
	"link\t0777 1763716438.000000000 5\tlatest\n"
	"file\t4644 1763716438.123456789 512 redacted=2 sealed=.mirror/sealed/cd/"
	"0123456789abcdef0123456789abcdef012345 same=a\\x20b owner=0:0 "
	"xattr.user.a\\x3db=AAEC xattr.user.c=\ttodo \\x5c \\xff.md\n";

static void
the_sample_of_the_format_reads_as_documented(void **state)
{
	AUTO(sidecar_done) struct sidecar_folder folder = { 0 };
	const struct sidecar_entry *entry;
	struct err err;

	(void)state;
	ok(sidecar_parse(sample, strlen(sample), &folder, &err));
	assert_string_equal(folder.path, "notes/sub\ndir");
	assert_int_equal(folder.mode, 0755);
	assert_int_equal(folder.gid, 100);
	assert_int_equal(folder.nentries, 4);
	entry = sidecar_find(&folder, ".gitignore");
	assert_non_null(entry);
	assert_int_equal(entry->mtime_s, -5);
	assert_int_equal(entry->mtime_ns, 250000000);
	assert_non_null(strstr(entry->at, ".mirror/files/ab/"));
	assert_int_equal(sidecar_find(&folder, "drafts")->kind, SIDECAR_FOLDER);
	assert_int_equal(sidecar_find(&folder, "latest")->kind, SIDECAR_LINK);
	entry = sidecar_find(&folder, "todo \\ \xff.md");
	assert_non_null(entry);
	assert_int_equal(entry->mode, 04644);
	assert_int_equal(entry->redacted, 2);
	assert_string_equal(entry->same, "a b");
	assert_int_equal(entry->nxattrs, 2);
	assert_string_equal(entry->xattrs[0].name, "user.a=b");
	assert_int_equal(entry->xattrs[0].len, 3);
	assert_memory_equal(entry->xattrs[0].value, "\0\1\2", 3);
	assert_int_equal(entry->xattrs[1].len, 0);
	assert_null(sidecar_find(&folder, "none"));
}

static void
a_text_that_we_would_not_have_written_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"mirror-folder 2\npath\ta\nself\t0755 1.000000000\n",
		"mirror-folder 1\n",
		"mirror-folder 1\npath\ta\n",
		"mirror-folder 1\npath\ta\nself\t0755 1.000000000",
		"mirror-folder 1\npath\ta\nself\t755 1.000000000\n",
		"mirror-folder 1\npath\ta\nself\t0755 1.0\n",
		"mirror-folder 1\npath\ta\nself\t0755 01.000000000\n",
		"mirror-folder 1\npath\ta/../b\nself\t0755 1.000000000\n",
		"mirror-folder 1\npath\t/a\nself\t0755 1.000000000\n",
		"mirror-folder 1\npath\ta\nself\t0755 1.000000000\ndir\tb\ndir\ta\n",
		"mirror-folder 1\npath\ta\nself\t0755 1.000000000\ndir\ta\ndir\ta\n",
		"mirror-folder 1\npath\ta\nself\t0755 1.000000000\ndir\t..\n",
		"mirror-folder 1\npath\ta\nself\t0755 1.000000000\ndir\ta/b\n",
		"mirror-folder 1\npath\ta\nself\t0755 1.000000000\ndir\t\n",
		"mirror-folder 1\npath\ta\nself\t0755 1.000000000\ndir\t\\x41\n",
		"mirror-folder 1\npath\ta\nself\t0755 1.000000000\ndir\t\\x00\n",
		"mirror-folder 1\npath\ta\nself\t0755 1.000000000\ndir\ta \n",
		"mirror-folder 1\npath\ta\nself\t0755 1.000000000\n\n",
		"mirror-folder 1\npath\ta\nself\t0755 1.000000000\n"
		"file\t0644 1.000000000 1 at=../../etc/passwd\ta\n",
		"mirror-folder 1\npath\ta\nself\t0755 1.000000000\n"
		"file\t0644 1.000000000 1 at=.mirror/files/ab/../../../../etc/"
		"passwd0123456789012\ta\n",
		"mirror-folder 1\npath\ta\nself\t0755 1.000000000\n"
		"file\t0644 1.000000000 1 unknown=1\ta\n",
		"mirror-folder 1\npath\ta\nself\t0755 1.000000000\n"
		"file\t0644 1.000000000 -1\ta\n",
		"mirror-folder 1\npath\ta\nself\t0755 1.000000000\n"
		"file\t10644 1.000000000 1\ta\n",
		"mirror-folder 1\npath\ta\nself\t0755 1.000000000\n"
		"fifo\t0644 1.000000000 1\ta\n",
	};
	AUTO(sidecar_done) struct sidecar_folder folder = { 0 };
	struct err err;

	(void)state;
	for (size_t i = 0; i < countof(bad); i++) {
		if (sidecar_parse(bad[i], strlen(bad[i]), &folder, &err) != ERR_INVALID) {
			fail_msg("taken: %s", bad[i]);
		}
	}
}

static void
random_bytes(unsigned int *seed, char *text, size_t max)
{
	static const char odd[] = "a/b\\x \t\n.=:\x7f\xc3\xa9\xff\x01";
	size_t len = (size_t)rand_r(seed) % max + 1;

	for (size_t i = 0; i < len; i++) {
		char c = rand_r(seed) % 2 == 0
			? odd[(size_t)rand_r(seed) % (sizeof(odd) - 1)]
			: (char)(rand_r(seed) % 255 + 1);

		text[i] = c == '/' ? '_' : c;
	}
	text[len] = '\0';
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0) {
		text[0] = 'x';
	}
}

static bool
same_entry(const struct sidecar_entry *a, const struct sidecar_entry *b)
{
	bool same = a->kind == b->kind && strcmp(a->name, b->name) == 0;

	if (a->kind == SIDECAR_FOLDER) {
		return same;
	}
	same = same && a->mode == b->mode && a->mtime_s == b->mtime_s &&
		a->mtime_ns == b->mtime_ns && a->size == b->size &&
		a->redacted == b->redacted && a->has_owner == b->has_owner &&
		a->uid == b->uid && a->gid == b->gid && a->nxattrs == b->nxattrs &&
		(a->same == NULL) == (b->same == NULL) &&
		(a->same == NULL || strcmp(a->same, b->same) == 0);
	for (size_t i = 0; same && i < a->nxattrs; i++) {
		same = strcmp(a->xattrs[i].name, b->xattrs[i].name) == 0 &&
			a->xattrs[i].len == b->xattrs[i].len &&
			memcmp(a->xattrs[i].value, b->xattrs[i].value,
				a->xattrs[i].len) == 0;
	}
	return same;
}

enum {
	ENTRIES = 12,
	NAME_LEN = 20,
};

static void
fill(unsigned int *seed, char names[ENTRIES + 1][NAME_LEN + 1],
	struct sidecar_entry entries[ENTRIES], struct sidecar_xattr xattrs[2])
{
	xattrs[0] = (struct sidecar_xattr){ "user.a = b", "\0x", 2 };
	xattrs[1] = (struct sidecar_xattr){ "user.\xff", "", 0 };
	for (size_t i = 0; i < ENTRIES; i++) {
		random_bytes(seed, names[i], NAME_LEN);
		entries[i] = (struct sidecar_entry){
			.kind = (enum sidecar_kind)(rand_r(seed) % 3),
			.name = names[i],
			.mode = (uint32_t)rand_r(seed) & 07777,
			.mtime_s = rand_r(seed) - RAND_MAX / 2,
			.mtime_ns = (uint32_t)rand_r(seed) % 1000000000,
			.size = (uint64_t)rand_r(seed) << 20,
			.redacted = (uint32_t)rand_r(seed) % 3,
			.same = rand_r(seed) % 2 == 0 ? names[ENTRIES] : NULL,
			.xattrs = xattrs,
			.nxattrs = (size_t)rand_r(seed) % 3,
		};
	}
}

static void
what_was_written_is_what_is_read(void **state)
{
	unsigned int seed = 1;
	struct err err;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		AUTO(buf_done) struct buf text = { .max = SIDECAR_TEXT_MAX };
		AUTO(sidecar_done) struct sidecar_folder read = { 0 };
		char names[ENTRIES + 1][NAME_LEN + 1];
		struct sidecar_entry entries[ENTRIES];
		struct sidecar_xattr xattrs[2];
		struct sidecar_folder folder = { .path = names[ENTRIES],
			.mode = 0700,
			.entries = entries,
			.nentries = ENTRIES };
		int result;

		random_bytes(&seed, names[ENTRIES], NAME_LEN);
		fill(&seed, names, entries, xattrs);
		result = sidecar_write(&folder, &text, &err);
		if (result == ERR_INVALID) {
			// Two of the short random names were the same.
			assert_non_null(strstr(err.msg, "twice"));
			continue;
		}
		ok(result);
		ok(sidecar_parse(text.data, text.len, &read, &err));
		assert_string_equal(read.path, folder.path);
		assert_int_equal(read.nentries, ENTRIES);
		for (size_t i = 0; i < ENTRIES; i++) {
			const struct sidecar_entry *entry =
				sidecar_find(&read, entries[i].name);

			assert_non_null(entry);
			assert_true(same_entry(entry, &entries[i]));
		}
	}
}

static void
no_damage_to_a_text_is_more_than_a_refusal(void **state)
{
	unsigned int seed = 3;
	char text[sizeof(sample)];
	struct err err;
	int taken = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		AUTO(sidecar_done) struct sidecar_folder folder = { 0 };
		size_t len = sizeof(sample) - 1;

		memcpy(text, sample, sizeof(sample));
		for (int i = 0; i <= round % 3; i++) {
			text[(size_t)rand_r(&seed) % len] = (char)rand_r(&seed);
		}
		if (round % 5 == 0) {
			len = (size_t)rand_r(&seed) % len;
		}
		taken += sidecar_parse(text, len, &folder, &err) == 0;
	}
	// A changed letter in a name is a name; most changes are not.
	assert_in_range(taken, 1, 10000);
}

static void
an_escape_has_one_reading(void **state)
{
	(void)state;
	static const char *const pairs[][2] = { { "a b", "a b" },
		{ " a ", "\\x20a\\x20" }, { " ", "\\x20" }, { "  ", "\\x20\\x20" },
		{ "a\nb", "a\\x0ab" }, { "\\", "\\x5c" }, { "\xff", "\\xff" },
		{ "\xc3\xa9", "\xc3\xa9" } };

	for (size_t i = 0; i < countof(pairs); i++) {
		AUTO_FREE char *text = sidecar_escape(pairs[i][0]);
		AUTO_FREE char *bytes = sidecar_unescape(pairs[i][1]);

		assert_string_equal(text, pairs[i][1]);
		assert_non_null(bytes);
		assert_string_equal(bytes, pairs[i][0]);
	}
	assert_null(sidecar_unescape("\\x41"));
	assert_null(sidecar_unescape("\\xFF"));
	assert_null(sidecar_unescape("\\x0"));
	assert_null(sidecar_unescape(" a"));
}

// `printf %s notes/.gitignore | sha1sum` finds the place without us.
static void
a_place_is_found_with_sha1sum(void **state)
{
	char path[SIDECAR_PATH_MAX];

	sidecar_file_path("notes/.gitignore", path);
	assert_int_equal(
		scratch_sh(*state,
			"test %s = .mirror/files/$(printf %%s notes/.gitignore | sha1sum "
			"| sed 's,^\\(..\\)\\(.\\{38\\}\\).*,\\1/\\2,')",
			path),
		0);
}

// ---- a person with git and python, and no mirror

struct builder {
	struct repo *repo;
	struct pack *pack;
	struct tree_change changes[32];
	char paths[32][SIDECAR_PATH_MAX + 64];
	size_t count;
};

static void
put(struct builder *builder, const char *path, uint32_t mode, const char *text,
	size_t len)
{
	struct tree_change *change = &builder->changes[builder->count];
	struct err err;

	(void)snprintf(
		builder->paths[builder->count], sizeof(builder->paths[0]), "%s", path);
	change->path = builder->paths[builder->count];
	change->mode = mode;
	ok(pack_add(builder->pack, OBJECT_BLOB, text, len, &change->oid, &err));
	builder->count++;
}

static void
put_folder(struct builder *builder, const struct sidecar_folder *folder)
{
	AUTO(buf_done) struct buf text = { .max = SIDECAR_TEXT_MAX };
	char path[SIDECAR_PATH_MAX];
	struct err err;

	ok(sidecar_write(folder, &text, &err));
	sidecar_folder_path(folder->path, path);
	put(builder, path, TREE_FILE, text.data, text.len);
}

// The disk as it was, and the same as a commit.
static void
build(const struct scratch *scratch, struct builder *builder)
{
	char ignore[SIDECAR_PATH_MAX];
	char odd[SIDECAR_PATH_MAX];
	const int64_t t = 1600000000;
	struct sidecar_entry top[] = {
		{ SIDECAR_FILE, ".gitignore", 0640, t, 5, 2, .at = ignore },
		{ SIDECAR_FILE, "a b.txt", 0600, t + 1, 999999999, 5, .same = "1" },
		{ SIDECAR_FILE, "z.txt", 0600, t + 1, 999999999, 5, .same = "1" },
		{ SIDECAR_FILE, "run.sh", 0755, t + 2, 0, 3, .at = NULL },
		{ SIDECAR_LINK, "link", 0777, t + 3, 0, 7, .at = NULL },
		{ .kind = SIDECAR_FOLDER, .name = "empty" },
		{ .kind = SIDECAR_FOLDER, .name = "sub" },
	};
	struct sidecar_entry sub[] = {
		{ SIDECAR_FILE, "odd\nname\\\xff", 0444, t, 0, 3, .at = odd },
	};
	struct sidecar_folder notes = { .path = "notes",
		.mode = 0750,
		.mtime_s = t + 9,
		.entries = top,
		.nentries = countof(top) };
	struct sidecar_folder empty = {
		.path = "notes/empty", .mode = 0700, .mtime_s = t + 8
	};
	struct sidecar_folder below = { .path = "notes/sub",
		.mode = 0711,
		.mtime_s = t + 7,
		.entries = sub,
		.nentries = 1 };

	sidecar_file_path("notes/.gitignore", ignore);
	sidecar_file_path("notes/sub/odd\nname\\\xff", odd);
	put(builder, ignore, TREE_FILE, "*\n", 2);
	put(builder, odd, TREE_FILE, "odd", 3);
	put(builder, "notes/a b.txt", TREE_FILE, "hello", 5);
	put(builder, "notes/z.txt", TREE_FILE, "hello", 5);
	put(builder, "notes/run.sh", TREE_PROGRAM, "#!x", 3);
	put(builder, "notes/link", TREE_LINK, "a b.txt", 7);
	put_folder(builder, &notes);
	put_folder(builder, &empty);
	put_folder(builder, &below);
	put(builder, SIDECAR_RECOVERY, TREE_FILE, sidecar_recovery(),
		strlen(sidecar_recovery()));
	assert_int_equal(
		scratch_sh(scratch,
			"mkdir -p disk/notes/empty disk/notes/sub && cd disk/notes && "
			"echo '*' > .gitignore && printf hello > 'a b.txt' && "
			"ln 'a b.txt' z.txt && printf '#!x' > run.sh && "
			"ln -s 'a b.txt' link && "
			"printf odd > \"sub/$(printf 'odd\\nname\\\\\\377')\" && "
			"chmod 640 .gitignore && chmod 600 z.txt && chmod 755 run.sh && "
			"chmod 444 sub/odd* && touch -d @1600000000.000000005 .gitignore "
			"&& "
			"touch -d @1600000001.999999999 z.txt && "
			"touch -d @1600000002 run.sh && touch -h -d @1600000003 link && "
			"touch -d @1600000000 sub/odd* && chmod 700 empty && "
			"chmod 711 sub && chmod 750 . && touch -d @1600000008 empty && "
			"touch -d @1600000007 sub && touch -d @1600000009 ."),
		0);
}

static void
recovery_md_brings_everything_back_without_us(void **state)
{
	struct builder *builder = xcalloc(1, sizeof(*builder));
	struct commit commit = { .name = "x", .email = "x", .message = "x" };
	struct pack_stats stats;
	struct oid made;
	struct err err;

	builder->repo = room_open(*state, false);
	ok(pack_begin(builder->repo, &builder->pack, &err));
	build(*state, builder);
	ok(tree_update(builder->repo, builder->pack, NULL, builder->changes,
		builder->count, &commit.tree, &err));
	ok(commit_write(builder->pack, &commit, &made, &err));
	ok(pack_finish(builder->pack, &stats, &err));
	ok(repo_move_ref(builder->repo, NULL, &made, "x", &err));
	repo_close(builder->repo);
	free(builder);
	if (scratch_sh(*state, "command -v python3 >/dev/null") != 0) {
		skip();
	}
	assert_int_equal(
		scratch_sh(*state,
			"export HOME=/nonexistent; git clone -q -c core.autocrlf=true "
			"-b host/x brain clone && "
			"cd clone && git show HEAD:.mirror/RECOVERY.md | "
			"sed -n '/^```python$/,/^```$/p' | "
			"grep -v '^```' > ../recover.py && python3 ../recover.py "
			"../back"),
		0);
	assert_int_equal(scratch_sh(*state,
				 "diff -r disk back && for d in disk back; do "
				 "(cd $d && find . -mindepth 1 -printf '%%p %%y %%m %%n "
				 "%%T@ %%l\\n' | "
				 "sort > ../$d.list); done && diff disk.list back.list"),
		0);
}

#define room(test)                                                                       \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sample_of_the_format_reads_as_documented),
		cmocka_unit_test(a_text_that_we_would_not_have_written_is_refused),
		cmocka_unit_test(what_was_written_is_what_is_read),
		cmocka_unit_test(no_damage_to_a_text_is_more_than_a_refusal),
		cmocka_unit_test(an_escape_has_one_reading),
		room(a_place_is_found_with_sha1sum),
		room(recovery_md_brings_everything_back_without_us),
	};

	return cmocka_run_group_tests_name("brain/sidecar", tests, NULL, NULL);
}
