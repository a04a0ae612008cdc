#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "millrace/core/codec/codec.h"
#include "millrace/core/json/json.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

// 0 for bytes that stand for themselves, 'u' for those that need \u00xx, else the letter after '\'.
constexpr std::array<char, 256> kEscapes = [] {
  std::array<char, 256> escapes{};
  for (std::size_t c = 0; c < 0x20; ++c) escapes[c] = 'u';
  escapes['"'] = '"';
  escapes['\\'] = '\\';
  escapes['\b'] = 'b';
  escapes['\f'] = 'f';
  escapes['\n'] = 'n';
  escapes['\r'] = 'r';
  escapes['\t'] = 't';
  return escapes;
}();

// Whether one of the eight bytes must be escaped.
bool has_escape(const char* eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = kOnes * 0x80;
  std::uint64_t word;
  std::memcpy(&word, eight, sizeof word);
  const auto has_zero = [](std::uint64_t x) { return (x - kOnes) & ~x & kHighs; };
  const std::uint64_t controls = (word - kOnes * 0x20) & ~word & kHighs;
  return (controls | has_zero(word ^ kOnes * '"') | has_zero(word ^ kOnes * '\\')) != 0;
}

// Collects small pieces in a buffer of its own, which is much cheaper than appending each.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { flush(); }

  void write(const Type& type, const void* value) {
    switch (type.kind) {
      case Kind::kBool:
        return as<bool>(value) ? put("true") : put("false");
      case Kind::kFloat:
        return number(as<float>(value));
      case Kind::kDouble:
        return number(as<double>(value));
      case Kind::kString:
        return text(as<std::string>(value));
      case Kind::kTimestamp:
        put('"');
        flush();
        append_iso8601(out_, as<Timestamp>(value));
        return put('"');
      case Kind::kEnum:
        return enumerator(type, value);
      case Kind::kOptional:
      case Kind::kList:
      case Kind::kArray:
      case Kind::kMap:
      case Kind::kVariant:
      case Kind::kRecord:
        return nested(type, value);
      default:
        return integer(held_as(type), value);
    }
  }

 private:
  void flush() {
    out_.append(buffer_, used_);
    used_ = 0;
  }

  void put(char c) {
    if (used_ == kBuffer) flush();
    buffer_[used_++] = c;
  }

  void put(std::string_view piece) {
    if (piece.size() > kBuffer - used_) {
      flush();
      if (piece.size() > kBuffer) {
        out_.append(piece);
        return;
      }
    }
    std::memcpy(buffer_ + used_, piece.data(), piece.size());
    used_ += piece.size();
  }

  template <class Number>
  void digits(Number number) {
    constexpr std::size_t kLongest = 32;
    if (kBuffer - used_ < kLongest) flush();
    const char* end = std::to_chars(buffer_ + used_, buffer_ + kBuffer, number).ptr;
    used_ = static_cast<std::size_t>(end - buffer_);
  }

  template <class Number>
  void number(Number number) {
    std::isfinite(number) ? digits(number) : put("null");
  }

  void integer(Kind held_as, const void* value) {
    if (held_as == Kind::kUInt64) return digits(as<std::uint64_t>(value));
    digits(read_integer(held_as, value));
  }

  void text(std::string_view text) {
    put('"');
    const char* begin = text.data();
    const char* const end = begin + text.size();
    while (begin != end) {
      const char* plain = begin;
      while (end - plain >= 8 && !has_escape(plain)) plain += 8;
      while (plain != end && kEscapes[static_cast<unsigned char>(*plain)] == 0) ++plain;
      put(std::string_view(begin, static_cast<std::size_t>(plain - begin)));
      if (plain == end) break;
      escape(static_cast<unsigned char>(*plain));
      begin = plain + 1;
    }
    put('"');
  }

  void escape(unsigned char c) {
    const char letter = kEscapes[c];
    if (letter != 'u') {
      put('\\');
      put(letter);
    } else {
      put("\\u00");
      put(kHexDigits[c >> 4]);
      put(kHexDigits[c & 15]);
    }
  }

  void enumerator(const Type& type, const void* value) {
    const std::string_view name = enum_name(type, read_integer(type.integer, value));
    if (name.empty()) return integer(type.integer, value);
    put('"');
    put(name);
    put('"');
  }

  void nested(const Type& type, const void* value) {
    if (depth_ == kMostNesting) return put("null");
    ++depth_;
    switch (type.kind) {
      case Kind::kOptional:
        optional(type, value);
        break;
      case Kind::kList:
        elements(type.element(), type.list->elements(value));
        break;
      case Kind::kArray:
        elements(type.element(), {value, type.length});
        break;
      case Kind::kMap:
        map(type, value);
        break;
      case Kind::kVariant:
        variant(type, value);
        break;
      default:
        type.is_tuple() ? tuple(type, value) : record(type, value);
    }
    --depth_;
  }

  void optional(const Type& type, const void* value) {
    const void* held = type.optional->get(value);
    held ? write(type.element(), held) : put("null");
  }

  void elements(const Type& type, ConstElements elements) {
    const char* element = static_cast<const char*>(elements.data);
    put('[');
    for (std::size_t i = 0; i < elements.size; ++i, element += type.size) {
      if (i > 0) put(',');
      write(type, element);
    }
    put(']');
  }

  void map(const Type& type, const void* value) {
    const Type& key = type.key();
    const Type& element = type.element();
    const bool is_object = key.kind == Kind::kString;
    const std::size_t size = type.map->size(value);
    std::vector<const void*> keys(size);
    std::vector<const void*> values(size);
    type.map->entries(value, keys.data(), values.data());
    put(is_object ? '{' : '[');
    for (std::size_t i = 0; i < size; ++i) {
      if (i > 0) put(',');
      if (!is_object) put('[');
      write(key, keys[i]);
      put(is_object ? ':' : ',');
      write(element, values[i]);
      if (!is_object) put(']');
    }
    put(is_object ? '}' : ']');
  }

  void variant(const Type& type, const void* value) {
    const std::size_t index = type.variant->index(value);
    if (index >= type.fields.size()) return put("null");
    put('{');
    member(type.fields[index], type.variant->get(value));
    put('}');
  }

  void tuple(const Type& type, const void* value) {
    put('[');
    for (const Field& field : type.fields) {
      if (&field != type.fields.data()) put(',');
      write(field.type(), static_cast<const char*>(value) + field.offset);
    }
    put(']');
  }

  void record(const Type& type, const void* value) {
    put('{');
    for (const Field& field : type.fields) {
      if (&field != type.fields.data()) put(',');
      member(field, static_cast<const char*>(value) + field.offset);
    }
    put('}');
  }

  // Names are identifiers, or escaped by whoever renamed a field: nothing in them needs an escape.
  void member(const Field& field, const void* value) {
    put('"');
    put(field.name);
    put("\":");
    write(field.type(), value);
  }

  static constexpr std::size_t kBuffer = 512;

  std::string& out_;
  int depth_ = 0;
  std::size_t used_ = 0;
  char buffer_[kBuffer];
};

}  // namespace

void append_json(std::string& out, const Type& type, const void* value) {
  Writer(out).write(type, value);
}

void append_json_lines(std::string& out, const Type& type, Rows rows, std::string_view prefix) {
  rows.each([&](const void* row) {
    out += prefix;
    append_json(out, type, row);
    out += '\n';
  });
}

}  // namespace millrace::detail
