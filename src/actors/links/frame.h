// The frame, the unit of what crosses a link (docs/FORMATS.md, Links):
//
//   length (4) | checksum (4) | kind (1) | body       of length and checksum: kind and body
//
// FrameWriter appends one to bytes that its caller reuses. FrameReader takes bytes in any pieces
// and gives whole frames; it looks at the length before it makes room. Whatever is wrong is an
// error of code kCorruption that says what; nothing more can be read then. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "millrace/actors/links/byte_pool.h"
#include "millrace/core/result.h"

namespace millrace::detail {

enum class FrameKind : std::uint8_t {
  kHello = 1,  // the first one each way
  kHeartbeat,  // the sender is alive; the body is its owner's
  kControl,    // the body belongs to whoever owns the link
  kData,       // an element of a channel
  kCredit,     // the answer to one
  kGoodbye,    // why the sender closes the link; nothing follows
  kSplit,      // between a source's enumerator and one of its readers
};

constexpr std::size_t kMostFrameBytes = 16 * 1'024 * 1'024;  // of kind and body
constexpr std::size_t kFrameHeaderBytes = 9;                 // what stands before the body

struct Frame {
  std::string bytes;  // kind and body

  FrameKind kind() const { return static_cast<FrameKind>(bytes[0]); }
  std::string_view body() const { return std::string_view(bytes).substr(1); }
};

class FrameWriter {
 public:
  // Begins a frame at the end of `out`, to which the caller then appends the body.
  FrameWriter(FrameKind kind, std::string& out);
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;
  ~FrameWriter();

  // Ends it, unless it became too large. Without that `out` is again what it was.
  Status finish();

 private:
  std::string& out_;
  const std::size_t begin_;
  bool finished_ = false;
};

Status append_frame(FrameKind kind, std::string_view body, std::string& out);

class FrameReader {
 public:
  // Frames are made in buffers of the pool, to which whoever is done with one gives it back.
  explicit FrameReader(std::shared_ptr<BytePool> pool, std::size_t most = kMostFrameBytes)
      : pool_(std::move(pool)), most_(most) {}

  // What a frame may have from now on.
  void set_most(std::size_t most) { most_ = most; }

  // The next whole frame. Takes what it has read off the front of `bytes`, and all of them when it
  // gives none.
  Result<std::optional<Frame>> next(std::string_view& bytes);

  // The bytes end in the middle of a frame.
  bool within_frame() const { return !header_.empty(); }

 private:
  bool fill(std::string& part, std::size_t size, std::string_view& bytes);
  Status begin_frame();

  std::shared_ptr<BytePool> pool_;
  std::size_t most_;
  std::string header_;  // length and checksum, as far as they are here
  std::string frame_;   // kind and body, as far as they are here
  std::size_t length_ = 0;
};

}  // namespace millrace::detail
