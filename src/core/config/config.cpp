#include "millrace/core/config/config.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "millrace/core/text.h"

namespace millrace {
namespace {

constexpr std::string_view kVariablePrefix = "MILLRACE_";
// Says to the commands of `millrace` where the cluster is, and is no option.
constexpr std::string_view kRestVariable = "MILLRACE_REST=";
constexpr std::size_t kDeepestNesting = 16;

// A key and its value as a source gave them, not yet checked.
struct Setting {
  std::string key;
  std::string value;
  Origin origin;
  std::string value_place;  // for messages about the value
  bool is_null = false;
};

std::string place_in(std::string_view file_name, const YAML::Mark& mark) {
  return concat(file_name, ':', mark.line + 1, ':', mark.column + 1);
}

// Flattens the events of one YAML document into settings. After the first error it ignores the
// rest: exceptions do not pass through the parser.
class YamlFlattener final : public YAML::EventHandler {
 public:
  explicit YamlFlattener(std::string_view file_name) : file_name_(file_name) {}

  Status status() const { return error_ ? Status(*error_) : Status(); }
  std::vector<Setting> take() { return std::move(settings_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) fail(mark, "expected one YAML document, found another");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    if (depth_ == 0) return;  // an empty file
    scalar(mark, "", true);
  }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                const std::string& value) override {
    scalar(mark, value, false);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fail(mark, "aliases are not supported; write the value out");
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    fail(mark, "a list is no value of an option; expected a single value or nested keys");
  }
  void OnSequenceEnd() override {}

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    if (error_) return;
    if (++depth_ > kDeepestNesting) {
      return fail(mark, concat("nested more than ", kDeepestNesting, " deep"));
    }
    if (depth_ > 1 && !key_) return fail(mark, "expected a key, found a map");
    prefixes_.push_back(depth_ > 1 ? full_key() + '.' : "");
    key_.reset();
  }
  void OnMapEnd() override {
    if (error_) return;
    --depth_;
    prefixes_.pop_back();
    key_.reset();
  }

 private:
  void fail(const YAML::Mark& mark, std::string_view message) {
    if (!error_) error_ = invalid_argument(concat(place_in(file_name_, mark), ": ", message));
  }

  std::string full_key() const { return prefixes_.back() + *key_; }

  void scalar(const YAML::Mark& mark, const std::string& text, bool is_null) {
    if (error_) return;
    if (depth_ == 0) return fail(mark, "expected keys with values, as in parallelism.default: 4");
    if (!key_) {
      key_ = text;
      key_place_ = place_in(file_name_, mark);
      return;
    }
    settings_.push_back({full_key(), text, Origin{Origin::Source::kFile, key_place_},
                         place_in(file_name_, mark), is_null});
    key_.reset();
  }

  std::string file_name_;
  int documents_ = 0;
  std::size_t depth_ = 0;
  std::vector<std::string> prefixes_;  // of each open map, with the dot
  std::optional<std::string> key_;     // read, and waiting for its value
  std::string key_place_;
  std::vector<Setting> settings_;
  std::optional<Error> error_;
};

Result<std::vector<Setting>> read_yaml(std::string_view file_name, const std::string& text) {
  if (text.size() > kLargestConfigFile) {
    return invalid_argument(concat(file_name, ": ", to_string(Bytes(text.size())),
                                   " is too long for a configuration; expected at most ",
                                   to_string(Bytes(kLargestConfigFile))));
  }
  YamlFlattener flattener(file_name);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (flattener.status() && parser.HandleNextDocument(flattener)) {
    }
  } catch (const YAML::Exception& exception) {
    if (Status status = flattener.status(); !status) return status.error();
    return invalid_argument(
        concat(place_in(file_name, exception.mark), ": not valid YAML: ", exception.msg));
  }
  if (Status status = flattener.status(); !status) return status.error();
  return flattener.take();
}

std::string did_you_mean(std::string_view word, std::span<const std::string> known) {
  const std::string_view meant = nearest(word, known);
  if (!meant.empty()) return concat("; did you mean ", meant, "?");
  return "; docs/reference/config.md lists all there are";
}

}  // namespace

// Applies one source after the other; within a source, no key is set twice.
class ConfigLoader {
 public:
  explicit ConfigLoader(std::span<const ConfigOption> options) : options_(options) {
    for (const ConfigOption& option : options_) {
      keys_.emplace_back(option.key);
      check(check_value(option, option.default_text).has_value(),
            "the default of an option is no value of its type");
    }
  }

  Status apply_file(const ConfigSources& sources) {
    auto settings = read_yaml(sources.file_name, sources.file_text);
    if (!settings) return settings.error();
    for (const Setting& setting : *settings) {
      if (setting.is_null && is_section(setting.key)) continue;
      if (Status status = apply(setting); !status) return status;
    }
    return {};
  }

  Status apply_environment(const ConfigSources& sources) {
    std::vector<std::string> names;
    for (const std::string& key : keys_) names.push_back(environment_name(key));
    for (const std::string& entry : sources.environment) {
      if (!entry.starts_with(kVariablePrefix) || entry.starts_with(kRestVariable)) continue;
      if (Status status = apply_variable(entry, names); !status) return status;
    }
    return {};
  }

  Status apply_flags(const ConfigSources& sources) {
    for (const ConfigFlag& flag : sources.flags) {
      const Origin origin{Origin::Source::kFlag, flag.spelled};
      const Status status = apply({flag.key, flag.value, origin, to_string(origin)});
      if (!status) return status;
    }
    return {};
  }

  Config take() { return std::move(config_); }

 private:
  static Status check_value(const ConfigOption& option, std::string_view text) {
    return option.check_text(text, option.range);
  }

  static std::string place_of(const Setting& setting) {
    return setting.origin.source == Origin::Source::kFile ? setting.origin.place
                                                          : to_string(setting.origin);
  }

  const ConfigOption* find(std::string_view key) const {
    for (const ConfigOption& option : options_) {
      if (option.key == key) return &option;
    }
    return nullptr;
  }

  // Whether options lie below the key: such a key may stand empty, its lines commented out.
  bool is_section(const std::string& key) const {
    for (const std::string& known : keys_) {
      if (known.starts_with(key + '.')) return true;
    }
    return false;
  }

  Status apply_variable(const std::string& entry, std::span<const std::string> names) {
    const std::size_t equals = entry.find('=');
    const std::string name = entry.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : entry.substr(equals + 1);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] != name) continue;
      const Origin origin{Origin::Source::kEnvironment, name};
      return apply({keys_[i], value, origin, to_string(origin)});
    }
    return invalid_argument(concat("environment variable ", name, ": no option has this name",
                                   did_you_mean(name, names)));
  }

  Status apply(const Setting& setting) {
    const ConfigOption* option = find(setting.key);
    if (option == nullptr) {
      return invalid_argument(concat(place_of(setting), ": unknown key ", in_quotes(setting.key),
                                     did_you_mean(setting.key, keys_)));
    }
    if (setting.is_null) {
      return invalid_argument(concat(place_of(setting), ": ", setting.key,
                                     " has no value; expected ", with_article(option->kind),
                                     ", or leave the key out for its default"));
    }
    if (Status status = check_value(*option, setting.value); !status) {
      return status.error().with_context(concat(setting.value_place, ": ", setting.key));
    }
    Config::Value& value = config_.values_[setting.key];
    if (value.origin.source == setting.origin.source) {
      return invalid_argument(concat(place_of(setting), ": ", setting.key,
                                     " is set twice, first by ", to_string(value.origin)));
    }
    value = {setting.value, setting.origin};
    return {};
  }

  std::span<const ConfigOption> options_;
  std::vector<std::string> keys_;
  Config config_;
};

namespace detail {

Status check_range(std::int64_t value, IntegerRange range) {
  if (value >= range.least && value <= range.most) return {};
  return invalid_argument(concat(in_quotes(std::to_string(value)),
                                 " is out of range; expected an integer from ", range.least, " to ",
                                 range.most));
}

}  // namespace detail

std::string to_string(const Origin& origin) {
  constexpr std::string_view kWords[] = {"default", "file ", "environment variable ", "flag "};
  return concat(kWords[static_cast<std::size_t>(origin.source)], origin.place);
}

Result<Config> Config::load(std::span<const ConfigOption> options, const ConfigSources& sources) {
  ConfigLoader loader(options);
  if (Status status = loader.apply_file(sources); !status) return status.error();
  if (Status status = loader.apply_environment(sources); !status) return status.error();
  if (Status status = loader.apply_flags(sources); !status) return status.error();
  return loader.take();
}

std::string_view Config::text(const ConfigOption& option) const {
  const auto found = values_.find(option.key);
  return found == values_.end() ? option.default_text : std::string_view(found->second.text);
}

Origin Config::origin(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? Origin{} : found->second.origin;
}

std::string environment_name(std::string_view key) {
  std::string name(kVariablePrefix);
  for (const char c : key) {
    const bool is_lower = c >= 'a' && c <= 'z';
    name += c == '.' || c == '-' ? '_' : static_cast<char>(is_lower ? c - 'a' + 'A' : c);
  }
  return name;
}

namespace {

// A file that is there and cannot be read must not be taken for none.
Error cannot_open(const std::filesystem::path& path, int error) {
  const std::string what = concat("cannot open the configuration file ", in_quotes(path.native()),
                                  ": ", std::strerror(error));
  return error == ENOENT ? not_found(what) : unavailable(what + "; check its permissions");
}

}  // namespace

Result<std::string> read_config_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return cannot_open(path, errno);
  std::string text(kLargestConfigFile + 1, '\0');  // one more than allowed: load() refuses it
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return unavailable(concat("cannot read the configuration file ", path.string()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace millrace
