#include "millrace/core/config/parameters.h"

#include <algorithm>
#include <utility>

#include "millrace/core/text.h"

namespace millrace {
namespace {

bool is_name(std::string_view name) {
  const auto is_letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (name.empty() || !is_letter_or_digit(name.front())) return false;
  return std::ranges::all_of(
      name, [&](char c) { return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.'; });
}

// "an integer with default '5'", "a text, required"
std::string describe(const ParameterDeclaration& declaration) {
  const std::string kind = with_article(declaration.kind);
  if (declaration.required()) return kind + ", required";
  return concat(kind, " with default ", in_quotes(*declaration.default_text));
}

}  // namespace

Parameters::Parameters(std::vector<Argument> given, std::span<const EngineFlag> reserved)
    : given_(std::move(given)), reserved_(reserved) {}

Status Parameters::check_all_known() const {
  std::vector<std::string> known{"help"};
  for (const ParameterDeclaration& declaration : declared_) known.push_back(declaration.name);
  for (const EngineFlag& flag : reserved_) known.emplace_back(flag.name);
  for (const Argument& argument : given_) {
    if (std::ranges::find(known, argument.name) != known.end()) continue;
    const std::string_view meant = nearest(argument.name, known);
    return invalid_argument(concat(
        "unknown flag --", argument.name,
        meant.empty() ? "; --help lists all there are" : concat("; did you mean --", meant, "?")));
  }
  return {};
}

Result<std::optional<std::string>> Parameters::take_text(ParameterDeclaration declaration) {
  const std::string flag = concat("--", declaration.name);
  const ValueKind kind = declaration.kind;
  const bool required = declaration.required();
  if (Status status = declare(declaration); !status) return status.error();
  const auto given = std::ranges::find(given_, declaration.name, &Argument::name);
  if (given == given_.end()) {
    if (!required) return std::optional<std::string>();
    const std::string misspelt = nearest_given(declaration.name);
    return invalid_argument(concat(
        "parameter ", flag, " is missing; expected ", with_article(kind), ", given as ", flag,
        "=...", misspelt.empty() ? "" : concat("; is --", misspelt, " meant to be ", flag, "?")));
  }
  if (given->text) return given->text;
  if (kind == ValueKind::kBoolean) return std::optional<std::string>("true");
  return invalid_argument(
      concat(flag, " has no value; expected ", with_article(kind), ", given as ", flag, "=..."));
}

std::string Parameters::nearest_given(std::string_view name) const {
  std::vector<std::string> others;
  for (const Argument& argument : given_) {
    const bool declared =
        std::ranges::find(declared_, argument.name, &ParameterDeclaration::name) != declared_.end();
    if (!declared) others.push_back(argument.name);
  }
  return std::string(nearest(name, others));
}

Status Parameters::declare(ParameterDeclaration declaration) {
  if (!is_name(declaration.name)) {
    return invalid_argument(concat(in_quotes(declaration.name),
                                   " is no name for a parameter; expected letters, digits, '-', "
                                   "'_' and '.', beginning with a letter or digit"));
  }
  if (is_reserved(declaration.name)) {
    return invalid_argument(concat("parameter ", in_quotes(declaration.name), " is reserved: --",
                                   declaration.name,
                                   " is a flag of Millrace; choose another name"));
  }
  const auto before = std::ranges::find(declared_, declaration.name, &ParameterDeclaration::name);
  if (before == declared_.end()) {
    declared_.push_back(std::move(declaration));
    return {};
  }
  if (before->kind == declaration.kind && before->default_text == declaration.default_text) {
    if (before->help.empty()) before->help = std::move(declaration.help);
    return {};
  }
  return invalid_argument(concat("parameter ", in_quotes(declaration.name),
                                 " is declared twice, as ", describe(*before), ", and as ",
                                 describe(declaration), "; declare it the same way each time"));
}

bool Parameters::is_reserved(std::string_view name) const {
  return name == "help" || std::ranges::find(reserved_, name, &EngineFlag::name) != reserved_.end();
}

template Result<std::string> Parameters::take(std::string_view, std::optional<std::string>,
                                              std::string_view);
template Result<std::int64_t> Parameters::take(std::string_view, std::optional<std::int64_t>,
                                               std::string_view);
template Result<double> Parameters::take(std::string_view, std::optional<double>, std::string_view);
template Result<bool> Parameters::take(std::string_view, std::optional<bool>, std::string_view);

}  // namespace millrace
