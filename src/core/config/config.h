// Configuration: one value per option, read once at the start and passed down.
//
// An option is declared by a typed constant, which also reads it:
//   constexpr Option<Duration> kInterval{"execution.checkpointing.interval", "10s", "..."};
//   const Duration interval = config.get(kInterval);
// load() takes the table of all options and lets each source override the one before it: defaults,
// a YAML file, the environment (MILLRACE_PARALLELISM_DEFAULT), flags. Every key and value is
// checked there, so reading cannot fail; a mistake is refused with its place. A Config is a value;
// a default-constructed one holds every option's default, which is all that tests need.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
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

// The integers that an option allows.
struct IntegerRange {
  std::int64_t least = std::numeric_limits<std::int64_t>::min();
  std::int64_t most = std::numeric_limits<std::int64_t>::max();

  friend constexpr bool operator==(IntegerRange, IntegerRange) = default;
};

// An option without its type, as tables hold it.
struct ConfigOption {
  std::string_view key;  // dotted; Flink's name where the concept is Flink's
  std::string_view default_text;
  std::string_view help;  // one sentence or two
  IntegerRange range;
  ValueKind kind;
  std::span<const std::string_view> words;  // of an enum
  // Whether the text is a value of the option's type and within the range.
  Status (*check_text)(std::string_view text, IntegerRange range);
};

namespace detail {

Status check_range(std::int64_t value, IntegerRange range);
template <class T>
Status check_range(const T&, IntegerRange) {
  return {};
}
template <class T>
Status check_range(const std::optional<T>& value, IntegerRange range) {
  return value ? check_range(*value, range) : Status();
}

template <class T>
Status check_text(std::string_view text, IntegerRange range) {
  const auto value = parse_text<T>(text);
  return value ? check_range(*value, range) : Status(value.error());
}

template <class T>
constexpr std::span<const std::string_view> words_of_option() {
  if constexpr (std::is_enum_v<T>) return words_of(T{});
  return {};
}

}  // namespace detail

template <class T>
struct Option : ConfigOption {
  static_assert(HasTextForm<T>,
                "an option is a std::string, bool, std::int64_t, double, std::chrono duration, "
                "Timestamp, Bytes, an enum with a function words_of(), or a std::optional of "
                "one of them, which is auto when empty");
  static_assert(!std::integral<T> || std::same_as<T, bool> || std::same_as<T, std::int64_t>,
                "an integer option is a std::int64_t");

  constexpr Option(std::string_view option_key, std::string_view option_default,
                   std::string_view option_help, IntegerRange option_range = {})
      : ConfigOption{option_key,
                     option_default,
                     option_help,
                     option_range,
                     TextForm<T>::kKind,
                     detail::words_of_option<T>(),
                     &detail::check_text<T>} {}
};

// Where a value came from.
struct Origin {
  enum class Source { kDefault, kFile, kEnvironment, kFlag };

  Source source = Source::kDefault;
  std::string place;  // millrace.yaml:3:1, MILLRACE_PARALLELISM_DEFAULT, --parallelism

  friend bool operator==(const Origin&, const Origin&) = default;
};

// "default", "file millrace.yaml:3:1", "environment variable MILLRACE_...", "flag --parallelism"
std::string to_string(const Origin& origin);

struct ConfigSources {
  std::string file_name = {};                 // as messages name it
  std::string file_text = {};                 // YAML; empty when there is no file
  std::vector<std::string> environment = {};  // NAME=value; only MILLRACE_ variables are looked at
  std::vector<ConfigFlag> flags = {};
};

class Config {
 public:
  Config() = default;

  // Nested maps and dotted keys mean the same: {pipeline: {max-parallelism: 8}} sets
  // pipeline.max-parallelism. What one source sets twice is refused.
  static Result<Config> load(std::span<const ConfigOption> options, const ConfigSources& sources);

  template <class T>
  T get(const Option<T>& option) const {
    auto value = parse_text<T>(text(option));
    check(value.has_value(), "an option was read with a type other than it was loaded with");
    return *std::move(value);
  }

  std::string_view text(const ConfigOption& option) const;
  Origin origin(std::string_view key) const;

  friend bool operator==(const Config&, const Config&) = default;

 private:
  struct Value {
    std::string text;
    Origin origin;

    friend bool operator==(const Value&, const Value&) = default;
  };
  friend class ConfigLoader;

  std::map<std::string, Value, std::less<>> values_;  // those that a source has set
};

// MILLRACE_PIPELINE_MAX_PARALLELISM for pipeline.max-parallelism.
std::string environment_name(std::string_view key);

constexpr std::size_t kLargestConfigFile = std::size_t{1} << 20;

// The text for ConfigSources. NotFound when there is no such file.
Result<std::string> read_config_file(const std::filesystem::path& path);

}  // namespace millrace
