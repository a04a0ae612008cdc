#include "millrace/connectors/files/renamed_type.h"

#include <algorithm>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

std::vector<std::string> names_of(std::span<const Field> fields) {
  std::vector<std::string> names;
  for (const Field& field : fields) names.emplace_back(field.name);
  return names;
}

Error no_such_field(const Type& type, const Rename& rename) {
  const std::vector<std::string> names = names_of(type.fields);
  const std::string_view meant = nearest(rename.field, names);
  return invalid_argument(concat("the rename of ", in_quotes(rename.external), " names the field ",
                                 in_quotes(rename.field), ", which ", type.name, " has not",
                                 meant.empty() ? "" : concat("; did you mean ", in_quotes(meant)),
                                 "; its fields are ", join(names)));
}

Error same_name(const Type& type, std::string_view name) {
  return invalid_argument(concat("two fields of ", type.name, " would be called ", in_quotes(name),
                                 " in the file; give one of them another name in .renames"));
}

}  // namespace

RenamedType::RenamedType(const Type& type, std::span<const Rename> renames)
    : renames_(renames.begin(), renames.end()),
      fields_(type.fields.begin(), type.fields.end()),
      type_(type) {
  for (const Rename& rename : renames_) {
    const auto original = std::ranges::find(type.fields, rename.field, &Field::name);
    if (type.kind != Kind::kRecord || original == type.fields.end()) {
      status_ = no_such_field(type, rename);
    } else {
      fields_[static_cast<std::size_t>(original - type.fields.begin())].name = rename.external;
    }
  }
  if (type.kind == Kind::kRecord) type_.fields = fields_;
}

Status RenamedType::check() const {
  if (!status_) return status_;
  for (auto field = fields_.begin(); field != fields_.end(); ++field) {
    const auto is_same = [&](const Field& other) { return other.name == field->name; };
    if (std::any_of(field + 1, fields_.end(), is_same)) return same_name(type_, field->name);
  }
  return {};
}

}  // namespace millrace::detail
