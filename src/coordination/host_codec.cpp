#include "millrace/coordination/host_codec.h"

#include <capnp/message.h>

#include <map>
#include <optional>

#include "millrace/coordination/control_message.h"
#include "millrace/core/codec/codec.h"
#include "millrace/schemas/control.capnp.h"

namespace millrace::detail {

// What a subtask goes on from, as plain records.
struct RestoredPieces {
  std::optional<std::map<std::string, StatePiece>> pieces;
  std::vector<KeyedSnapshot> keyed;
};
struct RestoredRecord {
  bool finished = false;
  std::vector<RestoredPieces> operators;
  std::vector<StoredFile> in_flight;
};

namespace {

capnp::Text::Reader text(const std::string& value) { return {value.c_str(), value.size()}; }
std::string read(capnp::Text::Reader value) { return {value.begin(), value.size()}; }
std::string_view view(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}

// --- state, as records ---

RestoredRecord record_of(const RestoredTask& task) {
  RestoredRecord record{.finished = task.finished, .operators = {}, .in_flight = task.in_flight};
  for (const RestoredOperator& restored : task.operators) {
    RestoredPieces& pieces = record.operators.emplace_back();
    pieces.keyed = restored.keyed;
    if (!restored.snapshot) continue;
    const Snapshot::Pieces& all = restored.snapshot->pieces();
    pieces.pieces.emplace(all.begin(), all.end());
  }
  return record;
}

RestoredTask task_of(RestoredRecord record) {
  RestoredTask task{
      .finished = record.finished, .operators = {}, .in_flight = std::move(record.in_flight)};
  for (RestoredPieces& pieces : record.operators) {
    RestoredOperator& restored = task.operators.emplace_back();
    restored.keyed = std::move(pieces.keyed);
    if (!pieces.pieces) continue;
    restored.snapshot.emplace(Snapshot::Pieces(pieces.pieces->begin(), pieces.pieces->end()));
  }
  return task;
}

// --- writing ---

// Keeps the first value that could not be encoded.
class Writer {
 public:
  template <class T, class Set>
  void record(const T& value, const Set& set) {
    Result<std::string> bytes = encode_value(value);
    if (!bytes) return (void)(status_ ? status_ = bytes.error() : status_);
    set(capnp::Data::Reader(reinterpret_cast<const kj::byte*>(bytes->data()), bytes->size()));
  }

  void write(wire::HostCommand::Builder out, const OpenTasks& open) {
    auto order = out.initOpen();
    order.setAttempt(open.attempt.value());
    order.setEpoch(open.epoch);
    order.setCheckpoint(open.checkpoint.value_or(CheckpointId(0)).value());
    order.setOrigin(text(open.origin));
    auto tasks = order.initTasks(static_cast<unsigned>(open.tasks.size()));
    for (unsigned i = 0; i < tasks.size(); ++i) {
      tasks[i].setSubtask(open.tasks[i].subtask.value());
      record(record_of(open.tasks[i].restored),
             [&](capnp::Data::Reader data) { tasks[i].setRestored(data); });
    }
    auto enumerators = order.initEnumerators(static_cast<unsigned>(open.enumerators.size()));
    for (unsigned i = 0; i < enumerators.size(); ++i) {
      enumerators[i].setTask(open.enumerators[i].task.value());
      if (!open.enumerators[i].restored) continue;
      record(*open.enumerators[i].restored,
             [&](capnp::Data::Reader data) { enumerators[i].setSplits(data); });
    }
    auto hosts = order.initHosts(static_cast<unsigned>(open.hosts.size()));
    for (unsigned i = 0; i < hosts.size(); ++i) write(hosts[i], open.hosts[i]);
    auto elsewhere = order.initElsewhere(static_cast<unsigned>(open.elsewhere.size()));
    for (unsigned i = 0; i < elsewhere.size(); ++i) {
      elsewhere[i].setSubtask(open.elsewhere[i].subtask.value());
      elsewhere[i].setHost(open.elsewhere[i].host);
    }
  }
  void write(wire::HostCommand::Builder out, const StartTasks& start) {
    out.setStart(start.attempt.value());
  }
  void write(wire::HostCommand::Builder out, const CloseTasks& close) {
    out.setClose(close.attempt.value());
  }
  void write(wire::HostCommand::Builder out, const Trigger& trigger) {
    auto barrier = out.initTrigger();
    barrier.setCheckpoint(trigger.barrier.checkpoint.value());
    barrier.setCompleted(trigger.barrier.completed.value());
    barrier.setOvertakesAt(trigger.barrier.overtakes_at.time_since_epoch().count());
    barrier.setSavepoint(trigger.barrier.savepoint != nullptr);
    if (trigger.barrier.savepoint == nullptr) return;
    barrier.setPath(text(trigger.barrier.savepoint->path));
    barrier.setStops(trigger.barrier.savepoint->stops);
  }
  void write(wire::HostCommand::Builder out, const CompleteCheckpoint& complete) {
    out.setComplete(complete.checkpoint.value());
  }
  void write(wire::HostCommand::Builder out, const AbortCheckpoint& abort) {
    out.setAbort(abort.checkpoint.value());
  }
  void write(wire::HostCommand::Builder out, const ResumeSources&) { out.setResume(); }
  void write(wire::HostCommand::Builder out, const Drain&) { out.setDrain(); }

  void write(wire::HostReport::Builder out, const TaskOpened& opened) {
    out.setAttempt(opened.from.attempt.value());
    out.setOpened(opened.from.subtask.value());
  }
  void write(wire::HostReport::Builder out, const TaskFinished& finished) {
    out.setAttempt(finished.from.attempt.value());
    out.setFinished(finished.from.subtask.value());
  }
  void write(wire::HostReport::Builder out, const TaskClosed& closed) {
    out.setAttempt(closed.from.attempt.value());
    out.setClosed(closed.from.subtask.value());
  }
  void write(wire::HostReport::Builder out, const TaskFailed& failed) {
    out.setAttempt(failed.from.attempt.value());
    auto to = out.initFailed();
    to.setSubtask(failed.from.subtask.value());
    write(to.initError(), failed.error);
    to.setLostPeer(failed.lost_peer);
  }
  void write(wire::HostReport::Builder out, const EnumeratorFailed& failed) {
    out.setAttempt(failed.from.attempt.value());
    auto to = out.initEnumeratorFailed();
    to.setTask(failed.from.task.value());
    write(to.initError(), failed.error);
  }
  void write(wire::HostReport::Builder out, const CheckpointAcknowledged& acknowledged) {
    out.setAttempt(acknowledged.from.attempt.value());
    auto to = out.initAcknowledged();
    to.setSubtask(acknowledged.from.subtask.value());
    to.setCheckpoint(acknowledged.checkpoint.value());
    to.setSavepoint(acknowledged.savepoint);
    record(acknowledged.snapshot, [&](capnp::Data::Reader data) { to.setSnapshot(data); });
  }
  void write(wire::HostReport::Builder out, const CheckpointDeclined& declined) {
    out.setAttempt(declined.from.attempt.value());
    auto to = out.initDeclined();
    to.setSubtask(declined.from.subtask.value());
    to.setCheckpoint(declined.checkpoint.value());
    to.setHasError(declined.error.has_value());
    if (declined.error) write(to.initError(), *declined.error);
  }
  void write(wire::HostReport::Builder out, const CheckpointCommitted& committed) {
    out.setAttempt(committed.from.attempt.value());
    auto to = out.initCommitted();
    to.setSubtask(committed.from.subtask.value());
    to.setCheckpoint(committed.checkpoint.value());
  }
  void write(wire::HostReport::Builder out, const SplitsAcknowledged& acknowledged) {
    out.setAttempt(acknowledged.from.attempt.value());
    auto to = out.initSplits();
    to.setTask(acknowledged.from.task.value());
    to.setCheckpoint(acknowledged.checkpoint.value());
    if (!acknowledged.splits) return;
    record(*acknowledged.splits, [&](capnp::Data::Reader data) { to.setSplits(data); });
  }

  void write(wire::HostReport::Builder out, const HostReady& ready) {
    auto to = out.initReady();
    write(to.initAddress(), ready.address);
    to.setPlan(ready.plan);
    to.setTriggered(ready.triggered.value());
    to.setDrained(ready.drained);
    auto tasks = to.initTasks(static_cast<unsigned>(ready.tasks.size()));
    for (unsigned i = 0; i < tasks.size(); ++i) {
      tasks[i].setSubtask(ready.tasks[i].task.subtask.value());
      tasks[i].setAttempt(ready.tasks[i].task.attempt.value());
      tasks[i].setCondition(static_cast<std::uint8_t>(ready.tasks[i].condition));
    }
  }

  void write(wire::HostReport::Builder out, const HostProgress& progress) {
    auto tasks = out.initProgress(static_cast<unsigned>(progress.tasks.size()));
    for (unsigned i = 0; i < tasks.size(); ++i) {
      const TaskProgress& task = progress.tasks[i];
      tasks[i].setSubtask(task.task.subtask.value());
      tasks[i].setAttempt(task.task.attempt.value());
      tasks[i].setRecordsIn(task.records_in);
      tasks[i].setRecordsOut(task.records_out);
    }
  }

  const Status& status() const { return status_; }

 private:
  static void write(wire::HostAddress::Builder out, const HostAddress& address) {
    out.setIdentity(text(address.identity));
    out.setHost(text(address.host));
    out.setPort(address.port);
  }
  static void write(wire::Failure::Builder out, const Error& error) {
    out.setCode(static_cast<std::uint16_t>(error.code()));
    out.setMessage(text(error.message()));
  }

  Status status_;
};

template <class Root, class Message>
Result<std::string> encode_as(const Message& message) {
  capnp::MallocMessageBuilder builder;
  auto root = builder.initRoot<Root>();
  Writer writer;
  std::visit([&](const auto& alternative) { writer.write(root, alternative); }, message);
  if (!writer.status()) return writer.status().error().with_context("a control message");
  return bytes_of(builder);
}

// --- reading ---

Error error_of(wire::Failure::Reader in) {
  return error_that_came(in.getCode(), read(in.getMessage()));
}

template <class T>
Result<T> record_in(capnp::Data::Reader data) {
  T value{};
  Status decoded = decode_value(view(data), value);
  if (!decoded) return malformed_control(decoded.error().message());
  return value;
}

Result<std::optional<StatePiece>> piece_in(capnp::Data::Reader data) {
  if (data.size() == 0) return std::optional<StatePiece>();
  Result<StatePiece> piece = record_in<StatePiece>(data);
  if (!piece) return piece.error();
  if (piece->redistribution > Redistribution::kCopy)
    return malformed_control("an unknown redistribution");
  return std::optional(*std::move(piece));
}

HostAddress address_in(wire::HostAddress::Reader in) {
  return {read(in.getIdentity()), read(in.getHost()), in.getPort()};
}

Result<HostCommand> open_in(wire::OpenTasks::Reader in) {
  OpenTasks open{.attempt = AttemptId(in.getAttempt()),
                 .epoch = in.getEpoch(),
                 .origin = read(in.getOrigin())};
  if (in.getCheckpoint() != 0) open.checkpoint = CheckpointId(in.getCheckpoint());
  for (const auto& task : in.getTasks()) {
    Result<RestoredRecord> record = record_in<RestoredRecord>(task.getRestored());
    if (!record) return record.error();
    open.tasks.push_back({SubtaskId(task.getSubtask()), task_of(*std::move(record))});
  }
  for (const auto& enumerator : in.getEnumerators()) {
    Result<std::optional<StatePiece>> splits = piece_in(enumerator.getSplits());
    if (!splits) return splits.error();
    open.enumerators.push_back({TaskId(enumerator.getTask()), *std::move(splits)});
  }
  for (const auto& host : in.getHosts()) open.hosts.push_back(address_in(host));
  for (const auto& task : in.getElsewhere()) {
    if (task.getHost() >= open.hosts.size())
      return malformed_control("a task is on no host of the region");
    open.elsewhere.push_back({SubtaskId(task.getSubtask()), task.getHost()});
  }
  return HostCommand(std::move(open));
}

Trigger trigger_in(wire::Barrier::Reader in) {
  Trigger trigger{{.checkpoint = CheckpointId(in.getCheckpoint()),
                   .completed = CheckpointId(in.getCompleted()),
                   .overtakes_at = Timestamp(Duration(in.getOvertakesAt()))}};
  if (in.getSavepoint()) {
    trigger.barrier.savepoint =
        std::make_shared<const SavepointNotice>(SavepointNotice{read(in.getPath()), in.getStops()});
  }
  return trigger;
}

Result<HostCommand> command_in(wire::HostCommand::Reader in) {
  switch (in.which()) {
    case wire::HostCommand::OPEN:
      return open_in(in.getOpen());
    case wire::HostCommand::START:
      return HostCommand(StartTasks{AttemptId(in.getStart())});
    case wire::HostCommand::CLOSE:
      return HostCommand(CloseTasks{AttemptId(in.getClose())});
    case wire::HostCommand::TRIGGER:
      return HostCommand(trigger_in(in.getTrigger()));
    case wire::HostCommand::COMPLETE:
      return HostCommand(CompleteCheckpoint{CheckpointId(in.getComplete())});
    case wire::HostCommand::ABORT:
      return HostCommand(AbortCheckpoint{CheckpointId(in.getAbort())});
    case wire::HostCommand::RESUME:
      return HostCommand(ResumeSources());
    case wire::HostCommand::DRAIN:
      return HostCommand(Drain());
  }
  return malformed_control("an unknown command");
}

Result<HostReport> acknowledged_in(AttemptId attempt, wire::Acknowledged::Reader in) {
  Result<TaskSnapshot> snapshot = record_in<TaskSnapshot>(in.getSnapshot());
  if (!snapshot) return snapshot.error();
  return HostReport(CheckpointAcknowledged{{SubtaskId(in.getSubtask()), attempt},
                                           CheckpointId(in.getCheckpoint()),
                                           *std::move(snapshot),
                                           in.getSavepoint()});
}

HostReport declined_in(AttemptId attempt, wire::Declined::Reader in) {
  CheckpointDeclined declined{
      {SubtaskId(in.getSubtask()), attempt}, CheckpointId(in.getCheckpoint()), std::nullopt};
  if (in.getHasError()) declined.error = error_of(in.getError());
  return declined;
}

Result<HostReport> splits_in(AttemptId attempt, wire::Splits::Reader in) {
  Result<std::optional<StatePiece>> splits = piece_in(in.getSplits());
  if (!splits) return splits.error();
  return HostReport(SplitsAcknowledged{
      {TaskId(in.getTask()), attempt}, CheckpointId(in.getCheckpoint()), *std::move(splits)});
}

Result<HostReport> ready_in(wire::Ready::Reader in) {
  HostReady ready{.address = address_in(in.getAddress()),
                  .plan = in.getPlan(),
                  .triggered = CheckpointId(in.getTriggered()),
                  .drained = in.getDrained()};
  for (const auto& task : in.getTasks()) {
    const TaskCondition condition{task.getCondition()};
    if (condition > TaskCondition::kClosing)
      return malformed_control("an unknown condition of a task");
    ready.tasks.push_back(
        {{SubtaskId(task.getSubtask()), AttemptId(task.getAttempt())}, condition});
  }
  return HostReport(std::move(ready));
}

HostReport progress_in(capnp::List<wire::TaskProgress>::Reader in) {
  HostProgress progress;
  for (const auto& task : in) {
    progress.tasks.push_back({.task = {SubtaskId(task.getSubtask()), AttemptId(task.getAttempt())},
                              .records_in = task.getRecordsIn(),
                              .records_out = task.getRecordsOut()});
  }
  return progress;
}

Result<HostReport> report_in(wire::HostReport::Reader in) {
  const AttemptId attempt(in.getAttempt());
  const auto task = [&](std::uint32_t subtask) { return TaskAddress{SubtaskId(subtask), attempt}; };
  switch (in.which()) {
    case wire::HostReport::OPENED:
      return HostReport(TaskOpened{task(in.getOpened())});
    case wire::HostReport::FINISHED:
      return HostReport(TaskFinished{task(in.getFinished())});
    case wire::HostReport::CLOSED:
      return HostReport(TaskClosed{task(in.getClosed())});
    case wire::HostReport::FAILED: {
      const auto failed = in.getFailed();
      return HostReport(
          TaskFailed{task(failed.getSubtask()), error_of(failed.getError()), failed.getLostPeer()});
    }
    case wire::HostReport::ACKNOWLEDGED:
      return acknowledged_in(attempt, in.getAcknowledged());
    case wire::HostReport::DECLINED:
      return declined_in(attempt, in.getDeclined());
    case wire::HostReport::COMMITTED:
      return HostReport(CheckpointCommitted{task(in.getCommitted().getSubtask()),
                                            CheckpointId(in.getCommitted().getCheckpoint())});
    case wire::HostReport::ENUMERATOR_FAILED: {
      const auto failed = in.getEnumeratorFailed();
      return HostReport(
          EnumeratorFailed{{TaskId(failed.getTask()), attempt}, error_of(failed.getError())});
    }
    case wire::HostReport::SPLITS:
      return splits_in(attempt, in.getSplits());
    case wire::HostReport::READY:
      return ready_in(in.getReady());
    case wire::HostReport::PROGRESS:
      return progress_in(in.getProgress());
  }
  return malformed_control("an unknown report");
}

}  // namespace

Result<std::string> encode(const HostCommand& command) {
  return encode_as<wire::HostCommand>(command);
}

Result<std::string> encode(const HostReport& report) { return encode_as<wire::HostReport>(report); }

Result<HostCommand> decode_host_command(std::string_view bytes) {
  return read_control_as<wire::HostCommand, HostCommand>(bytes, command_in);
}

Result<HostReport> decode_host_report(std::string_view bytes) {
  return read_control_as<wire::HostReport, HostReport>(bytes, report_in);
}

}  // namespace millrace::detail
