// Buffers for reuse, between the threads of tasks and the one that has the connections: a steady
// stream of frames allocates nothing. Any thread; what it keeps is bounded in number and in size.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

namespace millrace::detail {

class BytePool {
 public:
  // An empty buffer: the one that came last, or a new one.
  std::string take() {
    const std::lock_guard lock(mutex_);
    if (buffers_.empty()) return {};
    std::string buffer = std::move(buffers_.back());
    buffers_.pop_back();
    return buffer;
  }

  void put(std::string buffer) {
    if (buffer.capacity() < kLeastBytes || buffer.capacity() > kMostBytes) return;
    buffer.clear();
    const std::lock_guard lock(mutex_);
    if (buffers_.size() < kMost) buffers_.push_back(std::move(buffer));
  }

 private:
  static constexpr std::size_t kMost = 64;
  static constexpr std::size_t kLeastBytes = 1'024;  // smaller ones would displace what is of use
  static constexpr std::size_t kMostBytes = 1'024 * 1'024;

  std::mutex mutex_;
  std::vector<std::string> buffers_;
};

}  // namespace millrace::detail
