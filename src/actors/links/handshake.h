// How the two ends of a connection come to know each other. Whoever connected says hello first; the
// other checks that and answers with its own hello, or with a goodbye that says why not. Each side
// has the link once it has found the other's hello good. All of it takes a bounded time.
//
// The bodies of hello and goodbye begin the same in all versions of the protocol, so that ends of
// different versions can tell each other so.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "millrace/actors/links/frame.h"
#include "millrace/core/result.h"

namespace millrace::detail {

constexpr std::uint32_t kLinkVersion = 1;
constexpr std::size_t kMostHelloBytes = 4'096;  // the frame, before the other end is known

enum class Role : std::uint8_t { kCoordinator = 1, kWorker, kHost, kClient };

std::string_view to_string(Role role);
std::optional<Role> role_named(std::string_view name);

struct Hello {
  std::uint32_t version = kLinkVersion;
  Role role = Role::kHost;
  std::string cluster;
  std::string identity;           // of the process, one of its cluster
  std::uint64_t incarnation = 0;  // another one each time the process starts
  std::uint64_t number = 0;       // of the hellos that this incarnation has said, counted

  friend bool operator==(const Hello&, const Hello&) = default;
};

void append_hello(const Hello& hello, std::string& out);  // the whole frame
// Refuses another version before it looks at what only this one has.
Result<Hello> decode_hello(std::string_view body);

// Why a link ends.
struct Goodbye {
  enum class Cause : std::uint8_t {
    kError,       // as the error says
    kSuperseded,  // both ends connected to each other, and the other connection is kept
  };

  Cause cause = Cause::kError;
  Error error;
};

void append_goodbye(const Goodbye& goodbye, std::string& out);  // the whole frame
Result<Goodbye> decode_goodbye(std::string_view body);

// Whom one end takes the other for; what is empty is any.
struct ExpectedPeer {
  std::optional<Role> role;
  std::string identity;

  friend bool operator==(const ExpectedPeer&, const ExpectedPeer&) = default;
};

class Handshake {
 public:
  enum class Side { kConnected, kAccepted };

  Handshake(Side side, const Hello& self, ExpectedPeer expected, std::chrono::nanoseconds deadline)
      : side_(side), self_(self), expected_(std::move(expected)), deadline_(deadline) {}

  // What the other end is, if the frame is a hello that is good; why not, in a sentence that is
  // meant for both ends.
  Result<Hello> on_frame(const Frame& frame) const;

  // The roles that the other end has proved by its certificate.
  void set_proved(std::set<Role> roles) { proved_ = std::move(roles); }

  Side side() const { return side_; }
  const ExpectedPeer& expected() const { return expected_; }
  bool overdue(std::chrono::nanoseconds now) const { return now >= deadline_; }
  std::chrono::nanoseconds deadline() const { return deadline_; }

 private:
  Status check(const Hello& hello) const;

  Side side_;
  Hello self_;
  ExpectedPeer expected_;
  std::chrono::nanoseconds deadline_;
  std::optional<std::set<Role>> proved_;
};

}  // namespace millrace::detail
