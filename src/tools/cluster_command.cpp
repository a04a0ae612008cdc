#include "millrace/tools/cluster_command.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <ostream>

#include "millrace/core/config/help_text.h"
#include "millrace/core/config/load_config.h"
#include "millrace/core/config/options.h"
#include "millrace/core/text.h"

namespace millrace {
namespace {

using detail::ClusterCall;
using detail::ClusterCommand;
using Value = EngineFlag::Value;

constexpr int kWell = 0;
constexpr int kNotWell = 1;
constexpr int kUsage = 2;
constexpr int kInterrupted = 130;  // 128 and SIGINT

constexpr std::string_view kRestVariable = "MILLRACE_REST";

constexpr EngineFlag kFlagsOfAll[] = {
    {"rest", Value::kRequired, "URL",
     "The cluster's coordinators, with commas between them; default: MILLRACE_REST, then the "
     "option "
     "rest.address."},
    {"config", Value::kRequired, "FILE", "Settings in YAML; default: millrace.yaml."},
};

constexpr EngineFlag kJson{"json", Value::kNone, "", "Print the REST answer as it is."};
constexpr EngineFlag kParallelism{"parallelism", Value::kRequired, "N",
                                  "How many subtasks each operator has."};

constexpr EngineFlag kSubmitFlags[] = {
    {"detached", Value::kNone, "",
     "Print the job's id alone, and do not wait until the job has ended."},
    kParallelism,
    {"name", Value::kRequired, "NAME", "What the job is called; default: as the program calls it."},
    {"restore", Value::kRequired, "FROM",
     "What to go on from: the path of a savepoint or checkpoint."},
    {"allow-dropped-state", Value::kNone, "",
     "Restore although the job lacks operators whose state is then lost."},
    {"allow-repeated-output", Value::kNone, "",
     "Restore although sinks have committed what they will be given again."},
    {"job-id", Value::kRequired, "ID",
     "32 hexadecimal digits; submitted twice with the same, it is one job. Default: random."},
};
constexpr EngineFlag kListFlags[] = {kJson};
constexpr EngineFlag kWaitFlags[] = {
    {"for", Value::kRequired, "WHAT",
     "running, checkpoint (one at least is complete) or finished (the default)."},
    {"timeout", Value::kRequired, "TIME", "How long; default: 60s."},
};
constexpr EngineFlag kStopFlags[] = {
    {"savepoint", Value::kRequired, "PATH",
     "The directory in which the savepoint gets a folder; default: as is configured."},
    {"drain", Value::kNone, "", "End the input first: all windows and timers fire."},
};
constexpr EngineFlag kSavepointFlags[] = {
    {"dir", Value::kRequired, "PATH",
     "The directory in which it gets a folder; default: as is configured."},
};
constexpr EngineFlag kRescaleFlags[] = {kParallelism};
constexpr EngineFlag kLogsFlags[] = {
    {"lines", Value::kRequired, "N", "How many of the last lines; default: 100."},
};

constexpr ClusterCommand kCommands[] = {
    {"submit", "PROGRAM", "ARGUMENTS", "runs a job's program on the cluster",
     "Sends PROGRAM to the cluster, unless it is there already, and runs it with\n"
     "ARGUMENTS. Prints the job's id and name, and waits until the job has ended;\n"
     "Ctrl-C ends the waiting, not the job.",
     kSubmitFlags, &detail::submit_job},
    {"list", "", "", "lists the cluster's jobs", "Lists the cluster's jobs.", kListFlags,
     &detail::list_jobs},
    {"describe", "JOB", "", "tells what is known of a job",
     "Tells what is known of a job: its phase, its tasks and where they run, its\n"
     "checkpoints.",
     kListFlags, &detail::describe_job},
    {"wait", "JOB", "", "waits until a job runs, has a checkpoint or has finished",
     "Waits until a job runs, has a checkpoint or has finished. Ends with 1 if the\n"
     "time is over, or if the job fails or is cancelled instead.",
     kWaitFlags, &detail::wait_for_job},
    {"cancel",
     "JOB",
     "",
     "ends a job as it is",
     "Ends a job as it is, without a savepoint.",
     {},
     &detail::cancel_job},
    {"stop", "JOB", "", "ends a job behind a savepoint",
     "Takes a savepoint, ends the job behind it, and prints the savepoint's path.", kStopFlags,
     &detail::stop_job},
    {"savepoint", "JOB", "", "takes a savepoint of a job that goes on",
     "Takes a savepoint of a job that goes on, and prints its path.", kSavepointFlags,
     &detail::save_job},
    {"rescale", "JOB", "", "changes a job's parallelism while it runs",
     "Has a job go on from its last checkpoint with another parallelism.", kRescaleFlags,
     &detail::rescale_job},
    {"logs", "JOB", "", "prints what a job's processes said last",
     "Prints what a job's processes said last.", kLogsFlags, &detail::print_logs},
};

std::string usage_of(const ClusterCommand& command) {
  return concat("millrace ", command.name, " [FLAGS]", command.word.empty() ? "" : " ",
                command.word, command.rest.empty() ? "" : " -- ", command.rest);
}

std::vector<EngineFlag> flags_of(const ClusterCommand& command) {
  std::vector<EngineFlag> flags(command.flags.begin(), command.flags.end());
  flags.insert(flags.end(), std::begin(kFlagsOfAll), std::end(kFlagsOfAll));
  return flags;
}

std::string help_of(const ClusterCommand& command) {
  std::string text = concat("Usage: ", usage_of(command), "\n\n", command.help, "\n");
  if (command.word == "JOB") {
    text +=
        "JOB is a job's id, a beginning that no other job's id has, or a name that only\n"
        "one job has.\n";
  }
  std::vector<HelpRow> rows;
  for (const EngineFlag& flag : flags_of(command)) {
    rows.push_back({to_string(flag), std::string(flag.help)});
  }
  rows.push_back({"-D KEY=VALUE", command.name == "submit"
                                      ? "Sets a configuration option, of the job too."
                                      : "Sets a configuration option."});
  text += concat("\n", help_columns(rows));
  return text + "\nExit codes: 0 well, 1 not so, 2 wrong usage, 130 interrupted.\n";
}

Error unknown_flag(const ClusterCommand& command, std::string_view name) {
  std::vector<std::string> known;
  for (const EngineFlag& flag : flags_of(command)) known.emplace_back(flag.name);
  const std::string_view near = nearest(name, known);
  std::string what = concat("there is no flag --", name);
  if (!near.empty()) what += concat("; is --", near, " meant?");
  if (!command.rest.empty()) what += "; the program's own arguments stand behind --";
  return invalid_argument(what);
}

Status check_words(const ClusterCommand& command, const Arguments& arguments) {
  if (!arguments.parameters.empty()) return unknown_flag(command, arguments.parameters[0].name);
  const std::size_t expected = command.word.empty() ? 0 : 1;
  if (arguments.words.size() < expected)
    return invalid_argument(concat(command.word, " is missing"));
  if (arguments.words.size() > expected) {
    return invalid_argument(
        concat("there is one word too many, ", in_quotes(arguments.words[expected]),
               command.rest.empty() ? "" : "; the program's own arguments stand behind --"));
  }
  if (command.rest.empty() && !arguments.rest.empty()) {
    return invalid_argument(
        concat("nothing stands behind -- here, and not ", in_quotes(arguments.rest[0])));
  }
  return {};
}

// Where the cluster is.
Result<std::vector<detail::RestAddress>> addresses_for(const Arguments& arguments) {
  const auto from = [](std::string_view text, std::string_view where) {
    auto addresses = detail::parse_rest_addresses(text);
    return addresses ? addresses : addresses.error().with_context(where);
  };
  if (const Argument* flag = arguments.find_engine_flag("rest")) return from(*flag->text, "--rest");
  const char* variable = std::getenv(kRestVariable.data());
  if (variable != nullptr && *variable != '\0') return from(variable, kRestVariable);
  const Result<Config> config =
      load_config(kEngineOptions, arguments.find_engine_flag("config"), arguments.settings);
  if (!config) return config.error();
  return from(config->get(kRestAddress), kRestAddress.key);
}

int usage(const ClusterCommand& command, std::ostream& err, const Error& error) {
  err << "millrace " << command.name << ": " << error.message() << "\nusage: " << usage_of(command)
      << "\ntry: millrace " << command.name << " --help" << std::endl;
  return kUsage;
}

int run(const ClusterCommand& command, const Arguments& arguments, const CommandContext& context) {
  Result<std::vector<detail::RestAddress>> addresses = addresses_for(arguments);
  if (!addresses) return usage(command, context.err, addresses.error());
  detail::RestClient cluster(*std::move(addresses), context.patience, context.err);
  const Result<bool> well = command.run({arguments, cluster, context});
  context.out.flush();
  if (well && !context.out) {
    context.err << "millrace " << command.name << ": cannot write to the standard output"
                << std::endl;
    return kNotWell;
  }
  if (well) return *well ? kWell : kNotWell;
  // What is wrong before anybody was asked is wrong with the words.
  if (!cluster.has_asked() && well.error().code() == ErrorCode::kInvalidArgument) {
    return usage(command, context.err, well.error());
  }
  context.err << "millrace " << command.name << ": " << well.error().message() << std::endl;
  return context.patience.interrupted() ? kInterrupted : kNotWell;
}

}  // namespace

std::optional<int> run_cluster_command(std::span<const std::string> words,
                                       const CommandContext& context) {
  if (words.empty()) return std::nullopt;
  const auto command = std::ranges::find(kCommands, words.front(), &ClusterCommand::name);
  if (command == std::end(kCommands)) return std::nullopt;
  const std::vector<EngineFlag> flags = flags_of(*command);
  const Result<Arguments> arguments = split_arguments(words.subspan(1), flags, LooseWords::kTaken);
  if (!arguments) return usage(*command, context.err, arguments.error());
  if (arguments->help) {
    context.out << help_of(*command) << std::flush;
    return kWell;
  }
  if (const Status well = check_words(*command, *arguments); !well) {
    return usage(*command, context.err, well.error());
  }
  return run(*command, *arguments, context);
}

std::string cluster_command_summaries() {
  std::vector<HelpRow> rows;
  for (const ClusterCommand& command : kCommands) {
    rows.push_back({std::string(command.name), std::string(command.summary)});
  }
  return help_columns(rows);
}

namespace detail {

std::string ClusterCall::text(std::string_view flag) const {
  const Argument* argument = arguments.find_engine_flag(flag);
  return argument ? *argument->text : "";
}

Result<std::optional<std::uint32_t>> ClusterCall::parallelism() const {
  if (!has("parallelism")) return std::optional<std::uint32_t>();
  const Result<std::int64_t> number = parse_integer(text("parallelism"));
  if (number && *number >= 1 && *number <= kMostMaxParallelism) {
    return std::optional(static_cast<std::uint32_t>(*number));
  }
  return invalid_argument(concat("--parallelism=", text("parallelism"),
                                 ": expected a whole number from 1 to ", kMostMaxParallelism));
}

}  // namespace detail
}  // namespace millrace
