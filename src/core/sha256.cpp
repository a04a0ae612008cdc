#include "millrace/core/sha256.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "millrace/core/check.h"
#include "millrace/core/text.h"

namespace millrace {

struct Sha256::State {
  State() { check(EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1, "no SHA-256"); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }

  EVP_MD_CTX* context = EVP_MD_CTX_new();
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
  check(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1, "SHA-256 failed");
}

std::string Sha256::take() {
  std::array<unsigned char, 32> digest;
  check(EVP_DigestFinal_ex(state_->context, digest.data(), nullptr) == 1, "SHA-256 failed");
  std::string text;
  for (const unsigned char byte : digest) {
    text += {detail::kHexDigits[byte >> 4], detail::kHexDigits[byte & 15]};
  }
  return text;
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return detail::kHexDigits.find(c) != std::string_view::npos;
         });
}

}  // namespace millrace
