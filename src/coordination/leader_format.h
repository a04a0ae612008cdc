// What is known of the leader, as bytes (docs/FORMATS.md, "Leaders").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "millrace/core/result.h"

namespace millrace::detail {

// Of epoch 0 nobody leads, and nobody has led.
struct LeaderRecord {
  std::uint64_t epoch = 0;
  std::string address;
  std::string candidate;  // the name that it stood for election with, which no other had

  bool operator==(const LeaderRecord&) const = default;
};

Result<std::string> encode_leader(const LeaderRecord& leader);

// kCorruption if that is not what was written, kUnsupported if this version cannot read it. `where`
// is for messages.
Result<LeaderRecord> decode_leader(std::string_view bytes, std::string_view where);

}  // namespace millrace::detail
