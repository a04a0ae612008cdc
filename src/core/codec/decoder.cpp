#include <algorithm>

#include "millrace/core/codec/column_decoder.h"
#include "millrace/core/codec/decode_plan.h"

namespace millrace::detail {
namespace {

using Action = DecodeStep::Action;

constexpr int kMostSkips = kMostNesting * 8;  // records and arrays in each other count here too

// Steps over columns of fields that were removed.
class Skipper {
 public:
  Skipper(const Schema& schema, ColumnInput& in) : nodes_(schema.nodes()), in_(in) {}

  Status skip(std::uint32_t index, std::uint64_t rows) {
    if (rows == 0) return {};
    if (depth_ == kMostSkips) return in_.corrupt("a record that nests too deep");
    ++depth_;
    Status status = skip_node(nodes_[index], rows);
    --depth_;
    return status;
  }

 private:
  Status skip_node(const SchemaNode& node, std::uint64_t rows) {
    switch (node.kind) {
      case Kind::kString:
      case Kind::kList:
      case Kind::kMap:
        return skip_sized(node, rows);
      case Kind::kOptional:
        return skip_optional(node, rows);
      case Kind::kArray:
        return skip_array(node, rows);
      case Kind::kVariant:
        return skip_variant(node, rows);
      case Kind::kRecord:
        return skip_record(node, rows);
      default:
        return in_.take(rows, fixed_width(held_as(node)), bytes_);
    }
  }

  Status skip_sized(const SchemaNode& node, std::uint64_t rows) {
    Lengths lengths;
    Status status = in_.take_lengths(rows, lengths);
    if (!status) return status;
    if (node.kind == Kind::kString) return in_.take(lengths.total(), 1, bytes_);
    if (node.kind == Kind::kMap) status = skip(node.key, lengths.total());
    return status ? skip(node.element, lengths.total()) : status;
  }

  Status skip_optional(const SchemaNode& node, std::uint64_t rows) {
    const char* bits = nullptr;
    Status status = in_.take_bits(rows, bits);
    if (!status) return status;
    std::uint64_t present = 0;
    for (std::uint64_t i = 0; i < rows; ++i) present += bit_at(bits, i) ? 1 : 0;
    return skip(node.element, present);
  }

  Status skip_array(const SchemaNode& node, std::uint64_t rows) {
    Status status = in_.can_hold(rows, node.length);
    return status ? skip(node.element, rows * node.length) : status;
  }

  Status skip_variant(const SchemaNode& node, std::uint64_t rows) {
    const char* tags = nullptr;
    Status status = in_.take(rows, 1, tags);
    std::uint64_t count[256] = {};
    for (std::uint64_t i = 0; status && i < rows; ++i) ++count[static_cast<unsigned char>(tags[i])];
    for (std::size_t tag = 0; status && tag < 256; ++tag) {
      if (count[tag] == 0) continue;
      if (tag >= node.members.size()) return in_.corrupt("the tag of an unknown alternative");
      status = skip(node.members[tag].node, count[tag]);
    }
    return status;
  }

  Status skip_record(const SchemaNode& node, std::uint64_t rows) {
    if (node.members.empty()) return in_.take((rows + 7) / 8, 1, bytes_);
    for (const SchemaMember& member : node.members) {
      Status status = skip(member.node, rows);
      if (!status) return status;
    }
    return {};
  }

  const std::vector<SchemaNode>& nodes_;
  ColumnInput& in_;
  const char* bytes_ = nullptr;
  int depth_ = 0;
};

template <class From, class To>
void copy_as(const char* from, MutableRows rows) {
  rows.each([&](void* row) {
    From value;
    std::memcpy(&value, from, sizeof value);
    from += sizeof value;
    const To wide = static_cast<To>(value);
    std::memcpy(row, &wide, sizeof wide);
  });
}

// The wider integer is written through an unsigned one of its width: the bits are the same.
template <class From>
void copy_widened(std::size_t width, const char* from, MutableRows rows) {
  switch (width) {
    case 2:
      return copy_as<From, std::uint16_t>(from, rows);
    case 4:
      return copy_as<From, std::uint32_t>(from, rows);
    default:
      return copy_as<From, std::uint64_t>(from, rows);
  }
}

void widen(Kind from, std::size_t width, const char* bytes, MutableRows rows) {
  switch (from) {
    case Kind::kFloat:
      return copy_as<float, double>(bytes, rows);
    case Kind::kInt8:
      return copy_widened<std::int8_t>(width, bytes, rows);
    case Kind::kInt16:
      return copy_widened<std::int16_t>(width, bytes, rows);
    case Kind::kInt32:
      return copy_widened<std::int32_t>(width, bytes, rows);
    case Kind::kUInt8:
      return copy_widened<std::uint8_t>(width, bytes, rows);
    case Kind::kUInt16:
      return copy_widened<std::uint16_t>(width, bytes, rows);
    default:
      return copy_widened<std::uint32_t>(width, bytes, rows);
  }
}

class PlannedDecoder {
 public:
  PlannedDecoder(const Decoder::Plan& plan, ColumnInput& in)
      : written_(plan.written),
        steps_(plan.steps),
        least_bits_(plan.least_bits),
        in_(in),
        columns_(in),
        skipper_(plan.written, in) {}

  Status run(std::uint32_t index, MutableRows rows) {
    const DecodeStep& step = steps_[index];
    if (rows.size() == 0) return {};
    const auto elements = [&](MutableRows values) { return run(step.element, values); };
    switch (step.action) {
      case Action::kSame:
        return columns_.column(*step.type, rows);
      case Action::kWiden:
        return read_widened(step, rows);
      case Action::kRecord:
        return record(step, rows);
      case Action::kOptional:
        return columns_.optional(*step.type, rows, elements);
      case Action::kBecameOptional:
        return became_optional(step, rows);
      case Action::kList:
        return columns_.list(*step.type, rows, bits_of(step.element), elements);
      case Action::kArray:
        return columns_.array(*step.type, rows, elements);
      case Action::kMap:
        return columns_.map(
            *step.type, rows, bits_of(step.key),
            [&](MutableRows keys) { return run(step.key, keys); }, elements);
      case Action::kVariant:
        return columns_.variant(*step.type, rows, step.tag_of,
                                [&](std::size_t tag, MutableRows values) {
                                  return run(step.columns[tag].step, values);
                                });
    }
    return internal("a step of decoding that does not exist");
  }

 private:
  std::uint64_t bits_of(std::uint32_t step) const { return least_bits_[steps_[step].node]; }

  Status read_widened(const DecodeStep& step, MutableRows rows) {
    const Kind from = held_as(written_.nodes()[step.node]);
    const char* bytes = nullptr;
    Status status = in_.take(rows.size(), fixed_width(from), bytes);
    if (status) widen(from, fixed_width(*step.type), bytes, rows);
    return status;
  }

  Status record(const DecodeStep& step, MutableRows rows) {
    if (step.resets) rows.each([&](void* row) { step.type->reset(row); });
    const char* nothing = nullptr;
    if (step.columns.empty()) return in_.take((rows.size() + 7) / 8, 1, nothing);
    for (const DecodeStep::Column& column : step.columns) {
      Status status = column.skipped ? skipper_.skip(column.node, rows.size())
                                     : run(column.step, rows.member(column.offset));
      if (!status) return status;
    }
    return {};
  }

  Status became_optional(const DecodeStep& step, MutableRows rows) {
    std::vector<void*> values;
    values.reserve(rows.size());
    rows.each([&](void* row) { values.push_back(step.type->optional->emplace(row)); });
    return run(step.element, values);
  }

  const Schema& written_;
  const std::vector<DecodeStep>& steps_;
  const std::vector<std::uint64_t>& least_bits_;
  ColumnInput& in_;
  ColumnDecoder columns_;
  Skipper skipper_;
};

}  // namespace

Decoder::Decoder(std::unique_ptr<const Plan> plan) : plan_(std::move(plan)) {}
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;
Decoder::~Decoder() = default;

Result<Decoder> Decoder::make(const Schema& written, const Type& wanted) {
  Result<std::vector<DecodeStep>> steps = plan_steps(written, wanted);
  if (!steps) return steps.error();
  return Decoder(
      std::make_unique<const Plan>(Plan{written, std::move(*steps), least_bits_of_nodes(written)}));
}

Status Decoder::decode(std::string_view& in, MutableRows rows) const {
  ColumnInput input(in);
  Status status = PlannedDecoder(*plan_, input).run(0, rows);
  if (status) in = input.rest();
  return status;
}

}  // namespace millrace::detail
