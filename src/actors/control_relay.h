// Stands for a host in the process of its coordinator, and for that coordinator in the process of
// the host: what it is told goes as a control message to its like at the other end of a link, which
// tells it on. So JobActor and TaskHost speak as they do side by side. Its end is the link's.
#pragma once

#include <caf/send.hpp>

#include <string>
#include <variant>

#include "millrace/actors/actor_base.h"
#include "millrace/actors/links/link_messages.h"
#include "millrace/actors/messages.h"
#include "millrace/coordination/host_codec.h"
#include "millrace/core/result.h"

namespace millrace::detail {

// Told one of Outgoing; tells `local` one of Incoming. From the owner of the links it gets what
// arrives on its own.
template <class Outgoing, class Incoming, Result<Incoming> (*decode)(std::string_view)>
class ControlRelay final : public ActorBase {
 public:
  ControlRelay(caf::actor_config& config, caf::actor links, LinkId link, caf::actor local)
      : ActorBase(config), links_(std::move(links)), link_(link), local_(std::move(local)) {}

  caf::behavior make_behavior() override { return pass_on(static_cast<const Outgoing*>(nullptr)); }

  void on_exit() override {
    caf::anon_send(links_, CloseLink{link_, cancelled("the job has no use for the link any more")});
    links_ = nullptr;
    local_ = nullptr;
  }

 private:
  template <class... Messages>
  caf::behavior pass_on(const std::variant<Messages...>*) {
    return {[this](Messages& message) { put_out(Outgoing(std::move(message))); }...,
            [this](ControlArrived& arrived) { take_in(arrived.frame); }};
  }

  void put_out(const Outgoing& message) {
    const Result<std::string> body = encode(message);
    std::string frame;
    Status framed = body ? append_frame(FrameKind::kControl, *body, frame) : Status(body.error());
    if (!framed) return give_up(framed.error().with_context("sending a control message"));
    send(links_, SendFrame{link_, std::move(frame)});
  }

  void take_in(const Frame& frame) {
    Result<Incoming> message = decode(frame.body());
    if (!message) return give_up(message.error());
    std::visit([this](auto& alternative) { send(local_, std::move(alternative)); }, *message);
  }

  // Neither end may go on as if all had been said.
  void give_up(const Error& error) { send(links_, CloseLink{link_, error}); }

  caf::actor links_;
  LinkId link_;
  caf::actor local_;
};

using RemoteHost = ControlRelay<HostCommand, HostReport, decode_host_report>;
using RemoteCoordinator = ControlRelay<HostReport, HostCommand, decode_host_command>;

}  // namespace millrace::detail
