// A job's own parameters. The job function declares each by taking it, so what can be given is
// known only after it ran: then check_all_known() refuses the flags that nobody took.
//
// Lives while the job function runs, on its thread. take() records the declaration even when it
// fails, so that --help can list all parameters of a job to which none was given. The table of
// engine flags is borrowed and must outlive this.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/check.h"
#include "millrace/core/config/arguments.h"
#include "millrace/core/result.h"
#include "millrace/core/units.h"

namespace millrace {

struct ParameterDeclaration {
  std::string name;
  ValueKind kind;
  std::optional<std::string> default_text;  // none: the parameter is required
  std::string help;

  bool required() const { return !default_text; }
  friend bool operator==(const ParameterDeclaration&, const ParameterDeclaration&) = default;
};

class Parameters {
 public:
  Parameters() = default;
  explicit Parameters(std::vector<Argument> given, std::span<const EngineFlag> reserved = {});

  // The value given for --name, else the default; an error when there is neither, when the text is
  // no T, and when the name is reserved or already declared differently. A boolean may be given
  // without text, as --name, and is then true.
  template <class T>
  Result<T> take(std::string_view name, std::optional<T> default_value = std::nullopt,
                 std::string_view help = {}) {
    static_assert(HasTextForm<T>,
                  "a parameter is a std::string, bool, integer, double, std::chrono duration, "
                  "Timestamp, Bytes, or an enum with a function words_of()");
    std::optional<std::string> default_text;
    if (default_value) default_text = to_text(*default_value);
    const auto text = take_text(
        {std::string(name), TextForm<T>::kKind, std::move(default_text), std::string(help)});
    if (!text) return text.error();
    if (*text) return parse_given<T>(name, **text);
    check(default_value.has_value(), "a required parameter has no text");
    return *std::move(default_value);
  }

  // An error for the first flag that no declaration took, with the nearest name there is.
  Status check_all_known() const;

  const std::vector<ParameterDeclaration>& declared() const { return declared_; }

 private:
  template <class T>
  static Result<T> parse_given(std::string_view name, std::string_view text) {
    auto value = parse_text<T>(text);
    if (!value) return value.error().with_context(std::string("--").append(name));
    return value;
  }

  // The text given; none when the default holds.
  Result<std::optional<std::string>> take_text(ParameterDeclaration declaration);
  std::string nearest_given(std::string_view name) const;
  Status declare(ParameterDeclaration declaration);
  bool is_reserved(std::string_view name) const;

  std::vector<Argument> given_;
  std::span<const EngineFlag> reserved_;
  std::vector<ParameterDeclaration> declared_;
};

// The usual ones are compiled once, in parameters.cpp, and not in every job.
extern template Result<std::string> Parameters::take(std::string_view, std::optional<std::string>,
                                                     std::string_view);
extern template Result<std::int64_t> Parameters::take(std::string_view, std::optional<std::int64_t>,
                                                      std::string_view);
extern template Result<double> Parameters::take(std::string_view, std::optional<double>,
                                                std::string_view);
extern template Result<bool> Parameters::take(std::string_view, std::optional<bool>,
                                              std::string_view);

}  // namespace millrace
