// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/scanner.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "scanner/collect.h"
#include "scanner/engine.h"
#include "scanner/filter.h"
#include "scanner/gitleaks.h"
#include "scanner/rule.h"
#include "scanner/ruleset.h"
#include "scanner/text.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// Made by the build: a hash of this room's sources.
#ifndef SCANNER_SOURCES
#error "the build defines SCANNER_SOURCES"
#endif

enum {
	/** Engines kept for the next scan. */
	POOL_MAX = 16,
	VERSION_LEN = 16,
};

struct scanner {
	struct ruleset *rules;
	uint8_t key[HASH_KEY_LEN];
	uint8_t (*allowed)[FINDING_PRINT_LEN];
	size_t nallowed;
	bool inline_marks;
	scanner_look_fn *tell;
	void *tell_payload;
	size_t told_line;
	char version[2 * VERSION_LEN + 1];
	/** Engines that no thread is using. */
	pthread_mutex_t lock;
	struct engine *pool[POOL_MAX];
	size_t npool;
	/** Windows that no stream is using. */
	char *windows[POOL_MAX];
	size_t nwindows;
};

const char *
finding_confidence_name(enum finding_confidence confidence)
{
	return confidence == FINDING_CERTAIN ? "certain" : "likely";
}

static int
compare_prints(const void *left, const void *right)
{
	return memcmp(left, right, FINDING_PRINT_LEN);
}

static void
make_version(struct scanner *scanner)
{
	struct hash *hash = hash_sha256_new();
	uint8_t digest[HASH_SHA256_LEN], keyed[HASH_SHA256_LEN];
	static const char label[] = "scanner version";
	const char flags[] = { scanner->inline_marks ? 'i' : '-' };

	hash_add(hash, SCANNER_SOURCES, strlen(SCANNER_SOURCES));
	ruleset_hash(scanner->rules, hash);
	hash_add(hash, flags, sizeof(flags));
	if (scanner->nallowed > 0) {
		hash_add(hash, scanner->allowed, scanner->nallowed * FINDING_PRINT_LEN);
	}
	// Findings carry fingerprints, and these follow the key.
	hash_keyed(scanner->key, label, sizeof(label), keyed);
	hash_add(hash, keyed, sizeof(keyed));
	hash_end(hash, digest);
	hash_free(hash);
	hash_hex(digest, VERSION_LEN, scanner->version);
}

int
scanner_new(const struct scanner_options *options, struct scanner **ret_scanner,
	struct err *err)
{
	AUTO(gitleaks_freep) struct gitleaks *user = NULL;
	bool extends = false;

	assert(options->key != NULL);
	hash_start();
	if (options->nrule_files > 0 &&
		gitleaks_load(options->rule_files, options->nrule_files, &user, &extends,
			err) < 0) {
		return err->code;
	}

	struct scanner *scanner = xcalloc(1, sizeof(*scanner));
	(void)pthread_mutex_init(&scanner->lock, NULL);
	memcpy(scanner->key, options->key, sizeof(scanner->key));
	scanner->inline_marks = options->inline_marks;
	scanner->tell = options->tell;
	scanner->tell_payload = options->tell_payload;
	scanner->told_line = options->told_line;
	scanner->rules = ruleset_new(STEAL(user), !options->replace_builtin || extends);
	if (options->nallowed > 0) {
		scanner->allowed = xcalloc(options->nallowed, FINDING_PRINT_LEN);
		scanner->nallowed = options->nallowed;
		memcpy(scanner->allowed, options->allowed,
			options->nallowed * FINDING_PRINT_LEN);
		qsort(scanner->allowed, scanner->nallowed, FINDING_PRINT_LEN,
			compare_prints);
	}
	make_version(scanner);
	*ret_scanner = scanner;
	return 0;
}

void
scanner_free(struct scanner *scanner)
{
	if (scanner == NULL) {
		return;
	}
	for (size_t i = 0; i < scanner->npool; i++) {
		engine_free(scanner->pool[i]);
	}
	for (size_t i = 0; i < scanner->nwindows; i++) {
		free(scanner->windows[i]);
	}
	ruleset_free(scanner->rules);
	free(scanner->allowed);
	explicit_bzero(scanner->key, sizeof(scanner->key));
	(void)pthread_mutex_destroy(&scanner->lock);
	free(scanner);
}

void
scanner_freep(struct scanner **scanner)
{
	scanner_free(*scanner);
	*scanner = NULL;
}

const char *
scanner_version(const struct scanner *scanner)
{
	return scanner->version;
}

size_t
scanner_count(const struct scanner *scanner)
{
	const struct gitleaks *user = ruleset_user(scanner->rules);

	return ruleset_count(scanner->rules) + (user != NULL ? gitleaks_count(user) : 0);
}

const char *
scanner_rule(const struct scanner *scanner, size_t index)
{
	size_t builtin = ruleset_count(scanner->rules);

	if (index < builtin) {
		return ruleset_rule(scanner->rules, (uint32_t)index)->id;
	}
	return gitleaks_id(ruleset_user(scanner->rules), index - builtin);
}

const char *
scanner_rule_name(const struct scanner *scanner, const char *rule)
{
	const struct gitleaks *user = ruleset_user(scanner->rules);

	for (size_t i = 0; i < ruleset_count(scanner->rules); i++) {
		const struct rule *row = ruleset_rule(scanner->rules, (uint32_t)i);

		if (strcmp(row->id, rule) == 0) {
			return row->name;
		}
	}
	for (size_t i = 0; user != NULL && i < gitleaks_count(user); i++) {
		if (strcmp(gitleaks_id(user, i), rule) == 0) {
			return gitleaks_description(user, i);
		}
	}
	return rule;
}

/** The pool is behind a lock of its own, so a scanner is constant to its callers. */
static struct scanner *
unlocked(const struct scanner *scanner)
{
	union {
		const struct scanner *constant;
		struct scanner *changing;
	} both = { .constant = scanner };

	return both.changing;
}

static struct engine *
borrow_engine(const struct scanner *constant)
{
	struct scanner *scanner = unlocked(constant);
	struct engine *engine = NULL;

	(void)pthread_mutex_lock(&scanner->lock);
	if (scanner->npool > 0) {
		engine = scanner->pool[--scanner->npool];
	}
	(void)pthread_mutex_unlock(&scanner->lock);
	return engine != NULL ? engine : engine_new();
}

static void
return_engine(const struct scanner *constant, struct engine *engine)
{
	struct scanner *scanner = unlocked(constant);

	(void)pthread_mutex_lock(&scanner->lock);
	if (scanner->npool < POOL_MAX) {
		scanner->pool[scanner->npool++] = engine;
		engine = NULL;
	}
	(void)pthread_mutex_unlock(&scanner->lock);
	engine_free(engine);
}

char *
collect_borrow_window(const struct scanner *scanner)
{
	struct scanner *own = unlocked(scanner);
	char *window = NULL;

	(void)pthread_mutex_lock(&own->lock);
	if (own->nwindows > 0) {
		window = own->windows[--own->nwindows];
	}
	(void)pthread_mutex_unlock(&own->lock);
	return window != NULL ? window : malloc(COLLECT_WINDOW);
}

void
collect_return_window(const struct scanner *scanner, char *window, size_t used)
{
	struct scanner *own = unlocked(scanner);

	explicit_bzero(window, used);
	(void)pthread_mutex_lock(&own->lock);
	if (own->nwindows < POOL_MAX) {
		own->windows[own->nwindows++] = window;
		window = NULL;
	}
	(void)pthread_mutex_unlock(&own->lock);
	free(window);
}

/** Counts lines from one place in a text to the next. */
struct counter {
	const char *text;
	size_t at;
	size_t line;
	size_t line_start;
};

static void
count_to(struct counter *counter, size_t upto)
{
	const char *text = counter->text;

	if (upto <= counter->at) {
		return;
	}
	size_t lines = text_newlines(text + counter->at, upto - counter->at, NULL);
	if (lines > 0) {
		const char *last = memrchr(text + counter->at, '\n', upto - counter->at);

		counter->line += lines;
		counter->line_start = (size_t)(last - text) + 1;
	}
	counter->at = upto;
}

struct view {
	const char *text;
	size_t len;
	struct text_shape shape;
	/** Bytes of the input before it, beside the shape's skip. */
	size_t base;
	bool certain_only;
	bool fixed;
};

static size_t
place(const struct view *view, size_t at)
{
	return view->base + view->shape.skip + at * view->shape.unit;
}

static void
add_finding(const struct view *view, const struct engine_finding *found,
	struct counter *counter, struct collection *collection)
{
	struct collected item = {
		.finding = {
			.rule = found->rule,
			.confidence = found->confidence,
			.line = 1,
			.column = 1,
			.end_line = 1,
			.end_column = 1,
			.entropy = found->entropy,
		},
		.shape = view->shape,
		.fixed = view->fixed || found->end == 0,
	};

	memcpy(item.finding.fingerprint, found->fingerprint, FINDING_PRINT_LEN);
	if (found->end > 0) {
		item.finding.start = place(view, found->start);
		item.finding.end = place(view, found->end);
		count_to(counter, found->start);
		item.finding.line = counter->line;
		item.finding.column =
			(found->start - counter->line_start) * view->shape.unit + 1;
		// The newline that ends a span belongs to its own line.
		struct counter end = *counter;
		count_to(&end, found->end - 1);
		item.finding.end_line = end.line;
		item.finding.end_column =
			(found->end - end.line_start) * view->shape.unit;
	}
	collection->list = xgrow(collection->list, collection->count, &collection->size,
		sizeof(*collection->list));
	collection->list[collection->count++] = item;
}

/** What the engine tells of, on its way out of a view. */
struct telling {
	const struct scanner *scanner;
	const struct view *view;
};

static void
tell_look(const char *rule, const char *why, size_t start, size_t end, void *payload)
{
	const struct telling *telling = payload;
	struct scanner_look look = {
		.rule = rule,
		.why = why,
		.start = place(telling->view, start),
		.end = place(telling->view, end),
	};

	telling->scanner->tell(&look, telling->scanner->tell_payload);
}

/** Where line @line of a view begins and ends. */
static void
find_line(const struct view *view, size_t line, size_t *ret_from, size_t *ret_upto)
{
	const char *at = view->text, *end = view->text + view->len;

	for (size_t i = 1; i < line && at != NULL; i++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		at = newline != NULL ? newline + 1 : NULL;
	}
	const char *newline = at != NULL ? memchr(at, '\n', (size_t)(end - at)) : NULL;
	*ret_from = at != NULL ? (size_t)(at - view->text) : view->len;
	*ret_upto = newline != NULL ? (size_t)(newline - view->text) : view->len;
}

static int
scan_view(const struct scanner *scanner, struct engine *engine,
	const struct scan_input *input, const struct view *view,
	struct collection *collection, struct err *err)
{
	struct engine_context context = {
		.rules = scanner->rules,
		.key = scanner->key,
		.allowed = (const uint8_t(*)[FINDING_PRINT_LEN])scanner->allowed,
		.nallowed = scanner->nallowed,
		.path = input->is_name ? 0 : filter_path(input->path),
		.path_name = input->is_name ? NULL : input->path,
		.marks = scanner->inline_marks,
		.certain_only = view->certain_only,
	};
	struct telling telling = { .scanner = scanner, .view = view };
	if (scanner->tell != NULL) {
		context.tell = tell_look;
		context.tell_payload = &telling;
		find_line(
			view, scanner->told_line, &context.tell_from, &context.tell_upto);
	}
	struct counter counter = { .text = view->text, .line = 1 };
	const struct engine_finding *found;
	size_t count;
	int ret =
		engine_scan(engine, &context, view->text, view->len, &found, &count, err);

	for (size_t i = 0; ret == 0 && i < count; i++) {
		add_finding(view, &found[i], &counter, collection);
	}
	return ret;
}

/** Narrow and scan; @base shifts the alignment of text found inside other bytes, @like
 * says what its findings are. */
static int
scan_wide(const struct scanner *scanner, struct engine *engine,
	const struct scan_input *input, const struct text_shape *shape, size_t base,
	const struct view *like, struct collection *collection, struct err *err)
{
	if (input->len <= base) {
		return 0;
	}

	size_t units = text_units(shape, input->len - base);
	AUTO_FREE char *narrow = malloc(units + 1);
	if (narrow == NULL) {
		return err_raise(err, ERR_NO_MEMORY, "narrow %zu characters", units);
	}
	text_narrow(shape, (const char *)input->data + base, input->len - base, narrow);

	struct view view = { .text = narrow,
		.len = units,
		.shape = *shape,
		.base = base,
		.certain_only = like->certain_only,
		.fixed = like->fixed };
	return scan_view(scanner, engine, input, &view, collection, err);
}

static int
compare_collected(const void *left_void, const void *right_void)
{
	const struct collected *left = left_void, *right = right_void;

	if (left->finding.start != right->finding.start) {
		return left->finding.start < right->finding.start ? -1 : 1;
	}
	return left->finding.end > right->finding.end
		? -1
		: left->finding.end < right->finding.end;
}

/** Views of the same bytes may find the same secret; the first of those stays. */
static void
sort_out(struct collection *collection)
{
	size_t kept = 0;

	if (collection->count < 2) {
		return;
	}
	qsort(collection->list, collection->count, sizeof(*collection->list),
		compare_collected);
	for (size_t i = 1; i < collection->count; i++) {
		struct finding *last = &collection->list[kept].finding;
		const struct finding *next = &collection->list[i].finding;

		if (next->start >= last->end) {
			collection->list[++kept] = collection->list[i];
		} else {
			if (next->end > last->end) {
				last->end = next->end;
				last->end_line = next->end_line;
				last->end_column = next->end_column;
			}
		}
	}
	collection->count = kept + 1;
}

static int
collect_with(const struct scanner *scanner, struct engine *engine,
	const struct scan_input *input, const struct text_shape *shape,
	struct collection *collection, struct err *err)
{
	static const struct text_shape bytes = { TEXT_PLAIN, 1, 0, 0 };
	struct view whole = { .text = input->data,
		.len = input->len,
		.shape = bytes,
		.certain_only = shape->kind == TEXT_BINARY || shape->kind == TEXT_WIDE,
		.fixed = shape->kind == TEXT_BINARY };
	const struct view wide_view = { .certain_only = shape->kind != TEXT_WIDE,
		.fixed = whole.fixed };

	if (scan_view(scanner, engine, input, &whole, collection, err) < 0) {
		return err->code;
	}
	if (shape->kind == TEXT_WIDE &&
		scan_wide(scanner, engine, input, shape, 0, &wide_view, collection, err) <
			0) {
		return err->code;
	}
	if ((shape->kind == TEXT_BINARY || shape->kind == TEXT_STAINED) &&
		text_has_wide_runs(input->data, input->len)) {
		static const struct text_shape wide = { TEXT_WIDE, 2, 0, 0 };

		for (size_t base = 0; base < 2; base++) {
			if (scan_wide(scanner, engine, input, &wide, base, &wide_view,
				    collection, err) < 0) {
				return err->code;
			}
		}
	}
	sort_out(collection);
	return 0;
}

int
collect(const struct scanner *scanner, const struct scan_input *input,
	const struct text_shape *shape, struct collection *collection, struct err *err)
{
	struct text_shape found;
	struct scan_input known = *input;

	if (input->len == 0) {
		known.data = "";
	}
	if (shape == NULL) {
		found = text_shape(known.data, known.len);
		shape = &found;
	}

	struct engine *engine = borrow_engine(scanner);
	int ret = collect_with(scanner, engine, &known, shape, collection, err);
	return_engine(scanner, engine);
	return ret;
}

void
collection_done(struct collection *collection)
{
	free(collection->list);
	*collection = (struct collection){ 0 };
}

unsigned int
scanner_path_kind(const char *path)
{
	return filter_path(path) % SCANNER_PATH_KINDS;
}

int
scanner_scan(const struct scanner *scanner, const struct scan_input *input,
	scanner_fn *fn, void *payload, struct err *err)
{
	AUTO(collection_done) struct collection found = { 0 };

	if (collect(scanner, input, NULL, &found, err) < 0) {
		return err->code;
	}
	for (size_t i = 0; i < found.count; i++) {
		int ret = fn(&found.list[i].finding, payload);

		if (ret != 0) {
			return ret;
		}
	}
	return (int)MIN_OF(found.count, (size_t)INT32_MAX);
}
