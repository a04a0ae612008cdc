#include "millrace/coordination/worker/worker.h"

#include <algorithm>
#include <utility>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kMostUntold = 1'000;

}  // namespace

WorkerActions Worker::on_leader() {
  has_leader_ = true;
  RegisterWorker worker{.slots = slots_};
  for (const auto& [host, state] : hosts_) worker.hosts.push_back(host);
  WorkerActions out{worker_action::Tell{std::move(worker)}};
  for (HostEnded& ended : untold_) out.push_back(worker_action::Tell{std::move(ended)});
  untold_.clear();
  // What the one before was asked for may never come.
  for (const auto& [artifact, offset] : fetching_) fetch(artifact, offset, out);
  return out;
}

WorkerActions Worker::hear(WorkerCommand command) {
  WorkerActions out;
  std::visit([&](auto& alternative) { follow(alternative, out); }, command);
  return out;
}

// A host that is there already was asked for by another leader, or twice.
void Worker::follow(StartHost& start, WorkerActions& out) {
  const HostId host = start.host;
  const std::string artifact = start.artifact;
  const std::uint64_t bytes = start.artifact_bytes;
  if (hosts_.contains(host)) return;
  const bool looks = !waiting_for(artifact).empty();
  hosts_.emplace(host, Host{std::move(start)});
  if (!looks) out.push_back(worker_action::Look{artifact, bytes});
}

void Worker::follow(StopHost& stop, WorkerActions& out) {
  const auto found = hosts_.find(stop.host);
  if (found == hosts_.end()) {
    return tell_ended({stop.host, cancelled("this worker has no such host")}, out);
  }
  if (found->second.launched) return out.push_back(worker_action::End{stop.host});
  const std::string artifact = found->second.order.artifact;
  drop(stop.host, cancelled("it was stopped before its process was started"), out);
  if (waiting_for(artifact).empty()) fetching_.erase(artifact);
}

void Worker::follow(RedirectHost& redirect, WorkerActions& out) {
  const auto found = hosts_.find(redirect.host);
  if (found == hosts_.end()) return;
  found->second.order.coordinator = redirect.coordinator;
  if (found->second.launched) out.push_back(worker_action::Redirect{std::move(redirect)});
}

void Worker::follow(ArtifactPart& part, WorkerActions& out) {
  if (fetching_.contains(part.artifact)) out.push_back(worker_action::Store{std::move(part)});
}

void Worker::follow(ReadLog& read, WorkerActions& out) {
  out.push_back(worker_action::FindLogs{std::move(read)});
}

WorkerActions Worker::on_artifact(const std::string& artifact,
                                  const Result<ArtifactProgress>& progress) {
  WorkerActions out;
  const std::vector<HostId> waiting = waiting_for(artifact);
  if (waiting.empty()) return out;
  if (progress && !progress->file) {
    fetch(artifact, progress->offset, out);
    return out;
  }
  fetching_.erase(artifact);
  if (progress) {
    launch(artifact, *progress->file, out);
    return out;
  }
  for (const HostId& host : waiting) drop(host, progress.error(), out);
  return out;
}

void Worker::fetch(const std::string& artifact, std::uint64_t offset, WorkerActions& out) {
  fetching_[artifact] = offset;
  if (has_leader_) out.push_back(worker_action::Tell{FetchArtifact{artifact, offset}});
}

void Worker::launch(const std::string& artifact, const std::filesystem::path& file,
                    WorkerActions& out) {
  for (const HostId& id : waiting_for(artifact)) {
    Host& host = hosts_.at(id);
    host.launched = true;
    out.push_back(worker_action::Launch{host.order, file});
  }
}

WorkerActions Worker::on_ended(const HostId& host, const Error& error) {
  WorkerActions out;
  if (hosts_.contains(host)) drop(host, error, out);
  return out;
}

void Worker::drop(const HostId& host, const Error& error, WorkerActions& out) {
  const auto gone = hosts_.extract(host);
  tell_ended({host, error.with_context(concat("host ", to_string(host)))}, out);
  if (!gone.mapped().launched) return;
  out.push_back(worker_action::CleanUp{host, gone.mapped().order.artifact});
}

void Worker::tell_ended(HostEnded ended, WorkerActions& out) {
  if (has_leader_) return out.push_back(worker_action::Tell{std::move(ended)});
  untold_.push_back(std::move(ended));
  if (untold_.size() > kMostUntold) untold_.pop_front();
}

std::vector<HostId> Worker::waiting_for(const std::string& artifact) const {
  std::vector<HostId> waiting;
  for (const auto& [id, host] : hosts_) {
    if (!host.launched && host.order.artifact == artifact) waiting.push_back(id);
  }
  return waiting;
}

std::set<HostId> Worker::hosts() const {
  std::set<HostId> hosts;
  for (const auto& [id, host] : hosts_) hosts.insert(id);
  return hosts;
}

std::set<std::string> Worker::artifacts() const {
  std::set<std::string> artifacts;
  for (const auto& [id, host] : hosts_) artifacts.insert(host.order.artifact);
  return artifacts;
}

}  // namespace millrace::detail
