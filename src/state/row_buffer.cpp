#include "millrace/state/row_buffer.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "millrace/core/check.h"

namespace millrace::detail {
namespace {

std::uint64_t prefix_of(std::string_view key) {
  std::uint64_t prefix = 0;
  std::memcpy(&prefix, key.data(), std::min(key.size(), sizeof prefix));
  return std::endian::native == std::endian::little ? __builtin_bswap64(prefix) : prefix;
}

}  // namespace

void RowBuffer::add(std::string_view key, std::string_view value, bool present) {
  check(key.size() >> 32 == 0 && value.size() >> 32 == 0 && changes_.size() >> 32 == 0,
        "a row of state is larger than 4 GiB");
  changes_.push_back({.prefix = prefix_of(key),
                      .begin = bytes_.size(),
                      .key_bytes = static_cast<std::uint32_t>(key.size()),
                      .value_bytes = static_cast<std::uint32_t>(value.size()),
                      .number = static_cast<std::uint32_t>(changes_.size()),
                      .present = present});
  bytes_.append(key).append(value);
}

std::vector<StateRow> RowBuffer::sorted() {
  std::sort(changes_.begin(), changes_.end(), [this](const Change& a, const Change& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    const int order = key_of(a).compare(key_of(b));
    return order != 0 ? order < 0 : a.number < b.number;
  });
  std::vector<StateRow> rows;
  rows.reserve(changes_.size());
  for (const Change& change : changes_) {
    StateRow row{.key = key_of(change), .value = std::nullopt};
    if (change.present) {
      row.value =
          std::string_view(bytes_).substr(change.begin + change.key_bytes, change.value_bytes);
    }
    if (!rows.empty() && rows.back().key == row.key) {
      rows.back() = row;
    } else {
      rows.push_back(row);
    }
  }
  return rows;
}

}  // namespace millrace::detail
