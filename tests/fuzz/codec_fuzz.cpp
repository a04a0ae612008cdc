// Any bytes as columns, as old columns and as a schema: an error or a value, never anything else.
// Under clang: -fsanitize=fuzzer,address,undefined. The unit tests drive it with mutated encodings.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/kitchen_sink.h"
#include "millrace/core/codec/codec.h"

namespace millrace {
namespace {

constexpr std::size_t kRows = 3;

struct Narrow {  // another version of KitchenSink
  std::optional<std::string> text;
  std::int64_t medium = 1;
  std::int64_t added = 2;
  std::vector<std::vector<std::string>> words;
  std::variant<std::string, Payment, std::int64_t> either;
};

// What was decoded can be encoded and decoded again.
template <class T>
void decode_as(std::string_view bytes) {
  std::vector<T> rows(kRows);
  if (!detail::decode(type_of<T>(), bytes, detail::MutableRows::of(std::span(rows)))) return;
  std::string again;
  if (!detail::encode(type_of<T>(), detail::Rows::of(std::span<const T>(rows)), again))
    std::abort();
  std::string_view in = again;
  if (!detail::decode(type_of<T>(), in, detail::MutableRows::of(std::span(rows)))) std::abort();
}

void decode_as_old(std::string_view bytes) {
  static const Result<detail::Decoder> decoder =
      detail::Decoder::make(schema_of(type_of<KitchenSink>()), type_of<Narrow>());
  std::vector<Narrow> rows(kRows);
  if (!decoder->decode(bytes, detail::MutableRows::of(std::span(rows)))) return;
}

void parse_schema(std::string_view text) {
  const Result<Schema> schema = Schema::parse(text);
  if (schema && !(*Schema::parse(to_string(*schema)) == *schema)) std::abort();
}

}  // namespace
}  // namespace millrace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  millrace::decode_as<millrace::KitchenSink>(bytes);
  millrace::decode_as<millrace::Tree>(bytes);
  millrace::decode_as_old(bytes);
  millrace::parse_schema(bytes);
  return 0;
}
