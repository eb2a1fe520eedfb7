// SPDX-License-Identifier: GPL-2.0-or-later

// The one C++ file: toml++ behind the C words of base/toml.h.

extern "C" {
#include "base/err.h"
}

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include <cstring>
#include <exception>
#include <string_view>

#include "base/toml.h"

struct toml_doc {
	::toml::table root;
};

namespace
{

const ::toml::node *
inside(const struct toml_value *value)
{
	return reinterpret_cast<const ::toml::node *>(value);
}

const struct toml_value *
outside(const ::toml::node *node)
{
	return reinterpret_cast<const struct toml_value *>(node);
}

} // namespace

extern "C" {

int
toml_parse(const char *text, size_t len, const char *name, struct toml_doc **ret_toml,
	struct err *err)
{
	try {
		::toml::table root = ::toml::parse(
			std::string_view(text, len), std::string_view(name));

		*ret_toml = new toml_doc{ std::move(root) };
		return 0;
	} catch (const ::toml::parse_error &why) {
		return err_raise(err, ERR_INVALID, "%s:%u:%u: %.*s", name,
			why.source().begin.line, why.source().begin.column,
			static_cast<int>(why.description().size()),
			why.description().data());
	} catch (const std::exception &why) {
		return err_raise(err, ERR_INVALID, "%s: %s", name, why.what());
	}
}

void
toml_free(struct toml_doc *toml)
{
	delete toml;
}

void
toml_freep(struct toml_doc **toml)
{
	toml_free(*toml);
	*toml = nullptr;
}

const struct toml_value *
toml_root(const struct toml_doc *toml)
{
	return outside(&toml->root);
}

enum toml_kind
toml_kind(const struct toml_value *value)
{
	if (value == nullptr) {
		return TOML_NONE;
	}
	switch (inside(value)->type()) {
	case ::toml::node_type::none:
		return TOML_NONE;
	case ::toml::node_type::table:
		return TOML_TABLE;
	case ::toml::node_type::array:
		return TOML_ARRAY;
	case ::toml::node_type::string:
		return TOML_TEXT;
	case ::toml::node_type::integer:
		return TOML_INT;
	case ::toml::node_type::floating_point:
		return TOML_REAL;
	case ::toml::node_type::boolean:
		return TOML_BOOL;
	case ::toml::node_type::date:
	case ::toml::node_type::time:
	case ::toml::node_type::date_time:
		return TOML_DATE;
	}
	return TOML_NONE;
}

const char *
toml_kind_name(enum toml_kind kind)
{
	static const char *const names[] = { "nothing", "table", "array", "string",
		"integer", "number", "boolean", "date" };

	return names[kind];
}

unsigned int
toml_line(const struct toml_value *value)
{
	return value != nullptr ? inside(value)->source().begin.line : 0;
}

unsigned int
toml_column(const struct toml_value *value)
{
	return value != nullptr ? inside(value)->source().begin.column : 0;
}

const struct toml_value *
toml_get(const struct toml_value *table, const char *key)
{
	const ::toml::table *inner =
		table != nullptr ? inside(table)->as_table() : nullptr;

	return inner != nullptr ? outside(inner->get(key)) : nullptr;
}

int
toml_each(const struct toml_value *table, toml_fn *fn, void *payload)
{
	const ::toml::table *inner =
		table != nullptr ? inside(table)->as_table() : nullptr;

	if (inner == nullptr) {
		return 0;
	}
	for (auto &&[key, node] : *inner) {
		int stop = fn(key.data(), key.length(), key.source().begin.line,
			key.source().begin.column, outside(&node), payload);

		if (stop != 0) {
			return stop;
		}
	}
	return 0;
}

size_t
toml_count(const struct toml_value *array)
{
	const ::toml::array *inner =
		array != nullptr ? inside(array)->as_array() : nullptr;

	return inner != nullptr ? inner->size() : 0;
}

const struct toml_value *
toml_at(const struct toml_value *array, size_t index)
{
	const ::toml::array *inner =
		array != nullptr ? inside(array)->as_array() : nullptr;

	return inner != nullptr && index < inner->size() ? outside(inner->get(index))
							 : nullptr;
}

const char *
toml_text(const struct toml_value *value, size_t *ret_len)
{
	const auto *inner = value != nullptr ? inside(value)->as_string() : nullptr;

	if (inner == nullptr) {
		return nullptr;
	}
	if (ret_len != nullptr) {
		*ret_len = inner->get().size();
	}
	return inner->get().c_str();
}

int64_t
toml_int(const struct toml_value *value)
{
	const auto *inner = value != nullptr ? inside(value)->as_integer() : nullptr;

	return inner != nullptr ? inner->get() : 0;
}

double
toml_real(const struct toml_value *value)
{
	const auto *inner =
		value != nullptr ? inside(value)->as_floating_point() : nullptr;

	return inner != nullptr ? inner->get() : static_cast<double>(toml_int(value));
}

bool
toml_bool(const struct toml_value *value)
{
	const auto *inner = value != nullptr ? inside(value)->as_boolean() : nullptr;

	return inner != nullptr && inner->get();
}
}
