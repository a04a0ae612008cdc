#include "millrace/tools/state_command.h"

#include <optional>
#include <ostream>

#include "millrace/core/text.h"

namespace millrace {
namespace {

constexpr int kWell = 0;
constexpr int kNotWell = 1;
constexpr int kUsage = 2;

constexpr std::string_view kHelp =
    R"(Usage: millrace state COMMAND PATH...

Looks into a savepoint or a checkpoint, without the job that it is of. PATH is the
folder of a savepoint or of a checkpoint (chk-...), or a job's directory of
checkpoints: then it is the newest.

  ls PATH                      operators and their states: kinds, schemas, sizes
  get PATH OPERATOR STATE KEY  what a key has, as JSON; KEY is JSON or plain text
  diff PATH PATH               rows of keyed state that were added (+), removed (-)
                               or changed (*), in the order of their keys' hashes
  verify PATH                  whether all files are what was written and every row
                               can be read

Exit codes: 0 well, 1 nothing found, a difference or damage, 2 wrong usage.
)";

int usage(std::ostream& err, std::string_view what) {
  err << "millrace state: " << what << "\ntry: millrace state --help\n";
  return kUsage;
}

using Run = Result<bool> (*)(std::span<const std::string>, std::ostream&);

struct Command {
  std::string_view name;
  std::size_t words;  // that follow it
  Run run;
};

constexpr Command kCommands[] = {
    {"ls", 1, [](auto words, auto& out) { return detail::list_state(words[0], out); }},
    {"get", 4,
     [](auto words, auto& out) {
       return detail::find_state({words[0], words[1], words[2], words[3]}, out);
     }},
    {"diff", 2,
     [](auto words, auto& out) { return detail::compare_state(words[0], words[1], out); }},
    {"verify", 1, [](auto words, auto& out) { return detail::verify_state(words[0], out); }},
};

}  // namespace

int run_state_command(std::span<const std::string> words, std::ostream& out, std::ostream& err) {
  if (words.empty()) return usage(err, "expected a command: ls, get, diff or verify");
  if (words.front() == "--help" || words.front() == "-h") {
    out << kHelp;
    return kWell;
  }
  for (const Command& command : kCommands) {
    if (command.name != words.front()) continue;
    words = words.subspan(1);
    if (words.size() != command.words) {
      return usage(err,
                   concat(command.name, " takes ", command.words, " words, not ", words.size()));
    }
    const Result<bool> well = command.run(words, out);
    out.flush();
    if (well) return *well ? kWell : kNotWell;
    err << "millrace state: " << well.error().message() << '\n';
    return kNotWell;
  }
  return usage(err, concat("there is no command ", in_quotes(words.front())));
}

}  // namespace millrace
