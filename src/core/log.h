// Logging: a constant message, and data as key=value.
//   log.info("task started", {{"task", name}, {"subtask", subtask}});
//
// main() builds one Logging and passes Loggers down, one per layer; there is no global one. A
// default-constructed Logger drops everything, so a test needs none. Fields refer to their values
// and are turned into text only when the level is on; otherwise a call costs a comparison and a
// few stores. Loggers are copied freely, used from any thread, and must not outlive their Logging.
// Messages go to standard error or to a file, never to standard output: that belongs to the job.
// A message that cannot be written is lost in silence: logging never fails what it reports on.
#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "millrace/core/result.h"
#include "millrace/core/time.h"
#include "millrace/core/units.h"

namespace millrace {

enum class LogLevel {
  kOff,
  kError,  // someone must act
  kWarn,   // handled, but odd
  kInfo,   // life cycle
  kDebug,  // per checkpoint
};

inline constexpr std::array<std::string_view, 5> kLogLevelWords{"off", "error", "warn", "info",
                                                                "debug"};
constexpr std::span<const std::string_view> words_of(LogLevel) { return kLogLevelWords; }

enum class LogFormat { kText, kJson };

inline constexpr std::array<std::string_view, 2> kLogFormatWords{"text", "json"};
constexpr std::span<const std::string_view> words_of(LogFormat) { return kLogFormatWords; }

// A key and a reference to its value: a string, path, integer, double, bool, duration, or anything
// else with a to_string(). It lives within one logging call only.
class LogField {
 public:
  template <class T>
  LogField(std::string_view key, const T& value)
      : key_(key), value_(&value), append_(&append_value<T>), is_text_(is_text_value(value)) {}

  std::string_view key() const { return key_; }
  bool is_text() const { return is_text_; }  // as opposed to a number or a boolean
  void append_to(std::string& text) const { append_(text, value_); }

 private:
  template <class T>
  static bool is_text_value(const T& value) {
    if constexpr (std::is_floating_point_v<T>) return !std::isfinite(value);
    return !std::is_arithmetic_v<T>;
  }

  template <class T>
  static void append_value(std::string& text, const void* pointer) {
    const T& value = *static_cast<const T*>(pointer);
    if constexpr (std::convertible_to<const T&, std::string_view>) {
      text += std::string_view(value);
    } else if constexpr (HasTextForm<T>) {
      text += to_text(value);
    } else if constexpr (std::convertible_to<const T&, std::string>) {
      text += std::string(value);  // a path
    } else {
      static_assert(
          requires { std::string_view(to_string(value)); },
          "a log field holds a string, a number, a boolean, a duration, or a type with "
          "a function to_string()");
      text += to_string(value);
    }
  }

  std::string_view key_;
  const void* value_;
  void (*append_)(std::string&, const void*);
  bool is_text_;
};

struct LogEntry {
  LogLevel level;
  std::string_view logger;
  std::string_view message;
  std::span<const LogField> fields;
};

// Where entries go. Called by any thread, and by several at once.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write(const LogEntry& entry) = 0;
};

// "warn task: checkpoint declined task='word count' subtask=3". A text with spaces, quotes, = or
// control characters, or none at all, is quoted; newlines and the like are escaped.
std::string format_text(const LogEntry& entry);

// The members of a JSON object, without braces: "level":"warn","logger":"task","message":...
std::string format_json(const LogEntry& entry);

class Logger {
 public:
  using Fields = std::initializer_list<LogField>;

  Logger() = default;
  Logger(std::string name, LogLevel level, LogSink& sink)
      : name_(std::move(name)), level_(level), sink_(&sink) {}

  bool enabled(LogLevel level) const { return level <= level_; }

  void error(std::string_view message, Fields fields = {}) const {
    log(LogLevel::kError, message, fields);
  }
  void warn(std::string_view message, Fields fields = {}) const {
    log(LogLevel::kWarn, message, fields);
  }
  void info(std::string_view message, Fields fields = {}) const {
    log(LogLevel::kInfo, message, fields);
  }
  void debug(std::string_view message, Fields fields = {}) const {
    log(LogLevel::kDebug, message, fields);
  }

 private:
  void log(LogLevel level, std::string_view message, Fields fields) const {
    if (enabled(level)) [[unlikely]]
      sink_->write({level, name_, message, {fields.begin(), fields.size()}});
  }

  std::string name_;
  LogLevel level_ = LogLevel::kOff;  // stays off while there is no sink
  LogSink* sink_ = nullptr;
};

class Logging {
 public:
  // To standard error.
  explicit Logging(LogLevel level, LogFormat format = LogFormat::kText);
  // To a sink of one's own.
  Logging(LogLevel level, std::unique_ptr<LogSink> sink);

  // Appends to the file, which is created with its folders.
  static Result<Logging> to_file(const std::filesystem::path& path, LogLevel level,
                                 LogFormat format = LogFormat::kText);

  Logger logger(std::string name) const { return Logger(std::move(name), level_, *sink_); }

 private:
  LogLevel level_;
  std::unique_ptr<LogSink> sink_;
};

}  // namespace millrace
