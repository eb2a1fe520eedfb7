// SPDX-License-Identifier: GPL-2.0-or-later

#include "ledger/attributes.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

enum {
	LENGTH_LEN = 4,
};

static const char *const privileged_names[] = {
	"security.capability",
	"system.posix_acl_access",
	"system.posix_acl_default",
};

bool
attributes_is_privileged(const char *name)
{
	for (size_t i = 0; i < countof(privileged_names); i++) {
		if (strcmp(name, privileged_names[i]) == 0) {
			return true;
		}
	}
	return false;
}

bool
attributes_is_kept(const char *name, bool privileged)
{
	// A name of nothing but the prefix cannot be made, but a file system may lie.
	return (strncmp(name, "user.", 5) == 0 && name[5] != '\0') ||
		(privileged && attributes_is_privileged(name));
}

static int
by_text(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

int
attributes_add(struct buf *packed, const struct attribute *attribute, struct err *err)
{
	uint8_t length[LENGTH_LEN];

	for (size_t i = 0; i < LENGTH_LEN; i++) {
		length[i] = (uint8_t)(attribute->len >> 8 * (LENGTH_LEN - 1 - i));
	}
	if (buf_add(packed, attribute->name, strlen(attribute->name) + 1, err) < 0 ||
		buf_add(packed, length, sizeof(length), err) < 0) {
		return err->code;
	}
	return buf_add(packed, attribute->value, attribute->len, err);
}

bool
attributes_next(struct attributes_iter *iter, struct attribute *ret)
{
	const char *name = iter->at;
	const char *nul = iter->left > 0 ? memchr(name, '\0', iter->left) : NULL;
	size_t head = nul != NULL ? (size_t)(nul - name) + 1 + LENGTH_LEN : 0;
	size_t len = 0;

	if (nul == NULL || iter->left < head) {
		return false;
	}
	for (size_t i = 0; i < LENGTH_LEN; i++) {
		len = len << 8 | (uint8_t)nul[1 + i];
	}
	if (len > iter->left - head) {
		return false;
	}
	*ret = (struct attribute){ name, name + head, len };
	iter->at = name + head + len;
	iter->left -= head + len;
	return true;
}

// One value into @value, of ATTRIBUTES_MAX bytes.
static int
read_value(int fd, const char *name, char *value, struct buf *packed, struct err *err)
{
	ssize_t len = fgetxattr(fd, name, value, ATTRIBUTES_MAX);

	if (len < 0 && errno == ENODATA) {
		return err_raise(err, ERR_UNSTABLE, "its attributes change");
	}
	if (len < 0 && errno == ERANGE) {
		return err_raise(
			err, ERR_TOO_BIG, "an attribute over %d bytes", ATTRIBUTES_MAX);
	}
	if (len < 0) {
		return err_errno(err, "read an attribute");
	}
	return attributes_add(
		packed, &(struct attribute){ name, value, (size_t)len }, err);
}

// The kept names in @list, sorted.
static int
choose(const char *list, size_t len, bool privileged, const char **names, size_t *count,
	struct err *err)
{
	*count = 0;
	for (const char *name = list; name < list + len; name += strlen(name) + 1) {
		if (!attributes_is_kept(name, privileged)) {
			continue;
		}
		if (*count == ATTRIBUTES_COUNT_MAX) {
			return err_raise(err, ERR_TOO_BIG, "more than %d attributes",
				ATTRIBUTES_COUNT_MAX);
		}
		names[(*count)++] = name;
	}
	qsort(names, *count, sizeof(names[0]), by_text);
	return 0;
}

static int
read_names(int fd, const char *list, size_t len, bool privileged, struct buf *packed,
	struct err *err)
{
	const char *names[ATTRIBUTES_COUNT_MAX];
	AUTO_FREE char *value = NULL;
	size_t count = 0;

	if (choose(list, len, privileged, names, &count, err) < 0) {
		return err->code;
	}
	value = xmalloc(ATTRIBUTES_MAX);
	for (size_t i = 0; i < count; i++) {
		if (read_value(fd, names[i], value, packed, err) < 0) {
			return err->code;
		}
	}
	return 0;
}

int
attributes_read(int fd, bool privileged, struct buf *packed, struct err *err)
{
	AUTO_FREE char *list = NULL;
	ssize_t len = flistxattr(fd, NULL, 0);

	buf_clear(packed);
	if (len < 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) {
		return 0;
	}
	// The kernel's own limit for a list is the whole of it.
	if (len < 0 && errno != E2BIG) {
		return err_errno(err, "list the attributes");
	}
	if (len <= 0) {
		return len == 0 ? 0 : err_raise(err, ERR_TOO_BIG, "too many attributes");
	}
	list = xmalloc((size_t)len + 1);
	len = flistxattr(fd, list, (size_t)len);
	if (len < 0 && errno == ERANGE) {
		return err_raise(err, ERR_UNSTABLE, "its attributes change");
	}
	if (len < 0) {
		return err_errno(err, "list the attributes");
	}
	list[len] = '\0';
	return read_names(fd, list, (size_t)len, privileged, packed, err);
}
