// Records for tests of operators.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "millrace/core/records/record.h"

namespace millrace::detail {

// With a string that is too long to live inside of it: whoever moves it leaves a trace.
struct Sale {
  std::string shop;
  std::int64_t amount = 0;
  std::string note;

  friend bool operator==(const Sale&, const Sale&) = default;
};

struct Reading {
  std::int32_t sensor = 0;
  std::int64_t value = 0;

  friend bool operator==(const Reading&, const Reading&) = default;
};

struct Parcel {  // move-only
  std::int64_t number = 0;
  std::unique_ptr<std::string> content;
};

inline Sale sale(std::string shop, std::int64_t amount) {
  return {std::move(shop), amount, "a note of the sale, of the amount " + std::to_string(amount)};
}

}  // namespace millrace::detail
