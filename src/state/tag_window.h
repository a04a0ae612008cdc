// Sixteen tags of a hash table, compared with one at once.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace millrace::detail {

class TagWindow {
 public:
  static constexpr std::size_t kSize = 16;

  // A bit for each tag that equals `tag`, the first one lowest.
#if defined(__SSE2__)
  explicit TagWindow(const std::uint8_t* tags)
      : tags_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(tags))) {}
  std::uint32_t equal(std::uint8_t tag) const {
    const __m128i wanted = _mm_set1_epi8(static_cast<char>(tag));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(tags_, wanted)));
  }

 private:
  __m128i tags_;
#else
  explicit TagWindow(const std::uint8_t* tags) : tags_(tags) {}
  std::uint32_t equal(std::uint8_t tag) const {
    std::uint32_t found = 0;
    for (std::size_t i = 0; i < kSize; ++i) found |= std::uint32_t{tags_[i] == tag} << i;
    return found;
  }

 private:
  const std::uint8_t* tags_;
#endif
};

}  // namespace millrace::detail
