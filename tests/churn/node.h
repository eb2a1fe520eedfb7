// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * tests/churn/node - one entry of the shadow, and its place in the tree.
 *
 * Knows: base, churn/shadow for what a node is.
 * Owns:  what node_new() made, until node_free().
 * Never: touches the disk.
 */

#ifndef TESTS_CHURN_NODE_H
#define TESTS_CHURN_NODE_H

#include "churn/shadow.h"

struct shadow_node *node_new(enum shadow_type type, const char *name, mode_t mode);
/** With everything below it. */
void node_free(struct shadow_node *node);

void node_attach(struct shadow_node *parent, struct shadow_node *node);
void node_detach(struct shadow_node *node);
/** NULL when there is none of this name. */
struct shadow_node *node_child(const struct shadow_node *parent, const char *name);

/** Levels above it, and the most below it. */
size_t node_depth(const struct shadow_node *node);
size_t node_height(const struct shadow_node *node);

/** What is no folder, from here down; and the same as the ledger counts it: an excluded
 * folder is one row. */
size_t node_count_files(const struct shadow_node *node);
size_t node_count_rows(const struct shadow_node *node);

#endif
