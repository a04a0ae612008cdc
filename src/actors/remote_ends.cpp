#include "millrace/actors/remote_ends.h"

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

Error no_channel(const ChannelHeader& header) {
  return corruption(
      concat("a frame came for a channel that does not leave the process: ", to_string(header)));
}

Status check_link(LinkId link, const Peer& peer, const ChannelHeader& header) {
  if (link == peer.link) return {};
  return corruption(
      concat("a frame came on another link than the channel has: ", to_string(header)));
}

}  // namespace

RemoteEnds::RemoteEnds(const TaskBlueprint& blueprint, const TaskAddress& self,
                       std::shared_ptr<const TaskPeers> peers)
    : peers_(std::move(peers)) {
  const DeployedJob& job = *blueprint.job;
  const RemoteChannel own{.job = peers_->job,
                          .attempt = self.attempt,
                          .sender = self.subtask,
                          .receiver = self.subtask};
  const std::vector<TaskEdge> exchanges = outgoing_edges(job.plan, blueprint.task);
  for (std::uint32_t exchange = 0; exchange < peers_->receivers.size(); ++exchange) {
    const ChannelRecords records = records_of(job, job.plan.logical.at(exchanges[exchange].edge));
    auto& outputs = outputs_.emplace_back();
    for (const Peer& receiver : peers_->receivers[exchange]) {
      RemoteChannel channel = own;
      channel.receiver = receiver.subtask;
      channel.exchange = exchange;
      channel.channel = static_cast<std::uint32_t>(outputs.size());
      channel.input = receiver.channel;
      outputs.push_back(receiver.actor
                            ? nullptr
                            : std::make_unique<RemoteOutput>(channel, records, peers_->pool));
    }
  }
  for (std::uint32_t input = 0; input < peers_->senders.size(); ++input) {
    const Peer& sender = peers_->senders[input];
    RemoteChannel channel = own;
    channel.sender = sender.subtask;
    channel.exchange = sender.exchange;
    channel.channel = sender.channel;
    channel.input = input;
    const EdgeSpec& edge = job.plan.logical.at(blueprint.inputs[input].edge);
    inputs_.push_back(
        sender.actor ? nullptr
                     : std::make_unique<RemoteInput>(channel, records_of(job, edge), peers_->pool));
  }
}

Result<std::string> RemoteEnds::encode(std::size_t exchange, std::size_t channel, Element element) {
  return outputs_[exchange][channel]->encode(std::move(element));
}

Result<std::string> RemoteEnds::credit(std::size_t channel) { return inputs_[channel]->credit(); }

Result<Deliver> RemoteEnds::accept_data(LinkId link, Frame frame) {
  std::string_view body = frame.body();
  const Result<ChannelHeader> header = take_channel_header(body);
  if (!header) return header.error();
  const std::uint32_t channel = header->channel;
  if (channel >= inputs_.size() || !inputs_[channel]) return no_channel(*header);
  const Status right = check_link(link, peers_->senders[channel], *header);
  if (!right) return right.error();
  Result<Element> element = inputs_[channel]->accept(std::move(frame));
  if (!element) return element.error();
  return Deliver{channel, *std::move(element)};
}

Result<Credit> RemoteEnds::accept_credit(LinkId link, const Frame& frame) {
  const Result<ChannelHeader> credit = decode_credit(frame.body());
  if (!credit) return credit.error();
  const std::uint32_t exchange = credit->exchange;
  const std::uint32_t channel = credit->channel;
  if (exchange >= outputs_.size() || channel >= outputs_[exchange].size() ||
      !outputs_[exchange][channel]) {
    return no_channel(*credit);
  }
  const Status right = check_link(link, peers_->receivers[exchange][channel], *credit);
  if (!right) return right.error();
  const Result<std::size_t> bytes = outputs_[exchange][channel]->accept(*credit);
  if (!bytes) return bytes.error();
  return Credit{exchange, channel, {}, *bytes};
}

}  // namespace millrace::detail
