// Rows of a state as JSON, by the schemas that describe it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/codec/schema.h"
#include "millrace/state/checkpoint_metadata.h"

namespace millrace::detail {

struct RowText {
  std::string key;
  std::string
      entry;  // of a map's row its key, of timers the time, of a list the number of the chunk
  std::string value;
};

class RowFormat {
 public:
  static Result<RowFormat> make(const StateDescription& state);

  const Schema& key_schema() const { return key_; }

  // `key` is the row's key behind the number of the state. Also checks that the key's hash is that
  // of its bytes.
  Result<RowText> read(std::string_view key, std::string_view value) const;

  // How many of the bytes, which begin with a row's key, are the stream's key with its hash.
  Result<std::size_t> size_of_key(std::string_view key) const;

 private:
  RowFormat(const StateDescription& state, Schema key) : state_(state), key_(std::move(key)) {}

  Status read_key(std::string_view& key, RowText& text) const;
  Status read_entry(std::string_view rest, RowText& text) const;
  Status read_value(std::string_view value, RowText& text) const;

  StateDescription state_;
  Schema key_;
  std::optional<Schema> entry_;
  std::vector<Schema> values_;
};

// "operator/state key[entry]"
std::string row_name(std::string_view operator_name, std::string_view state, const RowText& row);

}  // namespace millrace::detail
