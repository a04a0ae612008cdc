// How much is on its way out on one link: with the actor that has the links, and in the connection
// behind that. Credit bounds each channel; this bounds all channels of a link together, so that a
// slow line does not fill the memory of its sender.
//
// A sender adds what it sends. Where that is too much it waits, and is told when half of it has
// left; so each sender has at most one batch beyond the bound. Any thread.
#pragma once

#include <atomic>
#include <cstddef>

namespace millrace::detail {

class LinkLoad {
 public:
  explicit LinkLoad(std::size_t most) : most_(most) {}

  // --- by senders ---

  void add(std::size_t bytes) { queued_ += bytes; }
  // More is under way than should be: send nothing more before there is word of room.
  bool must_wait() {
    if (bytes() <= most_) return false;
    awaited_ = true;
    return has_no_room();  // else that may have come just before
  }

  // --- by whoever has the links ---

  void take(std::size_t bytes) { queued_ -= bytes; }
  void set_waiting(std::size_t bytes) { waiting_ = bytes; }
  // Somebody waits, and there is room: they are to be told.
  bool relieves() { return !has_no_room() && awaited_.exchange(false); }

 private:
  std::size_t bytes() const { return queued_ + waiting_; }
  bool has_no_room() const { return bytes() > most_ / 2; }

  const std::size_t most_;
  std::atomic<std::size_t> queued_{0};   // sent, and not taken yet
  std::atomic<std::size_t> waiting_{0};  // taken, and not written yet
  std::atomic<bool> awaited_{false};
};

}  // namespace millrace::detail
