// The words of a text: for (std::string_view word : split_words(line)) ...
//
// A word is a longest run of letters, digits, apostrophes and bytes of other alphabets (UTF-8
// beyond ASCII); everything else separates words. The views refer to the text.
#pragma once

#include <array>
#include <iterator>
#include <string_view>

namespace millrace {

class Words {
 public:
  class Iterator {
   public:
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(std::string_view text) : next_(text.data()), end_(text.data() + text.size()) {
      ++*this;
    }

    std::string_view operator*() const { return word_; }
    Iterator& operator++() {
      while (next_ != end_ && !in_word(*next_)) ++next_;
      const char* first = next_;
      while (next_ != end_ && in_word(*next_)) ++next_;
      word_ = std::string_view(first, static_cast<std::size_t>(next_ - first));
      return *this;
    }
    Iterator operator++(int) {
      Iterator old = *this;
      ++*this;
      return old;
    }
    friend bool operator==(const Iterator& i, std::default_sentinel_t) { return i.word_.empty(); }

   private:
    const char* next_ = nullptr;
    const char* end_ = nullptr;
    std::string_view word_;
  };

  explicit Words(std::string_view text) : text_(text) {}

  Iterator begin() const { return Iterator(text_); }
  std::default_sentinel_t end() const { return {}; }

 private:
  static constexpr std::array<bool, 256> kInWord = [] {
    std::array<bool, 256> in_word{};
    for (int c = 0; c < 256; ++c) {
      in_word[c] = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                   c == '\'' || c >= 0x80;
    }
    return in_word;
  }();
  static bool in_word(char c) { return kInWord[static_cast<unsigned char>(c)]; }

  std::string_view text_;
};

inline Words split_words(std::string_view text) { return Words(text); }

}  // namespace millrace
