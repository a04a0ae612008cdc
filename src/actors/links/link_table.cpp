#include "millrace/actors/links/link_table.h"

#include <algorithm>

#include "millrace/core/text.h"
#include "millrace/core/units.h"

namespace millrace::detail {
namespace {

using namespace link_command;

std::string in_seconds(std::chrono::nanoseconds time) {
  return to_text(std::chrono::duration_cast<Duration>(time));
}

}  // namespace

std::string to_string(const LinkAddress& address) {
  return concat(address.host, ":", address.port);
}

Result<LinkAddress> parse_link_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && colon > 0) {
    const Result<std::uint16_t> port = parse_text<std::uint16_t>(text.substr(colon + 1));
    if (port && *port != 0) return LinkAddress{std::string(text.substr(0, colon)), *port};
  }
  return invalid_argument(concat(in_quotes(text),
                                 " is no address of a process; expected host:port, such as "
                                 "10.0.0.1:6123"));
}

Hello LinkTable::next_hello() {
  Hello hello = self_;
  hello.number = ++self_.number;
  return hello;
}

LinkCommands LinkTable::connect(const LinkAddress& address, const ExpectedPeer& expected,
                                LinkTime now) {
  for (const auto& [id, link] : links_) {
    if (link.state == State::kClosing) continue;
    const bool same_peer =
        !expected.identity.empty() && (link.peer.identity == expected.identity ||
                                       link.handshake.expected().identity == expected.identity);
    if (!same_peer && link.address != address) continue;
    if (link.state == State::kUp) return {LinkUp{id, link.peer, link.address}};
    if (link.handshake.side() == Handshake::Side::kConnected) return {};
  }
  const LinkId id(next_link_++);
  const Handshake handshake(Handshake::Side::kConnected, self_, expected, now + limits_.handshake);
  links_.emplace(id, Link{State::kDialing, handshake, address});
  return {Dial{id, address}};
}

std::optional<LinkId> LinkTable::accept(LinkTime now) {
  const auto unknown = std::ranges::count_if(links_, [](const auto& entry) {
    const Link& link = entry.second;
    return link.state != State::kUp && link.handshake.side() == Handshake::Side::kAccepted;
  });
  if (static_cast<std::size_t>(unknown) >= limits_.most_unknown) return std::nullopt;
  const LinkId id(next_link_++);
  const Handshake handshake(Handshake::Side::kAccepted, self_, {}, now + limits_.handshake);
  links_.emplace(id, Link{State::kGreeting, handshake});
  return id;
}

LinkCommands LinkTable::on_dialed(LinkId id) {
  const auto link = links_.find(id);
  if (link == links_.end() || link->second.state != State::kDialing) return {};
  link->second.state = State::kGreeting;
  Send hello{id, {}};
  append_hello(next_hello(), hello.bytes);
  return {std::move(hello)};
}

LinkCommands LinkTable::on_dial_failed(LinkId id, const Error& error) {
  LinkCommands out;
  const auto link = links_.find(id);
  if (link == links_.end()) return out;
  report_end(id, link->second, error, out);
  links_.erase(link);
  return out;
}

void LinkTable::on_proved(LinkId id, std::set<Role> roles) {
  const auto link = links_.find(id);
  if (link != links_.end()) link->second.handshake.set_proved(std::move(roles));
}

void LinkTable::on_bytes(LinkId id, LinkTime now) {
  const auto link = links_.find(id);
  if (link != links_.end() && link->second.heartbeats) link->second.heartbeats->on_bytes(now);
}

LinkCommands LinkTable::on_frame(LinkId id, Frame frame, LinkTime now) {
  LinkCommands out;
  const auto found = links_.find(id);
  if (found == links_.end()) return out;
  Link& link = found->second;
  if (link.state == State::kClosing || link.state == State::kSuperseded) return out;
  if (frame.kind() == FrameKind::kGoodbye) {
    on_goodbye(id, link, frame, now, out);
  } else if (link.state == State::kUp) {
    on_frame_when_up(id, link, std::move(frame), now, out);
  } else {
    on_hello(id, link, frame, now, out);
  }
  return out;
}

void LinkTable::on_frame_when_up(LinkId id, Link& link, Frame frame, LinkTime now,
                                 LinkCommands& out) {
  if (frame.kind() == FrameKind::kHello) {
    return part(id, link, {.error = corruption("hello was said twice")}, now, out);
  }
  if (frame.kind() == FrameKind::kHeartbeat && frame.body().empty()) return;
  out.push_back(HandOver{id, std::move(frame)});
}

void LinkTable::on_hello(LinkId id, Link& link, const Frame& frame, LinkTime now,
                         LinkCommands& out) {
  const Result<Hello> hello = link.handshake.on_frame(frame);
  if (!hello) return part(id, link, {.error = hello.error()}, now, out);
  if (is_outdated(*hello) || own_connection_wins(link, *hello)) {
    const Error error = unavailable("both ends have connected, and the other connection is kept");
    return part(id, link, {Goodbye::Cause::kSuperseded, error}, now, out);
  }
  drop_others_of(id, *hello, out);
  let_in(id, link, *hello, now, out);
}

// The process has said a later hello already, on the link that is up: this one took longer.
bool LinkTable::is_outdated(const Hello& hello) const {
  return std::ranges::any_of(links_, [&](const auto& entry) {
    const Link& link = entry.second;
    return link.state == State::kUp && link.peer.identity == hello.identity &&
           link.peer.incarnation == hello.incarnation && hello.number < link.peer.number;
  });
}

// Only once it has said hello: before that nobody knows whether it will ever stand.
bool LinkTable::own_connection_wins(const Link& accepted, const Hello& hello) const {
  if (accepted.handshake.side() != Handshake::Side::kAccepted) return false;
  if (self_.identity > hello.identity) return false;
  return std::ranges::any_of(links_, [&](const auto& entry) {
    const Link& link = entry.second;
    return link.state == State::kGreeting && link.handshake.expected().identity == hello.identity;
  });
}

void LinkTable::let_in(LinkId id, Link& link, const Hello& hello, LinkTime now, LinkCommands& out) {
  if (link.handshake.side() == Handshake::Side::kAccepted) {
    Send answer{id, {}};
    append_hello(next_hello(), answer.bytes);
    out.push_back(std::move(answer));
  }
  link.state = State::kUp;
  link.peer = hello;
  link.heartbeats.emplace(limits_.heartbeat, now);
  out.push_back(LinkUp{id, hello, link.address});
}

// A link that the process had before, and attempts to connect to it.
void LinkTable::drop_others_of(LinkId id, const Hello& hello, LinkCommands& out) {
  for (auto other = links_.begin(); other != links_.end();) {
    const auto current = other++;
    const Link& link = current->second;
    if (current->first == id || link.state == State::kClosing) continue;
    if (link.state == State::kUp && link.peer.identity == hello.identity) {
      close_at_once(current, unavailable("the same process has connected again"), out);
    } else if (link.state != State::kUp && link.handshake.expected().identity == hello.identity) {
      if (link.state != State::kSuperseded) out.push_back(Close{current->first});
      links_.erase(current);
    }
  }
}

void LinkTable::on_goodbye(LinkId id, Link& link, const Frame& frame, LinkTime now,
                           LinkCommands& out) {
  const Result<Goodbye> goodbye = decode_goodbye(frame.body());
  if (!goodbye) return part(id, link, {.error = goodbye.error()}, now, out);
  out.push_back(Close{id});
  if (goodbye->cause == Goodbye::Cause::kSuperseded && link.state == State::kGreeting &&
      link.handshake.side() == Handshake::Side::kConnected) {
    link.state = State::kSuperseded;
    const bool there = up_with(link.handshake.expected().identity) != links_.end();
    if (there) links_.erase(id);
    return;
  }
  report_end(id, link, goodbye->error.with_context("the other end closed the link"), out);
  links_.erase(id);
}

LinkTable::Links::iterator LinkTable::up_with(const std::string& identity) {
  return std::ranges::find_if(links_, [&](const auto& entry) {
    return entry.second.state == State::kUp && entry.second.peer.identity == identity;
  });
}

// Says goodbye, and waits for the peer to close its end: closed at once, the connection could take
// the goodbye with it.
void LinkTable::part(LinkId id, Link& link, const Goodbye& goodbye, LinkTime now,
                     LinkCommands& out) {
  report_end(id, link, goodbye.error, out);
  Send farewell{id, {}};
  append_goodbye(goodbye, farewell.bytes);
  out.push_back(std::move(farewell));
  await_end(link, now);
}

void LinkTable::await_end(Link& link, LinkTime now) const {
  link.state = State::kClosing;
  link.closed_by = now + limits_.handshake;
}

void LinkTable::report_end(LinkId id, const Link& link, const Error& error,
                           LinkCommands& out) const {
  if (link.state == State::kClosing) return;
  if (link.state == State::kUp) {
    out.push_back(LinkDown{id, link.peer.identity, error});
  } else if (link.handshake.side() == Handshake::Side::kAccepted) {
    out.push_back(Refused{id, error});
  } else {
    out.push_back(
        ConnectFailed{link.address, link.handshake.expected(),
                      error.with_context(concat("connecting to ", to_string(link.address)))});
  }
}

void LinkTable::close_at_once(Links::iterator entry, const Error& error, LinkCommands& out) {
  const auto& [id, link] = *entry;
  report_end(id, link, error, out);
  if (link.state != State::kSuperseded) out.push_back(Close{id});
  links_.erase(entry);
}

LinkCommands LinkTable::on_broken(LinkId id, const Error& error, bool told, LinkTime now) {
  LinkCommands out;
  const auto link = links_.find(id);
  if (link == links_.end()) return out;
  if (told) {
    report_end(id, link->second, error, out);
    await_end(link->second, now);
  } else if (link->second.state == State::kUp) {
    part(id, link->second, {.error = error}, now, out);
  } else {
    close_at_once(link, error, out);  // whoever it is would not understand a goodbye
  }
  return out;
}

LinkCommands LinkTable::on_closed(LinkId id, std::string_view why) {
  LinkCommands out;
  const auto link = links_.find(id);
  if (link == links_.end() || link->second.state == State::kSuperseded) return out;
  close_at_once(link, unavailable(std::string(why)), out);
  return out;
}

LinkCommands LinkTable::on_waiting(LinkId id, std::size_t bytes) {
  LinkCommands out;
  const auto found = links_.find(id);
  if (found == links_.end() || found->second.state != State::kUp) return out;
  Link& link = found->second;
  if (bytes > limits_.most_bytes) {
    const Error error = resource_exhausted(
        concat(bytes, " bytes wait to be sent, and at most ", limits_.most_bytes, " may"));
    close_at_once(found, error, out);
    return out;
  }
  const bool congested =
      bytes > (link.congested ? limits_.congested_bytes / 2 : limits_.congested_bytes);
  if (congested != std::exchange(link.congested, congested)) {
    out.push_back(LinkCongested{id, congested});
  }
  return out;
}

LinkCommands LinkTable::on_tick(LinkTime now) {
  LinkCommands out;
  for (auto entry = links_.begin(); entry != links_.end();) {
    const auto current = entry++;
    auto& [id, link] = *current;
    if (link.state == State::kUp) {
      const Heartbeats::Step step = link.heartbeats->step(now);
      if (step.silent) {
        close_at_once(current,
                      unavailable(concat(in_quotes(link.peer.identity), " has been silent for ",
                                         in_seconds(link.heartbeats->silence(now)))),
                      out);
      } else if (step.send && !link.congested) {
        beat(id, out);
      }
    } else if (link.state == State::kClosing) {
      if (now >= link.closed_by) close_at_once(current, cancelled("it is over"), out);
    } else if (link.handshake.overdue(now)) {
      close_at_once(current,
                    unavailable(concat("the other end has not completed the handshake within ",
                                       in_seconds(limits_.handshake))),
                    out);
    }
  }
  return out;
}

void LinkTable::beat(LinkId id, LinkCommands& out) const {
  Send heartbeat{id, {}};
  const Status framed = append_frame(FrameKind::kHeartbeat, progress_, heartbeat.bytes);
  check(framed.has_value(), "a heartbeat is too large for a frame");
  out.push_back(std::move(heartbeat));
}

LinkCommands LinkTable::close(LinkId id, const Error& error, LinkTime now) {
  LinkCommands out;
  const auto link = links_.find(id);
  if (link != links_.end() && link->second.state == State::kUp) {
    part(id, link->second, {.error = error}, now, out);
  }
  return out;
}

LinkCommands LinkTable::close_all(const Error& error, LinkTime now) {
  LinkCommands out;
  for (auto entry = links_.begin(); entry != links_.end();) {
    const auto current = entry++;
    auto& [id, link] = *current;
    if (link.state == State::kUp) {
      part(id, link, {.error = error}, now, out);
    } else if (link.state != State::kClosing) {
      close_at_once(current, error, out);
    }
  }
  return out;
}

bool LinkTable::is_in(LinkId id, State state) const {
  const auto link = links_.find(id);
  return link != links_.end() && link->second.state == state;
}

LinkTime LinkTable::tick() const {
  const LinkTime shortest = std::min(limits_.heartbeat.interval, limits_.handshake);
  return std::clamp<LinkTime>(shortest / 4, std::chrono::milliseconds(1),
                              std::chrono::milliseconds(250));
}

}  // namespace millrace::detail
