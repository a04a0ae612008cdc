// A disk of few bytes, in memory, that this process and its children alone see. It goes with the
// object.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

namespace millrace::faults {

class SmallDisk {
 public:
  // Null where this process may not mount any.
  static std::unique_ptr<SmallDisk> mount(const std::filesystem::path& folder, std::uint64_t bytes);
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk();

  // To the last byte, until it is emptied of that again. What others remove meanwhile is not taken.
  void fill();
  void empty();
  void make_read_only();

 private:
  explicit SmallDisk(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path ballast() const { return folder_ / "ballast"; }

  const std::filesystem::path folder_;
};

}  // namespace millrace::faults
