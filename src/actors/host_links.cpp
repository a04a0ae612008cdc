#include "millrace/actors/host_links.h"

#include <algorithm>

namespace millrace::detail {

void HostLinks::need(AttemptId attempt, const std::set<std::string>& hosts) {
  Links& links = needed_[attempt];
  for (const std::string& host : hosts) links.emplace(host, std::nullopt);
}

void HostLinks::forget(AttemptId attempt) {
  const auto forgotten = needed_.extract(attempt);
  if (forgotten.empty()) return;
  for (const auto& [host, link] : forgotten.mapped()) {
    if (link) left_.insert_or_assign(host, link->id);
  }
}

std::vector<LinkId> HostLinks::take_useless(const std::set<std::string>& hosts) {
  std::vector<LinkId> useless;
  std::erase_if(left_, [&](const auto& entry) {
    const auto& [host, link] = entry;
    if (hosts.contains(host) || !attempts_with(link).empty()) return false;
    useless.push_back(link);
    return true;
  });
  return useless;
}

std::vector<AttemptId> HostLinks::on_up(const std::string& host, HostLink link) {
  std::vector<AttemptId> served;
  for (auto& [attempt, links] : needed_) {
    const auto needed = links.find(host);
    if (needed == links.end() || needed->second) continue;
    needed->second = link;
    served.push_back(attempt);
  }
  return served;
}

std::vector<AttemptId> HostLinks::attempts_with(LinkId link) const {
  std::vector<AttemptId> attempts;
  for (const auto& [attempt, links] : needed_) {
    const auto has = [&](const auto& entry) { return entry.second && entry.second->id == link; };
    if (std::ranges::any_of(links, has)) attempts.push_back(attempt);
  }
  return attempts;
}

std::vector<AttemptId> HostLinks::on_failed(const std::string& host) const {
  std::vector<AttemptId> waiting;
  for (const auto& [attempt, links] : needed_) {
    const auto needed = links.find(host);
    if (needed != links.end() && !needed->second) waiting.push_back(attempt);
  }
  return waiting;
}

bool HostLinks::complete(AttemptId attempt) const {
  const auto needed = needed_.find(attempt);
  return needed == needed_.end() || std::ranges::all_of(needed->second, [](const auto& entry) {
           return entry.second.has_value();
         });
}

const HostLink& HostLinks::link(AttemptId attempt, const std::string& host) const {
  return needed_.at(attempt).at(host).value();
}

}  // namespace millrace::detail
