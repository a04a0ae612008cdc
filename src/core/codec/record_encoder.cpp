#include "millrace/core/codec/record_encoder.h"

#include "millrace/core/codec/codec.h"
#include "millrace/core/codec/column_input.h"

namespace millrace::detail {
namespace {

// Calls piece(offset, bytes) for each part of a value of fixed width; false if there is another.
template <class Use>
bool each_fixed(const Type& type, std::size_t offset, const Use& piece) {
  if (const std::size_t width = fixed_width(type)) {
    piece(offset, width);
    return true;
  }
  if (type.kind == Kind::kArray) {
    const std::size_t width = fixed_width(type.element());
    if (width > 0 && type.length > 0) piece(offset, width * type.length);
    return width > 0 && type.length > 0;
  }
  if (type.kind != Kind::kRecord || type.fields.empty()) return false;
  for (const Field& field : type.fields) {
    if (!each_fixed(field.type(), offset + field.offset, piece)) return false;
  }
  return true;
}

}  // namespace

RecordEncoder::RecordEncoder(const Type& type) : type_(&type) {
  const bool fixed = each_fixed(type, 0, [&](std::size_t offset, std::size_t bytes) {
    if (!pieces_.empty() && pieces_.back().offset + pieces_.back().bytes == offset) {
      pieces_.back().bytes += bytes;
    } else {
      pieces_.push_back({offset, bytes});
    }
  });
  if (!fixed) pieces_.clear();
}

Status RecordEncoder::walk(const void* record, std::string& out) const {
  return encode(*type_, Rows(record, type_->size, 1), out);
}

}  // namespace millrace::detail
