// Which links the attempts of a host's tasks need, and whom it concerns when one comes or is lost.
// It decides nothing but that, and does nothing: events go in, answers come out.
//
// An attempt keeps the links that it found when it began. Another connection with the same host is
// another link, and of no use to it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "millrace/actors/links/link_events.h"
#include "millrace/core/ids.h"

namespace millrace::detail {

struct HostLink {
  LinkId id{};
  std::shared_ptr<LinkLoad> load = nullptr;
};

class HostLinks {
 public:
  // The attempt begins, and needs a link with each of these hosts.
  void need(AttemptId attempt, const std::set<std::string>& hosts);
  void forget(AttemptId attempt);
  // The links that attempts have left behind with other hosts than these, and that none has any
  // more. They are told of once.
  std::vector<LinkId> take_useless(const std::set<std::string>& hosts);

  // There is a link with the host. Gives the attempts that wait for it no more.
  std::vector<AttemptId> on_up(const std::string& host, HostLink link);
  // The attempts that have the link, which is gone or has room again.
  std::vector<AttemptId> attempts_with(LinkId link) const;
  // There will be no link with the host. Gives the attempts that wait for one.
  std::vector<AttemptId> on_failed(const std::string& host) const;

  // The attempt has all links that it needs.
  bool complete(AttemptId attempt) const;
  const HostLink& link(AttemptId attempt, const std::string& host) const;

 private:
  using Links = std::map<std::string, std::optional<HostLink>>;

  std::map<AttemptId, Links> needed_;
  std::map<std::string, LinkId> left_;  // by attempts: the newest link with each host
};

}  // namespace millrace::detail
