// The binary form of records: column by column, little-endian, without names or types; a schema
// beside it says what it holds (docs/FORMATS.md). It is what crosses processes and lies in state.
//
//   std::string bytes;
//   Status status = encode(type_of<Payment>(), Rows::of(std::span(payments)), bytes);
//
// Decoding assigns into values that exist, so that strings keep their buffers. It trusts nothing:
// bytes that are cut, flipped or hostile are an error of code kCorruption that says where, and no
// more elements are made than the rest of the input can hold. After an error the values are valid,
// but unspecified. Everything here is a function of its arguments and may run on any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/codec/schema.h"
#include "millrace/core/records/record.h"
#include "millrace/core/result.h"

namespace millrace::detail {

// How deep optionals, lists, maps and variants may lie in each other, in the data.
constexpr int kMostNesting = 256;

// Values of one type in memory: an array, or any places. Pointer is void* or const void*.
template <class Pointer>
class BasicRows {
  using Byte = std::conditional_t<std::is_same_v<Pointer, void*>, char, const char>;

 public:
  BasicRows() = default;
  BasicRows(Pointer first, std::size_t stride, std::size_t size)
      : first_(static_cast<Byte*>(first)), stride_(stride), size_(size) {}
  BasicRows(std::span<const Pointer> places) : places_(places.data()), size_(places.size()) {}
  BasicRows(const std::vector<Pointer>& places) : BasicRows(std::span<const Pointer>(places)) {}

  template <class T>
  static BasicRows of(std::span<T> values) {
    return {values.data(), sizeof(T), values.size()};
  }

  std::size_t size() const { return size_; }
  bool is_array() const { return places_ == nullptr; }
  Pointer operator[](std::size_t i) const {
    return is_array() ? first_ + i * stride_ : static_cast<Byte*>(places_[i]) + offset_;
  }

  // The rows' members at this offset.
  BasicRows member(std::size_t offset) const {
    BasicRows rows = *this;
    if (is_array()) {
      rows.first_ += offset;
    } else {
      rows.offset_ += offset;
    }
    return rows;
  }

  // use(row) for each row, in order.
  template <class Use>
  void each(Use use) const {
    if (is_array()) {
      Byte* row = first_;
      for (std::size_t i = 0; i < size_; ++i, row += stride_) use(Pointer(row));
    } else {
      for (std::size_t i = 0; i < size_; ++i) {
        use(Pointer(static_cast<Byte*>(places_[i]) + offset_));
      }
    }
  }

 private:
  Byte* first_ = nullptr;
  std::size_t stride_ = 0;
  const Pointer* places_ = nullptr;
  std::size_t offset_ = 0;
  std::size_t size_ = 0;
};

using Rows = BasicRows<const void*>;
using MutableRows = BasicRows<void*>;

// Appends the rows' columns. Fails, and leaves `out` longer but useless, where data nests deeper
// than kMostNesting or a string or container holds 4 Gi elements.
Status encode(const Type& type, Rows rows, std::string& out);

// Reads the columns of as many rows as there are, and takes them off the front of `in`.
Status decode(const Type& type, std::string_view& in, MutableRows rows);

// Reads rows that were written with another version of their type. Fields are matched by name:
// one that was added keeps its default, one that was removed is skipped, order does not matter, an
// integer or float may have become wider, and a value may have become optional. The plan is made
// once; where nothing changed, decoding is as fast as decode().
class Decoder {
 public:
  // Fails with kUnsupported if the change is impossible, naming the field and both schemas.
  static Result<Decoder> make(const Schema& written, const Type& wanted);

  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;
  ~Decoder();

  Status decode(std::string_view& in, MutableRows rows) const;

  struct Plan;

 private:
  explicit Decoder(std::unique_ptr<const Plan> plan);
  std::unique_ptr<const Plan> plan_;
};

// One value.
template <class T>
Result<std::string> encode_value(const T& value) {
  std::string bytes;
  Status status = encode(type_of<T>(), Rows(&value, sizeof value, 1), bytes);
  if (!status) return status.error();
  return bytes;
}
template <class T>
Status decode_value(std::string_view in, T& value) {
  Status status = decode(type_of<T>(), in, MutableRows(&value, sizeof value, 1));
  if (status && !in.empty()) return corruption("bytes follow the end of an encoded value");
  return status;
}

// A block: the number of rows, then their columns.
Status encode_rows(const Type& type, Rows rows, std::string& out);

// Reads the number of rows of a block off the front of `in`; at most `in` can hold so many.
Result<std::size_t> decode_row_count(const Type& type, std::string_view& in);

// Reads the columns of as many rows, which must be all of `in`.
Status decode_all(const Type& type, std::string_view in, MutableRows rows);

// Reads a block that is all of `in`.
template <class T>
Result<std::vector<T>> decode_rows(std::string_view in) {
  Result<std::size_t> count = decode_row_count(type_of<T>(), in);
  if (!count) return count.error();
  std::vector<T> values(*count);
  Status decoded = decode_all(type_of<T>(), in, MutableRows::of(std::span<T>(values)));
  if (!decoded) return decoded.error();
  return values;
}

}  // namespace millrace::detail
