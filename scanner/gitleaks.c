// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/gitleaks.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/toml.h"
#include "scanner/chars.h"
#include "scanner/gitleaks_regex.h"
#include "scanner/gitleaks_rule.h"
#include "scanner/pattern.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	FILE_MAX = 16 * 1024 * 1024,
	/** `extend` of an extended file, at most. */
	EXTEND_DEPTH_MAX = 2,
	SAFE_ID_MAX = 64,
};

/** One file being read. */
struct reader {
	const char *file;
	struct gitleaks *rules;
	/** The rule that the keys being read belong to. */
	struct gitleaks_rule *rule;
	struct gitleaks_allow *allow;
	/** Which of the two spellings of an allow list was seen. */
	bool one_list, many_lists;
	/** Ids of this file alone, for `required`. */
	size_t first_rule;
	int depth;
	struct err *err;
};

static int
load_file(struct gitleaks *rules, const char *file, int depth, struct err *err);

static int complain_at(const struct reader *reader, unsigned int line, const char *where,
	const char *fmt, ...) PRINTF_LIKE(4, 5);

static int
complain_at(const struct reader *reader, unsigned int line, const char *where,
	const char *fmt, ...)
{
	char text[ERR_MSG_MAX / 2];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return err_raise_at(
		reader->err, ERR_INVALID, where, "%s:%u: %s", reader->file, line, text);
}

#define complain(reader, value, ...)                                                     \
	complain_at((reader), toml_line(value), ERR_WHERE_, __VA_ARGS__)

static int
want(const struct reader *reader, const struct toml_value *value, enum toml_kind kind,
	const char *key)
{
	if (toml_kind(value) != kind) {
		return complain(reader, value, "%s is %s, not %s", key,
			toml_kind_name(toml_kind(value)), toml_kind_name(kind));
	}
	return 0;
}

static void
texts_add(struct gitleaks_texts *texts, const char *text)
{
	texts->list =
		xgrow(texts->list, texts->count, &texts->size, sizeof(*texts->list));
	texts->list[texts->count++] = xstrdup(text);
}

static void
texts_free(struct gitleaks_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++) {
		free(texts->list[i]);
	}
	free(texts->list);
}

static int
read_texts(const struct reader *reader, const char *key, const struct toml_value *value,
	bool lower, struct gitleaks_texts *texts)
{
	if (want(reader, value, TOML_ARRAY, key) < 0) {
		return reader->err->code;
	}
	for (size_t i = 0; i < toml_count(value); i++) {
		const struct toml_value *item = toml_at(value, i);
		size_t len;

		if (want(reader, item, TOML_TEXT, key) < 0) {
			return reader->err->code;
		}
		texts_add(texts, toml_text(item, &len));
		for (char *c = texts->list[texts->count - 1]; lower && *c != '\0'; c++) {
			*c = char_lower(*c);
		}
	}
	return 0;
}

/** Compiled once here, so that a mistake has a file and a line. */
static int
check_regex(const struct reader *reader, const struct toml_value *value,
	const char *source, size_t *ret_groups)
{
	struct pattern *pattern = NULL;
	struct err why = { 0 };

	if (gitleaks_regex_compile(source, &pattern, &why) < 0) {
		return complain(reader, value, "%s", why.msg);
	}
	*ret_groups = pattern_count(pattern);
	pattern_free(pattern);
	return 0;
}

static int
read_regexes(const struct reader *reader, const char *key, const struct toml_value *value,
	struct gitleaks_regexes *regexes)
{
	struct gitleaks_texts texts = { 0 };
	int ret = read_texts(reader, key, value, false, &texts);

	for (size_t i = 0; ret == 0 && i < texts.count; i++) {
		size_t groups;

		ret = check_regex(reader, toml_at(value, i), texts.list[i], &groups);
		regexes->list = xgrow(regexes->list, regexes->count, &regexes->size,
			sizeof(*regexes->list));
		regexes->list[regexes->count++] =
			(struct gitleaks_regex){ .source = xstrdup(texts.list[i]) };
	}
	texts_free(&texts);
	return ret;
}

static int
read_condition(const struct reader *reader, const struct toml_value *value)
{
	size_t len;
	const char *text = toml_text(value, &len);

	if (text != NULL && (strcasecmp(text, "and") == 0 || strcmp(text, "&&") == 0)) {
		reader->allow->all = true;
		return 0;
	}
	if (text != NULL && (strcasecmp(text, "or") == 0 || strcmp(text, "||") == 0)) {
		return 0;
	}
	return complain(reader, value, "condition is neither \"OR\" nor \"AND\"");
}

static int
read_target(const struct reader *reader, const struct toml_value *value)
{
	static const char *const names[] = { "secret", "match", "line" };
	size_t len;
	const char *text = toml_text(value, &len);

	for (size_t i = 0; text != NULL && i < countof(names); i++) {
		if (strcasecmp(text, names[i]) == 0 || *text == '\0') {
			reader->allow->target =
				*text == '\0' ? GITLEAKS_SECRET : (enum gitleaks_target)i;
			return 0;
		}
	}
	return complain(reader, value, "regexTarget is none of secret, match, line");
}

static int
read_allow_key(const char *key, size_t len, unsigned int line, unsigned int column,
	const struct toml_value *value, void *payload)
{
	struct reader *reader = payload;
	struct gitleaks_allow *allow = reader->allow;

	(void)len;
	(void)line;
	(void)column;
	if (strcasecmp(key, "condition") == 0) {
		return read_condition(reader, value);
	}
	if (strcasecmp(key, "regextarget") == 0) {
		return read_target(reader, value);
	}
	if (strcasecmp(key, "commits") == 0) {
		return read_texts(reader, key, value, true, &allow->commits);
	}
	if (strcasecmp(key, "stopwords") == 0) {
		return read_texts(reader, key, value, true, &allow->stopwords);
	}
	if (strcasecmp(key, "paths") == 0) {
		return read_regexes(reader, key, value, &allow->paths);
	}
	if (strcasecmp(key, "regexes") == 0) {
		return read_regexes(reader, key, value, &allow->regexes);
	}
	if (strcasecmp(key, "targetrules") == 0) {
		return read_texts(reader, key, value, false, &allow->rules);
	}
	return 0;
}

static int
read_allow(struct reader *reader, const struct toml_value *value,
	struct gitleaks_allows *allows)
{
	struct gitleaks_allow *allow;

	if (want(reader, value, TOML_TABLE, "allowlist") < 0) {
		return reader->err->code;
	}
	allows->list =
		xgrow(allows->list, allows->count, &allows->size, sizeof(*allows->list));
	allow = &allows->list[allows->count++];
	*allow = (struct gitleaks_allow){ 0 };
	reader->allow = allow;

	int ret = toml_each(value, read_allow_key, reader);
	if (ret == 0 &&
		allow->commits.count + allow->paths.count + allow->regexes.count +
				allow->stopwords.count ==
			0) {
		return complain(reader, value,
			"the allow list has none of commits, paths, regexes, stopwords");
	}
	return ret;
}

/** allowlist (one, the old way) or allowlists (many), not both. */
static int
read_allows(struct reader *reader, const char *key, const struct toml_value *value,
	struct gitleaks_allows *allows)
{
	bool many = strcasecmp(key, "allowlists") == 0;

	reader->one_list = reader->one_list || !many;
	reader->many_lists = reader->many_lists || many;
	if (reader->one_list && reader->many_lists) {
		return complain(reader, value, "both [allowlist] and [[allowlists]]");
	}
	if (toml_kind(value) == TOML_TABLE) {
		return read_allow(reader, value, allows);
	}
	if (want(reader, value, TOML_ARRAY, key) < 0) {
		return reader->err->code;
	}
	for (size_t i = 0; i < toml_count(value); i++) {
		if (read_allow(reader, toml_at(value, i), allows) < 0) {
			return reader->err->code;
		}
	}
	return 0;
}

static int
read_required_key(const char *key, size_t len, unsigned int line, unsigned int column,
	const struct toml_value *value, void *payload)
{
	struct reader *reader = payload;
	struct gitleaks_required *required =
		&reader->rule->required[reader->rule->nrequired - 1];
	size_t text_len;

	(void)len;
	(void)line;
	(void)column;
	if (strcasecmp(key, "id") == 0 && toml_text(value, &text_len) != NULL) {
		free(required->id);
		required->id = xstrdup(toml_text(value, &text_len));
	} else if (strcasecmp(key, "withinlines") == 0) {
		required->within_lines = toml_int(value);
	} else if (strcasecmp(key, "withincolumns") == 0) {
		required->within_columns = toml_int(value);
	}
	return 0;
}

static int
read_required(struct reader *reader, const struct toml_value *value)
{
	struct gitleaks_rule *rule = reader->rule;

	for (size_t i = 0; i < toml_count(value); i++) {
		rule->required = xgrow(rule->required, rule->nrequired,
			&rule->required_size, sizeof(*rule->required));
		rule->required[rule->nrequired++] =
			(struct gitleaks_required){ .within_lines = -1,
				.within_columns = -1 };
		(void)toml_each(toml_at(value, i), read_required_key, reader);
		if (rule->required[rule->nrequired - 1].id == NULL) {
			return complain(
				reader, toml_at(value, i), "required rule without id");
		}
	}
	return 0;
}

static void
set_text(char **text, const struct toml_value *value)
{
	size_t len;
	const char *found = toml_text(value, &len);

	if (found != NULL) {
		free(*text);
		*text = xstrdup(found);
	}
}

static int
read_rule_key(const char *key, size_t len, unsigned int line, unsigned int column,
	const struct toml_value *value, void *payload)
{
	struct reader *reader = payload;
	struct gitleaks_rule *rule = reader->rule;
	size_t groups;

	(void)len;
	(void)line;
	(void)column;
	if (strcasecmp(key, "description") == 0) {
		set_text(&rule->description, value);
	}
	if (strcasecmp(key, "regex") == 0 || strcasecmp(key, "path") == 0) {
		struct gitleaks_regex *regex =
			char_lower(*key) == 'r' ? &rule->regex : &rule->path;

		if (want(reader, value, TOML_TEXT, key) < 0) {
			return reader->err->code;
		}
		set_text(&regex->source, value);
		return check_regex(reader, value, regex->source, &groups);
	}
	if (strcasecmp(key, "secretgroup") == 0) {
		if (want(reader, value, TOML_INT, key) < 0) {
			return reader->err->code;
		}
		rule->group = (size_t)toml_int(value);
	} else if (strcasecmp(key, "entropy") == 0) {
		rule->entropy = toml_real(value);
	} else if (strcasecmp(key, "skipreport") == 0) {
		rule->silent = toml_bool(value);
	} else if (strcasecmp(key, "keywords") == 0) {
		return read_texts(reader, key, value, true, &rule->keywords);
	} else if (strcasecmp(key, "required") == 0) {
		return read_required(reader, value);
	} else if (strcasecmp(key, "allowlist") == 0 ||
		strcasecmp(key, "allowlists") == 0) {
		return read_allows(reader, key, value, &rule->allows);
	}
	return 0;
}

/** Other characters become '-'; the first must be a letter or digit. */
static char *
make_safe_id(const char *id)
{
	char *safe = xstrdup(id);

	for (char *c = safe; *c != '\0'; c++) {
		*c = char_lower(*c);
		if (!char_is_lower(*c) && !char_is_digit(*c) && *c != '-' && *c != '_') {
			*c = '-';
		}
	}
	if (!char_is_alnum(safe[0])) {
		safe[0] = 'r';
	}
	if (strlen(safe) > SAFE_ID_MAX) {
		safe[SAFE_ID_MAX] = '\0';
	}
	return safe;
}

/**
 * A lazy prefix only widens the match to the left, and makes the search start at every
 * character.  Dropped here; the match is widened afterwards.
 */
static void
drop_prefix(struct gitleaks_rule *rule)
{
	static const char prefix[] = "[\\w.-]{0,50}?";
	char *source = rule->regex.source;
	char *at = source != NULL ? strstr(source, prefix) : NULL;

	if (at != NULL &&
		(at == source || (at == source + 4 && memcmp(source, "(?i)", 4) == 0))) {
		char *rest = at + sizeof(prefix) - 1;

		memmove(at, rest, strlen(rest) + 1);
		rule->prefix = 50;
	}
}

/** The rule with the id that @table names: a new one, or an extended file's. */
static int
find_rule(struct reader *reader, const struct toml_value *table)
{
	struct gitleaks *rules = reader->rules;
	struct gitleaks_rule probe = { 0 };

	if (want(reader, table, TOML_TABLE, "rules") < 0) {
		return reader->err->code;
	}
	set_text(&probe.id, toml_get(table, "id"));
	if (probe.id == NULL) {
		set_text(&probe.id, toml_get(table, "ID"));
	}
	if (probe.id == NULL || *probe.id == '\0') {
		free(probe.id);
		return complain(reader, table, "rule without id");
	}
	for (size_t i = 0; i < reader->first_rule; i++) {
		if (strcmp(rules->rules[i].id, probe.id) == 0) {
			free(probe.id);
			reader->rule = &rules->rules[i];
			return 0;
		}
	}
	probe.safe_id = make_safe_id(probe.id);
	probe.generic = strstr(probe.id, "generic") != NULL;
	rules->rules =
		xgrow(rules->rules, rules->count, &rules->size, sizeof(*rules->rules));
	rules->rules[rules->count++] = probe;
	reader->rule = &rules->rules[rules->count - 1];
	return 0;
}

static int
read_rule(struct reader *reader, const struct toml_value *table)
{
	size_t groups = 0;

	if (find_rule(reader, table) < 0) {
		return reader->err->code;
	}

	struct gitleaks_rule *rule = reader->rule;
	reader->one_list = reader->many_lists = false;
	int ret = toml_each(table, read_rule_key, reader);
	if (ret != 0) {
		return ret;
	}
	if (rule->regex.source == NULL && rule->path.source == NULL) {
		return complain(
			reader, table, "rule %s has neither regex nor path", rule->id);
	}
	if (rule->regex.source != NULL &&
		check_regex(reader, table, rule->regex.source, &groups) < 0) {
		return reader->err->code;
	}
	if (rule->group > groups) {
		return complain(reader, table,
			"rule %s: secretGroup %zu, but only %zu groups", rule->id,
			rule->group, groups);
	}
	drop_prefix(rule);
	return 0;
}

static int
read_extend_key(const char *key, size_t len, unsigned int line, unsigned int column,
	const struct toml_value *value, void *payload)
{
	struct reader *reader = payload;
	size_t text_len;

	(void)len;
	(void)line;
	(void)column;
	if (strcasecmp(key, "usedefault") == 0) {
		reader->rules->use_default =
			reader->rules->use_default || toml_bool(value);
	} else if (strcasecmp(key, "disabledrules") == 0) {
		return read_texts(reader, key, value, false, &reader->rules->disabled);
	} else if (strcasecmp(key, "path") == 0 && toml_text(value, &text_len) != NULL &&
		text_len > 0 && reader->depth < EXTEND_DEPTH_MAX) {
		if (load_file(reader->rules, toml_text(value, &text_len),
			    reader->depth + 1, reader->err) < 0) {
			return err_wrap(reader->err, "%s:%u: extend", reader->file,
				toml_line(value));
		}
	}
	return 0;
}

/** Extended files come first, whatever the order of the keys. */
static int
read_extend(const char *key, size_t len, unsigned int line, unsigned int column,
	const struct toml_value *value, void *payload)
{
	struct reader *reader = payload;

	(void)len;
	(void)line;
	(void)column;
	if (strcasecmp(key, "extend") != 0) {
		return 0;
	}

	bool both = toml_get(value, "path") != NULL &&
		toml_bool(toml_get(value, "useDefault"));
	if (both) {
		return complain(reader, value, "extend has both path and useDefault");
	}
	return toml_each(value, read_extend_key, reader);
}

static int
read_root_key(const char *key, size_t len, unsigned int line, unsigned int column,
	const struct toml_value *value, void *payload)
{
	struct reader *reader = payload;

	(void)len;
	(void)line;
	(void)column;
	if (strcasecmp(key, "rules") == 0) {
		if (want(reader, value, TOML_ARRAY, key) < 0) {
			return reader->err->code;
		}
		for (size_t i = 0; i < toml_count(value); i++) {
			if (read_rule(reader, toml_at(value, i)) < 0) {
				return reader->err->code;
			}
		}
	}
	return 0;
}

static int
read_root_allows(const char *key, size_t len, unsigned int line, unsigned int column,
	const struct toml_value *value, void *payload)
{
	struct reader *reader = payload;

	(void)len;
	(void)line;
	(void)column;
	if (strcasecmp(key, "allowlist") == 0 || strcasecmp(key, "allowlists") == 0) {
		return read_allows(reader, key, value, &reader->rules->allows);
	}
	return 0;
}

static bool
knows_rule(const struct gitleaks *rules, size_t from, const char *id)
{
	for (size_t i = from; i < rules->count; i++) {
		if (strcmp(rules->rules[i].id, id) == 0) {
			return true;
		}
	}
	return false;
}

/** Rules that others name must be there. */
static int
check_names(
	const struct reader *reader, const struct toml_value *root, size_t first_allow)
{
	const struct gitleaks *rules = reader->rules;

	for (size_t i = reader->first_rule; i < rules->count; i++) {
		const struct gitleaks_rule *rule = &rules->rules[i];

		for (size_t j = 0; j < rule->nrequired; j++) {
			if (!knows_rule(
				    rules, reader->first_rule, rule->required[j].id)) {
				return complain(reader, root,
					"rule %s requires %s, which is not there",
					rule->id, rule->required[j].id);
			}
		}
	}
	for (size_t i = first_allow; i < rules->allows.count; i++) {
		const struct gitleaks_texts *ids = &rules->allows.list[i].rules;

		for (size_t j = 0; j < ids->count; j++) {
			if (!knows_rule(rules, 0, ids->list[j]) && !rules->use_default) {
				return complain(reader, root,
					"targetRules names %s, which is not there",
					ids->list[j]);
			}
		}
	}
	return 0;
}

static int
load_file(struct gitleaks *rules, const char *file, int depth, struct err *err)
{
	AUTO(buf_done) struct buf text = { .max = FILE_MAX };
	AUTO(toml_freep) struct toml_doc *doc = NULL;
	struct reader reader = {
		.file = file, .rules = rules, .depth = depth, .err = err
	};

	if (file_read(AT_FDCWD, file, &text, err) < 0 ||
		toml_parse(buf_text(&text), text.len, file, &doc, err) < 0) {
		return err->code;
	}

	struct hash *hash = hash_sha256_new();
	hash_add(hash, rules->digest, sizeof(rules->digest));
	hash_add(hash, buf_text(&text), text.len);
	hash_end(hash, rules->digest);
	hash_free(hash);

	const struct toml_value *root = toml_root(doc);
	int ret = toml_each(root, read_extend, &reader);
	size_t first_allow = rules->allows.count;
	reader.first_rule = rules->count;
	if (ret == 0) {
		ret = toml_each(root, read_root_key, &reader);
	}
	reader.one_list = reader.many_lists = false;
	if (ret == 0) {
		ret = toml_each(root, read_root_allows, &reader);
	}
	return ret == 0 ? check_names(&reader, root, first_allow) : ret;
}

static void
regex_free(struct gitleaks_regex *regex)
{
	free(regex->source);
	pattern_free(atomic_load(&regex->pattern));
}

static void
allows_free(struct gitleaks_allows *allows)
{
	for (size_t i = 0; i < allows->count; i++) {
		struct gitleaks_allow *allow = &allows->list[i];
		struct gitleaks_regexes *both[] = { &allow->paths, &allow->regexes };

		for (size_t j = 0; j < countof(both); j++) {
			for (size_t k = 0; k < both[j]->count; k++) {
				regex_free(&both[j]->list[k]);
			}
			free(both[j]->list);
		}
		texts_free(&allow->stopwords);
		texts_free(&allow->commits);
		texts_free(&allow->rules);
	}
	free(allows->list);
}

static void
rule_free(struct gitleaks_rule *rule)
{
	free(rule->id);
	free(rule->safe_id);
	free(rule->description);
	regex_free(&rule->regex);
	regex_free(&rule->path);
	texts_free(&rule->keywords);
	allows_free(&rule->allows);
	for (size_t j = 0; j < rule->nrequired; j++) {
		free(rule->required[j].id);
	}
	free(rule->required);
}

int
gitleaks_load(const char *const *files, size_t nfiles, struct gitleaks **ret_rules,
	bool *ret_extends, struct err *err)
{
	AUTO(gitleaks_freep) struct gitleaks *rules = xcalloc(1, sizeof(*rules));

	for (size_t i = 0; i < nfiles; i++) {
		if (load_file(rules, files[i], 0, err) < 0) {
			return err->code;
		}
	}
	// A rule of an extended file that is disabled goes before anybody sees it.
	size_t kept = 0;
	for (size_t i = 0; i < rules->count; i++) {
		if (gitleaks_disables(rules, rules->rules[i].id)) {
			rule_free(&rules->rules[i]);
		} else {
			rules->rules[kept++] = rules->rules[i];
		}
	}
	rules->count = kept;
	*ret_extends = rules->use_default;
	*ret_rules = STEAL(rules);
	return 0;
}

void
gitleaks_free(struct gitleaks *rules)
{
	if (rules == NULL) {
		return;
	}
	for (size_t i = 0; i < rules->count; i++) {
		rule_free(&rules->rules[i]);
	}
	free(rules->rules);
	allows_free(&rules->allows);
	texts_free(&rules->disabled);
	free(rules);
}

void
gitleaks_freep(struct gitleaks **rules)
{
	gitleaks_free(*rules);
	*rules = NULL;
}

size_t
gitleaks_count(const struct gitleaks *rules)
{
	return rules->count;
}

const char *
gitleaks_id(const struct gitleaks *rules, size_t rule)
{
	return rules->rules[rule].safe_id;
}

const char *
gitleaks_description(const struct gitleaks *rules, size_t index)
{
	const struct gitleaks_rule *rule = &rules->rules[index];

	return rule->description != NULL ? rule->description : rule->safe_id;
}

bool
gitleaks_disables(const struct gitleaks *rules, const char *id)
{
	for (size_t i = 0; i < rules->disabled.count; i++) {
		if (strcmp(rules->disabled.list[i], id) == 0) {
			return true;
		}
	}
	return false;
}

const char *
gitleaks_keyword(const struct gitleaks *rules, size_t rule, size_t index)
{
	const struct gitleaks_texts *keywords = &rules->rules[rule].keywords;

	return index < keywords->count ? keywords->list[index] : NULL;
}

void
gitleaks_hash(const struct gitleaks *rules, struct hash *hash)
{
	hash_add(hash, rules->digest, sizeof(rules->digest));
}
