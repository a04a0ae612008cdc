#include "millrace/actors/links/link_actor.h"

#include <caf/io/middleman.hpp>
#include <caf/send.hpp>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

// What is read from a connection at once, and how often before others have their turn.
constexpr std::size_t kReadBytes = 128 * 1'024;
constexpr std::size_t kReadsPerTurn = 8;

constexpr std::chrono::milliseconds kFirstDialPause{1};
constexpr std::chrono::milliseconds kLongestDialPause{16};

int descriptor_of(caf::io::connection_handle handle) { return static_cast<int>(handle.id()); }

void count(std::atomic<std::uint64_t>& counter, std::uint64_t more = 1) {
  counter.fetch_add(more, std::memory_order_relaxed);
}

}  // namespace

void prepare_for_links(caf::actor_system_config& config) {
  config.load<caf::io::middleman>();
  config.set("middleman.workers", std::size_t{0});  // of CAF's own protocol, which nobody speaks
  config.set("middleman.max-consecutive-reads", kReadsPerTurn);
}

caf::actor spawn_links(caf::actor_system& system, LinkSettings settings) {
  caf::actor_config config(&system.middleman().backend());
  return system.spawn_class<LinkActor, caf::no_spawn_options>(config, std::move(settings));
}

LinkActor::LinkActor(caf::actor_config& config, LinkSettings settings)
    : BasicActor(config),
      settings_(std::move(settings)),
      table_(settings_.self, settings_.limits) {}

caf::behavior LinkActor::make_behavior() {
  delayed_send(this, table_.tick(), LinkTick{});
  return {
      [this](const Listen& order) { listen(order.address); },
      [this](const ConnectLink& order) {
        perform(table_.connect(order.address, order.expected, now()));
      },
      [this](const CloseLink& order) { perform(table_.close(order.link, order.error, now())); },
      [this](SetProgress& progress) { table_.set_progress(std::move(progress.bytes)); },
      [this](OpenReceiver& order) {
        receivers_.open(order.attempt, order.inbox, std::move(order.receiver));
      },
      [this](const ConfirmReceivers& order) { tell(ReceiversConfirmed{order.attempt}); },
      [this](const CloseAttempt& order) { receivers_.close(order.attempt); },
      [this](StopLinks) { stop(); },
      [this](SendFrame& frame) { send_frame(frame); },
      [this](LookedUp& looked_up) { on_looked_up(looked_up); },
      [this](PollDials) { poll_dials(); },
      [this](LinkTick) { tick(); },
      [this](const caf::io::new_connection_msg& connection) { on_accepted(connection.handle); },
      [this](const caf::io::new_data_msg& data) { on_data(data); },
      [this](const caf::io::data_transferred_msg& transferred) { on_transferred(transferred); },
      [this](const caf::io::connection_closed_msg& closed) { on_closed(closed.handle); },
      [this](const caf::io::acceptor_closed_msg&) {
        tell(Listening{unavailable("the socket that listened for connections was closed")});
      },
  };
}

template <class Message>
void LinkActor::tell(Message message) {
  send(settings_.owner, std::move(message));
}

void LinkActor::listen(const LinkAddress& address) {
  if (!settings_.tls && !settings_.allow_plaintext && !is_loopback(address.host)) {
    return tell(Listening{invalid_argument(
        concat("listening on ", to_string(address),
               ": beyond loopback links need TLS; set security.ssl.internal.enabled with its "
               "certificate, key and authority, or write down that none is wanted: "
               "security.allow-plaintext"))});
  }
  Result<Listener> listener = listen_on(address);
  if (!listener) return tell(Listening{listener.error()});
  listening_ = add_doorman(listener->socket.release());
  tell(Listening{LinkAddress{address.host, listener->port}});
}

void LinkActor::perform(link_command::Dial& dial) {
  settings_.executor->execute([self = caf::actor_cast<caf::actor>(this), dial] {
    caf::anon_send(self, LookedUp{dial.link, look_up(dial.address)});
  });
}

void LinkActor::on_looked_up(LookedUp& looked_up) {
  if (!table_.is_dialing(looked_up.link)) return;
  if (!looked_up.addresses) {
    return perform(table_.on_dial_failed(looked_up.link, looked_up.addresses.error()));
  }
  dialers_.emplace(looked_up.link, Dialer(*std::move(looked_up.addresses)));
  const bool polling = dial_pause_.count() > 0;
  dial_pause_ = kFirstDialPause;
  if (!polling) poll_dials();
}

void LinkActor::poll_dials() {
  for (auto entry = dialers_.begin(); entry != dialers_.end();) {
    auto& [link, dialer] = *entry;
    Result<std::optional<Socket>> made = dialer.poll();
    if (made && !*made) {
      ++entry;
      continue;
    }
    const LinkId id = link;
    entry = dialers_.erase(entry);
    if (!made) {
      perform(table_.on_dial_failed(id, made.error()));
      continue;
    }
    adopt(id, add_scribe((*made)->release()), Handshake::Side::kConnected);
    perform(table_.on_dialed(id));
  }
  if (dialers_.empty()) {
    dial_pause_ = {};
    return;
  }
  delayed_send(this, dial_pause_, PollDials{});
  dial_pause_ = std::min<std::chrono::nanoseconds>(2 * dial_pause_, kLongestDialPause);
}

void LinkActor::adopt(LinkId link, Handle handle, Handshake::Side side) {
  Connection connection{handle, FrameReader(settings_.pool, kMostHelloBytes)};
  connection.load = std::make_shared<LinkLoad>(settings_.limits.congested_bytes);
  if (settings_.tls) connection.tls = std::make_unique<TlsSession>(settings_.tls, side);
  by_handle_.emplace(handle, link);
  ack_writes(handle, true);
  configure_read(handle, caf::io::receive_policy::at_most(kReadBytes));
  put_out_sealed(connections_.emplace(link, std::move(connection)).first->second);
}

void LinkActor::on_accepted(Handle handle) {
  const std::optional<LinkId> link = stopping_ ? std::nullopt : table_.accept(now());
  if (link) return adopt(*link, handle, Handshake::Side::kAccepted);
  settings_.log.warn("connection refused: too many are waiting to be known",
                     {{"from", name_of_peer(descriptor_of(handle))}});
  count(settings_.metrics->refused_connections);
  reset_connection(descriptor_of(handle));  // which CAF finds, as it does in perform(Close)
}

void LinkActor::on_data(const caf::io::new_data_msg& data) {
  const auto link = by_handle_.find(data.handle);
  if (link == by_handle_.end()) return;
  count(settings_.metrics->bytes_received, data.buf.size());
  table_.on_bytes(link->second, now());
  const std::string_view bytes(data.buf.data(), data.buf.size());
  Connection& connection = connections_.at(link->second);
  if (connection.tls) return read_sealed(link->second, connection, bytes);
  read(link->second, bytes);
}

// What was said before an error counts. The other end is told, unless it has told of the error.
void LinkActor::read_sealed(LinkId link, Connection& connection, std::string_view bytes) {
  if (connection.broken) return;
  const bool was_established = connection.tls->established();
  plain_.clear();
  const Status received = connection.tls->receive(bytes, plain_);
  const bool answered = put_out_sealed(connection);
  if (!was_established && connection.tls->established()) {
    table_.on_proved(link, connection.tls->peer_roles());
  }
  read(link, plain_);
  if (!received) on_broken(link, received.error(), answered);
}

void LinkActor::on_broken(LinkId link, const Error& error, bool told) {
  const auto found = connections_.find(link);
  if (found == connections_.end()) return;
  found->second.broken = true;
  perform(table_.on_broken(link, error, told, now()));
}

void LinkActor::read(LinkId link, std::string_view bytes) {
  for (;;) {
    const auto found = connections_.find(link);  // each frame may be the connection's last
    if (found == connections_.end() || found->second.broken) return;
    Result<std::optional<Frame>> frame = found->second.reader.next(bytes);
    if (!frame) return on_broken(link, frame.error(), false);
    if (!*frame) return;
    count(settings_.metrics->frames_received);
    const bool was_up = table_.is_up(link);
    perform(table_.on_frame(link, **std::move(frame), now()));
    if (!was_up && table_.is_up(link)) connections_.at(link).reader.set_most(kMostFrameBytes);
  }
}

void LinkActor::on_transferred(const caf::io::data_transferred_msg& transferred) {
  const auto link = by_handle_.find(transferred.handle);
  if (link == by_handle_.end()) return;
  const LinkId id = link->second;
  connections_.at(id).waiting = transferred.remaining;
  perform(table_.on_waiting(id, transferred.remaining));
  relieve(id);
}

void LinkActor::relieve(LinkId link) {
  const auto found = connections_.find(link);
  if (found == connections_.end()) return;
  const Connection& connection = found->second;
  connection.load->set_waiting(connection.waiting);
  if (connection.load->relieves()) tell(LinkRelieved{link});
}

void LinkActor::on_closed(Handle handle) {
  const auto entry = by_handle_.find(handle);
  if (entry == by_handle_.end()) return;
  const LinkId link = entry->second;
  by_handle_.erase(entry);
  const Connection& connection = connections_.at(link);
  const bool within_handshake = connection.tls && !connection.tls->established();
  const bool within_frame = connection.reader.within_frame();
  connections_.erase(link);
  perform(table_.on_closed(
      link, within_handshake
                ? "the other end closed the connection within the TLS handshake; does it speak TLS?"
            : within_frame ? "the other end closed the connection within a frame"
                           : "the other end closed the connection"));
}

void LinkActor::send_frame(SendFrame& frame) {
  if (table_.is_up(frame.link)) {
    count(settings_.metrics->frames_sent);
    const std::shared_ptr<LinkLoad> load = connections_.at(frame.link).load;
    put_out(frame.link, frame.bytes);
    if (frame.counted) load->take(frame.bytes.size());
    relieve(frame.link);
  } else {
    count(settings_.metrics->frames_without_link);
  }
  settings_.pool->put(std::move(frame.bytes));
}

void LinkActor::put_out(LinkId link, std::string_view bytes) {
  const auto found = connections_.find(link);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  if (!connection.tls) {
    put_on_wire(connection, bytes);
  } else if (const Status sealed = connection.tls->send(bytes); sealed) {
    put_out_sealed(connection);
  } else {
    return on_broken(link, sealed.error(), true);
  }
  perform(table_.on_waiting(link, connection.waiting));
}

bool LinkActor::put_out_sealed(Connection& connection) {
  sealed_.clear();
  if (connection.tls) connection.tls->take_output(sealed_);
  put_on_wire(connection, sealed_);
  return !sealed_.empty();
}

void LinkActor::put_on_wire(Connection& connection, std::string_view bytes) {
  if (bytes.empty()) return;
  count(settings_.metrics->bytes_sent, bytes.size());
  write(connection.handle, bytes.size(), bytes.data());
  flush(connection.handle);
  connection.waiting += bytes.size();
}

void LinkActor::tick() {
  delayed_send(this, table_.tick(), LinkTick{});
  perform(table_.on_tick(now()));
}

void LinkActor::stop() {
  stopping_ = true;
  if (!listening_.invalid()) close(listening_);
  perform(table_.close_all(cancelled("the process ends"), now()));
}

void LinkActor::on_exit() {
  settings_.owner = nullptr;
  receivers_ = {};
}

// A broker's own leaves in the mailbox what is there, and that may hold this actor, as a message to
// itself does. What every other actor does at its end empties it.
bool LinkActor::cleanup(caf::error&& reason, caf::execution_unit* host) {
  caf::error again = reason;
  const bool ended = BasicActor::cleanup(std::move(reason), host);
  scheduled_actor::cleanup(std::move(again), host);
  return ended;
}

void LinkActor::perform(LinkCommands commands) {
  for (LinkCommand& command : commands) {
    std::visit([this](auto& what) { perform(what); }, command);
  }
  if (stopping_ && table_.empty()) quit();
}

void LinkActor::perform(link_command::Send& send) { put_out(send.link, send.bytes); }

// CAF finds the end of a connection that was reset by itself. Told to close one that its event loop
// has not taken up yet, it would never let go of it.
void LinkActor::perform(link_command::Close& closing) {
  dialers_.erase(closing.link);
  const auto found = connections_.find(closing.link);
  if (found == connections_.end()) return;
  const Handle handle = found->second.handle;
  by_handle_.erase(handle);
  connections_.erase(found);
  reset_connection(descriptor_of(handle));
}

void LinkActor::perform(link_command::HandOver& command) {
  switch (command.frame.kind()) {
    case FrameKind::kControl:
      return tell(ControlArrived{command.link, std::move(command.frame)});
    case FrameKind::kHeartbeat:
      return tell(ProgressArrived{command.link, std::move(command.frame)});
    default:
      return route(command.link, std::move(command.frame));
  }
}

void LinkActor::route(LinkId link, Frame frame) {
  using Verdict = ReceiverTable<caf::actor>::Verdict;
  std::string_view body = frame.body();
  const Result<ChannelHeader> header = take_channel_header(body);
  if (!header) return perform(table_.close(link, header.error(), now()));
  const auto found = receivers_.find(frame.kind(), *header);
  switch (found.verdict) {
    case Verdict::kDeliver:
      return send(*found.receiver, FrameArrived{link, std::move(frame)});
    case Verdict::kDrop:
      count(settings_.metrics->frames_of_ended_attempts);
      return settings_.pool->put(std::move(frame.bytes));
    case Verdict::kMisled:
      const Error error = corruption(
          concat(in_quotes(settings_.self.identity), " has no receiver for ", to_string(*header)));
      return perform(table_.close(link, error, now()));
  }
}

void LinkActor::perform(link_command::Refused& refused) {
  count(settings_.metrics->refused_connections);
  const auto found = connections_.find(refused.link);
  const std::string from = found == connections_.end()
                               ? "an address that is gone"
                               : name_of_peer(descriptor_of(found->second.handle));
  settings_.log.warn("connection refused", {{"from", from}, {"error", refused.error.message()}});
}

void LinkActor::perform(LinkUp& up) {
  settings_.log.info("link up", {{"peer", up.peer.identity}, {"link", up.link}});
  const auto found = connections_.find(up.link);
  if (found != connections_.end()) up.load = found->second.load;
  tell(std::move(up));
}

void LinkActor::perform(LinkDown& down) {
  settings_.log.info(
      "link down", {{"peer", down.identity}, {"link", down.link}, {"error", down.error.message()}});
  tell(std::move(down));
}

void LinkActor::perform(ConnectFailed& failed) { tell(std::move(failed)); }

void LinkActor::perform(LinkCongested& congested) { tell(congested); }

}  // namespace millrace::detail
