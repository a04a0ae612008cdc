// SHA-256 of bytes that come in pieces: the name of an executable wherever it is kept, so that
// nobody can run another one under it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace millrace {

class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void add(std::string_view bytes);
  // 64 hexadecimal digits in lower case, of all that was added. Asked for once, at the end.
  std::string take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether a text is what take() gives.
bool is_sha256(std::string_view text);

}  // namespace millrace
