// SPDX-License-Identifier: GPL-2.0-or-later

#include "churn/node.h"

#include "base/mem.h"
#include "base/path.h"
#include "churn/shadow.h"

#include <stdlib.h>
#include <string.h>

struct shadow_node *
node_new(enum shadow_type type, const char *name, mode_t mode)
{
	struct shadow_node *node = xcalloc(1, sizeof(*node));

	node->type = type;
	node->name = xstrdup(name);
	node->body = xcalloc(1, sizeof(*node->body));
	node->body->users = 1;
	node->body->mode = mode;
	return node;
}

void
node_free(struct shadow_node *node)
{
	for (size_t i = 0; i < node->nchildren; i++) {
		node_free(node->children[i]);
	}
	if (--node->body->users == 0) {
		free(node->body->data);
		free(node->body);
	}
	free(node->children);
	free(node->name);
	free(node);
}

void
node_attach(struct shadow_node *parent, struct shadow_node *node)
{
	parent->children = xgrow(parent->children, parent->nchildren, &parent->capacity,
		sizeof(struct shadow_node *));
	parent->children[parent->nchildren++] = node;
	node->parent = parent;
}

void
node_detach(struct shadow_node *node)
{
	struct shadow_node *parent = node->parent;

	for (size_t i = 0; i < parent->nchildren; i++) {
		if (parent->children[i] == node) {
			parent->children[i] = parent->children[--parent->nchildren];
			break;
		}
	}
	node->parent = NULL;
}

struct shadow_node *
node_child(const struct shadow_node *parent, const char *name)
{
	for (size_t i = 0; i < parent->nchildren; i++) {
		if (strcmp(parent->children[i]->name, name) == 0) {
			return parent->children[i];
		}
	}
	return NULL;
}

size_t
node_depth(const struct shadow_node *node)
{
	size_t levels = 0;

	for (; node->parent != NULL; node = node->parent) {
		levels++;
	}
	return levels;
}

size_t
node_height(const struct shadow_node *node)
{
	size_t most = 0;

	for (size_t i = 0; i < node->nchildren; i++) {
		size_t below = node_height(node->children[i]) + 1;

		most = MAX_OF(most, below);
	}
	return most;
}

size_t
node_count_files(const struct shadow_node *node)
{
	size_t count = node->type != SHADOW_FOLDER;

	for (size_t i = 0; i < node->nchildren; i++) {
		count += node_count_files(node->children[i]);
	}
	return count;
}

char *
shadow_path(const struct shadow_node *node)
{
	AUTO_FREE char *above = NULL;

	if (node->parent == NULL) {
		return xstrdup("");
	}
	above = shadow_path(node->parent);
	return path_join(above, node->name);
}

bool
shadow_is_watched(const struct shadow *shadow, const struct shadow_node *node)
{
	for (; node != NULL; node = node->parent) {
		if (node == shadow->outside) {
			return false;
		}
	}
	return true;
}

bool
shadow_is_excluded(const struct shadow_node *node)
{
	return strcmp(node->name, ".git") == 0 ||
		(node->type == SHADOW_FOLDER && strcmp(node->name, "node_modules") == 0);
}

bool
shadow_each(
	const struct shadow_node *node, bool skip_excluded, shadow_fn *fn, void *payload)
{
	for (size_t i = 0; i < node->nchildren; i++) {
		const struct shadow_node *below = node->children[i];

		if (!fn(below, payload)) {
			return false;
		}
		if (!(skip_excluded && shadow_is_excluded(below)) &&
			!shadow_each(below, skip_excluded, fn, payload)) {
			return false;
		}
	}
	return true;
}

size_t
node_count_rows(const struct shadow_node *node)
{
	size_t count = 0;

	if (node->type != SHADOW_FOLDER || shadow_is_excluded(node)) {
		return 1;
	}
	for (size_t i = 0; i < node->nchildren; i++) {
		count += node_count_rows(node->children[i]);
	}
	return count;
}
