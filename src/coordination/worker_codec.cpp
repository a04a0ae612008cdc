#include "millrace/coordination/worker_codec.h"

#include <capnp/message.h>

#include "millrace/coordination/control_message.h"
#include "millrace/core/sha256.h"
#include "millrace/core/text.h"
#include "millrace/schemas/control.capnp.h"

namespace millrace::detail {
namespace {

capnp::Text::Reader text(const std::string& value) { return {value.c_str(), value.size()}; }
capnp::Data::Reader blob(std::string_view value) {
  return {reinterpret_cast<const kj::byte*>(value.data()), value.size()};
}
std::string read(capnp::Text::Reader value) { return {value.begin(), value.size()}; }
std::string read(capnp::Data::Reader value) {
  return {reinterpret_cast<const char*>(value.begin()), value.size()};
}

// --- writing ---

void write(wire::HostId::Builder out, const HostId& host) {
  out.setJob(text(host.job));
  out.setNumber(host.number);
}

void write(wire::Failure::Builder out, const Error& error) {
  out.setCode(static_cast<std::uint16_t>(error.code()));
  out.setMessage(text(error.message()));
}

void write(wire::WorkerCommand::Builder out, const StartHost& start) {
  auto to = out.initStart();
  write(to.initHost(), start.host);
  to.setArtifact(text(start.artifact));
  to.setArtifactBytes(start.artifact_bytes);
  auto arguments = to.initArguments(static_cast<unsigned>(start.arguments.size()));
  for (unsigned i = 0; i < arguments.size(); ++i) arguments.set(i, text(start.arguments[i]));
  to.setDirectory(text(start.directory));
  to.setPlan(blob(start.plan));
  auto settings = to.initSettings(static_cast<unsigned>(start.settings.size()));
  for (unsigned i = 0; i < settings.size(); ++i) {
    settings[i].setKey(text(start.settings[i].key));
    settings[i].setText(text(start.settings[i].text));
  }
  to.setCoordinator(text(start.coordinator));
  to.setCheckpoints(text(start.checkpoints));
}

void write(wire::WorkerCommand::Builder out, const StopHost& stop) {
  write(out.initStop(), stop.host);
}

void write(wire::WorkerCommand::Builder out, const RedirectHost& redirect) {
  auto to = out.initRedirect();
  write(to.initHost(), redirect.host);
  to.setEpoch(redirect.epoch.value());
  to.setCoordinator(text(redirect.coordinator));
}

void write(wire::WorkerCommand::Builder out, const ArtifactPart& part) {
  auto to = out.initPart();
  to.setArtifact(text(part.artifact));
  to.setOffset(part.offset);
  to.setBytes(blob(part.bytes));
  to.setHasError(part.error.has_value());
  if (part.error) write(to.initError(), *part.error);
}

void write(wire::WorkerCommand::Builder out, const ReadLog& read) {
  auto to = out.initReadLog();
  to.setRequest(read.request);
  to.setJob(text(read.job));
  to.setBytes(read.bytes);
}

void write(wire::WorkerReport::Builder out, const RegisterWorker& worker) {
  auto to = out.initRegister();
  to.setSlots(worker.slots);
  auto hosts = to.initHosts(static_cast<unsigned>(worker.hosts.size()));
  for (unsigned i = 0; i < hosts.size(); ++i) write(hosts[i], worker.hosts[i]);
}

void write(wire::WorkerReport::Builder out, const HostEnded& ended) {
  auto to = out.initEnded();
  write(to.initHost(), ended.host);
  write(to.initError(), ended.error);
}

void write(wire::WorkerReport::Builder out, const FetchArtifact& fetch) {
  auto to = out.initFetch();
  to.setArtifact(text(fetch.artifact));
  to.setOffset(fetch.offset);
}

void write(wire::WorkerReport::Builder out, const LogRead& log) {
  auto to = out.initLogRead();
  to.setRequest(log.request);
  to.setText(blob(log.text));
}

template <class Root, class Message>
std::string encode_as(const Message& message) {
  capnp::MallocMessageBuilder builder;
  auto root = builder.initRoot<Root>();
  std::visit([&](const auto& alternative) { write(root, alternative); }, message);
  return bytes_of(builder);
}

// --- reading ---

Error error_of(wire::Failure::Reader in) {
  return error_that_came(in.getCode(), read(in.getMessage()));
}

Result<HostId> host_in(wire::HostId::Reader in) {
  HostId host{read(in.getJob()), in.getNumber()};
  const Result<HostId> parsed = parse_host_id(to_string(host));
  if (!parsed) return malformed_control(parsed.error().message());
  return host;
}

Result<std::string> artifact_in(capnp::Text::Reader in) {
  std::string artifact = read(in);
  if (is_sha256(artifact)) return artifact;
  return malformed_control(concat(in_quotes(artifact), " is no SHA-256"));
}

Result<WorkerCommand> start_in(wire::StartHost::Reader in) {
  Result<HostId> host = host_in(in.getHost());
  if (!host) return host.error();
  Result<std::string> artifact = artifact_in(in.getArtifact());
  if (!artifact) return artifact.error();
  StartHost start{.host = *std::move(host),
                  .artifact = *std::move(artifact),
                  .artifact_bytes = in.getArtifactBytes(),
                  .directory = read(in.getDirectory()),
                  .plan = read(in.getPlan()),
                  .coordinator = read(in.getCoordinator()),
                  .checkpoints = read(in.getCheckpoints())};
  for (const auto& argument : in.getArguments()) start.arguments.push_back(read(argument));
  for (const auto& setting : in.getSettings()) {
    start.settings.push_back({read(setting.getKey()), read(setting.getText())});
  }
  return WorkerCommand(std::move(start));
}

Result<WorkerCommand> stop_in(wire::HostId::Reader in) {
  Result<HostId> host = host_in(in);
  if (!host) return host.error();
  return WorkerCommand(StopHost{*std::move(host)});
}

Result<WorkerCommand> redirect_in(wire::RedirectHost::Reader in) {
  Result<HostId> host = host_in(in.getHost());
  if (!host) return host.error();
  return WorkerCommand(
      RedirectHost{*std::move(host), LeaderEpoch(in.getEpoch()), read(in.getCoordinator())});
}

Result<WorkerCommand> part_in(wire::ArtifactPart::Reader in) {
  Result<std::string> artifact = artifact_in(in.getArtifact());
  if (!artifact) return artifact.error();
  ArtifactPart part{
      .artifact = *std::move(artifact), .offset = in.getOffset(), .bytes = read(in.getBytes())};
  if (in.getHasError()) part.error = error_of(in.getError());
  return WorkerCommand(std::move(part));
}

Result<WorkerCommand> read_log_in(wire::ReadLog::Reader in) {
  const Result<HostId> any = parse_host_id(to_string(HostId{read(in.getJob()), 1}));
  if (!any) return malformed_control(concat(in_quotes(read(in.getJob())), " names no job"));
  return WorkerCommand(ReadLog{in.getRequest(), any->job, in.getBytes()});
}

Result<WorkerCommand> command_in(wire::WorkerCommand::Reader in) {
  switch (in.which()) {
    case wire::WorkerCommand::START:
      return start_in(in.getStart());
    case wire::WorkerCommand::STOP:
      return stop_in(in.getStop());
    case wire::WorkerCommand::REDIRECT:
      return redirect_in(in.getRedirect());
    case wire::WorkerCommand::PART:
      return part_in(in.getPart());
    case wire::WorkerCommand::READ_LOG:
      return read_log_in(in.getReadLog());
  }
  return malformed_control("an unknown command to a worker");
}

Result<WorkerReport> register_in(wire::RegisterWorker::Reader in) {
  RegisterWorker worker{.slots = in.getSlots()};
  for (const auto& entry : in.getHosts()) {
    Result<HostId> host = host_in(entry);
    if (!host) return host.error();
    worker.hosts.push_back(*std::move(host));
  }
  return WorkerReport(std::move(worker));
}

Result<WorkerReport> ended_in(wire::HostEnded::Reader in) {
  Result<HostId> host = host_in(in.getHost());
  if (!host) return host.error();
  return WorkerReport(HostEnded{*std::move(host), error_of(in.getError())});
}

Result<WorkerReport> fetch_in(wire::FetchArtifact::Reader in) {
  Result<std::string> artifact = artifact_in(in.getArtifact());
  if (!artifact) return artifact.error();
  return WorkerReport(FetchArtifact{*std::move(artifact), in.getOffset()});
}

Result<WorkerReport> report_in(wire::WorkerReport::Reader in) {
  switch (in.which()) {
    case wire::WorkerReport::REGISTER:
      return register_in(in.getRegister());
    case wire::WorkerReport::ENDED:
      return ended_in(in.getEnded());
    case wire::WorkerReport::FETCH:
      return fetch_in(in.getFetch());
    case wire::WorkerReport::LOG_READ:
      return WorkerReport(LogRead{in.getLogRead().getRequest(), read(in.getLogRead().getText())});
  }
  return malformed_control("an unknown report of a worker");
}

}  // namespace

Result<std::string> encode(const WorkerCommand& command) {
  return encode_as<wire::WorkerCommand>(command);
}

Result<std::string> encode(const WorkerReport& report) {
  return encode_as<wire::WorkerReport>(report);
}

Result<WorkerCommand> decode_worker_command(std::string_view bytes) {
  return read_control_as<wire::WorkerCommand, WorkerCommand>(bytes, command_in);
}

Result<WorkerReport> decode_worker_report(std::string_view bytes) {
  return read_control_as<wire::WorkerReport, WorkerReport>(bytes, report_in);
}

}  // namespace millrace::detail
