#include "millrace/core/config/config_reference.h"

#include <vector>

#include "millrace/core/text.h"

namespace millrace {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration

This page is generated from `src/core/config/options.h`; a test fails when it is out of date.

Each option has a default. Whoever comes later in this list overrides who comes before:

1. the default
2. the file `millrace.yaml`
3. the environment: `MILLRACE_` and the key in upper case, `.` and `-` written as `_`
4. a flag: `-D key=value`

In the file, nested maps and dotted keys mean the same. It is one YAML document of at most 1 MiB,
without lists and aliases:

```yaml
parallelism.default: 4
pipeline:
  max-parallelism: 256
```

An unknown key, an unknown `MILLRACE_` variable, a value of the wrong type and a key that one source
sets twice are errors that name the place.

- A duration is a whole number with `ms`, `s`, `min` (or `m`), `h` or `d`: `500ms`, `30s`, `2min`.
- A size is a whole number of bytes, or one with `KiB`, `MiB`, `GiB`, `TiB` (1,024s) or `KB`, `MB`,
  `GB`, `TB` (1,000s): `4096`, `64MiB`, `10MB`.
- A boolean is `true` or `false`.

## Options

| key | value | default | meaning |
| --- | --- | --- | --- |
)";

constexpr std::string_view kFlagsBegin = R"(
## Flags

What every job's program takes besides the parameters of its job.

| flag | meaning |
| --- | --- |
| `-D KEY=VALUE` | Sets an option. |
| `--help`, `-h` | Prints the job's parameters and these flags. |
)";

std::string in_backticks(std::string_view text) { return concat('`', text, '`'); }

std::string describe_value(const ConfigOption& option) {
  if (!option.words.empty()) {
    std::vector<std::string> words;
    for (const std::string_view word : option.words) words.push_back(in_backticks(word));
    return join(words, " or ");
  }
  std::string text(to_string(option.kind));
  if (option.range != IntegerRange{}) {
    text += concat(" from ", option.range.least, " to ", option.range.most);
  }
  const bool may_be_automatic =
      option.kind != ValueKind::kText && option.check_text("auto", option.range).has_value();
  return may_be_automatic ? concat(text, " or `auto`") : text;
}

}  // namespace

std::string config_reference(std::span<const ConfigOption> options,
                             std::span<const EngineFlag> flags) {
  std::string page(kIntroduction);
  for (const ConfigOption& option : options) {
    const std::string shown =
        option.default_text.empty() ? "none" : in_backticks(option.default_text);
    page += concat("| ", in_backticks(option.key), " | ", describe_value(option), " | ", shown,
                   " | ", option.help, " |\n");
  }
  page += kFlagsBegin;
  for (const EngineFlag& flag : flags) {
    page += concat("| ", in_backticks(to_string(flag)), " | ", flag.help, " |\n");
  }
  return page;
}

}  // namespace millrace
