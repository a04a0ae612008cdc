// What one operator instance hands to a checkpoint besides its keyed state: named pieces of bytes.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "millrace/core/result.h"
#include "millrace/core/text.h"

namespace millrace::detail {

class Snapshot {
 public:
  void put(std::string_view name, std::string bytes) {
    pieces_.insert_or_assign(std::string(name), std::move(bytes));
  }

  Result<std::string_view> get(std::string_view name) const {
    const auto piece = pieces_.find(name);
    if (piece == pieces_.end()) {
      return not_found(concat("the snapshot holds no piece ", in_quotes(name)));
    }
    return std::string_view(piece->second);
  }

  friend bool operator==(const Snapshot&, const Snapshot&) = default;

 private:
  std::map<std::string, std::string, std::less<>> pieces_;
};

}  // namespace millrace::detail
