// SPDX-License-Identifier: GPL-2.0-or-later

/**
 * serve/room - the inside of struct serve, for the files of this room.
 *
 * Knows: access, bench, http, idem, month.
 * Owns:  nothing; serve.c makes and frees it.
 * Never: used outside serve/.
 *
 * Everything but `bench` belongs to the server's thread once it runs; `door` is the door
 * thread's.
 */

#ifndef SERVE_ROOM_H
#define SERVE_ROOM_H

#include "base/base.h"
#include "health/report.h"
#include "serve/month.h"
#include "serve/options.h"

#include <pthread.h>

struct access;
struct bench;
struct call_task;
struct http;
struct idem;

struct serve {
	struct serve_options options;
	struct access *access;
	struct bench *bench;
	struct http *http;
	struct idem *idem;
	/** The last measuring, and when: asking often costs one measuring a second. */
	struct health_report report;
	int64_t report_mono_ms;
	/** The picture on the page, counted on from one look to the next. */
	struct month month;
	/** Deferred requests, newest first. */
	struct call_task *tasks;
	/** Requests answered, by hundreds of their status; errors of the rate limit. */
	int64_t answered[6];
	/** The door's. */
	int fds[SERVE_LISTENERS_MAX];
	size_t nfds;
	/** An eventfd that ends the door. */
	int stop;
	/** Its own socket, removed in the end. */
	char *socket;
	unsigned int port;
	/** Of one that is alone; else NULL. */
	char *link;
	bool door_runs;
	pthread_t door;
};

#endif
