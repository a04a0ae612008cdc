// When results are emitted. Batch mode changes nothing else: records, watermarks and timers come as
// in streaming.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace millrace {

enum class Mode {
  kStreaming,
  kBatch,      // rolling results are emitted once, at the end of the input
  kAutomatic,  // batch if every source is bounded
};

inline constexpr std::array<std::string_view, 3> kModeWords{"streaming", "batch", "automatic"};
constexpr std::span<const std::string_view> words_of(Mode) { return kModeWords; }
constexpr std::string_view to_string(Mode mode) {
  return kModeWords[static_cast<std::size_t>(mode)];
}

}  // namespace millrace
