// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * agent/state_door - whoever backs up this machine may ask for a copy of our own state.
 *
 *     {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{
 *       "name":"backup_vacuum_into","arguments":{"target_path":"/backup/ledger.sqlite"}}}
 *
 * Newline-delimited JSON-RPC 2.0 on a Unix socket of its own, in the words of MCP:
 * initialize, ping, tools/list, tools/call.  It is the other side of vault/owner.
 *
 * Knows: own, config, serve (listen), vault (export).
 * Owns:  the socket, its threads: one that accepts, one a client.
 * Never: opens a database in this process; writes over anything, to the live databases
 *        or their companions, by whatever name; shows a copy before it is whole; lets
 *        another user in (root apart); takes more than its limits below.
 *
 * Threads: start and stop from one; nothing else is shared.
 */

#ifndef AGENT_STATE_DOOR_H
#define AGENT_STATE_DOOR_H

#include "base/base.h"

struct config;
struct err;
struct state_door;

#define STATE_DOOR_SOCKET "state.sock"
#define STATE_DOOR_TOOL "backup_vacuum_into"

enum {
	STATE_DOOR_CLIENTS_MAX = 8,
	STATE_DOOR_LINE_MAX = 64 * 1024,
	/** A client that says nothing for so long is hung up on. */
	STATE_DOOR_SILENT_MS = 5 * 60 * 1000,
};

struct state_door_options {
	/** Borrowed until state_door_stop(). */
	const struct config *config;
	const char *state_dir;
	const char *runtime_dir;
	/** This program (vault/child.h). */
	const char *self;
};

/** BUSY: another agent's socket answers there. */
int state_door_start(const struct state_door_options *options,
	struct state_door **ret_door, struct err *err) NONNULL MUST_CHECK;
/** Ends copies under way, leaves no part of one.  Accepts NULL. */
void state_door_stop(struct state_door *door);

#endif
