// One client's connection: what was read and not yet used, and how long the client may still take.
//
// A message that is read or written has `patience`, and a second more for each 64 KiB that came or
// went: so an upload may be long, and nobody holds a thread by sending a byte now and then.
// Bounded: the head of a request is at most kMostHead, and beyond it nothing is read that nobody
// asked for. Belongs to one thread at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "millrace/core/time.h"

namespace millrace::detail {

class HttpConnection {
 public:
  static constexpr std::size_t kMostHead = std::size_t{16} << 10;
  using SteadyTime = std::chrono::steady_clock::time_point;

  // Owns the socket, which does not block. Reading ends when `stop`, another descriptor, is
  // readable.
  HttpConnection(int socket, int stop, Duration patience);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  int socket() const { return socket_; }

  // Another message begins; its time does, too.
  void begin();
  SteadyTime deadline() const;

  // What is there of the head of a request.
  enum class Head { kPart, kWhole, kTooLong, kNoHttp, kEnded };
  // Takes in what has come, without waiting.
  Head take_in();
  Head head() const;
  bool is_idle() const { return unused().empty(); }

  // Waits for bytes. Returns how many: 0 at the end, -1 after an error or when it took too long.
  std::ptrdiff_t read(char* bytes, std::size_t size);
  bool write(std::string_view bytes);

  // Says that nothing more will be written, and drops for a moment what the client still sends: a
  // socket closed on unread bytes would take the answer with it.
  void linger();

 private:
  std::string_view unused() const { return std::string_view(buffer_).substr(used_); }
  bool wait(short events);  // false when it took too long or is to stop

  const int socket_;
  const int stop_;
  const Duration patience_;
  std::string buffer_;
  std::size_t used_ = 0;  // of its bytes
  SteadyTime begun_;
  std::size_t moved_ = 0;  // bytes of the message
};

}  // namespace millrace::detail
