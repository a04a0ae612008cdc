// What can fail returns a Result<T>, or a Status where there is nothing to return. Both are shaped
// like std::expected: test it, then take the value with * or the error with error().
//
// An Error's code is named by what the caller should do about it; its message says what was wrong,
// where, what was expected and what to do. Context is added on the way up, outermost first.
// Nothing here throws; reading the value of a failed Result is a programmer's error and aborts.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "millrace/core/check.h"

namespace millrace {

enum class ErrorCode {
  kInvalidArgument,    // mend the call, the flag or the input
  kNotFound,           // name something that exists
  kCorruption,         // the bytes are not what was written: restore another copy
  kUnavailable,        // try again later
  kResourceExhausted,  // free or grant space, memory or credit
  kCancelled,          // somebody asked for it
  kUnsupported,        // this version cannot do it
  kUserCode,           // the job's own function failed
  kInternal,           // a bug in Millrace
};

// The code's name as messages and logs print it, such as "not found".
std::string_view to_string(ErrorCode code);

class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message);

  ErrorCode code() const { return payload_->code; }
  const std::string& message() const { return payload_->message; }

  // The same error, with "context: " before its message.
  Error with_context(std::string_view context) const;

  friend bool operator==(const Error& a, const Error& b) {
    return a.code() == b.code() && a.message() == b.message();
  }

 private:
  struct Payload {
    ErrorCode code;
    std::string message;
  };
  std::shared_ptr<const Payload> payload_;  // immutable, so that an error is cheap to pass on
};

Error invalid_argument(std::string message);
Error not_found(std::string message);
Error corruption(std::string message);
Error unavailable(std::string message);
Error resource_exhausted(std::string message);
Error cancelled(std::string message);
Error unsupported(std::string message);
Error user_code(std::string message);
Error internal(std::string message);

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  template <class U = T>
  requires(std::is_constructible_v<T, U&&> && !std::is_same_v<std::remove_cvref_t<U>, Result> &&
           !std::is_same_v<std::remove_cvref_t<U>, Error>) explicit(!std::is_convertible_v<U&&, T>)
      Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  T& value() & {
    check(has_value(), "the value of a failed Result was read");
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    check(has_value(), "the value of a failed Result was read");
    return *std::get_if<0>(&state_);
  }
  T&& value() && { return std::move(value()); }
  template <class U>
  T value_or(U&& other) const& {
    return has_value() ? **this : static_cast<T>(std::forward<U>(other));
  }

  const Error& error() const {
    check(!has_value(), "the error of a Result that holds a value was read");
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::make_unique<Error>(std::move(error))) {}
  Result(const Result& other)
      : error_(other.error_ ? std::make_unique<Error>(*other.error_) : nullptr) {}
  Result(Result&&) noexcept = default;
  Result& operator=(Result other) noexcept {
    error_ = std::move(other.error_);
    return *this;
  }

  bool has_value() const { return error_ == nullptr; }
  explicit operator bool() const { return has_value(); }

  const Error& error() const {
    check(!has_value(), "the error of a Status that is well was read");
    return *error_;
  }

 private:
  std::unique_ptr<Error> error_;  // one word: a Status is returned from every batch
};

using Status = Result<void>;

}  // namespace millrace
