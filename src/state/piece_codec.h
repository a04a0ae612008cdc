// Elements of operator state in the codec of records. A piece has the schema of its elements beside
// them, so that they are read again when their type has changed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/codec/codec.h"
#include "millrace/state/snapshot.h"

namespace millrace::detail {

// Reads an element that was written with that schema; without one, as it is.
Status decode_element(std::string_view bytes, std::string_view schema, const Type& type,
                      void* value);

template <class T>
Status decode_element(std::string_view bytes, std::string_view schema, T& value) {
  return decode_element(bytes, schema, type_of<T>(), &value);
}

template <class T>
std::string schema_text() {
  return to_string(schema_of(type_of<T>()));
}

template <class T>
Status add_element(StatePiece& piece, const T& value) {
  Result<std::string> bytes = encode_value(value);
  if (!bytes) return bytes.error();
  if (piece.schema.empty()) piece.schema = schema_text<T>();
  piece.elements.push_back(*std::move(bytes));
  return {};
}

// A piece of one element.
template <class T>
Status put_value(Snapshot& snapshot, std::string_view name, const T& value) {
  StatePiece piece;
  Status added = add_element(piece, value);
  if (added) snapshot.put(name, std::move(piece));
  return added;
}

template <class T>
Status get_value(const Snapshot& snapshot, std::string_view name, T& value) {
  Result<std::string_view> bytes = snapshot.get(name);
  if (!bytes) return bytes.error();
  return decode_element(*bytes, snapshot.find(name)->schema, value);
}

}  // namespace millrace::detail
