#include "millrace/state/files/real_file_system.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <functional>
#include <set>
#include <thread>

#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RealFileSystemTest : public testing::Test {
 protected:
  std::string path(std::string_view name) const { return directory_.path(name); }

  TemporaryDirectory directory_;
  RealFileSystem files_;
};

Error error_of(const Status& status) { return status ? internal("it succeeded") : status.error(); }

TEST_F(RealFileSystemTest, WritesAndReads) {
  const std::string content = std::string(600'000, 'a') + std::string("\0 b", 3);
  ASSERT_TRUE(files_.write_file(path("f"), content));
  EXPECT_EQ(*read_file(files_, path("f")), content);
  ASSERT_TRUE(files_.copy(path("f"), path("g")));
  ASSERT_TRUE(files_.link_or_copy(path("f"), path("h")));
  EXPECT_EQ(directory_.read("g"), content);
  EXPECT_EQ(directory_.read("h"), content);
  EXPECT_THAT(*files_.list(directory_.path()), ElementsAre("f", "g", "h"));
}

TEST_F(RealFileSystemTest, ReplacesNothingButByRename) {
  directory_.file("f", "new");
  directory_.file("there", "old");
  for (const Status& status :
       {files_.write_file(path("there"), "x"), files_.copy(path("f"), path("there")),
        files_.link_or_copy(path("f"), path("there"))}) {
    EXPECT_THAT(error_of(status).message(), HasSubstr("File exists"));
    EXPECT_EQ(directory_.read("there"), "old");
  }
  ASSERT_TRUE(files_.rename(path("f"), path("there")));
  EXPECT_EQ(directory_.read("there"), "new");
  EXPECT_THAT(directory_.names(), ElementsAre("there"));
}

TEST_F(RealFileSystemTest, RenamesOneNameOfAFileToAnother) {
  directory_.file("f", "x");
  ASSERT_TRUE(files_.link_or_copy(path("f"), path("g")));
  ASSERT_TRUE(files_.rename(path("g"), path("f")));
  EXPECT_THAT(directory_.names(), ElementsAre("f"));
}

TEST_F(RealFileSystemTest, SaysThatSomethingIsNotThere) {
  for (const Status& status :
       {files_.write_file(path("no/f"), "x"), files_.copy(path("f"), path("g")),
        files_.link_or_copy(path("f"), path("g")), files_.rename(path("f"), path("g")),
        files_.sync_directory(path("no")), files_.read(path("f"), {})}) {
    EXPECT_EQ(error_of(status).code(), ErrorCode::kNotFound);
    EXPECT_THAT(error_of(status).message(), HasSubstr(directory_.path()));
  }
  EXPECT_EQ(files_.list(path("no")).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(files_.lock(path("no/lock"), WhenLocked::kFail).error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(files_.remove(path("f")));
  EXPECT_THAT(directory_.names(), IsEmpty());
}

TEST_F(RealFileSystemTest, MakesDirectoriesThatMayBeThereAlready) {
  ASSERT_TRUE(files_.make_directories(path("a/b/c")));
  ASSERT_TRUE(files_.make_directories(path("a/b/c")));
  EXPECT_TRUE(std::filesystem::is_directory(path("a/b/c")));
}

TEST_F(RealFileSystemTest, MakesNoDirectoryOfAFile) {
  directory_.file("f", "x");
  EXPECT_THAT(error_of(files_.make_directories(path("f"))).message(),
              HasSubstr(path("f") + "': Not a directory"));
  EXPECT_THAT(error_of(files_.make_directories(path("f/g"))).message(),
              HasSubstr("Not a directory"));
}

TEST_F(RealFileSystemTest, RemovesFilesAndEmptyDirectories) {
  directory_.file("d/f", "x");
  EXPECT_THAT(error_of(files_.remove(path("d"))).message(), HasSubstr("not empty"));
  ASSERT_TRUE(files_.remove(path("d/f")));
  ASSERT_TRUE(files_.remove(path("d")));
  EXPECT_THAT(directory_.names(), IsEmpty());
}

TEST_F(RealFileSystemTest, EndsReadingWithTheReadersError) {
  directory_.file("f", "x");
  EXPECT_EQ(error_of(files_.read(path("f"), [](auto) { return cancelled("enough"); })),
            cancelled("enough"));
}

TEST_F(RealFileSystemTest, GivesEachCallAnotherName) {
  RealFileSystem other;
  std::set<std::string> names;
  for (int i = 0; i < 100; ++i) names.merge(std::set{files_.unique_name(), other.unique_name()});
  EXPECT_EQ(names.size(), 200u);
}

TEST_F(RealFileSystemTest, CopiesFromAnotherDisk) {
  const std::filesystem::path other = "/dev/shm";
  struct stat here {};
  struct stat there {};
  if (stat(other.c_str(), &there) != 0 || stat(directory_.path().c_str(), &here) != 0 ||
      here.st_dev == there.st_dev || access(other.c_str(), W_OK) != 0) {
    GTEST_SKIP() << "there is no other disk";
  }
  const std::filesystem::path source = other / ("millrace-" + files_.unique_name());
  ASSERT_TRUE(files_.write_file(source, "content"));
  EXPECT_TRUE(files_.link_or_copy(source, path("f")));
  ASSERT_TRUE(files_.remove(source));
  EXPECT_EQ(directory_.read("f"), "content");
}

// Signals that interrupt the wait do not end it.
TEST_F(RealFileSystemTest, WaitsForALock) {
  struct sigaction interrupt {};
  struct sigaction before {};
  interrupt.sa_handler = [](int) {};
  ASSERT_EQ(sigaction(SIGUSR1, &interrupt, &before), 0);
  Result<std::unique_ptr<FileLock>> first = files_.lock(path("lock"), WhenLocked::kWait);
  ASSERT_TRUE(first);
  EXPECT_EQ(*files_.lock(path("lock"), WhenLocked::kFail), nullptr);
  std::atomic<bool> freed = false;
  std::thread waiting([&] {
    EXPECT_TRUE(files_.lock(path("lock"), WhenLocked::kWait));
    EXPECT_TRUE(freed);
  });
  for (int sent = 0; sent < 1'000; ++sent) {
    pthread_kill(waiting.native_handle(), SIGUSR1);
    std::this_thread::yield();
  }
  freed = true;
  first->reset();
  waiting.join();
  sigaction(SIGUSR1, &before, nullptr);
}

// A limit on the size of files makes write() store a part, and then fail.
TEST_F(RealFileSystemTest, LeavesNothingOfAFileThatDoesNotFit) {
  const std::string large = directory_.file("large", std::string(100'000, 'x'));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{.rlim_cur = 50'000, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const Status written = files_.write_file(path("f"), std::string(100'000, 'x'));
  const Status copied = files_.copy(large, path("g"));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  for (const Status& status : {written, copied}) {
    EXPECT_EQ(error_of(status).code(), ErrorCode::kResourceExhausted);
    EXPECT_THAT(error_of(status).message(), HasSubstr("File too large"));
  }
  EXPECT_THAT(directory_.names(), ElementsAre("large"));
}

// Out of file descriptors.
TEST_F(RealFileSystemTest, SaysThatTooManyFilesAreOpen) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit limit{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  const Status written = files_.write_file(path("f"), "x");
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(error_of(written).code(), ErrorCode::kResourceExhausted);
  EXPECT_THAT(error_of(written).message(), HasSubstr("Too many open files; raise the limit"));
}

// What follows runs in a process of its own, on a disk or a system of its own. The result is the
// number of the first expectation that does not hold, or 0.
constexpr int kCannot = 77;

int in_a_process(const std::function<int()>& use) {
  const pid_t child = fork();
  if (child == 0) _exit(use());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int on_a_small_disk(const std::string& directory, const std::function<int()>& use) {
  return in_a_process([&] {
    const bool mounted = (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
                         mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         mount("none", directory.c_str(), "tmpfs", 0, "size=64k") == 0;
    return mounted ? use() : kCannot;
  });
}

// From now on the process is refused a call to the system.
bool refuse(unsigned call, unsigned error) {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = std::size(filter), .filter = filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST_F(RealFileSystemTest, DiscardsWhatCannotBeMadeDurable) {
  directory_.file("source", "content");
  const int result = in_a_process([&] {
    if (!refuse(SYS_fsync, EIO)) return kCannot;
    const Error written = error_of(files_.write_file(path("f"), "x"));
    if (written.code() != ErrorCode::kUnavailable) return 1;
    if (written.message().find("check the disk") == std::string::npos) return 2;
    const Error linked = error_of(files_.link_or_copy(path("source"), path("f")));
    if (linked.code() != ErrorCode::kCorruption) return 3;
    if (linked.message().find(path("source")) == std::string::npos) return 4;
    if (directory_.names().size() != 1) return 5;
    if (error_of(files_.sync_directory(directory_.path())).code() != ErrorCode::kUnavailable) {
      return 6;
    }
    if (files_.make_directories(path("made"))) return 7;
    return files_.make_directories(directory_.path()) ? 0 : 8;
  });
  if (result == kCannot) GTEST_SKIP() << "calls to the system cannot be refused here";
  EXPECT_EQ(result, 0);
}

TEST_F(RealFileSystemTest, CopiesWhereItCannotLink) {
  directory_.file("source", "content");
  const auto copies = [&](bool durable) {
    if (!refuse(SYS_linkat, EPERM)) return kCannot;
#ifdef SYS_link
    if (!refuse(SYS_link, EPERM)) return kCannot;
#endif
    if (!durable) {
      if (!refuse(SYS_fsync, EIO)) return kCannot;
      const Error error = error_of(files_.link_or_copy(path("source"), path("f")));
      return error.code() == ErrorCode::kUnavailable && directory_.names().size() == 1 ? 0 : 1;
    }
    if (!files_.link_or_copy(path("source"), path("f"))) return 2;
    return directory_.read("f") == "content" &&
                   std::filesystem::hard_link_count(path("source")) == 1
               ? 0
               : 3;
  };
  for (const bool durable : {false, true}) {
    const int result = in_a_process([&] { return copies(durable); });
    if (result == kCannot) GTEST_SKIP() << "calls to the system cannot be refused here";
    EXPECT_EQ(result, 0);
  }
}

TEST_F(RealFileSystemTest, SaysThatItCannotLock) {
  const int result = in_a_process([&] {
    if (!refuse(SYS_flock, ENOLCK)) return kCannot;
    const auto lock = files_.lock(path("lock"), WhenLocked::kWait);
    return !lock && lock.error().code() == ErrorCode::kUnavailable ? 0 : 1;
  });
  if (result == kCannot) GTEST_SKIP() << "calls to the system cannot be refused here";
  EXPECT_EQ(result, 0);
}

TEST_F(RealFileSystemTest, SaysThatTheDiskIsFull) {
  const int result = on_a_small_disk(directory_.path(), [&] {
    const Error error = error_of(files_.write_file(path("f"), std::string(100'000, 'x')));
    if (error.code() != ErrorCode::kResourceExhausted) return 1;
    if (error.message().find("No space left on device") == std::string::npos) return 2;
    if (!directory_.names().empty()) return 3;
    return files_.write_file(path("f"), std::string(10'000, 'x')) ? 0 : 4;
  });
  if (result == kCannot) GTEST_SKIP() << "a disk cannot be mounted here";
  EXPECT_EQ(result, 0);
}

TEST_F(RealFileSystemTest, SaysThatTheDiskIsReadOnly) {
  const int result = on_a_small_disk(directory_.path(), [&] {
    if (!files_.write_file(path("f"), "content")) return 1;
    if (mount("none", directory_.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
      return kCannot;
    }
    const Error error = error_of(files_.write_file(path("g"), "x"));
    if (error.code() != ErrorCode::kUnavailable) return 2;
    if (error.message().find("not mounted read-only") == std::string::npos) return 3;
    if (files_.make_directories(path("d"))) return 4;
    if (files_.remove(path("f")) || files_.rename(path("f"), path("g"))) return 5;
    if (!files_.make_directories(directory_.path())) return 6;
    return *read_file(files_, path("f")) == "content" ? 0 : 7;
  });
  if (result == kCannot) GTEST_SKIP() << "a disk cannot be mounted here";
  EXPECT_EQ(result, 0);
}

}  // namespace
}  // namespace millrace::detail
