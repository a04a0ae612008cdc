// What one operator instance hands to a checkpoint besides its keyed state: named pieces, each a
// list of elements. A piece says how its elements find their owners when the job goes on with
// another parallelism, so that going on is one mechanism whatever the parallelism is.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/result.h"
#include "millrace/core/text.h"

namespace millrace::detail {

enum class Redistribution : std::uint8_t {
  kSplit,  // each element goes to one subtask: in contiguous parts, as even as possible
  kUnion,  // every subtask gets all elements of all
  kCopy,   // all subtasks have the same: subtask i gets what i modulo their number had
};

struct StatePiece {
  Redistribution redistribution = Redistribution::kSplit;
  std::vector<std::string> elements;  // encoded
  std::string schema{};               // of an element; empty where it is of no type

  bool operator==(const StatePiece&) const = default;
};

class Snapshot {
 public:
  using Pieces = std::map<std::string, StatePiece, std::less<>>;

  Snapshot() = default;
  explicit Snapshot(Pieces pieces) : pieces_(std::move(pieces)) {}

  void put(std::string_view name, StatePiece piece) {
    pieces_.insert_or_assign(std::string(name), std::move(piece));
  }
  // A piece of one element.
  void put(std::string_view name, std::string bytes) {
    put(name, StatePiece{.elements = {std::move(bytes)}});
  }

  // Null if there is no such piece, as after an operator was changed.
  const StatePiece* find(std::string_view name) const {
    const auto piece = pieces_.find(name);
    return piece == pieces_.end() ? nullptr : &piece->second;
  }
  // The one element of a piece.
  Result<std::string_view> get(std::string_view name) const {
    const StatePiece* const piece = find(name);
    if (piece == nullptr || piece->elements.size() != 1) {
      return not_found(concat("the snapshot holds no piece ", in_quotes(name), " of one element"));
    }
    return std::string_view(piece->elements.front());
  }

  const Pieces& pieces() const { return pieces_; }

  friend bool operator==(const Snapshot&, const Snapshot&) = default;

 private:
  Pieces pieces_;
};

}  // namespace millrace::detail
