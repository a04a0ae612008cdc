#include "millrace/operators/chain.h"

#include "millrace/core/text.h"

namespace millrace::detail {

Chain::Chain(std::vector<ChainOperator> operators) {
  check(!operators.empty(), "a chain has at least one operator");
  nodes_.reserve(operators.size());
  for (ChainOperator& op : operators) nodes_.emplace_back(nodes_.size(), std::move(op));
  source_ = dynamic_cast<AnySource*>(nodes_[0].op.instance.get());
}

std::string Chain::place(std::size_t index) const {
  return concat("operator ", in_quotes(name_of(index)), subtask_);
}

Status Chain::open(const std::function<OperatorContext(std::size_t)>& context_of,
                   const std::function<const Snapshot*(std::size_t)>& restored) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    Status status = open(i, context_of(i), restored ? restored(i) : nullptr);
    if (status) continue;
    (void)close_first(i);  // what failed to open says more than what then fails to close
    return status;
  }
  return {};
}

Status Chain::open(std::size_t index, const OperatorContext& context, const Snapshot* restored) {
  subtask_ = concat(" (subtask ", context.subtask.value() + 1, " of ", context.parallelism, ")");
  if (restored != nullptr) {
    Status status = guard(index, [&] { return operator_at(index).restore(*restored); });
    if (!status) return status;
  }
  return guard(index, [&] { return operator_at(index).open(context); });
}

Status Chain::close() { return close_first(nodes_.size()); }

Status Chain::close_first(std::size_t count) {
  Status first;
  for (std::size_t i = 0; i < count; ++i) {
    Status status = guard(i, [&] { return operator_at(i).close(); });
    if (first && !status) first = status;
  }
  return first;
}

Status Chain::flush() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    Status status = guard(i, [&] { return operator_at(i).flush(); });
    if (!status) return status;
    Node& node = nodes_[i];
    if (!node.watermarks || !node.watermarks->pending() || !idle()) continue;
    Result<Progress> progress = give_watermark(node);
    if (!progress) return progress.error();
  }
  return {};
}

Result<Progress> Chain::give_watermark(Node& node) {
  node.watermark = node.watermarks->take();
  return start(node.index, {.kind = Work::Kind::kGiven});
}

Result<Progress> Chain::process(std::uint32_t input, Cursor& in) {
  return start(0, {.kind = Work::Kind::kBatch, .input = input, .cursor = &in});
}
Result<Progress> Chain::watermark(Timestamp watermark) {
  return start(0, {.kind = Work::Kind::kWatermark, .time = watermark});
}
Result<Progress> Chain::mark_idle() { return start(0, {.kind = Work::Kind::kIdle}); }
Result<Progress> Chain::timer(std::size_t index, Timestamp now) {
  return start(index, {.kind = Work::Kind::kTimer, .time = now});
}
Result<Progress> Chain::finish() { return start(0, {.kind = Work::Kind::kFinish}); }

Result<Poll> Chain::poll() {
  check(source_ != nullptr && idle(), "a source is polled when its chain is idle");
  Node& head = nodes_[0];
  if (head.watermarks && head.watermarks->pending()) {
    Result<Progress> progress = give_watermark(head);
    if (!progress) return progress.error();
    return Poll::more();
  }
  Result<Poll> poll = guard(0, [&] { return source_->poll(head.op.outputs); });
  if (!poll) return poll;
  if (head.watermarks) head.watermark = head.watermarks->take();
  if (head.op.outputs.empty() && !head.watermark) return poll;
  head.records_out += head.op.outputs.records();
  Result<Progress> progress = start(0, {.kind = Work::Kind::kGiven});
  if (!progress) return progress.error();
  return poll;
}

Result<Progress> Chain::resume() { return advance(nodes_[root_]); }

Result<Progress> Chain::start(std::size_t root, Work work) {
  check(idle(), "the chain is still at work on the last element");
  root_ = root;
  begin(nodes_[root], work);
  return advance(nodes_[root]);
}

void Chain::begin(Node& node, Work work) {
  node.work = work;
  if (node.watermarks && work.kind != Work::Kind::kGiven) node.watermark = node.watermarks->take();
  node.delivering = work.kind == Work::Kind::kGiven;
  node.called = node.delivering;
  node.consumer = 0;
  node.consumer_started = false;
}

Result<Progress> Chain::advance(Node& node) {
  while (node.work.kind != Work::Kind::kNone) {
    if (node.delivering) {
      Result<Progress> progress = deliver(node);
      if (!progress || *progress == Progress::kMore) return progress;
    } else if (node.watermark) {
      Result<Progress> progress = forward_own_watermark(node);
      if (!progress || *progress == Progress::kMore) return progress;
    } else if (!node.called) {
      Result<Progress> progress = call(node);
      if (!progress) return progress;
      node.called = *progress == Progress::kDone;
      node.delivering = !node.op.outputs.empty();
      node.records_out += node.op.outputs.records();
      if (node.watermarks) node.watermark = node.watermarks->take();
      check(node.called || node.delivering,
            "an operator wants to be called again, but gave nothing");
    } else {
      Result<Progress> progress = goes_on(node) ? forward(node, node.work) : Progress::kDone;
      if (!progress || *progress == Progress::kMore) return progress;
      node.work.kind = Work::Kind::kNone;
    }
  }
  return Progress::kDone;
}

Result<Progress> Chain::call(Node& node) {
  Operator& op = *node.op.instance;
  Outputs& outputs = node.op.outputs;
  return guard(node.index, [&]() -> Result<Progress> {
    switch (node.work.kind) {
      case Work::Kind::kBatch:
        return op.process(node.work.input, *node.work.cursor, outputs);
      case Work::Kind::kWatermark:
        return op.on_watermark(node.work.time, outputs);
      case Work::Kind::kTimer:
        return op.on_timer(node.work.time, outputs);
      case Work::Kind::kFinish:
        return op.finish(outputs);
      case Work::Kind::kIdle:
        if (node.watermarks) node.watermarks->mark_idle();
        break;
      case Work::Kind::kGiven:
      case Work::Kind::kNone:
        break;
    }
    return Progress::kDone;
  });
}

Result<Progress> Chain::deliver(Node& node) {
  for (; node.consumer < node.op.consumers.size(); ++node.consumer) {
    const ChainLink& link = node.op.consumers[node.consumer];
    if (node.op.outputs.batch(link.output)->empty()) continue;
    Result<Progress> progress = deliver_to(node, link);
    if (!progress || *progress == Progress::kMore) return progress;
    node.consumer_started = false;
  }
  node.op.outputs.clear();
  node.consumer = 0;
  node.delivering = false;
  return Progress::kDone;
}

Result<Progress> Chain::deliver_to(Node& node, const ChainLink& link) {
  BatchPtr& batch = node.op.outputs.batch(link.output);
  bool shared = !batch.unique();
  for (std::size_t later = node.consumer + 1; later < node.op.consumers.size(); ++later) {
    shared = shared || node.op.consumers[later].output == link.output;
  }
  if (Outlet* const* outlet = std::get_if<Outlet*>(&link.to)) {
    if (!(*outlet)->ready()) return Progress::kMore;
    // It calls the user's key selector or partitioner.
    return guard(node.index, [&]() -> Result<Progress> {
      (*outlet)->write(batch, shared);
      return Progress::kDone;
    });
  }
  Node& next = nodes_[std::get<std::size_t>(link.to)];
  if (!node.consumer_started) {
    next.cursor = {.batch = &*batch, .next = 0, .shared = shared};
    begin(next, {.kind = Work::Kind::kBatch, .cursor = &next.cursor});
    node.consumer_started = true;
  }
  return advance(next);
}

bool Chain::goes_on(const Node& node) {
  switch (node.work.kind) {
    case Work::Kind::kWatermark:
      return node.watermarks == nullptr || node.work.time == kMaxTimestamp;
    case Work::Kind::kIdle:
    case Work::Kind::kFinish:
      return true;
    default:
      return false;
  }
}

// Watermarks, idleness and the end of the input go on to every consumer once the operator is done
// with them.
Result<Progress> Chain::forward(Node& node, const Work& work) {
  for (; node.consumer < node.op.consumers.size(); ++node.consumer) {
    const ChainLink& link = node.op.consumers[node.consumer];
    if (Outlet* const* outlet = std::get_if<Outlet*>(&link.to)) {
      leave(**outlet, work);
      continue;
    }
    Node& next = nodes_[std::get<std::size_t>(link.to)];
    if (!std::exchange(node.consumer_started, true)) begin(next, work);
    Result<Progress> progress = advance(next);
    if (!progress || *progress == Progress::kMore) return progress;
    node.consumer_started = false;
  }
  return Progress::kDone;
}

Result<Progress> Chain::forward_own_watermark(Node& node) {
  Result<Progress> progress =
      forward(node, {.kind = Work::Kind::kWatermark, .time = *node.watermark});
  if (!progress || *progress == Progress::kMore) return progress;
  node.watermark.reset();
  node.consumer = 0;
  return progress;
}

void Chain::leave(Outlet& outlet, const Work& work) {
  switch (work.kind) {
    case Work::Kind::kWatermark:
      return outlet.watermark(work.time);
    case Work::Kind::kIdle:
      return outlet.mark_idle();
    default:
      return outlet.finish();
  }
}

}  // namespace millrace::detail
