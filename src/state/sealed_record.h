// A record as the whole content of a file: it says what it is, brings its schema, so that another
// version can read it, and a checksum over everything (docs/FORMATS.md, "Sealed records"). Reading
// trusts nothing; its errors name the file and the bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "millrace/core/records/record.h"
#include "millrace/core/result.h"

namespace millrace::detail {

struct SealedFormat {
  std::string_view magic;  // of 8 bytes
  std::uint32_t version = 1;
  std::string_view what;  // for messages, such as "checkpoint"
};

Result<std::string> seal(const SealedFormat& format, const Type& type, const void* record);

// kCorruption if the bytes are not what was sealed, or are of another kind; kUnsupported if they
// are well, but this version cannot read them.
Status unseal(const SealedFormat& format, std::string_view bytes, std::string_view file,
              const Type& type, void* record);

template <class T>
Result<std::string> seal(const SealedFormat& format, const T& record) {
  return seal(format, type_of<T>(), &record);
}
template <class T>
Result<T> unseal(const SealedFormat& format, std::string_view bytes, std::string_view file) {
  T record;
  Status status = unseal(format, bytes, file, type_of<T>(), &record);
  if (!status) return status.error();
  return record;
}

}  // namespace millrace::detail
