// SPDX-License-Identifier: GPL-2.0-or-later

#include "cli/rewrite.h"

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "config/config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/**
 * People's comments are theirs, so the text is changed as text, line by line, and the
 * parser is the judge of what comes out: a change it does not like is not saved.
 */

int
rewrite_open(const char *file, struct rewrite *ret_rewrite, struct err *err)
{
	AUTO(rewrite_done)
	struct rewrite rewrite = { .text = { .max = CONFIG_FILE_MAX } };
	struct stat info;

	rewrite.file = xstrdup(file);
	rewrite.real = realpath(file, NULL);
	if (rewrite.real == NULL || stat(rewrite.real, &info) < 0) {
		err_raise(err, ERR_CONFIG, "there is no configuration at %s", file);
		return err_advise(err, "mirror init PATH...");
	}
	rewrite.mode = info.st_mode & 0777;
	if (file_read(AT_FDCWD, rewrite.real, &rewrite.text, err) < 0) {
		return err_wrap(err, "read the configuration");
	}
	*ret_rewrite = rewrite;
	rewrite = (struct rewrite){ 0 };
	return 0;
}

void
rewrite_done(struct rewrite *rewrite)
{
	free(rewrite->file);
	free(rewrite->real);
	buf_done(&rewrite->text);
	rewrite->file = NULL;
	rewrite->real = NULL;
}

int
rewrite_check(const struct rewrite *rewrite, struct err *err)
{
	AUTO(buf_done) struct buf now = { .max = CONFIG_FILE_MAX };

	if (file_read(AT_FDCWD, rewrite->real, &now, err) < 0) {
		return err_wrap(err, "read the configuration");
	}
	if (now.len != rewrite->text.len ||
		memcmp(buf_text(&now), buf_text(&rewrite->text), now.len) != 0) {
		return err_raise(err, ERR_UNSTABLE,
			"%s was changed by somebody else meanwhile; nothing was saved",
			rewrite->file);
	}
	return 0;
}

int
rewrite_save(struct rewrite *rewrite, const char *text, size_t len, struct err *err)
{
	AUTO(config_freep) struct config *config = NULL;

	if (config_parse(text, len, rewrite->file, &config, err) < 0 ||
		rewrite_check(rewrite, err) < 0) {
		return err->code;
	}
	return file_replace_at(rewrite->real, text, len, rewrite->mode, err);
}

char *
rewrite_add_watch(const char *text, const char *path, const char *name)
{
	size_t len = strlen(text);
	AUTO_FREE char *quoted = config_quote(path);
	AUTO_FREE char *quoted_name = name != NULL ? config_quote(name) : NULL;
	const char *gap = len == 0 ? "" : text[len - 1] == '\n' ? "\n" : "\n\n";

	return xasprintf("%s%s[[watch]]\npath = %s\n%s%s%s", text, gap, quoted,
		name != NULL ? "name = " : "", name != NULL ? quoted_name : "",
		name != NULL ? "\n" : "");
}

// The beginning of line @line (from 1), or of what is behind the last one.
static const char *
line_at(const char *text, unsigned int line)
{
	while (line > 1 && *text != '\0') {
		text = strchrnul(text, '\n');
		text += *text == '\n';
		line--;
	}
	return text;
}

static const char *
next_line(const char *at)
{
	at = strchrnul(at, '\n');
	return at + (*at == '\n');
}

static const char *
skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

// Does this line open a table?  A value never begins a line with a bracket in a text
// that config_parse() took, but an item of a list over several lines may: those are
// indented or quoted, and what comes out is parsed again anyway.
static bool
is_head(const char *at)
{
	return *skip_blanks(at) == '[';
}

char *
rewrite_remove_table(const char *text, unsigned int line)
{
	const char *from = line_at(text, line);
	const char *end = next_line(from);
	const char *keep;

	while (*end != '\0' && !is_head(end)) {
		end = next_line(end);
	}
	// Comments right above the next table belong to it.
	keep = end;
	for (const char *at = next_line(from); *end != '\0' && at < end;
		at = next_line(at)) {
		char first = *skip_blanks(at);

		if (first != '#') {
			keep = end;
		} else if (keep == end) {
			keep = at;
		}
	}
	// The empty line in front of the last table goes with it.
	if (*keep == '\0' && from - text >= 2 && from[-1] == '\n' && from[-2] == '\n') {
		from--;
	}
	return xasprintf("%.*s%s", (int)(from - text), text, keep);
}

// The line behind the head "[section]", or NULL.
static const char *
section_at(const char *text, const char *section)
{
	AUTO_FREE char *head = xasprintf("[%s]", section);

	for (const char *at = text; *at != '\0'; at = next_line(at)) {
		if (strncmp(skip_blanks(at), head, strlen(head)) == 0) {
			return next_line(at);
		}
	}
	return NULL;
}

char *
rewrite_set(const char *text, const char *section, const char *key, const char *value,
	unsigned int line)
{
	AUTO_FREE char *quoted = config_quote(value);
	const char *from = line > 0 ? line_at(text, line) : section_at(text, section);
	const char *rest = line > 0 ? next_line(from) : from;
	size_t len = strlen(text);
	const char *gap = "";

	if (from == NULL) {
		gap = len == 0 || text[len - 1] == '\n' ? "" : "\n";
		return xasprintf(
			"%s%s\n[%s]\n%s = %s\n", text, gap, section, key, quoted);
	}
	gap = from > text && from[-1] != '\n' ? "\n" : "";
	return xasprintf(
		"%.*s%s%s = %s\n%s", (int)(from - text), text, gap, key, quoted, rest);
}
