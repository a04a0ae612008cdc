#include "millrace/state/state_part.h"

#include "millrace/core/text.h"
#include "millrace/state/key_change.h"

namespace millrace::detail {
namespace {

std::string schema_text(const Type* type) {
  return type == nullptr ? std::string() : to_string(schema_of(*type));
}

Error changed(const StateDeclaration& declared, std::string_view what, std::string_view before,
              std::string_view now) {
  return unsupported(concat("state ", in_quotes(declared.name), " was written with ", what, " ",
                            in_quotes(before), " and is declared with ", in_quotes(now),
                            " now; declare it as it was, or under another name"));
}

constexpr std::size_t kMostSchemas = 256;  // a row has a byte for the number of its own

Status check_key(const StateDeclaration& declared, std::string_view what, const std::string& before,
                 const std::string& now) {
  if (before == now) return {};
  if (before.empty() || now.empty()) return changed(declared, what, before, now);
  const Result<Schema> written = Schema::parse(before);
  if (!written) return written.error();
  const Result<Schema> wanted = Schema::parse(now);
  if (!wanted) return wanted.error();
  if (is_same_key(*written, *wanted)) return {};
  return changed(declared, what, before, now);
}

}  // namespace

Status StatePart::attach(KeyedState& state, std::uint32_t id, const StateDescription* restored) {
  state_ = &state;
  description_ = {.name = declaration_.name,
                  .kind = std::string(declaration_.kind),
                  .id = id,
                  .key_schema = schema_text(declaration_.key),
                  .entry_schema = schema_text(declaration_.entry),
                  .value_schemas = {schema_text(declaration_.value)},
                  .time_to_live_milliseconds = declaration_.time_to_live_milliseconds};
  decoders_.clear();
  if (restored == nullptr) return {};
  if (restored->kind != description_.kind) {
    return changed(declaration_, "the kind", restored->kind, description_.kind);
  }
  const bool expired = restored->time_to_live_milliseconds != 0;
  const bool expires = description_.time_to_live_milliseconds != 0;
  if (expired != expires) {
    return changed(declaration_, "the time to live", expired ? "some" : "none",
                   expires ? "some" : "none");
  }
  Status same = check_key(declaration_, "the key", restored->key_schema, description_.key_schema);
  if (same) {
    same = check_key(declaration_, "the key of an entry", restored->entry_schema,
                     description_.entry_schema);
  }
  if (!same) return same;
  description_.id = restored->id;
  const std::string current = std::move(description_.value_schemas.front());
  description_.value_schemas = restored->value_schemas;
  if (description_.value_schemas.back() != current) description_.value_schemas.push_back(current);
  if (description_.value_schemas.size() > kMostSchemas) {
    return unsupported(concat("state ", in_quotes(declaration_.name), " has had ", kMostSchemas,
                              " types of values, the most there may be; declare it under another "
                              "name, and take the values over"));
  }
  for (std::size_t i = 0; i + 1 < description_.value_schemas.size(); ++i) {
    Result<Schema> written = Schema::parse(description_.value_schemas[i]);
    if (!written) return written.error();
    Result<Decoder> decoder = Decoder::make(*written, *declaration_.value);
    if (!decoder) {
      return decoder.error().with_context(concat("state ", in_quotes(declaration_.name)));
    }
    decoders_.push_back(*std::move(decoder));
  }
  return {};
}

Status StatePart::decode(std::string_view bytes, void* value) const {
  const MutableRows row(value, declaration_.value->size, 1);
  if (bytes.empty()) return corruption("a row of state is empty");
  const auto version = static_cast<std::uint8_t>(bytes.front());
  bytes.remove_prefix(1);
  Status decoded;
  if (version < decoders_.size()) {
    decoded = decoders_[version].decode(bytes, row);
  } else if (version == decoders_.size()) {
    decoded = detail::decode(*declaration_.value, bytes, row);
  } else {
    return corruption(
        concat("a row of state has version ", version, " of its value, of ", decoders_.size() + 1));
  }
  if (decoded && !bytes.empty()) return corruption("bytes follow the value in a row of state");
  return decoded;
}

}  // namespace millrace::detail
