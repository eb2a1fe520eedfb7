// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/output.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "brain/oid.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BAR_EVERY_MS = 100,
	BAR_WIDTH = 24
};

static bool
is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value != NULL && value[0] != '\0';
}

void
output_init(struct output *out)
{
	const char *term = getenv("TERM");
	bool dumb = term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0;

	*out = (struct output){
		.color = isatty(STDOUT_FILENO) && !dumb && !is_set("NO_COLOR"),
		.live = isatty(STDOUT_FILENO) && !dumb,
		.bar = isatty(STDERR_FILENO) && !dumb,
		.no_input = !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO),
	};
}

static void
speak(struct output *out)
{
	out->spoke = true;
	output_progress_done(out);
}

// With --json lines are kept for the answer.
static void say_line(struct output *out, const char *end, const char *fmt, va_list args)
	PRINTF_LIKE(3, 0);

static void
say_line(struct output *out, const char *end, const char *fmt, va_list args)
{
	AUTO_FREE char *text = NULL;
	int len;

	if (!out->json) {
		speak(out);
		(void)vprintf(fmt, args);
		(void)fputs(end, stdout);
		return;
	}
	len = vasprintf(&text, fmt, args);
	if (len < 0) {
		text = NULL;
		return;
	}
	out->said = xrealloc(out->said, out->said_len + (size_t)len + strlen(end) + 1);
	out->said_len += (size_t)sprintf(out->said + out->said_len, "%s%s", text, end);
}

void
output_text(struct output *out, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_line(out, "", fmt, args);
	va_end(args);
}

void
output_line(struct output *out, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_line(out, "\n", fmt, args);
	va_end(args);
}

void
output_commit(struct output *out, const struct oid *commit, uint64_t changed)
{
	char id[OID_HEX_MAX];

	if (commit == NULL || oid_is_zero(commit)) {
		output_line(out, "nothing changed, no commit");
	} else if (changed == 0) {
		output_line(out,
			"committed what is kept beside the files (a snapshot, modes, "
			"times) as %.12s",
			oid_hex(commit, id));
	} else {
		output_line(out, "committed %" PRIu64 " change%s as %.12s", changed,
			changed == 1 ? "" : "s", oid_hex(commit, id));
	}
}

void
output_code(struct output *out, const char *fmt, ...)
{
	va_list args;

	speak(out);
	va_start(args, fmt);
	(void)vprintf(fmt, args);
	va_end(args);
	(void)putchar('\n');
}

void
output_raw(struct output *out, const char *data, size_t len)
{
	speak(out);
	(void)fwrite(data, 1, len, stdout);
}

void
output_json(struct output *out, const struct json *json)
{
	AUTO_FREE char *text = NULL;

	if (out->part != NULL) {
		json_free(*out->part);
		*out->part = json_clone(json);
		out->spoke = true;
		return;
	}
	text = json_write(json, 2);
	output_code(out, "%s", text);
}

void
output_json_line(struct output *out, const struct json *json)
{
	AUTO_FREE char *text = json_write(json, 0);

	output_code(out, "%s", text);
}

// ---- the answer

struct json *
output_answer(struct output *out)
{
	if (out->answer == NULL) {
		out->answer = json_new_object();
		// First of its keys; known at the end.
		json_set_null(out->answer, "schema");
	}
	return out->answer;
}

char *
output_take_said(struct output *out)
{
	char *said = out->said != NULL ? out->said : xstrdup("");

	while (out->said_len > 0 && said[out->said_len - 1] == '\n') {
		said[--out->said_len] = '\0';
	}
	out->said = NULL;
	out->said_len = 0;
	return said;
}

static void
print_failure(struct output *out, const char *verb, int status, const struct err *failure)
{
	AUTO(json_freep) struct json *object = json_new_object();
	AUTO_FREE char *said = output_take_said(out);
	char code[ERR_WORD_MAX];

	err_word(failure->code, code);
	json_set_text(object, "schema", "mirror.error/1");
	json_set_text(object, "command", verb[0] != '\0' ? verb : NULL);
	json_set_text(object, "code", code);
	json_set_text(object, "error", err_phrase(failure->code));
	json_set_text(object, "sentence", failure->msg);
	json_set_text(object, "next", failure->next[0] != '\0' ? failure->next : NULL);
	if (said[0] != '\0') {
		json_set_text(object, "said", said);
	}
	json_set_int(object, "exit", status);
	output_json(out, object);
}

static void
print_answer(struct output *out, const char *verb, int status)
{
	// Hidden verbs begin with "__".
	AUTO_FREE char *schema = xasprintf("mirror.%s/1", verb + strspn(verb, "_"));
	AUTO_FREE char *said = output_take_said(out);
	struct json *answer = output_answer(out);

	for (char *c = schema; *c != '\0'; c++) {
		*c = *c == ' ' ? '-' : *c;
	}
	json_set_text(answer, "schema", schema);
	if (said[0] != '\0') {
		json_set_text(answer, "sentence", said);
	}
	json_set_int(answer, "exit", status);
	output_json(out, answer);
}

void
output_end(struct output *out, const char *verb, int status, const struct err *failure)
{
	if (out->json && !out->spoke) {
		if (failure->code != 0) {
			print_failure(out, verb, status, failure);
		} else {
			print_answer(out, verb, status);
		}
	}
	json_freep(&out->answer);
	base_free_p(&out->said);
	out->said_len = 0;
}

void
output_word(struct output *out, enum output_tone tone, const char *word)
{
	static const char *const codes[] = {
		[OUTPUT_PLAIN] = "",
		[OUTPUT_GOOD] = "\033[32m",
		[OUTPUT_WARN] = "\033[33m",
		[OUTPUT_BAD] = "\033[31m",
		[OUTPUT_FAINT] = "\033[2m",
		[OUTPUT_STRONG] = "\033[1m",
	};

	if (out->color && tone != OUTPUT_PLAIN) {
		output_text(out, "%s%s\033[0m", codes[tone], word);
	} else {
		output_text(out, "%s", word);
	}
}

static void say(struct output *out, const char *fmt, va_list args) PRINTF_LIKE(2, 0);

static void
say(struct output *out, const char *fmt, va_list args)
{
	AUTO_FREE char *raw = NULL;

	output_progress_done(out);
	// What was asked for comes first when both go to one terminal.
	(void)fflush(stdout);
	if (vasprintf(&raw, fmt, args) < 0) {
		raw = NULL;
		return;
	}

	AUTO_FREE char *text = path_printable_text(raw);
	(void)fprintf(stderr, "mirror: %s\n", text);
}

void
output_note(struct output *out, const char *fmt, ...)
{
	va_list args;

	if (out->quiet) {
		return;
	}
	va_start(args, fmt);
	say(out, fmt, args);
	va_end(args);
}

void
output_warn(struct output *out, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(out, fmt, args);
	va_end(args);
}

void
output_error(struct output *out, const struct err *err)
{
	output_warn(out, "%s", err->msg[0] != '\0' ? err->msg : err_phrase(err->code));
	if (out->verbose && err->where != NULL) {
		(void)fprintf(stderr, "  where: %s\n", err->where);
	}
	if (err->next[0] != '\0') {
		AUTO_FREE char *next = path_printable_text(err->next);

		(void)fprintf(stderr, "  next: %s\n", next);
	}
}

void
output_size(uint64_t bytes, char text[OUTPUT_SIZE_MAX])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes;
	size_t unit = 0;

	if (bytes < 1024) {
		(void)snprintf(text, OUTPUT_SIZE_MAX, "%" PRIu64 " B", bytes);
		return;
	}
	value /= 1024;
	while (value >= 1000 && unit + 1 < countof(units)) {
		value /= 1024;
		unit++;
	}
	(void)snprintf(text, OUTPUT_SIZE_MAX, "%.1f %s", value, units[unit]);
}

// What counts bytes, by the words of those who do it.
static bool
is_bytes(const char *what)
{
	static const char *const words[] = { "copy", "compress", "read back", "upload",
		"unpack", "safety copy", "sent" };

	for (size_t i = 0; i < countof(words); i++) {
		if (strcmp(words[i], what) == 0) {
			return true;
		}
	}
	return false;
}

static void
put_count(bool bytes, uint64_t count, char text[OUTPUT_SIZE_MAX])
{
	if (bytes) {
		output_size(count, text);
	} else {
		(void)snprintf(text, OUTPUT_SIZE_MAX, "%" PRIu64, count);
	}
}

void
output_bar(const char *what, uint64_t done, uint64_t total, int64_t elapsed_ms,
	char text[OUTPUT_BAR_MAX])
{
	bool bytes = is_bytes(what);
	char done_text[OUTPUT_SIZE_MAX];
	char total_text[OUTPUT_SIZE_MAX];
	char rate_text[OUTPUT_SIZE_MAX];
	double rate = elapsed_ms > 0 ? (double)done * 1000 / (double)elapsed_ms : 0;
	char left[CLOCK_TEXT_MAX + 8] = "";
	char bar[BAR_WIDTH + 1];

	put_count(bytes, (uint64_t)(rate + 0.5), rate_text);
	if (total == 0 && done == 0) {
		char age[CLOCK_TEXT_MAX];

		// All that is known is that it goes on.
		clock_format_age(elapsed_ms, age);
		(void)snprintf(text, OUTPUT_BAR_MAX, "%.60s: %s", what, age);
		return;
	}
	if (total == 0) {
		put_count(bytes, done, done_text);
		(void)snprintf(text, OUTPUT_BAR_MAX, "%.60s: %s, %s/s", what, done_text,
			rate_text);
		return;
	}
	done = MIN_OF(done, total);
	put_count(bytes, done, done_text);
	put_count(bytes, total, total_text);
	for (size_t i = 0; i < BAR_WIDTH; i++) {
		bar[i] = i * total < done * BAR_WIDTH ? '#' : '.';
	}
	bar[BAR_WIDTH] = '\0';
	if (rate > 0 && elapsed_ms >= 1000 && done < total) {
		char age[CLOCK_TEXT_MAX];

		clock_format_age((int64_t)((double)(total - done) * 1000 / rate), age);
		(void)snprintf(left, sizeof(left), ", %s left", age);
	}
	(void)snprintf(text, OUTPUT_BAR_MAX, "%.60s [%s] %3.0f%% %s/%s, %s/s%s", what,
		bar, (double)done * 100 / (double)total, done_text, total_text, rate_text,
		left);
}

void
output_progress(struct output *out, const char *what, uint64_t done, uint64_t total)
{
	int64_t now = clock_mono_ms();
	char text[OUTPUT_BAR_MAX];

	if (!out->bar || out->quiet) {
		return;
	}
	if (strncmp(out->bar_what, what, sizeof(out->bar_what) - 1) != 0) {
		(void)snprintf(out->bar_what, sizeof(out->bar_what), "%s", what);
		out->bar_began_ms = now;
		out->bar_drawn_ms = 0;
	}
	if (now - out->bar_drawn_ms < BAR_EVERY_MS) {
		return;
	}
	output_bar(what, done, total, now - out->bar_began_ms, text);
	(void)fprintf(stderr, "\r\033[K%s", text);
	out->bar_drawn_ms = now;
	out->bar_drawn = true;
}

void
output_progress_done(struct output *out)
{
	if (out->bar_drawn) {
		(void)fputs("\r\033[K", stderr);
		out->bar_drawn = false;
	}
}

void
output_ask_text(struct output *out, const char *question, char *text, size_t size)
{
	size_t len;

	text[0] = '\0';
	if (out->no_input) {
		return;
	}
	output_progress_done(out);
	(void)fflush(stdout);
	(void)fprintf(stderr, "%s ", question);
	if (fgets(text, (int)size, stdin) == NULL) {
		text[0] = '\0';
		return;
	}
	len = strlen(text);
	// What did not fit is no part of the next answer.
	for (int c = 0; len > 0 && text[len - 1] != '\n' && c != EOF && c != '\n';) {
		c = getchar();
	}
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL) {
		text[--len] = '\0';
	}
	memmove(text, text + strspn(text, " \t"), len - strspn(text, " \t") + 1);
}

bool
output_ask(struct output *out, const char *question)
{
	AUTO_FREE char *whole = xasprintf("%s [y/N]", question);
	char answer[64];

	output_ask_text(out, whole, answer, sizeof(answer));
	return answer[0] == 'y' || answer[0] == 'Y';
}

int
output_finish(struct output *out, struct err *err)
{
	output_progress_done(out);
	errno = 0;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		if (errno == 0) {
			errno = EIO;
		}
		return err_errno(err, "write to standard output");
	}
	return 0;
}
