// The hosts of a job as its actor knows them: those that come, are lost or do not come, and the
// slots that they are started in.
#include <caf/send.hpp>

#include <algorithm>

#include "millrace/actors/job_actor.h"
#include "millrace/coordination/placement.h"
#include "millrace/core/text.h"
#include "millrace/core/units.h"

namespace millrace::detail {

void JobActor::on_ready(const HostReady& ready, const caf::actor& host) {
  const std::string& identity = ready.address.identity;
  if (settings_.slots && !is_expected(ready)) {
    return send_exit(host, caf::exit_reason::user_shutdown);
  }
  if (const auto before = hosts_.find(identity); before != hosts_.end()) {
    on_lost({before->second.actor, identity, unavailable("the same host has come again")});
  }
  settings_.log.debug("host ready", {{"job", plan_->logical.job}, {"host", identity}});
  hosts_.emplace(identity, Host{ready.address, host});
  if (adoption_) return hear_of_tasks(ready);
  if (settings_.slots) return go_on_in_slots();
  if (hosts_.size() >= settings_.hosts) start();
}

// With tasks it comes too late, or was cut off for a time.
bool JobActor::is_expected(const HostReady& ready) const {
  const Result<HostId> host = parse_host_id(ready.address.identity);
  return host && host->job == settings_.key && (adoption_ || ready.tasks.empty());
}

void JobActor::on_lost(const HostLost& lost) {
  const auto found = std::ranges::find_if(
      hosts_, [&](const auto& entry) { return entry.second.actor == lost.host; });
  if (found == hosts_.end()) return on_lost_unheard(lost);
  const std::string identity = found->first;
  hosts_.erase(found);
  give_up_host(identity);
  if (adoption_) {
    adoption_->host_lost(identity);
    return adopt_if_complete();
  }
  follow(coordinator_->host_lost(identity, lost.error, now()));
  // It may have had no tasks yet, while others that were granted with it are waited for.
  if (is_granted(identity)) give_up_slots(unavailable(lost.error.message()));
}

// Its slot waits for a word that was lost with the link. Whatever the reason was, another link may
// do better.
void JobActor::on_lost_unheard(const HostLost& lost) {
  const bool awaited =
      !unplaced_.empty() && !hosts_.contains(lost.identity) && is_granted(lost.identity);
  if (!awaited) return;
  give_up_host(lost.identity);
  give_up_slots(unavailable(lost.error.message()));
}

bool JobActor::is_granted(const std::string& identity) const {
  return granted_ && std::ranges::count(*granted_, identity) > 0;
}

// Whoever has given it is to end it: it goes on without a coordinator.
void JobActor::give_up_host(const std::string& identity) {
  if (settings_.slots) send(settings_.slots, HostGivenUp{identity});
}

void JobActor::on_allocated(const AttemptAllocated& allocated) {
  if (!allocated.attempt && is_deposed(allocated.attempt.error())) return;
  if (!allocated.attempt && is_alive() && waits_for_record(allocated.attempt.error())) {
    return delayed_send(this, kPauseOfClaims, AllocateAgain{allocated.region});
  }
  if (allocated.attempt) view_.attempt = allocated.attempt->id.value();
  if (!settings_.slots || !allocated.attempt) {
    return follow(coordinator_->allocated(allocated.region, allocated.attempt,
                                          place(allocated.region), now()));
  }
  unplaced_.push_back(allocated);
  if (!is_alive()) return give_up_slots(cancelled("the job is ending"));
  if (unplaced_.size() > 1) return;
  granted_.reset();
  send(settings_.slots, NeedSlots{settings_.key, slots_required(*plan_)});
}

void JobActor::on_granted(SlotsGranted& granted) {
  granted_ = std::move(granted.host_of);
  later(settings_.execution.slot_timeout, caf::make_message(SlotsTimedOut{++grants_}));
  go_on_in_slots();
}

// Whatever keeps them, such as a download that stands still or user code that does not return,
// nobody else says so.
void JobActor::on_slots_timed_out(const SlotsTimedOut& late) {
  if (late.number != grants_ || unplaced_.empty() || !granted_) return;
  std::vector<std::string> missing;
  for (const std::string& identity : *granted_) {
    const bool has_come = hosts_.contains(identity) || std::ranges::count(missing, identity) > 0;
    if (!has_come) missing.push_back(identity);
  }
  for (const std::string& identity : missing) give_up_host(identity);
  view_.trouble = concat("these of its processes have not reported within ",
                         to_text(settings_.execution.slot_timeout),
                         " of being started: ", millrace::join(missing), " (slot.request.timeout)");
  give_up_slots(unavailable(view_.trouble));
}

void JobActor::go_on_in_slots() {
  if (unplaced_.empty() || !granted_) return;
  std::vector<HostAddress> host_of_slot;
  for (const std::string& identity : *granted_) {
    const auto host = hosts_.find(identity);
    if (host == hosts_.end()) return;
    host_of_slot.push_back(host->second.address);
  }
  for (const AttemptAllocated& allocated : std::exchange(unplaced_, {})) {
    const auto subtasks = coordinator_->subtasks_in(allocated.region);
    follow(coordinator_->allocated(allocated.region, allocated.attempt,
                                   place_in_slots(*plan_, subtasks, host_of_slot), now()));
  }
}

// Its link may still be said to stand. Whatever the reason was, another process may do better; but
// for one that has refused the job itself, as each of them will.
void JobActor::on_missed(const HostMissed& missed) {
  Error error = unavailable(missed.error.message());
  view_.trouble = error.message();
  const bool known = hosts_.contains(missed.host);
  if (known) miss_known_host(missed.host, error);
  if (!is_granted(missed.host)) return;
  if (!known && missed.error.code() == ErrorCode::kInvalidArgument) error = missed.error;
  give_up_slots(error);
}

// Its own link may stand, and its tasks run: nothing is known but that its worker is silent. Whose
// tasks were to be adopted may be another coordinator's still, so they are left as they are.
void JobActor::miss_known_host(const std::string& identity, const Error& error) {
  if (!adoption_) return follow(coordinator_->host_missed(identity, error, now()));
  const caf::actor host = hosts_.at(identity).actor;
  on_lost({host, identity, error});
  send_exit(host, caf::exit_reason::user_shutdown);
}

void JobActor::give_up_slots(const Error& error) {
  for (const AttemptAllocated& allocated : std::exchange(unplaced_, {})) {
    follow(coordinator_->allocated(allocated.region, allocated.attempt, error, now()));
  }
}

}  // namespace millrace::detail
