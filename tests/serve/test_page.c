// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/stand.h"

#include "base/buf.h"
#include "base/mem.h"
#include "serve/access.h"
#include "serve/html.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEPTH_MAX = 64,
	NAME_LEN = 32,
	IDS_MAX = 256,
};

/** A reader of pages that forgives nothing. */
struct reader {
	const char *at;
	char open[DEPTH_MAX][NAME_LEN];
	size_t depth;
	char ids[IDS_MAX][NAME_LEN];
	size_t nids;
	/** Headings, landmarks, and controls seen. */
	int last_heading;
	int headings1;
	int mains;
	int labels;
	int controls;
};

static bool
is_void(const char *name)
{
	static const char *const names[] = { "meta", "link", "input", "br" };

	for (size_t i = 0; i < countof(names); i++) {
		if (strcmp(names[i], name) == 0) {
			return true;
		}
	}
	return false;
}

// An attribute's value; NULL when it has none.  Double quotes are required.
static const char *
attribute(const char *tag, const char *end, const char *name, char value[512])
{
	AUTO_FREE char *mark = xasprintf(" %s=\"", name);
	const char *at = strstr(tag, mark);

	if (at == NULL || at > end) {
		return NULL;
	}
	at += strlen(mark);
	(void)snprintf(value, 512, "%.*s", (int)strcspn(at, "\""), at);
	return value;
}

static void
check_heading(struct reader *reader, const char *name)
{
	if (name[0] == 'h' && isdigit((unsigned char)name[1]) && name[2] == '\0') {
		int level = name[1] - '0';

		assert_true(level <= reader->last_heading + 1);
		reader->last_heading = level;
		reader->headings1 += level == 1;
	}
}

static bool
is_open(const struct reader *reader, const char *name)
{
	for (size_t i = 0; i < reader->depth; i++) {
		if (strcmp(reader->open[i], name) == 0) {
			return true;
		}
	}
	return false;
}

static void
check_names(struct reader *reader, const char *name, const char *tag, const char *end)
{
	char value[512];

	if (strcmp(name, "svg") == 0) {
		assert_string_equal(attribute(tag, end, "role", value), "img");
		assert_true(strlen(attribute(tag, end, "aria-label", value)) > 5);
	}
	if ((strcmp(name, "input") == 0 &&
		    (attribute(tag, end, "type", value) == NULL ||
			    strcmp(value, "hidden") != 0)) ||
		strcmp(name, "select") == 0) {
		assert_true(is_open(reader, "label"));
		reader->controls++;
	}
	if (attribute(tag, end, "id", value) != NULL) {
		for (size_t i = 0; i < reader->nids; i++) {
			assert_string_not_equal(reader->ids[i], value);
		}
		(void)snprintf(reader->ids[reader->nids++], NAME_LEN, "%.31s", value);
	}
	// Nothing comes from elsewhere, nothing runs from an attribute.
	if (attribute(tag, end, "href", value) != NULL ||
		attribute(tag, end, "action", value) != NULL) {
		assert_true(value[0] == '/' || value[0] == '#' ||
			strcmp(value, "data:,") == 0);
		assert_true(value[1] != '/');
	}
	assert_null(attribute(tag, end, "src", value));
	assert_null(attribute(tag, end, "style", value));
	assert_null(attribute(tag, end, "onclick", value));
	reader->mains += strcmp(name, "main") == 0;
}

static void
read_tag(struct reader *reader)
{
	const char *tag = reader->at;
	const char *end = strchr(tag, '>');
	bool closing = tag[1] == '/';
	char name[NAME_LEN] = "";

	assert_non_null(end);
	for (size_t i = 0;
		i + 1 < NAME_LEN && isalnum((unsigned char)tag[1 + closing + i]); i++) {
		name[i] = tag[1 + closing + i];
	}
	reader->at = end + 1;
	if (tag[1] == '!') {
		return;
	}
	if (closing) {
		assert_true(reader->depth > 0);
		assert_string_equal(reader->open[--reader->depth], name);
		return;
	}
	assert_true(name[0] != '\0');
	check_heading(reader, name);
	check_names(reader, name, tag, end);
	if (is_void(name) || end[-1] == '/') {
		return;
	}
	assert_true(reader->depth < DEPTH_MAX);
	(void)snprintf(reader->open[reader->depth++], NAME_LEN, "%s", name);
	if (strcmp(name, "style") == 0 || strcmp(name, "script") == 0) {
		AUTO_FREE char *close = xasprintf("</%s>", name);

		reader->at = strstr(reader->at, close);
		assert_non_null(reader->at);
	}
}

static struct reader
read_page(const char *page)
{
	struct reader reader = { .at = page };

	while (*reader.at != '\0') {
		if (*reader.at == '<') {
			read_tag(&reader);
			continue;
		}
		// A lone bracket, an unescaped ampersand, a control byte: none may occur.
		assert_int_not_equal(*reader.at, '>');
		assert_true(*reader.at == '\n' || (unsigned char)*reader.at >= ' ');
		if (*reader.at == '&') {
			assert_true(strspn(reader.at + 1,
					    "abcdefghijklmnopqrstuvwxyz#0123456789") > 1);
			assert_int_equal(reader.at[1 +
						 strspn(reader.at + 1,
							 "abcdefghijklmnopqrstuvwxyz#"
							 "0123456789")],
				';');
		}
		reader.at++;
	}
	assert_int_equal(reader.depth, 0);
	assert_int_equal(reader.headings1, 1);
	assert_int_equal(reader.mains, 1);
	return reader;
}

static void
nothing_from_outside_is_markup(void **state)
{
	struct html page = { .out = { .max = 1000 } };
	struct err err;

	(void)state;
	html_add(&page, "<a title=\"%s\">%s</a>", "\"'><script>", "a&b\n\x01\xff");
	html_add_url(&page, "a/b c\"\xff");
	html_add_url_path(&page, "a/b?");
	html_add(&page, " %d %lld %zu%%", -1, 5LL, (size_t)7);
	ok(html_end(&page, &err));
	assert_string_equal(buf_text(&page.out),
		"<a title=\"&quot;&#39;&gt;&lt;script&gt;\">a&amp;b\\x0a\\x01\\xff</a>"
		"a%2Fb%20c%22%FFa/b%3F -1 5 7%");
	buf_done(&page.out);
}

static void
a_page_that_is_too_long_is_an_error(void **state)
{
	struct html page = { .out = { .max = 10 } };
	struct err err;

	(void)state;
	html_add(&page, "%s", "much more than ten bytes");
	html_raw(&page, "x");
	fails(html_end(&page, &err), ERR_TOO_BIG);
	buf_done(&page.out);
}

static void
the_status_page_is_well_formed(void **state)
{
	struct stand *stand = *state;

	stand_database(stand, "app", 20);
	struct reply reply = call_route(stand, "GET", "/", NULL);
	struct reader reader = read_page(reply.body);

	assert_int_equal(reply.status, 200);
	assert_int_equal(reader.controls, 3);
	reply_done(&reply);
}

static struct reply
press(const struct stand *stand, const char *action)
{
	static const char mark[] = "name=\"csrf\" value=\"";
	struct reply page = call_route(stand, "GET", "/", NULL);
	const char *at = strstr(page.body, mark);
	char token[ACCESS_TOKEN_LEN + 1] = "";

	assert_non_null(at);
	memcpy(token, at + strlen(mark), ACCESS_TOKEN_LEN);
	reply_done(&page);
	return ask(stand,
		"POST %s HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n"
		"Content-Type: application/x-www-form-urlencoded\r\n"
		"Content-Length: %zu\r\n\r\ncsrf=%s",
		action, strlen("csrf=") + strlen(token), token);
}

static void
a_check_that_fails_does_not_say_done(void **state)
{
	struct stand *stand = *state;
	struct reply reply;

	stand_database(stand, "app", 20);
	reply = call_route(stand, "GET", "/", NULL);
	assert_non_null(strstr(reply.body, "action=\"/v1/databases/app/verify\""));
	assert_non_null(strstr(reply.body, "<code>mirror db verify app</code>"));
	reply_done(&reply);
	reply = press(stand, "/v1/databases/app/verify");
	assert_int_equal(reply.status, 303);
	assert_string_equal(reply_header(&reply, "Location"), "/?done=verify#top");
	reply_done(&reply);
	sh(stand->world,
		"f=$(find vault -name '2*.sqlite*' | head -1) && chmod u+w \"$f\" && "
		"printf X | dd of=\"$f\" bs=1 seek=100 conv=notrunc status=none");
	reply = press(stand, "/v1/databases/app/verify");
	assert_int_equal(reply.status, 422);
	assert_non_null(strstr(reply.body, "1 of 1 snapshots are not what they were"));
	assert_non_null(strstr(reply.body, "mirror db verify app"));
	reply_done(&reply);
}

static void
the_history_of_runs_is_told_in_words(void **state)
{
	const struct stand *stand = *state;
	struct reply reply = call_route(stand, "GET", "/", NULL);

	assert_non_null(strstr(reply.body, " change as <code>"));
	assert_null(strstr(reply.body, "commit none changed"));
	reply_done(&reply);
}

// A text browser shows what is hidden by style, attribute or script.
static void
nothing_is_there_that_is_hidden(void **state)
{
	const struct stand *stand = *state;
	struct reply reply = call_route(stand, "GET", "/", NULL);

	assert_null(strstr(reply.body, " hidden"));
	assert_null(strstr(reply.body, ">No news"));
	assert_null(strstr(reply.body, ">Something changed"));
	assert_null(strstr(reply.body, "<noscript"));
	reply_done(&reply);
}

static void
the_verdict_comes_first_and_every_part_is_there(void **state)
{
	struct stand *stand = *state;
	static const char *const parts[] = { "class=\"verdict ", "id=\"accounting\"",
		"id=\"needs\"", "id=\"actions\"", "id=\"facts\"", "id=\"changes\"",
		"id=\"files\"", "id=\"databases\"", "id=\"secrets\"", "id=\"drills\"",
		"id=\"machines\"", "id=\"activity\"", "id=\"picture\"" };

	struct reply reply = call_route(stand, "GET", "/", NULL);
	const char *at = reply.body;

	for (size_t i = 0; i < countof(parts); i++) {
		at = strstr(at, parts[i]);
		if (at == NULL) {
			fail_msg("%s is missing or in another place", parts[i]);
		}
	}
	// States are words, buttons show their commands.
	assert_non_null(strstr(reply.body, ">mirrored</a>"));
	assert_non_null(strstr(reply.body, "<code>mirror --once</code>"));
	assert_non_null(strstr(reply.body, "<code>mirror pause 1h</code>"));
	assert_non_null(strstr(reply.body, "<code>mirror accept alive</code>"));
	reply_done(&reply);
}

static void
a_hostile_name_is_shown_and_does_nothing(void **state)
{
	const struct stand *stand = *state;
	struct reply reply = call_route(stand, "GET", "/?text=%3Cb%3E", NULL);
	const char *link;
	char target[300];

	(void)read_page(reply.body);
	assert_null(strstr(reply.body, "<b>"));
	link = strstr(reply.body, "/files/notes/%3Cb%3E");
	assert_non_null(link);
	(void)snprintf(target, sizeof(target), "%.*s", (int)strcspn(link, "\"?#"), link);
	reply_done(&reply);
	reply = call_route(stand, "GET", target, NULL);
	assert_int_equal(reply.status, 200);
	(void)read_page(reply.body);
	assert_non_null(
		strstr(reply.body, "<h1>notes/&lt;b&gt;&amp;&quot;&#39;\\x0a\\x01.md"));
	reply_done(&reply);
}

static void
scripts_run_only_with_the_nonce_of_this_page(void **state)
{
	const struct stand *stand = *state;
	struct reply first = call_route(stand, "GET", "/", NULL);
	struct reply second = call_route(stand, "GET", "/", NULL);
	const char *at = strstr(first.body, "<script nonce=\"");
	char nonce[33] = "";

	assert_non_null(at);
	memcpy(nonce, at + strlen("<script nonce=\""), 32);
	assert_non_null(strstr(reply_header(&first, "Content-Security-Policy"), nonce));
	assert_null(strstr(reply_header(&first, "Content-Security-Policy"), "unsafe"));
	assert_null(strstr(second.body, nonce));
	reply_done(&first);
	reply_done(&second);
}

static void
files_are_filtered_and_turned_over(void **state)
{
	const struct stand *stand = *state;
	struct reply reply;

	for (int i = 0; i < 60; i++) {
		char name[40];

		(void)snprintf(name, sizeof(name), "notes/many/%02d", i);
		put(stand->world, name, "x");
	}
	assert_int_equal(
		run_once(stand->world).totals.state[LEDGER_MIRRORED].files > 0, 1);
	reply = call_route(stand, "GET", "/?path=notes/many", NULL);
	(void)read_page(reply.body);
	const char *more = strstr(reply.body, "/?after=notes%2Fmany%2F24");

	assert_non_null(more);
	assert_null(strstr(strstr(reply.body, "id=\"files\""), "notes/many/25<"));
	reply_done(&reply);
	reply = call_route(
		stand, "GET", "/?after=notes%2Fmany%2F24&path=notes/many", NULL);
	assert_non_null(strstr(strstr(reply.body, "id=\"files\""), "notes/many/49<"));
	reply_done(&reply);
	reply = call_route(stand, "GET", "/?state=redacted", NULL);
	assert_non_null(strstr(strstr(reply.body, "id=\"files\""), "notes/key.txt<"));
	assert_non_null(strstr(reply.body, "<option value=\"redacted\" selected>"));
	reply_done(&reply);
}

static void
one_part_that_cannot_be_read_does_not_hide_the_others(void **state)
{
	const struct stand *stand = *state;
	struct reply reply;

	sh(stand->world, "mv state/mirror/ledger.sqlite aside; mv brain brain-aside");
	reply = call_route(stand, "GET", "/", NULL);
	assert_int_equal(reply.status, 200);
	(void)read_page(reply.body);
	assert_non_null(strstr(reply.body, "Not shown"));
	assert_non_null(strstr(reply.body, "id=\"activity\""));
	reply_done(&reply);
	reply = call_route(stand, "GET", "/v1/ledger", NULL);
	assert_int_equal(reply.status, 503);
	reply_done(&reply);
	reply = call_route(stand, "GET", "/v1/health", NULL);
	assert_int_equal(reply.status, 503);
	reply_done(&reply);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_from_outside_is_markup),
		cmocka_unit_test(a_page_that_is_too_long_is_an_error),
		TEST(the_status_page_is_well_formed),
		TEST(a_check_that_fails_does_not_say_done),
		TEST(the_history_of_runs_is_told_in_words),
		TEST(nothing_is_there_that_is_hidden),
		TEST(the_verdict_comes_first_and_every_part_is_there),
		TEST(a_hostile_name_is_shown_and_does_nothing),
		TEST(scripts_run_only_with_the_nonce_of_this_page),
		TEST(files_are_filtered_and_turned_over),
		TEST(one_part_that_cannot_be_read_does_not_hide_the_others),
	};

	return cmocka_run_group_tests_name("serve/page", tests, NULL, NULL);
}
