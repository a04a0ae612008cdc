#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>

#include "millrace/core/codec/codec.h"
#include "millrace/core/codec/column_input.h"

namespace millrace::detail {
namespace {

static_assert(std::endian::native == std::endian::little,
              "columns are copied as they lie in memory");

using Places = std::vector<const void*>;

class Encoder {
 public:
  explicit Encoder(std::string& out) : out_(out) {}

  Status column(const Type& type, Rows rows) {
    if (rows.size() == 0) return {};
    switch (type.kind) {
      case Kind::kString:
        return strings(rows);
      case Kind::kRecord:
        return record(type, rows);
      case Kind::kArray:
        return array(type, rows);
      case Kind::kOptional:
      case Kind::kList:
      case Kind::kMap:
      case Kind::kVariant:
        return nested(type, rows);
      default:
        fixed(fixed_width(type), rows);
        return {};
    }
  }

 private:
  char* grow(std::size_t bytes) {
    out_.resize(out_.size() + bytes);
    return out_.data() + out_.size() - bytes;
  }

  void fixed(std::size_t width, Rows rows) {
    char* to = grow(rows.size() * width);
    with_fixed_width(width, [&](auto constant) {
      rows.each([&](const void* row) {
        std::memcpy(to, row, constant);
        to += constant;
      });
    });
  }

  // One byte that says how wide a length is, then size_of(row) of each row. Adds them up.
  template <class SizeOf>
  Status lengths(Rows rows, SizeOf size_of, std::size_t& total) {
    std::size_t any = 0;  // has the highest bit of the greatest
    total = 0;
    rows.each([&](const void* row) {
      const std::size_t size = size_of(row);
      any |= size;
      total += size;
    });
    if (any > std::numeric_limits<std::uint32_t>::max()) {
      return resource_exhausted("a string or container of a record holds more than 4 Gi elements");
    }
    const std::size_t width = any < 256 ? 1 : any < 65'536 ? 2 : 4;
    *grow(1) = static_cast<char>(width);
    with_width(width, [&](auto length) {
      char* to = grow(rows.size() * sizeof length);
      rows.each([&](const void* row) {
        length = static_cast<decltype(length)>(size_of(row));
        std::memcpy(to, &length, sizeof length);
        to += sizeof length;
      });
    });
    return {};
  }

  Status strings(Rows rows) {
    std::size_t total = 0;
    Status status = lengths(
        rows, [](const void* row) { return as<std::string>(row).size(); }, total);
    if (!status) return status;
    char* to = grow(total);
    rows.each([&](const void* row) {
      const std::string& text = as<std::string>(row);
      std::memcpy(to, text.data(), text.size());
      to += text.size();
    });
    return {};
  }

  Status record(const Type& type, Rows rows) {
    if (type.fields.empty()) grow((rows.size() + 7) / 8);
    for (const Field& field : type.fields) {
      Status status = column(field.type(), rows.member(field.offset));
      if (!status) return status;
    }
    return {};
  }

  Status array(const Type& type, Rows rows) {
    const Type& element = type.element();
    if (const std::size_t width = fixed_width(element)) {
      const std::size_t bytes = width * type.length;
      char* to = grow(rows.size() * bytes);
      rows.each([&](const void* row) {
        std::memcpy(to, row, bytes);
        to += bytes;
      });
      return {};
    }
    Places places;
    places.reserve(rows.size() * type.length);
    rows.each([&](const void* row) { add_elements(row, type.length, element.size, places); });
    return column(element, places);
  }

  Status nested(const Type& type, Rows rows) {
    if (depth_ == kMostNesting) {
      return resource_exhausted(concat("a record nests deeper than ", kMostNesting, " levels"));
    }
    ++depth_;
    Status status = type.kind == Kind::kOptional ? optional(type, rows)
                    : type.kind == Kind::kList   ? list(type, rows)
                    : type.kind == Kind::kMap    ? map(type, rows)
                                                 : variant(type, rows);
    --depth_;
    return status;
  }

  Status optional(const Type& type, Rows rows) {
    Places present;
    present.reserve(rows.size());
    const std::size_t start = out_.size();
    grow((rows.size() + 7) / 8);
    std::size_t i = 0;
    rows.each([&](const void* row) {
      if (const void* value = type.optional->get(row)) {
        out_[start + i / 8] = static_cast<char>(out_[start + i / 8] | (1 << (i % 8)));
        present.push_back(value);
      }
      ++i;
    });
    return column(type.element(), present);
  }

  Status list(const Type& type, Rows rows) {
    std::vector<ConstElements> lists;
    lists.reserve(rows.size());
    rows.each([&](const void* row) { lists.push_back(type.list->elements(row)); });
    std::size_t total = 0;
    Status status = lengths(
        Rows::of(std::span<const ConstElements>(lists)),
        [](const void* list) { return as<ConstElements>(list).size; }, total);
    if (!status) return status;
    const Type& element = type.element();
    if (const std::size_t width = fixed_width(element)) {
      char* to = grow(total * width);
      for (const ConstElements& each : lists) {
        if (each.size > 0) std::memcpy(to, each.data, each.size * width);
        to += each.size * width;
      }
      return {};
    }
    Places places;
    places.reserve(total);
    for (const ConstElements& each : lists) {
      add_elements(each.data, each.size, element.size, places);
    }
    return column(element, places);
  }

  Status map(const Type& type, Rows rows) {
    std::size_t total = 0;
    Status status = lengths(
        rows, [&](const void* row) { return type.map->size(row); }, total);
    if (!status) return status;
    Places keys(total);
    Places values(total);
    std::size_t next = 0;
    rows.each([&](const void* row) {
      type.map->entries(row, keys.data() + next, values.data() + next);
      next += type.map->size(row);
    });
    status = column(type.key(), keys);
    return status ? column(type.element(), values) : status;
  }

  Status variant(const Type& type, Rows rows) {
    std::vector<std::uint8_t> tags;
    tags.reserve(rows.size());
    rows.each([&](const void* row) {
      const std::size_t index = type.variant->index(row);
      check(index < type.fields.size(), "a variant without a value cannot be encoded");
      tags.push_back(static_cast<std::uint8_t>(index));
    });
    std::memcpy(grow(tags.size()), tags.data(), tags.size());
    for (std::size_t index = 0; index < type.fields.size(); ++index) {
      Places places;
      for (std::size_t i = 0; i < tags.size(); ++i) {
        if (tags[i] == index) places.push_back(type.variant->get(rows[i]));
      }
      Status status = column(type.fields[index].type(), places);
      if (!status) return status;
    }
    return {};
  }

  std::string& out_;
  int depth_ = 0;
};

}  // namespace

Status encode(const Type& type, Rows rows, std::string& out) {
  return Encoder(out).column(type, rows);
}

Status encode_rows(const Type& type, Rows rows, std::string& out) {
  const std::uint64_t count = rows.size();
  out.append(reinterpret_cast<const char*>(&count), sizeof count);
  return encode(type, rows, out);
}

}  // namespace millrace::detail
