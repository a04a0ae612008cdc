#include "millrace/core/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <exception>
#include <utility>

#include "millrace/core/text.h"

namespace millrace {
namespace {

// spdlog puts the time, in UTC, before what format_text() and format_json() return.
constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%eZ %v";
constexpr const char* kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})";

class SpdlogSink final : public LogSink {
 public:
  SpdlogSink(std::unique_ptr<spdlog::sinks::sink> sink, LogFormat format)
      : sink_(std::move(sink)), format_(format) {
    const char* text = format == LogFormat::kJson ? kJsonPattern : kTextPattern;
    sink_->set_formatter(
        std::make_unique<spdlog::pattern_formatter>(text, spdlog::pattern_time_type::utc));
  }

  void write(const LogEntry& entry) override {
    const std::string line = format_ == LogFormat::kJson ? format_json(entry) : format_text(entry);
    try {
      sink_->log({spdlog::string_view_t(), spdlog::level::info, line});
      sink_->flush();
    } catch (const std::exception&) {
      // The disk is full or the descriptor gone, and the log was the place to say so.
    }
  }

 private:
  std::unique_ptr<spdlog::sinks::sink> sink_;  // takes a lock per line
  LogFormat format_;
};

void append_escaped(std::string& text, unsigned char c, char quote) {
  if (c == '\\' || c == static_cast<unsigned char>(quote)) {
    text += {'\\', static_cast<char>(c)};
  } else if (c == '\n') {
    text += "\\n";
  } else if (c == '\r') {
    text += "\\r";
  } else if (c == '\t') {
    text += "\\t";
  } else if (c < 0x20 || c == 0x7f) {
    text += "\\u00";
    text += {detail::kHexDigits[c >> 4], detail::kHexDigits[c & 15]};
  } else {
    text += static_cast<char>(c);
  }
}

void append_quoted(std::string& text, std::string_view value, char quote) {
  text += quote;
  for (const char c : value) append_escaped(text, static_cast<unsigned char>(c), quote);
  text += quote;
}

bool stands_unquoted(std::string_view value) {
  for (const char c : value) {
    const auto code = static_cast<unsigned char>(c);
    if (code <= 0x20 || code == 0x7f || c == '\'' || c == '"' || c == '=' || c == '\\')
      return false;
  }
  return !value.empty();
}

std::string_view word_of(LogLevel level) { return kLogLevelWords[static_cast<std::size_t>(level)]; }

}  // namespace

std::string format_text(const LogEntry& entry) {
  std::string line = concat(word_of(entry.level), ' ', entry.logger, ": ", entry.message);
  std::string value;
  for (const LogField& field : entry.fields) {
    line += concat(' ', field.key(), '=');
    value.clear();
    field.append_to(value);
    if (stands_unquoted(value)) {
      line += value;
    } else {
      append_quoted(line, value, '\'');
    }
  }
  return line;
}

std::string format_json(const LogEntry& entry) {
  std::string line = concat("\"level\":\"", word_of(entry.level), "\",\"logger\":");
  append_quoted(line, entry.logger, '"');
  line += ",\"message\":";
  append_quoted(line, entry.message, '"');
  std::string value;
  for (const LogField& field : entry.fields) {
    line += ',';
    append_quoted(line, field.key(), '"');
    line += ':';
    value.clear();
    field.append_to(value);
    if (field.is_text()) {
      append_quoted(line, value, '"');
    } else {
      line += value;
    }
  }
  return line;
}

Logging::Logging(LogLevel level, LogFormat format)
    : Logging(level, std::make_unique<SpdlogSink>(std::make_unique<spdlog::sinks::stderr_sink_mt>(),
                                                  format)) {}

Logging::Logging(LogLevel level, std::unique_ptr<LogSink> sink)
    : level_(level), sink_(std::move(sink)) {}

Result<Logging> Logging::to_file(const std::filesystem::path& path, LogLevel level,
                                 LogFormat format) {
  try {
    auto sink = std::make_unique<spdlog::sinks::basic_file_sink_mt>(path.string());
    return Logging(level, std::make_unique<SpdlogSink>(std::move(sink), format));
  } catch (const std::exception& exception) {
    return unavailable(concat("cannot log to ", path.string(), ": ", exception.what()));
  }
}

}  // namespace millrace
