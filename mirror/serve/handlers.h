// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/handlers - every route's function, for the table; the files api_*.c and page*.c
 * hold them.
 *
 * Knows: route.
 * Owns:  nothing.
 * Never: called but through the table (api_restore_open() apart: before an upload).
 */

#ifndef SERVE_HANDLERS_H
#define SERVE_HANDLERS_H

#include "serve/route.h"

/** api_see.c */
route_fn api_livez;
route_fn api_health;
route_fn api_status;
route_fn api_metrics;
route_fn api_machines;
route_fn api_events;
/** api_describe.c */
route_fn api_openapi;
/** api_files.c */
route_fn api_ledger;
route_fn api_file;
route_fn api_content;
route_fn api_diff;
route_fn api_changes;
route_fn api_secrets;
route_fn api_secrets_allow;
route_fn api_secrets_deny;
/** api_jobs.c */
route_fn api_cycle;
route_fn api_drill;
route_fn api_drills;
route_fn api_job;
route_fn api_job_cancel;
route_fn api_pause;
route_fn api_resume;
route_fn api_accept;
/** api_databases.c */
route_fn api_databases;
route_fn api_snapshot_take;
route_fn api_snapshot;
route_fn api_restore_put;
route_fn api_restore;
route_fn api_restore_cancel;
/** Where the upload goes to: sets the request's sink. */
int api_restore_open(struct call *call, struct err *err) NONNULL MUST_CHECK;
/** api_verify.c */
route_fn api_verify;
route_fn api_work;
/** api_session.c */
route_fn api_key;
route_fn api_enter;
/** page.c, page_file.c */
route_fn page_home;
route_fn page_file;

#endif
