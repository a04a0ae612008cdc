// What a job function is given: where its streams begin, and its parameters.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "millrace/api/connected_streams.h"
#include "millrace/api/keyed_stream.h"
#include "millrace/api/stream.h"

namespace millrace {

// Marks a parameter that must be given, where it has a help text:
//   job.param("input", kRequired, "the file to read")
struct Required {};
inline constexpr Required kRequired{};

class Job {
 public:
  explicit Job(detail::JobBuilder& builder) : builder_(builder) {}
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  // The stream of a source's records.
  template <class S>
  auto from(S source) {
    if constexpr (requires { source.spec(); }) {
      return add_source(source.spec());
    } else {
      static_assert(
          requires {
            typename S::value_type;
            source.make;
          },
          "Millrace: from() takes a source, such as text_files(...), files<T>(...) or "
          "source<YourSource>(...)");
      return add_source(std::move(source));
    }
  }

  // A parameter of the job, given as --name=value. One without default must be given.
  template <class T = std::string>
  T param(std::string_view name, Required = kRequired, std::string_view help = {}) {
    return take<T>(name, std::nullopt, help);
  }
  // Numbers are 64 bits wide whatever the default's type is.
  template <class T>
  auto param(std::string_view name, const T& default_value, std::string_view help = {}) {
    using Value = Parameter<T>;
    return take<Value>(name, Value(default_value), help);
  }

 private:
  template <class T>
  using Parameter = std::conditional_t<
      std::is_same_v<T, bool>, bool,
      std::conditional_t<
          std::is_integral_v<T>, std::int64_t,
          std::conditional_t<
              std::is_floating_point_v<T>, double,
              std::conditional_t<std::is_convertible_v<T, std::string_view>, std::string, T>>>>;

  template <class T>
  T take(std::string_view name, std::optional<T> default_value, std::string_view help) {
    Result<T> value = builder_.parameters().template take<T>(name, std::move(default_value), help);
    if (value) return *std::move(value);
    builder_.fail_parameter(value.error());
    return T();
  }

  template <class T>
  Stream<T> add_source(SourceSpec<T> source) {
    const detail::OperatorIndex index =
        builder_.add_source(std::move(source), detail::output_of<T>());
    return Stream<T>(builder_, index, {{.op = index}});
  }

  detail::JobBuilder& builder_;
};

}  // namespace millrace
