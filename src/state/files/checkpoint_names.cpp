#include "millrace/state/files/checkpoint_names.h"

#include <charconv>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr std::string_view kTemporary = ".writing-";
constexpr std::size_t kChecksumDigits = 32;

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Decimal digits without leading zeros.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !take(text, std::to_string(number))) return std::nullopt;
  return number;
}

std::optional<CheckpointName> take_id_and_epoch(std::string_view& text) {
  const std::optional<std::uint64_t> id = take_number(text);
  if (!id || !take(text, "-")) return std::nullopt;
  const std::optional<std::uint64_t> epoch = take_number(text);
  if (!epoch) return std::nullopt;
  return CheckpointName{.id = CheckpointId(*id), .epoch = *epoch};
}

std::optional<CheckpointName> whole_id_and_epoch(std::string_view text) {
  const std::optional<CheckpointName> name = take_id_and_epoch(text);
  return text.empty() ? name : std::nullopt;
}

}  // namespace

std::string shared_name(const Checksum& checksum, const CheckpointName& checkpoint) {
  return concat(to_string(checksum), "-", checkpoint.id.value(), "-", checkpoint.epoch);
}

std::string temporary_name(const CheckpointName& checkpoint, std::string_view unique) {
  return concat(kTemporary, checkpoint.id.value(), "-", checkpoint.epoch, "-", unique);
}

std::optional<CheckpointName> parse_checkpoint_name(std::string_view name) {
  if (!take(name, "chk-")) return std::nullopt;
  return whole_id_and_epoch(name);
}

std::optional<CheckpointName> parse_shared_name(std::string_view name) {
  if (name.find_first_not_of(kHexDigits) != kChecksumDigits) return std::nullopt;
  name.remove_prefix(kChecksumDigits);
  if (!take(name, "-")) return std::nullopt;
  return whole_id_and_epoch(name);
}

std::optional<CheckpointName> parse_temporary_name(std::string_view name) {
  if (!take(name, kTemporary)) return std::nullopt;
  const std::optional<CheckpointName> checkpoint = take_id_and_epoch(name);
  return checkpoint && name.starts_with("-") ? checkpoint : std::nullopt;
}

bool is_stored_path(std::string_view path) {
  return take(path, kSharedFolder) && take(path, "/") && parse_shared_name(path).has_value();
}

}  // namespace millrace::detail
