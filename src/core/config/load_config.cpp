#include "millrace/core/config/load_config.h"

#include <unistd.h>

#include <utility>

namespace millrace {
namespace {

std::vector<std::string> environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.push_back(*variable);
  return variables;
}

}  // namespace

Result<Config> load_config(std::span<const ConfigOption> options, const Argument* file,
                           std::vector<ConfigFlag> flags) {
  ConfigSources sources{.file_name = file ? *file->text : "millrace.yaml",
                        .environment = environment(),
                        .flags = std::move(flags)};
  Result<std::string> text = read_config_file(sources.file_name);
  if (!text && (file || text.error().code() != ErrorCode::kNotFound)) return text.error();
  if (text) sources.file_text = *std::move(text);
  return Config::load(options, sources);
}

}  // namespace millrace
