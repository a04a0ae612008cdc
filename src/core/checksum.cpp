#include "millrace/core/checksum.h"

#include "millrace/core/text.h"

#define XXH_STATIC_LINKING_ONLY  // for the state as a value
#include <xxhash.h>

namespace millrace {
namespace {

void append_hex(std::string& text, std::uint64_t value) {
  for (int shift = 60; shift >= 0; shift -= 4) text += detail::kHexDigits[value >> shift & 0xf];
}

Checksum to_checksum(XXH128_hash_t hash) { return {.high = hash.high64, .low = hash.low64}; }

}  // namespace

struct Checksummer::State {
  XXH3_state_t xxh;
};

std::string to_string(const Checksum& checksum) {
  std::string text;
  append_hex(text, checksum.high);
  append_hex(text, checksum.low);
  return text;
}

Checksum checksum_of(std::string_view bytes) {
  return to_checksum(XXH3_128bits(bytes.data(), bytes.size()));
}

std::uint32_t short_checksum_of(std::string_view bytes) {
  return static_cast<std::uint32_t>(XXH3_64bits(bytes.data(), bytes.size()));
}

Checksummer::Checksummer() : state_(std::make_unique<State>()) { XXH3_128bits_reset(&state_->xxh); }
Checksummer::Checksummer(Checksummer&&) noexcept = default;
Checksummer& Checksummer::operator=(Checksummer&&) noexcept = default;
Checksummer::~Checksummer() = default;

void Checksummer::add(std::string_view bytes) {
  XXH3_128bits_update(&state_->xxh, bytes.data(), bytes.size());
}

Checksum Checksummer::result() const { return to_checksum(XXH3_128bits_digest(&state_->xxh)); }

}  // namespace millrace
