// How to read rows of a written schema into values of a type that may have changed since: a table
// of steps, one for each pair of a written node and a wanted type. Inside the codec only.
#pragma once

#include <cstdint>
#include <vector>

#include "millrace/core/codec/codec.h"

namespace millrace::detail {

struct DecodeStep {
  enum class Action : std::uint8_t {
    kSame,  // the written type is the wanted one
    kWiden,
    kRecord,
    kOptional,
    kBecameOptional,
    kList,
    kArray,
    kMap,
    kVariant,
  };

  struct Column {  // of a record, in the order written
    std::uint32_t node = 0;
    std::uint32_t step = 0;
    std::size_t offset = 0;
    bool skipped = false;
  };

  Action action = Action::kSame;
  const Type* type = nullptr;
  std::uint32_t node = 0;
  std::uint32_t element = 0;    // a step
  std::uint32_t key = 0;        // a step
  bool resets = false;          // kRecord: fields were added, so rows start from their defaults
  std::vector<Column> columns;  // kRecord, kVariant
  std::vector<std::uint8_t> tag_of;  // kVariant: the wanted index of each written tag
};

struct Decoder::Plan {
  Schema written;
  std::vector<DecodeStep> steps;          // the first is the type's own
  std::vector<std::uint64_t> least_bits;  // of each node of the schema
};

Result<std::vector<DecodeStep>> plan_steps(const Schema& written, const Type& wanted);

// The fewest bits that a value of each node takes, as least_bits() for a type.
std::vector<std::uint64_t> least_bits_of_nodes(const Schema& schema);

}  // namespace millrace::detail
