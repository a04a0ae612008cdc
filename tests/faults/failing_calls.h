// System calls that fail in this process: the n-th of those that touch files, once. Defined in the
// program itself, so that the libraries it uses, RocksDB among them, call these as well.
#pragma once

#include <string>
#include <string_view>

namespace millrace::faults {

struct FailingCall {
  long number = 0;                                // from 1
  int error = 0;                                  // errno
  std::string below;                              // the folder whose files count; an absolute path
  void (*tell)(std::string_view name) = nullptr;  // is called as it fails
};

// From now on. Once in a process.
void fail_call(FailingCall call);
// From now on; true if the one that was to fail has not come yet.
bool fail_no_call();

}  // namespace millrace::faults
