#include "millrace/actors/coordinator_system.h"

#include <caf/send.hpp>

#include <condition_variable>
#include <future>
#include <mutex>
#include <utility>

#include "millrace/actors/coordinator_actor.h"
#include "millrace/actors/linked_system.h"

namespace millrace::detail {
namespace {

// Asks the actor by a message that answers with a call.
template <class Answer, class Ask>
Answer ask(const caf::actor& actor, Ask message) {
  auto promise = std::make_shared<std::promise<Answer>>();
  message.done = [promise](Answer answer) { promise->set_value(std::move(answer)); };
  caf::anon_send(actor, std::move(message));
  return promise->get_future().get();
}

// What several workers say, collected as it comes.
class Answers {
 public:
  void expect(std::size_t count) {
    const std::lock_guard lock(mutex_);
    expected_ = count;
    changed_.notify_all();
  }
  void add(const std::string& text) {
    const std::lock_guard lock(mutex_);
    text_ += text;
    ++come_;
    changed_.notify_all();
  }
  std::string wait_for(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, time, [&] { return expected_ && come_ >= *expected_; });
    return text_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::size_t> expected_;
  std::size_t come_ = 0;
  std::string text_;
};

}  // namespace

struct CoordinatorSystem::System : LinkedSystem {
  System(const LinkedProcess& self, const Logging& logging)
      : LinkedSystem(self, Role::kCoordinator, logging.logger("coordinator")) {}
  ~System() {
    caf::anon_send_exit(coordinator, caf::exit_reason::user_shutdown);
    finish();
  }

  caf::actor coordinator;
  LinkAddress address;
};

Result<std::unique_ptr<CoordinatorSystem>> CoordinatorSystem::make(const LinkedProcess& process,
                                                                   CoordinatorEvents events,
                                                                   const Logging& logging) {
  auto system = std::make_unique<System>(process, logging);
  FirstListening first;
  system->coordinator = system->actors.spawn<CoordinatorActor>(
      CoordinatorSettings{.clock = &system->clock,
                          .executor = &system->executor,
                          .log = system->log,
                          .spawn_links = system->spawn_links(),
                          .listen = process.listen,
                          .job_listen = {process.listen.host, 0},
                          .patience = process.options.limits.heartbeat.timeout,
                          .listening = first.listening(),
                          .events = std::move(events)});
  const Result<LinkAddress> address = first.wait();
  if (!address) return address.error();
  system->address = *address;
  return std::unique_ptr<CoordinatorSystem>(new CoordinatorSystem(std::move(system)));
}

CoordinatorSystem::CoordinatorSystem(std::unique_ptr<System> system) : system_(std::move(system)) {}

CoordinatorSystem::~CoordinatorSystem() = default;

const LinkAddress& CoordinatorSystem::address() const { return system_->address; }

void CoordinatorSystem::lead(LeaderEpoch epoch) {
  caf::anon_send(system_->coordinator, Lead{epoch});
}

void CoordinatorSystem::lead_no_more() { caf::anon_send(system_->coordinator, LeadNoMore{}); }

void CoordinatorSystem::jobs_known(LeaderEpoch epoch) {
  caf::anon_send(system_->coordinator, JobsKnown{epoch});
}

void CoordinatorSystem::run(ClusterJob job) {
  caf::anon_send(system_->coordinator, RunJob{std::move(job)});
}

void CoordinatorSystem::cancel(const std::string& job) {
  caf::anon_send(system_->coordinator, CancelJobOf{job});
}

void CoordinatorSystem::savepoint(const std::string& job, SavepointOrder order,
                                  RunningJob::SavepointTaken done) {
  caf::anon_send(system_->coordinator, SavepointOf{job, std::move(order), std::move(done)});
}

std::map<std::string, Dispatcher::Room> CoordinatorSystem::workers() const {
  return ask<std::map<std::string, Dispatcher::Room>>(system_->coordinator, AskWorkers{});
}

std::vector<std::string> CoordinatorSystem::workers_of(const std::string& job) const {
  return ask<std::vector<std::string>>(system_->coordinator, AskPlaces{.job = job, .done = {}});
}

std::string CoordinatorSystem::log(const std::string& job, std::uint64_t bytes,
                                   std::chrono::milliseconds wait) const {
  auto answers = std::make_shared<Answers>();
  caf::anon_send(system_->coordinator,
                 AskLog{.job = job,
                        .bytes = bytes,
                        .asked = [answers](std::size_t workers) { answers->expect(workers); },
                        .answered = [answers](std::string text) { answers->add(text); }});
  return answers->wait_for(wait);
}

}  // namespace millrace::detail
