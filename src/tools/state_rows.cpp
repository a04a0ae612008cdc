#include "millrace/tools/state_rows.h"

#include "millrace/core/json/schema_json.h"
#include "millrace/core/text.h"
#include "millrace/tools/key_text.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kHashBytes = 4;
constexpr std::size_t kChunkBytes = 8;

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

Result<RowFormat> RowFormat::make(const StateDescription& state) {
  Result<Schema> key = Schema::parse(state.key_schema);
  if (!key) return key.error();
  RowFormat format(state, *std::move(key));
  if (!state.entry_schema.empty()) {
    Result<Schema> entry = Schema::parse(state.entry_schema);
    if (!entry) return entry.error();
    format.entry_ = *std::move(entry);
  }
  for (const std::string& text : state.value_schemas) {
    Result<Schema> value = Schema::parse(text);
    if (!value) return value.error();
    format.values_.push_back(*std::move(value));
  }
  return format;
}

Result<RowText> RowFormat::read(std::string_view key, std::string_view value) const {
  RowText text;
  Status status = read_key(key, text);
  if (status) status = read_entry(key, text);
  if (status) status = read_value(value, text);
  if (!status) return status.error().with_context(concat("state ", in_quotes(state_.name)));
  return text;
}

Status RowFormat::read_key(std::string_view& key, RowText& text) const {
  if (key.size() < kHashBytes) return corruption("the key of a row has no hash");
  const std::uint64_t hash = big_endian(key.substr(0, kHashBytes));
  key.remove_prefix(kHashBytes);
  const std::string_view whole = key;
  Status read = append_key_json(text.key, key_, key);
  if (!read) return read;
  const Result<std::uint64_t> computed =
      hash_of_key(key_, whole.substr(0, whole.size() - key.size()));
  if (!computed) return computed.error();
  if (*computed >> 32 == hash) return {};
  return corruption(concat("the row of key ", text.key, " lies where another key's hash is"));
}

Status RowFormat::read_entry(std::string_view rest, RowText& text) const {
  if (entry_) {
    Status read = append_key_json(text.entry, *entry_, rest);
    if (!read) return read;
  } else if (state_.kind == "list" && rest.size() >= kChunkBytes) {
    text.entry = std::to_string(big_endian(rest.substr(0, kChunkBytes)));
    rest.remove_prefix(kChunkBytes);
  }
  if (rest.empty()) return {};
  return corruption(concat("bytes follow the key ", text.key, " of a row"));
}

Status RowFormat::read_value(std::string_view value, RowText& text) const {
  const std::size_t version = value.empty() ? values_.size() : static_cast<unsigned char>(value[0]);
  if (version >= values_.size()) {
    return corruption(concat("the row of key ", text.key, " has no value of a known schema"));
  }
  Status read = append_json(text.value, values_[version], value.substr(1));
  return read ? read : Status(read.error().with_context(concat("the value of key ", text.key)));
}

Result<std::size_t> RowFormat::size_of_key(std::string_view key) const {
  std::string_view rest = key.substr(std::min(key.size(), kHashBytes));
  std::string ignored;
  Status read = append_key_json(ignored, key_, rest);
  if (!read) return read.error();
  return key.size() - rest.size();
}

std::string row_name(std::string_view operator_name, std::string_view state, const RowText& row) {
  return concat(operator_name, "/", state, " ", row.key,
                row.entry.empty() ? "" : concat("[", row.entry, "]"));
}

}  // namespace millrace::detail
