// The ends of a task's channels that leave its process: what it sends there becomes frames, and
// what comes from there the messages that a task beside it would send. It belongs to the task, on
// whose thread it is used, and knows no actors. After an error the task is of no use.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "millrace/actors/links/remote_channel.h"
#include "millrace/actors/messages.h"
#include "millrace/actors/task_blueprint.h"
#include "millrace/coordination/host_protocol.h"

namespace millrace::detail {

class RemoteEnds {
 public:
  RemoteEnds(const TaskBlueprint& blueprint, const TaskAddress& self,
             std::shared_ptr<const TaskPeers> peers);

  // Frames, to be sent on the link of the peer.
  Result<std::string> encode(std::size_t exchange, std::size_t channel, Element element);
  Result<std::string> credit(std::size_t channel);

  // What a frame of data, and one of credit, says. A channel's frames come on its own link only:
  // what came on another one may have gaps that nobody sees.
  Result<Deliver> accept_data(LinkId link, Frame frame);
  Result<Credit> accept_credit(LinkId link, const Frame& frame);

 private:
  std::shared_ptr<const TaskPeers> peers_;
  std::vector<std::vector<std::unique_ptr<RemoteOutput>>> outputs_;  // null: a channel inside
  std::vector<std::unique_ptr<RemoteInput>> inputs_;                 // likewise
};

}  // namespace millrace::detail
