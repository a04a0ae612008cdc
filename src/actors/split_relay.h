// Stands for a source's enumerator in the process of a reader, and for that reader in the process
// of the enumerator: what it is told goes to its like at the other end of a link, which passes it
// on. So neither of the two knows that the other is elsewhere.
#pragma once

#include "millrace/actors/actor_base.h"
#include "millrace/actors/links/link_messages.h"
#include "millrace/actors/links/split_channel.h"
#include "millrace/actors/messages.h"

namespace millrace::detail {

struct SplitRoute {
  JobAttempt attempt;
  SubtaskId reader;
  LinkId link;
  caf::actor links;
  std::shared_ptr<BytePool> pool;
};

class SplitRelay final : public ActorBase {
 public:
  // `local`: the reader, or the enumerator, of this process.
  SplitRelay(caf::actor_config& config, SplitRoute route, caf::actor local);

  caf::behavior make_behavior() override;
  void on_exit() override;

 private:
  template <class Message>
  auto pass_on() {
    return [this](Message& message) { put_out(std::move(message)); };
  }
  void put_out(const SplitMessage& message);
  void on_frame(FrameArrived& arrived);
  void tell(RequestSplit& request);
  template <class Message>
  void tell(Message& message);

  SplitRoute route_;
  SplitChannel channel_;
  caf::actor local_;
};

}  // namespace millrace::detail
