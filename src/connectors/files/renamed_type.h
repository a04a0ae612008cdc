// Names of fields in a file that differ from those of the record's members.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "millrace/core/records/type.h"
#include "millrace/core/result.h"

namespace millrace {

struct Rename {
  std::string external;  // in the file
  std::string field;     // of the record
};

}  // namespace millrace

namespace millrace::detail {

// The table of a record type with other names for some of its own fields.
class RenamedType {
 public:
  RenamedType(const Type& type, std::span<const Rename> renames);
  RenamedType(const RenamedType&) = delete;
  RenamedType& operator=(const RenamedType&) = delete;

  // Fails where a rename names no field, or two fields have come to the same name.
  Status check() const;

  const Type& type() const { return type_; }

 private:
  std::vector<Rename> renames_;  // own the names
  std::vector<Field> fields_;
  Type type_;
  Status status_;
};

}  // namespace millrace::detail
