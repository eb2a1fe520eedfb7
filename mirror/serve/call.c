// SPDX-License-Identifier: GPL-2.0-or-later

#include "serve/call.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "brain/repo.h"
#include "serve/http.h"
#include "serve/room.h"
#include "serve/route.h"
#include "view/clean.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct call *
call_new(struct serve *serve, struct http_request *request)
{
	struct call *call = xcalloc(1, sizeof(*call));

	call->serve = serve;
	call->request = request;
	call->desk.options = &serve->options;
	request->mine = call;
	return call;
}

void
call_free(struct call *call)
{
	parse_target_done(&call->target);
	json_free(call->body);
	desk_done(&call->desk);
	free(call->path);
	free(call);
}

const char *
call_query(const struct call *call, const char *name)
{
	const char *value = parse_value(&call->target.query, name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

int
call_query_int(struct call *call, const char *name, int64_t least, int64_t most,
	int64_t otherwise, int64_t *ret_value, struct err *err)
{
	*ret_value = otherwise;
	if (parse_number(call_query(call, name), least, most, ret_value, err) < 0) {
		call->problem = PROBLEM_BAD_REQUEST;
		return err_wrap(err, "%s", name);
	}
	return 0;
}

const char *
call_text(const struct call *call, const char *name)
{
	return json_get_text(call->body, name);
}

int
call_clean(struct call *call, const char *name, char **ret_text, struct err *err)
{
	uint8_t key[REPO_KEY_LEN];
	struct err ignored;

	// Before there is a repository its mark means nothing elsewhere.
	if ((desk_repo(&call->desk, &ignored) < 0 ||
		    repo_key(call->desk.repo, key, &ignored) < 0) &&
		hash_random(key, sizeof(key), err) < 0) {
		return err->code;
	}
	call->desk.unready = false;
	return view_clean_once(key, call_text(call, name), ret_text, err);
}

int
call_refuse(
	struct call *call, enum problem problem, struct err *err, const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	call->problem = problem;
	return err_raise(err, ERR_INVALID, "%s", text);
}

void
call_header(struct call *call, const char *name, const char *value)
{
	http_add_header(&call->request->answer, name, value);
}

int
call_answer(struct call *call, unsigned int status, const char *type, struct buf *text)
{
	struct http_answer *answer = &call->request->answer;

	call->request->answered = true;
	answer->status = status;
	answer->text = *text;
	*text = (struct buf){ .max = text->max };
	call_header(call, "Content-Type", type);
	return 0;
}

int
call_json_status(struct call *call, unsigned int status, struct json *object)
{
	char *text = json_write(object, 0);
	struct buf out = { .data = text, .len = strlen(text), .max = SIZE_MAX };

	json_free(object);
	out.size = out.len + 1;
	return call_answer(call, status,
		status >= 400 && call->problem != PROBLEM_NONE
			? "application/problem+json"
			: "application/json",
		&out);
}

int
call_json(struct call *call, struct json *object)
{
	return call_json_status(call, call->route->status, object);
}

int
call_see(struct call *call, const char *location)
{
	struct buf none = { .max = 1 };

	call_header(call, "Location", location);
	return call_answer(call, 303, "text/plain", &none);
}

// ---- downloads

// A name that a header can hold, and a file system; the true one follows, escaped.
static void
set_disposition(struct call *call, const char *name)
{
	char plain[CALL_NAME_MAX];
	char escaped[3 * CALL_NAME_MAX];
	char value[5 * CALL_NAME_MAX];
	size_t n = 0;
	size_t e = 0;

	for (; *name != '\0' && n + 1 < sizeof(plain); name++) {
		unsigned char byte = (unsigned char)*name;
		bool fit = isalnum(byte) || strchr("._-", byte) != NULL;

		plain[n++] = fit || byte == ' ' ? *name : '_';
		e += (size_t)snprintf(
			escaped + e, sizeof(escaped) - e, fit ? "%c" : "%%%02X", byte);
	}
	plain[n] = '\0';
	escaped[e] = '\0';
	(void)snprintf(value, sizeof(value),
		"attachment; filename=\"%s\"; filename*=UTF-8''%s", plain, escaped);
	call_header(call, "Content-Disposition", value);
}

// RFC 9530: of the whole, also beside a part.
static void
set_digest(struct call *call, const char *sha256)
{
	uint8_t digest[HASH_SHA256_LEN];

	if (sha256 == NULL || !hash_unhex(sha256, digest, sizeof(digest))) {
		return;
	}
	AUTO_FREE char *text = json_base64(digest, sizeof(digest));
	AUTO_FREE char *value = xasprintf("sha-256=:%s:", text);

	call_header(call, "Repr-Digest", value);
}

static int
send_none(struct call *call, unsigned int status, const char *type)
{
	struct buf none = { .max = 1 };

	return call_answer(call, status, type, &none);
}

// Bytes in memory: the part alone is kept.
static void
cut_bytes(struct buf *bytes, int64_t start, int64_t len)
{
	if (len > 0 && start > 0) {
		memmove(bytes->data, bytes->data + start, (size_t)len);
	}
	bytes->len = (size_t)len;
}

static int
send_part(struct call *call, struct call_download *download, unsigned int status,
	int64_t start, int64_t len)
{
	static const char type[] = "application/octet-stream";
	struct http_answer *answer = &call->request->answer;

	if (download->fd < 0) {
		cut_bytes(download->bytes, start, len);
		return call_answer(call, status, type, download->bytes);
	}
	answer->fd = STEAL_FD(download->fd);
	answer->offset = start;
	answer->len = len;
	return send_none(call, status, type);
}

int
call_send(struct call *call, struct call_download *download, struct err *err)
{
	AUTO_FREE char *etag = xasprintf("\"%s\"", download->etag);
	const char *none_match = http_header(call->request, "If-None-Match");
	const char *if_range = http_header(call->request, "If-Range");
	const char *range = http_header(call->request, "Range");
	AUTO_FREE char *where = NULL;
	int64_t start = 0;
	int64_t len = download->len;
	enum parse_range part = PARSE_RANGE_WHOLE;

	call_header(call, "ETag", etag);
	call_header(call, "Accept-Ranges", "bytes");
	call_header(call, "Cache-Control", "private, no-cache");
	if (none_match != NULL && parse_etag_matches(none_match, etag)) {
		base_close_p(&download->fd);
		return send_none(call, 304, "application/octet-stream");
	}
	set_disposition(call, download->name);
	set_digest(call, download->sha256);
	if (if_range == NULL || strcmp(if_range, etag) == 0) {
		part = parse_range(range, download->len, &start, &len);
	}
	if (part == PARSE_RANGE_NONE) {
		base_close_p(&download->fd);
		where = xasprintf("bytes */%lld", (long long)download->len);
		call_header(call, "Content-Range", where);
		return call_refuse(call, PROBLEM_RANGE, err, "it has %lld bytes",
			(long long)download->len);
	}
	if (part == PARSE_RANGE_PART) {
		where = xasprintf("bytes %lld-%lld/%lld", (long long)start,
			(long long)(start + len - 1), (long long)download->len);
		call_header(call, "Content-Range", where);
		return send_part(call, download, 206, start, len);
	}
	return send_part(call, download, 200, 0, download->len);
}
