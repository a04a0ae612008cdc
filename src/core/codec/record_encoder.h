// What encode() gives for one record, prepared once for its type: where all of a record lies in the
// record itself, its bytes are copied in a few pieces, without a walk over the type.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "millrace/core/records/type.h"
#include "millrace/core/result.h"

namespace millrace::detail {

class RecordEncoder {
 public:
  explicit RecordEncoder(const Type& type);

  Status operator()(const void* record, std::string& out) const {
    if (pieces_.empty()) return walk(record, out);
    for (const Piece& piece : pieces_) {
      out.append(static_cast<const char*>(record) + piece.offset, piece.bytes);
    }
    return {};
  }

 private:
  struct Piece {
    std::size_t offset;
    std::size_t bytes;
  };

  Status walk(const void* record, std::string& out) const;

  const Type* type_;
  std::vector<Piece> pieces_;  // none where the number of bytes depends on the record
};

}  // namespace millrace::detail
