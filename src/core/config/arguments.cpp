#include "millrace/core/config/arguments.h"

#include <algorithm>

#include "millrace/core/text.h"

namespace millrace {
namespace {

// A flag begins with a dash; "-" alone and negative numbers are values.
bool looks_like_flag(std::string_view word) {
  if (word.size() < 2 || word[0] != '-') return false;
  return !(word[1] == '.' || (word[1] >= '0' && word[1] <= '9'));
}

const Argument* find_argument(std::span<const Argument> arguments, std::string_view name) {
  const auto found = std::ranges::find(arguments, name, &Argument::name);
  return found == arguments.end() ? nullptr : &*found;
}

class Splitter {
 public:
  Splitter(std::span<const std::string> words, std::span<const EngineFlag> flags, LooseWords loose)
      : rest_(words), flags_(flags), loose_(loose) {}

  Result<Arguments> split() {
    while (!rest_.empty()) {
      const std::string& word = next();
      if (word == "--") {
        result_.rest.assign(rest_.begin(), rest_.end());
        break;
      }
      if (Status status = read(word); !status) return status.error();
    }
    return std::move(result_);
  }

 private:
  const std::string& next() {
    const std::string& word = rest_.front();
    rest_ = rest_.subspan(1);
    return word;
  }

  Status read(const std::string& word) {
    if (word == "--help" || word == "-h") {
      result_.help = true;
      return {};
    }
    if (word.starts_with("--")) return read_flag(word);
    if (word.starts_with("-D")) return read_setting(word.substr(2));
    if (looks_like_flag(word)) {
      return invalid_argument(
          concat("unknown flag ", word, "; flags are given as --name=value, settings as -D"));
    }
    if (loose_ == LooseWords::kTaken) {
      result_.words.push_back(word);
      return {};
    }
    return invalid_argument(
        concat("unexpected argument ", in_quotes(word), "; parameters are given as --name=value"));
  }

  Status read_setting(std::string setting) {
    if (setting.empty() && !rest_.empty()) setting = next();
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      return invalid_argument(concat("-D ", in_quotes(setting),
                                     " sets nothing; expected -D key=value, as in "
                                     "-D parallelism.default=4"));
    }
    result_.settings.push_back({setting.substr(0, equals), setting.substr(equals + 1)});
    return {};
  }

  Status read_flag(const std::string& word) {
    const std::size_t equals = word.find('=');
    Argument argument{word.substr(2, equals - 2), std::nullopt};
    if (equals != std::string::npos) argument.text = word.substr(equals + 1);
    if (argument.name.empty()) {
      return invalid_argument(concat(in_quotes(word), " names no flag; expected --name=value"));
    }
    if (argument.name == "help") {
      return invalid_argument(concat("--help takes no value, but has ", in_quotes(*argument.text)));
    }
    const auto flag = std::ranges::find(flags_, argument.name, &EngineFlag::name);
    if (flag != flags_.end()) return add_engine_flag(std::move(argument), *flag);
    if (!argument.text && !rest_.empty() && !looks_like_flag(rest_.front())) {
      argument.text = next();
    }
    return add(result_.parameters, std::move(argument));
  }

  Status add_engine_flag(Argument argument, const EngineFlag& flag) {
    if (flag.value == EngineFlag::Value::kNone && argument.text) {
      return invalid_argument(
          concat("--", flag.name, " takes no value, but has ", in_quotes(*argument.text)));
    }
    if (flag.value == EngineFlag::Value::kRequired && !argument.text) {
      if (rest_.empty() || looks_like_flag(rest_.front())) {
        return invalid_argument(concat("--", flag.name, " has no value; give it as --", flag.name,
                                       '=', flag.placeholder));
      }
      argument.text = next();
    }
    return add(result_.engine, std::move(argument));
  }

  static Status add(std::vector<Argument>& arguments, Argument argument) {
    if (find_argument(arguments, argument.name) != nullptr) {
      return invalid_argument(concat("--", argument.name, " is given twice"));
    }
    arguments.push_back(std::move(argument));
    return {};
  }

  std::span<const std::string> rest_;
  std::span<const EngineFlag> flags_;
  LooseWords loose_;
  Arguments result_;
};

}  // namespace

std::string to_string(const EngineFlag& flag) {
  switch (flag.value) {
    case EngineFlag::Value::kNone:
      return concat("--", flag.name);
    case EngineFlag::Value::kOptional:
      return concat("--", flag.name, "[=", flag.placeholder, ']');
    case EngineFlag::Value::kRequired:
      return concat("--", flag.name, '=', flag.placeholder);
  }
  return {};
}

const Argument* Arguments::find_engine_flag(std::string_view name) const {
  return find_argument(engine, name);
}

Result<Arguments> split_arguments(std::span<const std::string> words,
                                  std::span<const EngineFlag> flags, LooseWords loose) {
  return Splitter(words, flags, loose).split();
}

}  // namespace millrace
