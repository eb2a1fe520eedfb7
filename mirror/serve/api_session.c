// SPDX-License-Identifier: GPL-2.0-or-later

// A browser's way in: a program that may asks for a one-time link, the browser opens it
// and gets a cookie that scripts and other sites never see.

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "serve/access.h"
#include "serve/call.h"
#include "serve/handlers.h"
#include "serve/room.h"

#include <stdlib.h>
#include <string.h>

int
api_key(struct call *call, struct err *err)
{
	char key[ACCESS_TOKEN_LEN + 1];
	AUTO_FREE char *path = NULL;
	struct json *object;

	if (call->serve->port == 0) {
		call_refuse(call, PROBLEM_NOT_SUPPORTED, err,
			"a browser needs [api] http, which is \"none\"");
		return err_advise(err, "mirror config edit");
	}
	if (access_key_new(call->serve->access, clock_mono_ms(), key, err) < 0) {
		return err->code;
	}
	path = xasprintf("/enter?key=%s", key);
	AUTO_FREE char *url = xasprintf("http://127.0.0.1:%u%s", call->serve->port, path);

	object = json_new_object();
	json_set_text(object, "schema", "mirror.key/1");
	json_set_text(object, "url", url);
	json_set_int(object, "seconds", ACCESS_KEY_MS / 1000);
	return call_json(call, object);
}

int
api_enter(struct call *call, struct err *err)
{
	const char *key = call_query(call, "key");
	char session[ACCESS_TOKEN_LEN + 1];
	int entered = key == NULL
		? 0
		: access_enter(call->serve->access, key, clock_mono_ms(), session, err);

	if (entered < 0) {
		return entered;
	}
	if (entered == 0) {
		if (!access_allows(
			    call->serve->access, ACCESS_STRANGER, clock_mono_ms())) {
			return call_refuse(
				call, PROBLEM_TOO_MANY, err, "too many wrong links");
		}
		call_refuse(call, PROBLEM_FORBIDDEN, err,
			"this link was used, is older than a minute, or never was one");
		return err_advise(err, "mirror web");
	}
	AUTO_FREE char *cookie = xasprintf("mirror_session=%s; HttpOnly; "
					   "SameSite=Strict; Path=/; Max-Age=%d",
		session, ACCESS_SESSION_MS / 1000);

	call_header(call, "Set-Cookie", cookie);
	return call_see(call, "/");
}
