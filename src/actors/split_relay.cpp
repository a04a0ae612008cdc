#include "millrace/actors/split_relay.h"

#include <caf/send.hpp>

namespace millrace::detail {

SplitRelay::SplitRelay(caf::actor_config& config, SplitRoute route, caf::actor local)
    : ActorBase(config),
      route_(std::move(route)),
      channel_(route_.attempt, route_.reader, route_.pool),
      local_(std::move(local)) {}

caf::behavior SplitRelay::make_behavior() {
  return {
      pass_on<RequestSplit>(),
      pass_on<AssignSplit>(),
      pass_on<NoMoreSplits>(),
      pass_on<Trigger>(),
      [this](FrameArrived& arrived) { on_frame(arrived); },
  };
}

// Both know it, and it knows both.
void SplitRelay::on_exit() {
  local_ = nullptr;
  route_.links = nullptr;
}

// What cannot be sent is lost for the other end, so that neither may go on.
void SplitRelay::put_out(const SplitMessage& message) {
  Result<std::string> frame = channel_.encode(message);
  if (!frame) return send(route_.links, CloseLink{route_.link, frame.error()});
  send(route_.links, SendFrame{route_.link, *std::move(frame)});
}

void SplitRelay::on_frame(FrameArrived& arrived) {
  Result<SplitMessage> message =
      arrived.link == route_.link
          ? channel_.accept(std::move(arrived.frame))
          : Result<SplitMessage>(corruption("what came of splits came on another link"));
  if (!message) return send(route_.links, CloseLink{arrived.link, message.error()});
  std::visit([this](auto& alternative) { tell(alternative); }, *message);
}

void SplitRelay::tell(RequestSplit&) {
  send(local_, RequestSplit{caf::actor_cast<caf::actor>(this)});
}

template <class Message>
void SplitRelay::tell(Message& message) {
  send(local_, std::move(message));
}

}  // namespace millrace::detail
