#include "millrace/state/files/directory_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "millrace/core/text.h"
#include "millrace/state/files/real_file_system.h"
#include "support/fault_file_system.h"
#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

using test::TemporaryDirectory;
using testing::HasSubstr;

TEST(DirectoryLock, IsHeldByOne) {
  const TemporaryDirectory directory;
  RealFileSystem files;
  const std::string path = directory.path("job/data");
  {
    const Result<DirectoryLock> first = DirectoryLock::take(files, path);
    ASSERT_TRUE(first);
    EXPECT_EQ(DirectoryLock::take(files, path).error(),
              invalid_argument(concat("the directory '", path,
                                      "' is in use by another process: does the job run already? "
                                      "Stop it, or give this one another directory")));
  }
  EXPECT_TRUE(DirectoryLock::take(files, path));
}

TEST(DirectoryLock, HoldsAgainstOtherProcessesUntilItsProcessEnds) {
  const TemporaryDirectory directory;
  RealFileSystem files;
  int ready[2];
  int end[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(end), 0);
  const pid_t child = fork();
  if (child == 0) {
    const Result<DirectoryLock> lock = DirectoryLock::take(files, directory.path());
    char byte = lock ? 'y' : 'n';
    (void)!write(ready[1], &byte, 1);
    (void)!read(end[0], &byte, 1);
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  EXPECT_FALSE(DirectoryLock::take(files, directory.path()));
  ASSERT_EQ(write(end[1], &byte, 1), 1);
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(DirectoryLock::take(files, directory.path()));
  for (const int pipe_end : {ready[0], ready[1], end[0], end[1]}) close(pipe_end);
}

TEST(DirectoryLock, PassesOnWhatTheDiskSays) {
  test::MemoryFileSystem memory;
  test::FaultFileSystem files(memory);
  for (std::size_t n = 1; n <= 2; ++n) {
    files.fail(n, EACCES);
    const Result<DirectoryLock> lock = DirectoryLock::take(files, "/data");
    ASSERT_FALSE(lock);
    EXPECT_THAT(lock.error().message(), HasSubstr("Permission denied; check its permissions"));
  }
  EXPECT_TRUE(DirectoryLock::take(files, "/data"));
}

}  // namespace
}  // namespace millrace::detail
