#include "millrace/coordination/dispatcher.h"

#include <algorithm>
#include <utility>

#include "millrace/core/text.h"

namespace millrace::detail {

using Commands = Dispatcher::Commands;

// What is not in its list any more has ended while nobody was told.
Commands Dispatcher::worker_came(const std::string& worker, std::uint32_t slots,
                                 const std::vector<HostId>& hosts) {
  Commands commands;
  const auto runs = [&](const HostId& host) {
    return std::ranges::find(hosts, host) != hosts.end();
  };
  std::uint32_t taken = 0;
  for (auto& [id, job] : jobs_) {
    taken += static_cast<std::uint32_t>(std::ranges::count(job.slots, worker));
    const auto host = job.hosts.find(worker);
    if (host == job.hosts.end() || runs(host->second)) continue;
    commands.push_back(MissHost{host->second, unavailable("its process has ended unseen")});
    job.hosts.erase(host);
  }
  std::ranges::move(forget_found(worker, hosts, unavailable("its process has ended unseen")),
                    std::back_inserter(commands));
  for (const HostId& host : hosts) {
    if (is_ours(worker, host)) continue;
    if (!is_undecided(host.job)) {
      commands.push_back(EndHost{worker, host});
      continue;
    }
    found_[host] = worker;
    if (sought_.contains(host.job)) commands.push_back(MoveHost{worker, host});
  }
  workers_[worker] = {slots, slots > taken ? slots - taken : 0};
  std::ranges::move(settle(), std::back_inserter(commands));
  return commands;
}

Commands Dispatcher::worker_lost(const std::string& worker, const Error& error) {
  Commands commands;
  if (workers_.erase(worker) == 0) return commands;
  for (auto& [id, job] : jobs_) {
    job.homes.resize(job.slots.size());
    for (std::size_t slot = 0; slot < job.slots.size(); ++slot) {
      if (job.slots[slot] == worker) job.homes[slot] = std::exchange(job.slots[slot], {});
    }
    const auto host = job.hosts.extract(worker);
    if (!host.empty()) commands.push_back(MissHost{host.mapped(), error});
  }
  std::ranges::move(forget_found(worker, {}, error), std::back_inserter(commands));
  std::ranges::move(settle(), std::back_inserter(commands));
  return commands;
}

Commands Dispatcher::host_ended(const std::string& worker, const HostId& host, const Error& error) {
  const bool found = found_.erase(host) > 0 && sought_.contains(host.job);
  if (found) return {MissHost{host, error}};
  if (!is_ours(worker, host)) return {};
  jobs_[host.job].hosts.erase(worker);
  return {MissHost{host, error}};
}

// --- hosts of another leader ---

bool Dispatcher::is_undecided(const std::string& job) const {
  return expected_.contains(job) || (!knows_jobs_ && !jobs_.contains(job));
}

// Those of the worker that are not there any more.
Commands Dispatcher::forget_found(const std::string& worker, const std::vector<HostId>& still,
                                  const Error& error) {
  Commands commands;
  std::erase_if(found_, [&](const auto& entry) {
    const auto& [host, at] = entry;
    if (at != worker || std::ranges::find(still, host) != still.end()) return false;
    if (sought_.contains(host.job)) commands.push_back(MissHost{host, error});
    return true;
  });
  return commands;
}

Commands Dispatcher::jobs_known() {
  knows_jobs_ = true;
  Commands commands;
  std::erase_if(found_, [&](const auto& entry) {
    const auto& [host, worker] = entry;
    if (is_undecided(host.job)) return false;
    commands.push_back(EndHost{worker, host});
    return true;
  });
  std::ranges::move(settle(), std::back_inserter(commands));
  return commands;
}

Commands Dispatcher::seek_hosts(const std::string& job) {
  sought_.insert(job);
  Commands commands;
  for (const auto& [host, worker] : found_) {
    if (host.job == job) commands.push_back(MoveHost{worker, host});
  }
  return commands;
}

// What was found of the job and is no use to it.
Commands Dispatcher::end_found(const std::string& job) {
  expected_.erase(job);
  sought_.erase(job);
  Commands commands;
  std::erase_if(found_, [&](const auto& entry) {
    if (entry.first.job != job) return false;
    commands.push_back(EndHost{entry.second, entry.first});
    return true;
  });
  return commands;
}

Commands Dispatcher::keep_hosts(const std::string& id, const std::vector<HostId>& host_of_slot) {
  if (!host_of_slot.empty()) keep(id, host_of_slot);
  Commands commands = end_found(id);
  std::ranges::move(settle(), std::back_inserter(commands));
  return commands;
}

// Where its worker has gone in the meantime its slot is empty, and the job is about to learn why.
void Dispatcher::keep(const std::string& id, const std::vector<HostId>& host_of_slot) {
  if (!jobs_.contains(id)) order_.push_back(id);
  Job& job = jobs_[id];
  for (const HostId& host : host_of_slot) {
    const auto found = found_.find(host);
    const std::string worker = found == found_.end() ? std::string() : found->second;
    job.slots.push_back(worker);
    if (worker.empty()) continue;
    job.hosts.insert_or_assign(worker, host);
    std::uint32_t& free = workers_[worker].free;
    free = std::max(free, 1U) - 1;
  }
  for (const auto& [worker, host] : job.hosts) found_.erase(host);
}

Commands Dispatcher::give_up_host(const HostId& host) {
  const auto job = jobs_.find(host.job);
  if (job == jobs_.end()) return {};
  for (const auto& [worker, known] : job->second.hosts) {
    if (known != host) continue;
    const std::string at = worker;
    job->second.hosts.erase(at);
    return {EndHost{at, host}};
  }
  return {};
}

// --- slots ---

bool Dispatcher::is_ours(const std::string& worker, const HostId& host) const {
  const auto job = jobs_.find(host.job);
  if (job == jobs_.end()) return false;
  const auto known = job->second.hosts.find(worker);
  return known != job->second.hosts.end() && known->second == host;
}

Commands Dispatcher::need_slots(const std::string& id, std::uint32_t slots) {
  if (!jobs_.contains(id)) order_.push_back(id);
  Job& job = jobs_[id];
  job.slots.resize(slots);
  job.waits = true;
  job.told.clear();
  return settle();
}

Commands Dispatcher::release(const std::string& id) {
  Commands commands = end_found(id);
  const auto job = jobs_.find(id);
  if (job == jobs_.end()) {
    std::ranges::move(settle(), std::back_inserter(commands));
    return commands;
  }
  for (const auto& [worker, host] : job->second.hosts) commands.push_back(EndHost{worker, host});
  free_slots(job->second);
  jobs_.erase(job);
  std::erase(order_, id);
  std::ranges::move(settle(), std::back_inserter(commands));
  return commands;
}

std::vector<std::string> Dispatcher::workers_of(const std::string& id) const {
  const auto job = jobs_.find(id);
  return job == jobs_.end() ? std::vector<std::string>() : job->second.slots;
}

Commands Dispatcher::settle() {
  Commands commands;
  if (!knows_jobs_ || !expected_.empty()) return commands;
  for (const std::string& id : order_) {
    Job& job = jobs_[id];
    if (job.waits) give_slots(id, job, commands);
  }
  return commands;
}

void Dispatcher::give_slots(const std::string& id, Job& job, Commands& commands) {
  const auto missing = static_cast<std::uint32_t>(std::ranges::count(job.slots, std::string()));
  if (missing > free_slots()) {
    std::uint32_t all = 0;
    for (const auto& [worker, room] : workers_) all += room.slots;
    std::string reason = concat("it waits for ", job.slots.size(), " slots: ", free_slots(), " of ",
                                all, " in the cluster are free");
    if (job.told != reason) commands.push_back(LackSlots{id, job.told = reason});
    return;
  }
  job.homes.resize(job.slots.size());
  for (std::size_t slot = 0; slot < job.slots.size(); ++slot) {
    const auto home = workers_.find(job.homes[slot]);
    if (job.slots[slot].empty() && home != workers_.end() && home->second.free > 0) {
      take_slot(job, slot, home->first);
    }
  }
  for (std::size_t slot = 0; slot < job.slots.size(); ++slot) {
    if (job.slots[slot].empty()) take_slot(job, slot, roomiest());
  }
  GrantSlots grant{.job = id, .host_of = {}};
  for (const std::string& worker : job.slots) {
    const auto [host, is_new] = job.hosts.try_emplace(worker, HostId{id, next_host_ + 1});
    if (is_new) {
      ++next_host_;
      commands.push_back(LaunchHost{worker, host->second});
    }
    grant.host_of.push_back(host->second);
  }
  job.waits = false;
  commands.push_back(std::move(grant));
}

void Dispatcher::take_slot(Job& job, std::size_t slot, const std::string& worker) {
  job.slots[slot] = worker;
  --workers_[worker].free;
}

void Dispatcher::free_slots(Job& job) {
  for (const std::string& worker : job.slots) {
    const auto room = workers_.find(worker);
    if (room == workers_.end()) continue;
    room->second.free = std::min(room->second.free + 1, room->second.slots);
  }
}

std::uint32_t Dispatcher::free_slots() const {
  std::uint32_t free = 0;
  for (const auto& [worker, room] : workers_) free += room.free;
  return free;
}

std::string Dispatcher::roomiest() const {
  return std::ranges::max_element(workers_, {},
                                  [](const auto& worker) { return worker.second.free; })
      ->first;
}

}  // namespace millrace::detail
