// SPDX-License-Identifier: GPL-2.0-or-later

#include "scanner/pattern.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct pattern {
	pcre2_code *code;
	size_t ngroups;
	/** Bytes without space or quote that every match begins with; 0 not known. */
	size_t solid;
	bool fast;
};

struct pattern_scratch {
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
};

/** A match is no shorter than this; of a pattern that names no space, quote or negation,
 * and is whole to its end, all of them are visible characters. */
static size_t
solid_length(const pcre2_code *code, const char *source)
{
	static const char *const loose[] = { " ", "\\s", "\\S", "\\n", "\\r", "\\t",
		"\\W", "\\D", "[^", "\"", "'", "\n", "\t" };
	uint32_t least = 0;

	for (size_t i = 0; i < countof(loose); i++) {
		if (strstr(source, loose[i]) != NULL) {
			return 0;
		}
	}
	// A dot that is neither escaped nor one of a set matches anything.
	bool set = false;
	for (const char *c = source; *c != '\0'; c++) {
		if (*c == '\\' && c[1] != '\0') {
			c++;
		} else if (*c == '[') {
			set = true;
		} else if (*c == ']') {
			set = false;
		} else if (*c == '.' && !set) {
			return 0;
		}
	}
	(void)pcre2_pattern_info(code, PCRE2_INFO_MINLENGTH, &least);
	return least;
}

int
pattern_new(const char *source, unsigned int flags, struct pattern **ret_pattern,
	struct err *err)
{
	// DOLLAR_ENDONLY is what `$` means to those who write rules for RE2.
	uint32_t options = PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
	PCRE2_SIZE offset = 0;
	int code = 0;

	if (flags & PATTERN_ANCHORED) {
		options |= PCRE2_ANCHORED;
	}
	if (flags & PATTERN_WHOLE) {
		options |= PCRE2_ENDANCHORED;
	}
	if (flags & PATTERN_UTF) {
		options |= PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
	}

	pcre2_code *compiled = pcre2_compile(
		(PCRE2_SPTR)source, PCRE2_ZERO_TERMINATED, options, &code, &offset, NULL);
	if (compiled == NULL) {
		PCRE2_UCHAR reason[160] = "";

		(void)pcre2_get_error_message(code, reason, sizeof(reason));
		return err_raise(err, ERR_INVALID, "regular expression, offset %zu: %s",
			(size_t)offset, (const char *)reason);
	}

	struct pattern *pattern = xcalloc(1, sizeof(*pattern));
	uint32_t ngroups = 0;

	pattern->code = compiled;
	(void)pcre2_pattern_info(compiled, PCRE2_INFO_CAPTURECOUNT, &ngroups);
	pattern->ngroups = ngroups;
	pattern->solid = solid_length(compiled, source);
	// Without JIT (a hardened kernel, another machine) the interpreter does the work.
	pattern->fast = pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE) == 0;
	*ret_pattern = pattern;
	return 0;
}

void
pattern_free(struct pattern *pattern)
{
	if (pattern != NULL) {
		pcre2_code_free(pattern->code);
		free(pattern);
	}
}

size_t
pattern_count(const struct pattern *pattern)
{
	return pattern->ngroups;
}

bool
pattern_may_match(const struct pattern *pattern, const char *text, size_t len)
{
	if (pattern->solid > len) {
		return false;
	}
	for (size_t i = 0; i < pattern->solid; i++) {
		if ((unsigned char)text[i] <= 0x20 || text[i] == '"' || text[i] == '\'') {
			return false;
		}
	}
	return true;
}

struct pattern_scratch *
pattern_scratch_new(void)
{
	struct pattern_scratch *scratch = xcalloc(1, sizeof(*scratch));

	scratch->data = pcre2_match_data_create(PATTERN_GROUPS_MAX, NULL);
	scratch->context = pcre2_match_context_create(NULL);
	scratch->stack = pcre2_jit_stack_create(32 * 1024, PATTERN_STACK_MAX, NULL);
	if (scratch->data == NULL || scratch->context == NULL || scratch->stack == NULL) {
		// The small-allocation rule: out of memory ends the process.
		free(xmalloc(SIZE_MAX / 2));
	}
	(void)pcre2_set_match_limit(scratch->context, PATTERN_STEPS_MAX);
	(void)pcre2_set_depth_limit(scratch->context, PATTERN_DEPTH_MAX);
	(void)pcre2_set_heap_limit(scratch->context, PATTERN_HEAP_MAX_KIB);
	pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
	return scratch;
}

void
pattern_scratch_free(struct pattern_scratch *scratch)
{
	if (scratch != NULL) {
		pcre2_match_data_free(scratch->data);
		pcre2_match_context_free(scratch->context);
		pcre2_jit_stack_free(scratch->stack);
		free(scratch);
	}
}

static void
copy_groups(const struct pattern *pattern, struct pattern_scratch *scratch, int matched,
	struct pattern_groups *ret_groups)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(scratch->data);
	// 0 means that there were more groups than places; those that fit are set.
	size_t set = matched == 0 ? PATTERN_GROUPS_MAX : (size_t)matched;

	ret_groups->count = MIN_OF(pattern->ngroups + 1, (size_t)PATTERN_GROUPS_MAX);
	for (size_t i = 0; i < ret_groups->count; i++) {
		ret_groups->at[i][0] = i < set ? at[2 * i] : PATTERN_UNSET;
		ret_groups->at[i][1] = i < set ? at[2 * i + 1] : PATTERN_UNSET;
	}
}

int
pattern_match(const struct pattern *pattern, struct pattern_scratch *scratch,
	const char *text, size_t len, size_t offset, struct pattern_groups *ret_groups,
	struct err *err)
{
	int matched;

	if (pattern->fast) {
		matched = pcre2_jit_match(pattern->code, (PCRE2_SPTR)text, len, offset, 0,
			scratch->data, scratch->context);
	} else {
		matched = pcre2_match(pattern->code, (PCRE2_SPTR)text, len, offset, 0,
			scratch->data, scratch->context);
	}
	if (matched == PCRE2_ERROR_NOMATCH) {
		return 0;
	}
	if (matched < 0) {
		PCRE2_UCHAR reason[160] = "";

		(void)pcre2_get_error_message(matched, reason, sizeof(reason));
		return err_raise(
			err, ERR_BLOCKED, "could not scan: %s", (const char *)reason);
	}
	copy_groups(pattern, scratch, matched, ret_groups);
	return 1;
}
