// How the test kit reports errors: as exceptions, which every test framework shows.
#pragma once

#include <stdexcept>
#include <utility>

#include "millrace/core/result.h"

namespace millrace::detail {

template <class T>
T value_or_throw(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return *std::move(result);
}

inline void throw_if_failed(const Status& status) {
  if (!status) throw std::runtime_error(status.error().message());
}

}  // namespace millrace::detail
