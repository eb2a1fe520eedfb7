// SPDX-License-Identifier: GPL-2.0-or-later

// The description of this API, made from the table of routes, the table of problems and
// nothing else.

#include "base/json.h"
#include "base/mem.h"
#include "serve/call.h"
#include "serve/handlers.h"
#include "serve/routes.h"

#include <ctype.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

static void
set_ref(struct json *object, const char *key, const char *target)
{
	struct json *ref = json_new_object();

	json_set_text(ref, "$ref", target);
	json_set(object, key, ref);
}

// OpenAPI knows no "{path...}": a client escapes nothing, slashes go as they are.
static char *
template_of(const char *pattern)
{
	char *text = xstrdup(pattern);
	char *dots = strstr(text, "...");

	if (dots != NULL) {
		memmove(dots, dots + 3, strlen(dots + 3) + 1);
	}
	return text;
}

static struct json *
text_type(void)
{
	struct json *schema = json_new_object();

	json_set_text(schema, "type", "string");
	return schema;
}

static void
add_parameter(struct json *list, const char *name, const char *in, const char *text)
{
	struct json *object = json_new_object();

	json_set_text(object, "name", name);
	json_set_text(object, "in", in);
	json_set_bool(object, "required", strcmp(in, "path") == 0);
	if (text[0] != '\0') {
		json_set_text(object, "description", text);
	}
	json_set(object, "schema", text_type());
	json_append(list, object);
}

static void
add_query(const char *name, const char *text, void *payload)
{
	add_parameter(payload, name, "query", text);
}

static struct json *
parameters_of(const struct route *route)
{
	struct json *list = json_new_array();

	for (const char *at = strchr(route->pattern, '{'); at != NULL;
		at = strchr(at + 1, '{')) {
		AUTO_FREE char *name = xmemdup0(at + 1, strcspn(at + 1, ".}"));

		add_parameter(list, name, "path", "");
	}
	routes_each_word(route->query, add_query, list);
	return list;
}

static void
add_field(const char *name, const char *text, void *payload)
{
	struct json *schema = text_type();

	json_set_text(schema, "description", text);
	json_set(payload, name, schema);
}

static struct json *
content_of(const char *type, struct json *schema)
{
	struct json *content = json_new_object();
	struct json *media = json_new_object();

	json_set(media, "schema", schema);
	json_set(content, type, media);
	return content;
}

static struct json *
body_of(const struct route *route)
{
	struct json *body = json_new_object();
	struct json *schema = json_new_object();
	struct json *fields;

	if (route->body == ROUTE_UPLOAD) {
		json_set_text(schema, "type", "string");
		json_set_text(schema, "format", "binary");
		json_set(body, "content", content_of("application/octet-stream", schema));
		json_set_bool(body, "required", true);
		return body;
	}
	fields = json_new_object();
	routes_each_word(route->fields, add_field, fields);
	json_set_text(schema, "type", "object");
	json_set(schema, "properties", fields);
	json_set_bool(schema, "additionalProperties", false);
	json_set(body, "content", content_of("application/json", schema));
	return body;
}

static void
add_answer(struct json *answers, const struct route *route, unsigned int status)
{
	struct json *good = json_new_object();
	struct json *schema = json_new_object();
	char key[16];

	(void)snprintf(key, sizeof(key), "%u", status);
	json_set_text(good, "description", route->text);
	json_set_text(schema, "type",
		strcmp(route->type, "application/json") == 0 ? "object" : "string");
	json_set(good, "content", content_of(route->type, schema));
	json_set(answers, key, good);
}

static struct json *
answers_of(const struct route *route)
{
	struct json *answers = json_new_object();

	add_answer(answers, route, route->status);
	if (route->also != 0) {
		add_answer(answers, route, route->also);
	}
	set_ref(answers, "default", "#/components/responses/problem");
	return answers;
}

static struct json *
operation_of(const struct route *route)
{
	struct json *operation = json_new_object();
	struct json *security = json_new_array();

	json_set_text(operation, "operationId", route->id);
	json_set_text(operation, "summary", route->text);
	json_set(operation, "parameters", parameters_of(route));
	if (route->body != ROUTE_NONE) {
		json_set(operation, "requestBody", body_of(route));
	}
	json_set(operation, "responses", answers_of(route));
	if (route->scope != ACCESS_NOBODY) {
		struct json *one = json_new_object();
		struct json *scopes = json_new_array();

		json_append_text(scopes, access_scope_word(route->scope));
		json_set(one, "token", scopes);
		json_append(security, one);
	}
	json_set(operation, "security", security);
	return operation;
}

// Rows of one pattern are one path with several methods.
static struct json *
paths(void)
{
	struct json *all = json_new_object();

	for (size_t i = 0; i < nroutes; i++) {
		AUTO_FREE char *path = template_of(routes[i].pattern);
		struct json *item;

		if (json_get(all, path) != NULL) {
			continue;
		}
		item = json_new_object();
		for (size_t j = i; j < nroutes; j++) {
			AUTO_FREE char *method =
				xstrdup(http_method_word(routes[j].method));

			for (char *at = method; *at != '\0'; at++) {
				*at = (char)tolower((unsigned char)*at);
			}
			if (strcmp(routes[j].pattern, routes[i].pattern) == 0) {
				json_set(item, method, operation_of(&routes[j]));
			}
		}
		json_set(all, path, item);
	}
	return all;
}

static struct json *
problem_schema(void)
{
	struct json *schema = json_new_object();
	struct json *fields = json_new_object();
	struct json *code = text_type();
	struct json *codes = json_new_array();
	struct json *number = json_new_object();

	for (int i = PROBLEM_NONE + 1; i < PROBLEM_NPROBLEMS_; i++) {
		json_append_text(codes, problem_code((enum problem)i));
	}
	json_set(code, "enum", codes);
	json_set_text(number, "type", "integer");
	json_set(fields, "type", text_type());
	json_set(fields, "title", text_type());
	json_set(fields, "status", number);
	json_set(fields, "code", code);
	json_set(fields, "detail", text_type());
	json_set(fields, "next", text_type());
	json_set_text(schema, "type", "object");
	json_set(schema, "properties", fields);
	return schema;
}

static struct json *
components(void)
{
	struct json *object = json_new_object();
	struct json *schemas = json_new_object();
	struct json *responses = json_new_object();
	struct json *problem = json_new_object();
	struct json *security = json_new_object();
	struct json *token = json_new_object();
	struct json *ref = json_new_object();

	json_set(schemas, "problem", problem_schema());
	json_set_text(ref, "$ref", "#/components/schemas/problem");
	json_set_text(problem, "description", "RFC 9457, with a fixed code");
	json_set(problem, "content", content_of("application/problem+json", ref));
	json_set(responses, "problem", problem);
	json_set_text(token, "type", "http");
	json_set_text(token, "scheme", "bearer");
	json_set(security, "token", token);
	json_set(object, "schemas", schemas);
	json_set(object, "responses", responses);
	json_set(object, "securitySchemes", security);
	return object;
}

int
api_openapi(struct call *call, struct err *err)
{
	struct json *object = json_new_object();
	struct json *info = json_new_object();

	(void)err;
	json_set_text(info, "title", "mirror");
	json_set_text(info, "version", "1");
	json_set_text(info, "description",
		"On the Unix socket api.sock no token is needed: the system says who "
		"asks.");
	json_set_text(object, "openapi", "3.1.0");
	json_set(object, "info", info);
	json_set(object, "paths", paths());
	json_set(object, "components", components());
	return call_json(call, object);
}
