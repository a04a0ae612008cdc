// An upload from its beginning to its end.
#pragma once

#include <utility>
#include <vector>

#include "millrace/state/state_store.h"

namespace millrace::test_support {

inline Result<std::vector<detail::StoredFile>> upload(detail::StateStore& store,
                                                      detail::UploadTarget target) {
  const auto begun = store.begin_upload(std::move(target));
  if (!begun) return begun.error();
  for (bool left = true; left;) {
    const Result<bool> more = (*begun)->step();
    if (!more) return more.error();
    left = *more;
  }
  return (*begun)->take_files();
}

}  // namespace millrace::test_support
