// The command line of a job executable, split into the engine's flags, settings and the rest:
//   --name=value  --name value  --flag  -D key=value  -Dkey=value  --help  -h  -- (ends the flags)
//
// What is no flag of the engine is a parameter of the job, whose names are known only once the job
// function has run: Parameters judges them then. So "--name word" always gives the job's parameter
// that word; "--name" before another flag, or at the end, gives it no text. Pure functions.
// The commands of the `millrace` program are split in the same way; they take words besides.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/core/result.h"

namespace millrace {

// A flag of the engine, whose name no job may use for a parameter.
struct EngineFlag {
  enum class Value { kNone, kOptional, kRequired };  // an optional one is given with = alone

  std::string_view name;  // without the dashes
  Value value = Value::kNone;
  std::string_view placeholder;  // of the value in the help text, such as MODE
  std::string_view help;
};

// "--mode=MODE", "--plan[=FORMAT]"
std::string to_string(const EngineFlag& flag);

// A flag as it was given: --name, --name=text or --name text.
struct Argument {
  std::string name;
  std::optional<std::string> text;

  friend bool operator==(const Argument&, const Argument&) = default;
};

// An option set on the command line, by -D key=value or by a flag of its own.
struct ConfigFlag {
  std::string key;
  std::string value;
  std::string spelled = "-D";  // as messages name the flag

  friend bool operator==(const ConfigFlag&, const ConfigFlag&) = default;
};

struct Arguments {
  bool help = false;
  std::vector<Argument> engine;
  std::vector<Argument> parameters;
  std::vector<ConfigFlag> settings;  // of -D
  std::vector<std::string> rest;     // after --; the caller uses or refuses it
  std::vector<std::string> words;    // that belong to no flag, where they may stand

  const Argument* find_engine_flag(std::string_view name) const;

  friend bool operator==(const Arguments&, const Arguments&) = default;
};

enum class LooseWords { kRefused, kTaken };

// `words` are the arguments without the program's name. A flag given twice, a word that belongs to
// no flag unless such are taken, and a value too many or too few for a flag of the engine are
// errors.
Result<Arguments> split_arguments(std::span<const std::string> words,
                                  std::span<const EngineFlag> flags,
                                  LooseWords loose = LooseWords::kRefused);

}  // namespace millrace
