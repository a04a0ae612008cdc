// What is written to disk is checked against when it is read again: XXH3, 128 bits. What crosses a
// connection has a shorter one. They find accidents, not forgeries.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace millrace {

struct Checksum {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  bool operator==(const Checksum&) const = default;
};

// 32 hexadecimal digits, as xxh128sum prints them.
std::string to_string(const Checksum& checksum);

Checksum checksum_of(std::string_view bytes);

// The lower 32 bits of XXH3, 64 bits.
std::uint32_t short_checksum_of(std::string_view bytes);

// Of bytes that come in pieces.
class Checksummer {
 public:
  Checksummer();
  Checksummer(Checksummer&&) noexcept;
  Checksummer& operator=(Checksummer&&) noexcept;
  ~Checksummer();

  void add(std::string_view bytes);
  Checksum result() const;  // of all that was added so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace millrace
