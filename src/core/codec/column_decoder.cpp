#include "millrace/core/codec/column_decoder.h"

#include <algorithm>

namespace millrace::detail {
namespace {

using Places = std::vector<void*>;

struct DeleteKeys {
  void (*delete_keys)(void*);
  void operator()(void* keys) const { delete_keys(keys); }
};

}  // namespace

std::uint64_t least_bits(const Type& type) {
  if (const std::size_t width = fixed_width(type)) return 8 * width;
  if (type.kind == Kind::kOptional) return 1;
  if (type.kind == Kind::kArray) return type.length * least_bits(type.element());
  if (type.kind != Kind::kRecord) return 8;
  std::uint64_t bits = 0;
  for (const Field& field : type.fields) bits += least_bits(field.type());
  return std::max<std::uint64_t>(bits, 1);
}

Status ColumnDecoder::column(const Type& type, MutableRows rows) {
  if (rows.size() == 0) return {};
  switch (type.kind) {
    case Kind::kString:
      return strings(rows);
    case Kind::kRecord:
      return record(type, rows);
    case Kind::kArray:
    case Kind::kOptional:
    case Kind::kList:
    case Kind::kMap:
    case Kind::kVariant:
      return container(type, rows);
    default:
      return fixed(held_as(type), rows);
  }
}

Status ColumnDecoder::fixed(Kind held_as, MutableRows rows) {
  const char* bytes = nullptr;
  const std::size_t width = fixed_width(held_as);
  Status status = in_.take(rows.size(), width, bytes);
  if (status) status = check_bools(held_as, bytes, rows.size());
  if (!status) return status;
  with_fixed_width(width, [&](auto constant) {
    rows.each([&](void* row) {
      std::memcpy(row, bytes, constant);
      bytes += constant;
    });
  });
  return status;
}

// Any other byte in a bool would be undefined behaviour.
Status ColumnDecoder::check_bools(Kind held_as, const char* bytes, std::size_t size) {
  if (held_as != Kind::kBool) return {};
  unsigned char any = 0;
  for (std::size_t i = 0; i < size; ++i) any |= static_cast<unsigned char>(bytes[i]);
  return any <= 1 ? Status() : in_.corrupt("a bool that is neither 0 nor 1");
}

Status ColumnDecoder::strings(MutableRows rows) {
  Lengths lengths;
  const char* text = nullptr;
  Status status = in_.take_lengths(rows.size(), lengths);
  if (status) status = in_.take(lengths.total(), 1, text);
  if (!status) return status;
  std::size_t i = 0;
  lengths.each([&](std::size_t length) {
    as<std::string>(rows[i++]).assign(text, length);
    text += length;
  });
  return status;
}

Status ColumnDecoder::record(const Type& type, MutableRows rows) {
  const char* nothing = nullptr;
  if (type.fields.empty()) return in_.take((rows.size() + 7) / 8, 1, nothing);
  for (const Field& field : type.fields) {
    Status status = column(field.type(), rows.member(field.offset));
    if (!status) return status;
  }
  return {};
}

Status ColumnDecoder::container(const Type& type, MutableRows rows) {
  if (type.kind == Kind::kVariant) {
    std::uint8_t same[256];
    for (std::size_t i = 0; i < type.fields.size(); ++i) same[i] = static_cast<std::uint8_t>(i);
    return variant(type, rows, std::span(same).first(type.fields.size()),
                   [&](std::size_t tag, MutableRows values) {
                     return column(type.fields[tag].type(), values);
                   });
  }
  const Type& element = type.element();
  const auto elements = [&](MutableRows values) { return column(element, values); };
  if (type.kind == Kind::kOptional) return optional(type, rows, elements);
  if (type.kind == Kind::kMap) {
    const Type& key = type.key();
    const auto keys = [&](MutableRows values) { return column(key, values); };
    return map(type, rows, least_bits(key), keys, elements);
  }
  if (fixed_width(element) > 0) {
    return type.kind == Kind::kList ? fixed_lists(type, rows, held_as(element))
                                    : fixed_arrays(type, rows, held_as(element));
  }
  return type.kind == Kind::kList ? list(type, rows, least_bits(element), elements)
                                  : array(type, rows, elements);
}

Status ColumnDecoder::optional(const Type& type, MutableRows rows, const Elements& values) {
  const char* bits = nullptr;
  Status status = in_.take_bits(rows.size(), bits);
  if (!status) return status;
  Places present;
  std::size_t i = 0;
  rows.each([&](void* row) {
    if (bit_at(bits, i++)) {
      present.push_back(type.optional->emplace(row));
    } else {
      type.optional->reset(row);
    }
  });
  return nested([&] { return values(present); });
}

Status ColumnDecoder::resize_lists(const Type& type, MutableRows rows,
                                   std::uint64_t least_bits_of_element, Places& elements,
                                   std::size_t stride) {
  Lengths lengths;
  Status status = in_.take_lengths(rows.size(), lengths);
  if (status) status = in_.can_hold(lengths.total(), least_bits_of_element);
  if (!status) return status;
  elements.reserve(lengths.total());
  std::size_t i = 0;
  lengths.each([&](std::size_t length) {
    add_elements(type.list->resize(rows[i++], length), length, stride, elements);
  });
  return status;
}

Status ColumnDecoder::list(const Type& type, MutableRows rows, std::uint64_t least_bits_of_element,
                           const Elements& elements) {
  Places places;
  Status status = resize_lists(type, rows, least_bits_of_element, places, type.element().size);
  return status ? nested([&] { return elements(places); }) : status;
}

Status ColumnDecoder::fixed_lists(const Type& type, MutableRows rows, Kind element) {
  const std::size_t width = fixed_width(element);
  Lengths lengths;
  const char* bytes = nullptr;
  Status status = in_.take_lengths(rows.size(), lengths);
  if (status) status = in_.take(lengths.total(), width, bytes);
  if (status) status = check_bools(element, bytes, lengths.total());
  if (!status) return status;
  std::size_t i = 0;
  lengths.each([&](std::size_t length) {
    void* first = type.list->resize(rows[i++], length);
    if (length > 0) std::memcpy(first, bytes, length * width);
    bytes += length * width;
  });
  return status;
}

Status ColumnDecoder::array(const Type& type, MutableRows rows, const Elements& elements) {
  Places places;
  places.reserve(rows.size() * type.length);
  const std::size_t stride = type.element().size;
  rows.each([&](void* row) { add_elements(row, type.length, stride, places); });
  return elements(places);
}

Status ColumnDecoder::fixed_arrays(const Type& type, MutableRows rows, Kind element) {
  const std::size_t width = fixed_width(element) * type.length;
  const char* bytes = nullptr;
  Status status = in_.take(rows.size(), width, bytes);
  if (status) status = check_bools(element, bytes, rows.size() * type.length);
  if (!status) return status;
  rows.each([&](void* row) {
    std::memcpy(row, bytes, width);
    bytes += width;
  });
  return status;
}

Status ColumnDecoder::map(const Type& type, MutableRows rows, std::uint64_t least_bits_of_key,
                          const Elements& keys, const Elements& values) {
  Lengths lengths;
  Status status = in_.take_lengths(rows.size(), lengths);
  if (status) status = in_.can_hold(lengths.total(), least_bits_of_key);
  if (!status) return status;
  const std::size_t stride = type.key().size;
  const std::unique_ptr<void, DeleteKeys> made(type.map->make_keys(lengths.total()),
                                               DeleteKeys{type.map->delete_keys});
  status = nested([&] { return keys(MutableRows(made.get(), stride, lengths.total())); });
  if (!status) return status;

  Places places;
  places.reserve(lengths.total());
  char* key = static_cast<char*>(made.get());
  std::size_t i = 0;
  lengths.each([&](std::size_t length) {
    void* map = rows[i++];
    type.map->clear(map);
    for (std::size_t n = 0; n < length; ++n, key += stride) {
      if (void* value = type.map->insert(map, key)) places.push_back(value);
    }
  });
  if (places.size() < lengths.total()) return in_.corrupt("a map with two entries of one key");
  return nested([&] { return values(places); });
}

Status ColumnDecoder::variant(const Type& type, MutableRows rows,
                              std::span<const std::uint8_t> tag_of, const Alternative& values) {
  const char* tags = nullptr;
  Status status = in_.take(rows.size(), 1, tags);
  if (!status) return status;
  std::vector<Places> places(tag_of.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto tag = static_cast<unsigned char>(tags[i]);
    if (tag >= tag_of.size()) return in_.corrupt("the tag of an alternative that does not exist");
    places[tag].push_back(type.variant->emplace(rows[i], tag_of[tag]));
  }
  for (std::size_t tag = 0; status && tag < places.size(); ++tag) {
    if (!places[tag].empty()) status = nested([&] { return values(tag, places[tag]); });
  }
  return status;
}

Status decode(const Type& type, std::string_view& in, MutableRows rows) {
  ColumnInput input(in);
  Status status = ColumnDecoder(input).column(type, rows);
  if (status) in = input.rest();
  return status;
}

Status decode_all(const Type& type, std::string_view in, MutableRows rows) {
  if (Status status = decode(type, in, rows); !status) return status;
  if (!in.empty()) return corruption("bytes follow the last column of a block of records");
  return {};
}

Result<std::size_t> decode_row_count(const Type& type, std::string_view& in) {
  std::uint64_t count = 0;
  ColumnInput input(in);
  const char* bytes = nullptr;
  Status status = input.take(1, sizeof count, bytes);
  if (!status) return status.error();
  std::memcpy(&count, bytes, sizeof count);
  status = input.can_hold(count, least_bits(type));
  if (!status) return status.error();
  in = input.rest();
  return static_cast<std::size_t>(count);
}

}  // namespace millrace::detail
