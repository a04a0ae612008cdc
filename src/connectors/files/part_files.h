// The files that one subtask of a file sink writes into the output directory:
//
//   .part-<subtask>.lock                    held by the one who writes the others
//   .part-<subtask>-<process>.writing       being written; worth nothing after a failure
//   .part-<subtask>-<checkpoint>.staged     complete and durable, to be shown with that checkpoint
//   part-<subtask>-<checkpoint>.csv         shown
//
// A second sink of the directory, in this process or another, is refused: the lock is held from
// open() to close(), and the end of the process frees it. So what else lies there is a leftover.
//
// Nothing that is shown is ever overwritten: results of another job or run in the directory are an
// error. A file begins when something is written to it, so that no file is empty.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "millrace/connectors/files/row_writer.h"
#include "millrace/operators/two_phase_sink.h"
#include "millrace/state/files/locked_file.h"

namespace millrace::detail {

class PartFiles {
 public:
  PartFiles(std::string directory, std::unique_ptr<RowWriter> rows);
  PartFiles(const PartFiles&) = delete;
  PartFiles& operator=(const PartFiles&) = delete;
  ~PartFiles() { close(); }

  // Makes the directory, and sees that it can be written to, by nobody else.
  Status open(std::uint32_t subtask);

  // Removes what earlier attempts of this subtask left unfinished. Where they cannot have shown
  // anything (`fresh`), whatever is shown in the directory is somebody else's, and an error.
  Status begin(bool fresh);

  Status write(const void* first, std::size_t stride, std::size_t count);

  Result<bool> stage(const Transaction& transaction);
  Status publish(const Transaction& transaction);
  // Neither staged nor shown.
  bool is_gone(const Transaction& transaction) const;
  std::string staged_path(const Transaction& transaction) const;

  // Gives up the file that is being written, and the directory.
  void close();

 private:
  Status make_directory();
  Status lock();
  void discard();
  Status create();
  Status drain();
  std::string shown_path(const Transaction& transaction) const;

  const std::string directory_;
  const std::unique_ptr<RowWriter> rows_;
  std::uint32_t subtask_ = 0;
  std::string writing_path_;
  LockedFile lock_;
  int file_ = -1;
  std::string buffer_;
};

}  // namespace millrace::detail
