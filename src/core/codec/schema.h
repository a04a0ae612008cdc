// What a type of record looks like, as a value: written beside state and files, so that they can be
// read when the type has changed, and shown in plans. Its text form is one line (docs/FORMATS.md):
//
//   to_string(schema_of(type_of<WordCount>())) == "WordCount{word:string,count:int64}"
//
// Records are in a table and refer to each other by index, so that a type may contain itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/records/type.h"
#include "millrace/core/result.h"

namespace millrace::detail {

struct SchemaMember {
  std::string name;
  std::uint32_t node = 0;
  bool operator==(const SchemaMember&) const = default;
};

struct SchemaNode {
  Kind kind = Kind::kBool;
  Kind integer = Kind::kInt64;        // kEnum, kDuration
  std::string name;                   // kEnum; kRecord, where it is unique and empty for a tuple
  std::vector<SchemaMember> members;  // kRecord, kVariant
  std::uint32_t element = 0;          // kOptional, kList, kArray, kMap
  std::uint32_t key = 0;              // kMap
  std::uint64_t length = 0;           // kArray
  std::int64_t period_numerator = 1;  // kDuration
  std::int64_t period_denominator = 1;
  bool operator==(const SchemaNode&) const = default;
};

inline Kind held_as(const SchemaNode& node) { return held_as(node.kind, node.integer); }

}  // namespace millrace::detail

namespace millrace {

class Schema {
 public:
  static Result<Schema> parse(std::string_view text);

  // Node 0 is the type itself; nodes are numbered in the order in which the text names them.
  const std::vector<detail::SchemaNode>& nodes() const { return nodes_; }
  const detail::SchemaNode& root() const { return nodes_.front(); }

  bool operator==(const Schema&) const = default;

 private:
  friend Schema schema_of(const detail::Type& type);
  explicit Schema(std::vector<detail::SchemaNode> nodes) : nodes_(std::move(nodes)) {}

  std::vector<detail::SchemaNode> nodes_;
};

Schema schema_of(const detail::Type& type);
std::string to_string(const Schema& schema);

}  // namespace millrace
