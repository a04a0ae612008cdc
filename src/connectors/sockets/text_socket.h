// text_socket(host, port): the lines that a TCP server sends, as strings, without their line ends;
// the last one also where it does not end in a newline. Ends when the server closes the connection.
// Unbounded, one subtask, at most once: what was read before a failure cannot be read again.
//
// to(text_socket_sink(host, port)): sends each record as a line, a string as it is and any other
// record as JSON. At least once: after a failure, records since the last checkpoint are sent again.
// It waits for a server that reads slowly, for up to .send_timeout: put .blocking() behind it where
// other operators must not wait too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "millrace/connectors/sockets/connection.h"
#include "millrace/core/records/record.h"
#include "millrace/operators/endpoints.h"

namespace millrace::detail {

class TextSocketSource final : public Source<std::string> {
 public:
  TextSocketSource(std::string host, std::int64_t port, TextSocketOptions options)
      : connection_(std::move(host), port, options.connect_timeout) {}

  Status open(SourceContext& context) override;
  Result<Poll> poll(Collector<std::string>& out) override;
  Status close() override;

 private:
  enum class Received : std::uint8_t { kSome, kNone, kEnd };

  Result<Received> receive();
  bool take_line(std::string_view& line);
  bool take_rest(std::string_view& line);

  Connection connection_;
  const Clock* clock_ = nullptr;
  std::string buffer_;
  std::size_t begin_ = 0;     // of the next line in the buffer
  std::size_t searched_ = 0;  // up to here there is no newline
};

// Sends bytes to a server, in the order in which they are given.
class LineSender {
 public:
  LineSender(std::string host, std::int64_t port, TextSocketOptions options);

  void open(const Clock& clock) { clock_ = &clock; }
  Status send(const Type& type, Rows rows);
  Status flush();
  Status close();

 private:
  Status connect();
  Status send_lines(std::size_t& sent);
  Status wait_until_writable();

  Connection connection_;
  std::chrono::milliseconds send_timeout_;
  const Clock* clock_ = nullptr;
  std::string lines_;  // not sent yet
  bool failed_ = false;
};

template <class T>
class TextSocketSink final : public Sink<T> {
 public:
  TextSocketSink(std::string host, std::int64_t port, TextSocketOptions options)
      : sender_(std::move(host), port, options) {}

  Status open(SinkContext& context) override {
    sender_.open(context.clock());
    return {};
  }
  Status write(std::span<const T> values) override {
    return sender_.send(type_of<T>(), Rows::of(values));
  }
  Status flush() override { return sender_.flush(); }
  Status prepare(CheckpointId) override { return sender_.flush(); }
  Status close() override { return sender_.close(); }

 private:
  LineSender sender_;
};

struct TextSocketTarget {
  std::string host;
  std::int64_t port;
  TextSocketOptions options;

  template <class T>
  SinkSpec bind() const {
    SinkSpec spec = sink<TextSocketSink<T>>(host, port, options).spec;
    spec.kind = "text_socket";
    return spec;
  }
};

}  // namespace millrace::detail

namespace millrace {

SourceSpec<std::string> text_socket(std::string host, std::int64_t port,
                                    TextSocketOptions options = {});

inline detail::TextSocketTarget text_socket_sink(std::string host, std::int64_t port,
                                                 TextSocketOptions options = {}) {
  return {std::move(host), port, options};
}

}  // namespace millrace
