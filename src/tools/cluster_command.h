// millrace submit|list|describe|wait|cancel|stop|savepoint|rescale|logs: asks a running cluster.
//
// A command is a row of kClusterCommands: its flags, and a function that is given what they say.
// What a command prints for programs goes to `out`; all else, errors too, to `err`.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "millrace/core/config/arguments.h"
#include "millrace/core/result.h"
#include "millrace/tools/rest_client.h"

namespace millrace {

// What is around a command.
struct CommandContext {
  std::ostream& out;
  std::ostream& err;
  detail::RestPatience patience = {};
};

// Nothing if `words`, which follow "millrace", name no command of a cluster. Else the exit code: 0
// well, 1 not so, 2 wrong usage, 130 interrupted.
std::optional<int> run_cluster_command(std::span<const std::string> words,
                                       const CommandContext& context);

// A line for each command, as millrace --help has it.
std::string cluster_command_summaries();

namespace detail {

// What a command is given.
struct ClusterCall {
  const Arguments& arguments;
  RestClient& cluster;
  const CommandContext& context;

  bool has(std::string_view flag) const { return arguments.find_engine_flag(flag) != nullptr; }
  // The flag's text, empty without the flag.
  std::string text(std::string_view flag) const;
  Result<std::optional<std::uint32_t>> parallelism() const;
  const std::string& word() const { return arguments.words.front(); }  // the one that it takes
};

// Gives back whether all is well, as the exit code says it.
using ClusterFunction = Result<bool> (*)(const ClusterCall& call);

struct ClusterCommand {
  std::string_view name;
  std::string_view word;  // that it takes, such as JOB; empty: none
  std::string_view rest;  // that it takes behind --; empty: none
  std::string_view summary;
  std::string_view help;
  std::span<const EngineFlag> flags;
  ClusterFunction run;
};

Result<bool> submit_job(const ClusterCall& call);
Result<bool> list_jobs(const ClusterCall& call);
Result<bool> describe_job(const ClusterCall& call);
Result<bool> wait_for_job(const ClusterCall& call);
Result<bool> cancel_job(const ClusterCall& call);
Result<bool> stop_job(const ClusterCall& call);
Result<bool> save_job(const ClusterCall& call);
Result<bool> rescale_job(const ClusterCall& call);
Result<bool> print_logs(const ClusterCall& call);

}  // namespace detail
}  // namespace millrace
