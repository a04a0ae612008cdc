#include "millrace/connectors/sockets/text_socket.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "millrace/core/json/json.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBuffer = 64 << 10;
constexpr std::size_t kLongestLine = 64 << 20;
constexpr std::chrono::nanoseconds kBetweenLooks = 1ms;

Error lost(const Connection& connection) {
  return unavailable(concat("the connection to ", in_quotes(connection.place()),
                            " was lost: ", std::strerror(errno)));
}

std::string_view without_return(std::string_view line) {
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

Error too_long(const Connection& connection) {
  return resource_exhausted(concat(in_quotes(connection.place()), " sent a line of more than ",
                                   kLongestLine >> 20, " MiB; is it sending lines of text?"));
}

}  // namespace

Status TextSocketSource::open(SourceContext& context) {
  clock_ = &context.clock();
  return {};
}

Status TextSocketSource::close() {
  connection_.close();
  return {};
}

Result<Poll> TextSocketSource::poll(Collector<std::string>& out) {
  if (!connection_.connected()) {
    Result<bool> connected = connection_.connect(clock_->monotonic());
    if (!connected) return connected.error();
    if (!*connected) return Poll::idle_for(connection_.pause());
  }
  while (!out.full()) {
    std::string_view line;
    if (take_line(line)) {
      out.emit_with([&](std::string& record) { record.assign(line); });
      continue;
    }
    Result<Received> received = receive();
    if (!received) return received.error();
    if (*received == Received::kNone) return Poll::idle_for(kBetweenLooks);
    if (*received == Received::kSome) continue;
    if (take_rest(line)) out.emit(std::string(line));
    return Poll::end();
  }
  return Poll::more();
}

bool TextSocketSource::take_line(std::string_view& line) {
  const std::size_t newline = buffer_.find('\n', searched_);
  if (newline == std::string::npos) {
    searched_ = buffer_.size();
    return false;
  }
  line = without_return(std::string_view(buffer_).substr(begin_, newline - begin_));
  begin_ = searched_ = newline + 1;
  return true;
}

// The last line, where it does not end in a newline.
bool TextSocketSource::take_rest(std::string_view& line) {
  line = without_return(std::string_view(buffer_).substr(begin_));
  return std::exchange(begin_, buffer_.size()) < buffer_.size();
}

Result<TextSocketSource::Received> TextSocketSource::receive() {
  buffer_.erase(0, std::exchange(begin_, 0));
  searched_ = buffer_.size();
  if (buffer_.size() > kLongestLine) return too_long(connection_);
  const std::size_t size = buffer_.size();
  buffer_.resize(size + kBuffer);
  const ssize_t count = recv(connection_.socket(), buffer_.data() + size, kBuffer, MSG_DONTWAIT);
  buffer_.resize(size + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (count > 0) return Received::kSome;
  if (count == 0) return Received::kEnd;
  if (errno == EAGAIN || errno == EINTR) return Received::kNone;
  return lost(connection_);
}

LineSender::LineSender(std::string host, std::int64_t port, TextSocketOptions options)
    : connection_(std::move(host), port, options.connect_timeout),
      send_timeout_(options.send_timeout) {}

Status LineSender::send(const Type& type, Rows rows) {
  if (type.kind == Kind::kString) {
    rows.each([&](const void* row) { (lines_ += as<std::string>(row)) += '\n'; });
  } else {
    append_json_lines(lines_, type, rows);
  }
  return lines_.size() < kBuffer ? Status() : flush();
}

Status LineSender::flush() {
  if (lines_.empty()) return {};
  std::size_t sent = 0;
  Status status = connect();
  if (status) status = send_lines(sent);
  lines_.erase(0, sent);
  failed_ = !status;
  return status;
}

// What is left after a failure may begin within a line: it is not tried again.
Status LineSender::close() {
  Status flushed = failed_ ? Status() : flush();
  connection_.close();
  return flushed;
}

Status LineSender::send_lines(std::size_t& sent) {
  while (sent < lines_.size()) {
    const ssize_t count = ::send(connection_.socket(), lines_.data() + sent, lines_.size() - sent,
                                 MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      sent += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      Status writable = wait_until_writable();
      if (!writable) return writable;
    } else if (errno != EINTR) {
      return lost(connection_);
    }
  }
  return {};
}

Status LineSender::connect() {
  while (!connection_.connected()) {
    Result<bool> connected = connection_.connect(clock_->monotonic());
    if (!connected) return connected.error();
    if (*connected) break;
    const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(connection_.pause());
    ::poll(nullptr, 0, static_cast<int>(pause.count()));
  }
  return {};
}

Status LineSender::wait_until_writable() {
  pollfd look{.fd = connection_.socket(), .events = POLLOUT, .revents = 0};
  const int found = ::poll(&look, 1, static_cast<int>(send_timeout_.count()));
  if (found > 0 || (found < 0 && errno == EINTR)) return {};
  return unavailable(concat(in_quotes(connection_.place()), " has read nothing for ",
                            send_timeout_.count(), " ms; is the server still at work?"));
}

}  // namespace millrace::detail

namespace millrace {

SourceSpec<std::string> text_socket(std::string host, std::int64_t port,
                                    TextSocketOptions options) {
  auto spec = source<detail::TextSocketSource>(std::move(host), port, options);
  spec.kind = "text_socket";
  return spec;
}

}  // namespace millrace
