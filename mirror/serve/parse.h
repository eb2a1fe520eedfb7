// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/parse - what a stranger wrote, taken apart: targets, hosts, ranges, forms.
 *
 *     AUTO(parse_target_done) struct parse_target target = { 0 };
 *
 *     if (parse_target(raw, &target, err) < 0) ...          // 400
 *     value = parse_value(&target.query, "state");
 *
 * Knows: base.
 * Owns:  what it copied out, until the matching _done().
 * Never: touches a socket, a file or a clock; reads past what it was given; guesses: what
 *        has two readings is INVALID.
 *
 * Sources: RFC 3986 (targets), RFC 9110 sections 7.2, 13 and 14 (Host, If-*, Range), the
 * URL standard's application/x-www-form-urlencoded.
 */

#ifndef SERVE_PARSE_H
#define SERVE_PARSE_H

#include "base/base.h"

struct err;

enum {
	/** Bytes of a request target. */
	PARSE_TARGET_MAX = 16 * 1024,
	PARSE_SEGMENTS_MAX = 512,
	PARSE_PAIRS_MAX = 64,
};

struct parse_pair {
	char *name;
	char *value;
};

struct parse_pairs {
	struct parse_pair *pairs;
	size_t count;
	size_t capacity;
};

/** "/v1/files/notes/a%20b?at=x": segments decoded, any bytes but NUL and '/'. */
struct parse_target {
	char **segments;
	size_t nsegments;
	size_t capacity;
	struct parse_pairs query;
};

/**
 * INVALID: not in origin form, a wrong escape, an escaped NUL or slash, an empty segment
 * (one slash at the end is fine), "." or "..", too many.  TOO_BIG.
 */
int parse_target(const char *raw, struct parse_target *ret_target, struct err *err)
	NONNULL MUST_CHECK;
void parse_target_done(struct parse_target *target) NONNULL;

/** "a=1&b=x+y".  INVALID: a wrong escape, a NUL, a name twice, too many. */
int parse_form(const char *text, size_t len, struct parse_pairs *ret_pairs,
	struct err *err) NONNULL MUST_CHECK;
void parse_pairs_done(struct parse_pairs *pairs) NONNULL;
/** The value, or NULL; borrowed. */
const char *parse_value(const struct parse_pairs *pairs, const char *name) NONNULL;

/** A whole number within bounds: 1 yes, 0 absent (@text NULL), INVALID. */
int parse_number(const char *text, int64_t least, int64_t most, int64_t *ret_value,
	struct err *err) NONNULL_ARGS(4, 5) MUST_CHECK;

/** Is this Host header this very machine, by a name nobody else can give it?  A page of
 * another site whose name was made to point here has another (DNS rebinding). */
bool parse_host_is_local(const char *host);
/** Is it one word, as people write it for a Unix socket (http://mirror/livez)? */
bool parse_host_is_bare(const char *host);
/** Is @origin "http://<host>"? */
bool parse_origin_is(const char *origin, const char *host) NONNULL;

/** Does @list, the value of If-None-Match, name @etag (with its quotes)? */
bool parse_etag_matches(const char *list, const char *etag) NONNULL;

enum parse_range {
	/** None, several, another unit, or nonsense: the whole. */
	PARSE_RANGE_WHOLE,
	PARSE_RANGE_PART,
	/** 416. */
	PARSE_RANGE_NONE,
};

/** "bytes=0-99", "bytes=100-", "bytes=-5" of something that is @total bytes long. */
enum parse_range parse_range(const char *value, int64_t total, int64_t *ret_start,
	int64_t *ret_len) NONNULL_ARGS(3, 4);

/** `Bearer <token>`: the token, or NULL; borrowed. */
const char *parse_bearer(const char *value);

/** The value of one cookie into @text; false when it is not there or too long. */
bool parse_cookie(const char *value, const char *name, char *text, size_t size)
	NONNULL_ARGS(2, 3);

#endif
