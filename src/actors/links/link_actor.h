// The actor that has all connections of a process. It only routes: what happens to a connection
// goes to the LinkTable, and what that commands is done; frames go to and from whoever they are
// meant for. It lives on the thread of CAF's event loop, where nothing waits: names are looked up
// on the executor, and a connection that is being made is asked now and then.
//
// Bytes on their way out are copied once, into the connection's buffer, and once on their way in,
// from the piece that was read into the frame that a receiver gets; under TLS twice more.
#pragma once

#include <caf/actor_system_config.hpp>
#include <caf/io/broker.hpp>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "millrace/actors/actor_base.h"
#include "millrace/actors/links/link_messages.h"
#include "millrace/actors/links/link_table.h"
#include "millrace/actors/links/tls_session.h"
#include "millrace/core/executor.h"
#include "millrace/core/log.h"

namespace millrace::detail {

// What the links of a process have done; written by their thread, read by any.
struct LinkMetrics {
  std::atomic<std::uint64_t> bytes_sent{0};
  std::atomic<std::uint64_t> bytes_received{0};
  std::atomic<std::uint64_t> frames_sent{0};
  std::atomic<std::uint64_t> frames_received{0};
  std::atomic<std::uint64_t> frames_without_link{0};  // sent when it was down
  std::atomic<std::uint64_t> frames_of_ended_attempts{0};
  std::atomic<std::uint64_t> refused_connections{0};
};

struct LinkSettings {
  caf::actor owner;
  Hello self;
  LinkLimits limits = {};
  const Clock* clock = nullptr;
  Executor* executor = nullptr;                     // looks up names
  std::shared_ptr<const TlsContext> tls = nullptr;  // none: what crosses is plain
  bool allow_plaintext = false;                     // beyond loopback too
  Logger log = {};
  std::shared_ptr<BytePool> pool = std::make_shared<BytePool>();
  std::shared_ptr<LinkMetrics> metrics = std::make_shared<LinkMetrics>();
};

// What an actor system needs before it can have links.
void prepare_for_links(caf::actor_system_config& config);

// The system must have been prepared. The actor ends with StopLinks.
caf::actor spawn_links(caf::actor_system& system, LinkSettings settings);

class LinkActor final : public BasicActor<caf::io::broker> {
 public:
  LinkActor(caf::actor_config& config, LinkSettings settings);

  caf::behavior make_behavior() override;
  void on_exit() override;
  bool cleanup(caf::error&& reason, caf::execution_unit* host) override;

 private:
  using Handle = caf::io::connection_handle;
  struct Connection {
    Handle handle;
    FrameReader reader;
    std::unique_ptr<TlsSession> tls = nullptr;
    std::size_t waiting = 0;  // bytes that were not sent yet
    bool broken = false;      // what comes can be no frames
    std::shared_ptr<LinkLoad> load = nullptr;
  };

  void listen(const LinkAddress& address);
  void on_looked_up(LookedUp& looked_up);
  void poll_dials();
  void adopt(LinkId link, Handle handle, Handshake::Side side);
  void on_accepted(Handle handle);
  void on_data(const caf::io::new_data_msg& data);
  void read_sealed(LinkId link, Connection& connection, std::string_view bytes);
  void read(LinkId link, std::string_view bytes);
  void on_broken(LinkId link, const Error& error, bool told);
  void on_transferred(const caf::io::data_transferred_msg& transferred);
  void on_closed(Handle handle);
  void send_frame(SendFrame& frame);
  void put_out(LinkId link, std::string_view bytes);
  bool put_out_sealed(Connection& connection);  // whether there was anything
  void put_on_wire(Connection& connection, std::string_view bytes);
  void relieve(LinkId link);
  void tick();
  void stop();

  // What the table commands.
  void perform(LinkCommands commands);
  void perform(link_command::Dial& dial);
  void perform(link_command::Send& send);
  void perform(link_command::Close& close);
  void perform(link_command::HandOver& frame);
  void perform(link_command::Refused& refused);
  void perform(LinkUp& up);
  void perform(LinkDown& down);
  void perform(ConnectFailed& failed);
  void perform(LinkCongested& congested);
  void route(LinkId link, Frame frame);

  template <class Message>
  void tell(Message message);  // the owner
  LinkTime now() const { return settings_.clock->monotonic(); }

  LinkSettings settings_;
  LinkTable table_;
  ReceiverTable<caf::actor> receivers_;
  std::unordered_map<LinkId, Connection> connections_;
  std::unordered_map<Handle, LinkId> by_handle_;
  std::map<LinkId, Dialer> dialers_;
  std::string plain_;                      // of what was received last, under TLS
  std::string sealed_;                     // of what is to be sent, under TLS
  std::chrono::nanoseconds dial_pause_{};  // until they are asked again; none: they are not
  caf::io::accept_handle listening_;
  bool stopping_ = false;
};

}  // namespace millrace::detail
