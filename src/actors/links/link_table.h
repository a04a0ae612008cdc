// All links of a process: which connections there are, what each is about, and what to do when
// something happens to one. It decides and does nothing itself: events and the time go in, commands
// come out.
//
//   connect() -> kDialing -> kGreeting -> kUp -> kClosing -> gone
//   accept()  ------------>  kGreeting -> kUp ...
//
// There is one link per peer identity. If both ends connect at once, the connection of the lesser
// identity is kept; the other end's attempt succeeds with it. A new connection of a process that
// has a link replaces that: the process must have lost it.
//
// A link ends with a goodbye that says why. The connection is closed by whoever gets that, or when
// it was not for as long as a handshake may take: closed by the one that said goodbye, it could
// take the goodbye with it. A silent peer gets none.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "millrace/actors/links/frame.h"
#include "millrace/actors/links/handshake.h"
#include "millrace/actors/links/heartbeats.h"
#include "millrace/actors/links/link_events.h"

namespace millrace::detail {

struct LinkLimits {
  HeartbeatSettings heartbeat;
  std::chrono::nanoseconds handshake = std::chrono::seconds(10);  // from connecting to both hellos
  std::size_t congested_bytes = 8 * 1'024 * 1'024;                // that wait to be sent
  std::size_t most_bytes = 64 * 1'024 * 1'024;                    // beyond that the link is closed
  std::size_t most_unknown = 256;  // connections of whom nothing is known yet
};

namespace link_command {

struct Dial {
  LinkId link;
  LinkAddress address;
};
struct Send {
  LinkId link;
  std::string bytes;
};
// At once: what was not sent yet is lost, and nothing more comes.
struct Close {
  LinkId link;
};
// A frame of a link that is up, for whoever it is meant for.
struct HandOver {
  LinkId link;
  Frame frame;
};
// A connection that came from outside was not let in.
struct Refused {
  LinkId link;
  Error error;
};

}  // namespace link_command

using LinkCommand = std::variant<link_command::Dial, link_command::Send, link_command::Close,
                                 link_command::HandOver, link_command::Refused, LinkUp, LinkDown,
                                 ConnectFailed, LinkCongested>;
using LinkCommands = std::vector<LinkCommand>;
using LinkTime = std::chrono::nanoseconds;  // of a monotonic clock

class LinkTable {
 public:
  // `self`: what this process says of itself; the number is counted here.
  LinkTable(Hello self, LinkLimits limits) : self_(std::move(self)), limits_(limits) {}

  // Connects, unless there is a link with that identity already, or an attempt at it.
  LinkCommands connect(const LinkAddress& address, const ExpectedPeer& expected, LinkTime now);
  // A connection came from outside. None if there are too many of whom nothing is known.
  std::optional<LinkId> accept(LinkTime now);

  LinkCommands on_dialed(LinkId link);
  LinkCommands on_dial_failed(LinkId link, const Error& error);
  // By the certificate.
  void on_proved(LinkId link, std::set<Role> roles);
  void on_bytes(LinkId link, LinkTime now);
  LinkCommands on_frame(LinkId link, Frame frame, LinkTime now);
  // What came can be no frames. `told`: the peer has been told so, other than by a goodbye.
  LinkCommands on_broken(LinkId link, const Error& error, bool told, LinkTime now);
  LinkCommands on_closed(LinkId link, std::string_view why = "the other end closed the connection");
  // So many bytes wait to be sent now.
  LinkCommands on_waiting(LinkId link, std::size_t bytes);
  LinkCommands on_tick(LinkTime now);

  // Closes a link that is up, saying why.
  LinkCommands close(LinkId link, const Error& error, LinkTime now);
  LinkCommands close_all(const Error& error, LinkTime now);

  // What heartbeats carry from now on.
  void set_progress(std::string bytes) { progress_ = std::move(bytes); }

  bool is_up(LinkId link) const { return is_in(link, State::kUp); }
  bool is_dialing(LinkId link) const { return is_in(link, State::kDialing); }
  bool empty() const { return links_.empty(); }
  // How often on_tick() wants to be called.
  LinkTime tick() const;

 private:
  enum class State {
    kDialing,     // the connection is being made
    kGreeting,    // the peer's hello is awaited
    kUp,          // frames go to and fro
    kClosing,     // goodbye was said
    kSuperseded,  // the peer's own connection is awaited, this one is closed
  };
  struct Link {
    State state;
    Handshake handshake;
    LinkAddress address = {};  // if this end connected
    Hello peer = {};
    std::optional<Heartbeats> heartbeats = {};
    bool congested = false;
    LinkTime closed_by = {};  // in kClosing
  };
  using Links = std::map<LinkId, Link>;

  bool is_in(LinkId link, State state) const;
  Hello next_hello();
  void on_hello(LinkId id, Link& link, const Frame& frame, LinkTime now, LinkCommands& out);
  void on_goodbye(LinkId id, Link& link, const Frame& frame, LinkTime now, LinkCommands& out);
  void on_frame_when_up(LinkId id, Link& link, Frame frame, LinkTime now, LinkCommands& out);
  bool is_outdated(const Hello& hello) const;
  bool own_connection_wins(const Link& accepted, const Hello& hello) const;
  void let_in(LinkId id, Link& link, const Hello& hello, LinkTime now, LinkCommands& out);
  void drop_others_of(LinkId id, const Hello& hello, LinkCommands& out);
  void part(LinkId id, Link& link, const Goodbye& goodbye, LinkTime now, LinkCommands& out);
  void await_end(Link& link, LinkTime now) const;
  // Says that the link, or the attempt at it, has come to nothing, unless that was said already.
  void report_end(LinkId id, const Link& link, const Error& error, LinkCommands& out) const;
  void close_at_once(Links::iterator link, const Error& error, LinkCommands& out);
  void beat(LinkId id, LinkCommands& out) const;
  Links::iterator up_with(const std::string& identity);

  Hello self_;
  LinkLimits limits_;
  Links links_;
  std::uint64_t next_link_ = 1;
  std::string progress_;
};

}  // namespace millrace::detail
