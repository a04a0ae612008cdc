// Reads columns into values by field table. What a container holds is read by a function that the
// caller gives, so that the same code serves rows of the same type and rows of an older version of
// it (decoder.cpp). Inside the codec only.
#pragma once

#include <cstdint>
#include <functional>

#include "millrace/core/codec/codec.h"
#include "millrace/core/codec/column_input.h"

namespace millrace::detail {

class ColumnDecoder {
 public:
  using Elements = std::function<Status(MutableRows)>;
  using Alternative = std::function<Status(std::size_t tag, MutableRows)>;

  explicit ColumnDecoder(ColumnInput& in) : in_(in) {}

  // A column that was written from this very type.
  Status column(const Type& type, MutableRows rows);

  Status optional(const Type& type, MutableRows rows, const Elements& values);
  Status list(const Type& type, MutableRows rows, std::uint64_t least_bits_of_element,
              const Elements& elements);
  Status array(const Type& type, MutableRows rows, const Elements& elements);
  Status map(const Type& type, MutableRows rows, std::uint64_t least_bits_of_key,
             const Elements& keys, const Elements& values);
  // tag_of[tag] is the index of the alternative that was written under the tag.
  Status variant(const Type& type, MutableRows rows, std::span<const std::uint8_t> tag_of,
                 const Alternative& values);

  // Steps into a container, unless the data nests too deep.
  template <class Read>
  Status nested(Read read) {
    if (depth_ == kMostNesting) return in_.corrupt("a record that nests too deep");
    ++depth_;
    Status status = read();
    --depth_;
    return status;
  }

 private:
  Status fixed(Kind held_as, MutableRows rows);
  Status strings(MutableRows rows);
  Status record(const Type& type, MutableRows rows);
  Status container(const Type& type, MutableRows rows);
  Status fixed_lists(const Type& type, MutableRows rows, Kind element);
  Status fixed_arrays(const Type& type, MutableRows rows, Kind element);
  Status resize_lists(const Type& type, MutableRows rows, std::uint64_t least_bits_of_element,
                      std::vector<void*>& elements, std::size_t stride);
  Status check_bools(Kind held_as, const char* bytes, std::size_t size);

  ColumnInput& in_;
  int depth_ = 0;
};

}  // namespace millrace::detail
