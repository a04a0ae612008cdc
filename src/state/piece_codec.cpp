#include "millrace/state/piece_codec.h"

namespace millrace::detail {
namespace {

Status decode_changed(std::string_view& bytes, std::string_view text, const Type& type,
                      const MutableRows& row) {
  const Result<Schema> written = Schema::parse(text);
  if (!written) return written.error();
  const Result<Decoder> decoder = Decoder::make(*written, type);
  return decoder ? decoder->decode(bytes, row) : Status(decoder.error());
}

}  // namespace

Status decode_element(std::string_view bytes, std::string_view schema, const Type& type,
                      void* value) {
  const MutableRows row(value, type.size, 1);
  const bool same = schema.empty() || schema == to_string(schema_of(type));
  Status decoded = same ? decode(type, bytes, row) : decode_changed(bytes, schema, type, row);
  if (decoded && !bytes.empty()) return corruption("bytes follow the end of an encoded value");
  return decoded;
}

}  // namespace millrace::detail
