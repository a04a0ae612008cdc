// Which coordinator leads: of all that stand for election, one at a time, each with a higher epoch
// than the one before. Whoever leads is told so; that it leads no more it may learn too late, when
// another leads already, as a process that was stopped does. So the epoch goes with everything that
// a leader does (DocumentStore), and what comes from an earlier one is refused.
//
// Listeners are called one call at a time, from any thread, with no lock held; never once resign()
// has returned. They may not call the election.
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "millrace/core/ids.h"

namespace millrace::detail {

// This process leads from now on.
struct Elected {
  LeaderEpoch epoch;
  bool operator==(const Elected&) const = default;
};
// It did, and does no more. It stays a candidate unless it has resigned.
struct Deposed {
  std::string why;
  bool operator==(const Deposed&) const = default;
};
// It is not known any more who leads: a leader stops deciding, and lets run what runs. Told again,
// it says why it still is so.
struct Frozen {
  std::string why;
  bool operator==(const Frozen&) const = default;
};
// It is known again, and who led then and was not deposed still does.
struct Thawed {
  bool operator==(const Thawed&) const = default;
};
// Somebody, maybe this process, was elected. Nobody may lead any more by the time it is told.
struct LeaderKnown {
  LeaderEpoch epoch;
  std::string address;
  bool operator==(const LeaderKnown&) const = default;
};

using LeadershipEvent = std::variant<Elected, Deposed, Frozen, Thawed, LeaderKnown>;
using LeadershipListener = std::function<void(const LeadershipEvent&)>;

class LeaderElection {
 public:
  virtual ~LeaderElection() = default;  // resigns

  // Begins to take part, once; it begins frozen. With an address, under which others find it when
  // it leads, it is a candidate; without one it only learns who leads.
  virtual void join(std::string address, LeadershipListener listener) = 0;

  // Takes part no more, and is deposed if it leads: another can lead at once.
  virtual void resign() = 0;
};

}  // namespace millrace::detail
