#include "millrace/actors/task_actor.h"

#include "millrace/core/text.h"
#include "millrace/core/thrown.h"

namespace millrace::detail {

TaskActor::TaskActor(caf::actor_config& config, TaskBlueprint blueprint, caf::actor coordinator,
                     const Clock& clock)
    : ActorBase(config),
      blueprint_(std::move(blueprint)),
      coordinator_(std::move(coordinator)),
      clock_(clock) {}

caf::behavior TaskActor::make_behavior() {
  set_exception_handler(
      [this](std::exception_ptr& exception) { return stop_after(std::move(exception)); });
  return {
      [this](Connect& connect) { peers_ = std::move(connect.peers); },
      [this](Start) { start(); },
      [this](Deliver& deliver) {
        if (stopped_) return;
        runner_->on_element(deliver.channel, std::move(deliver.element));
        work_later();
      },
      [this](Credit& credit) {
        if (stopped_) return;
        runner_->on_credit(credit.exchange, credit.channel, std::move(credit.batch), credit.bytes);
        work_later();
      },
      [this](AssignSplit& assigned) {
        if (stopped_) return;
        settle(runner_->on_split(assigned.split));
        work_later();
      },
      [this](NoMoreSplits) {
        if (stopped_) return;
        runner_->on_no_more_splits();
        work_later();
      },
      [this](Work) {
        working_ = false;
        if (!stopped_) work();
      },
      [this](Wake wake) {
        if (stopped_ || wake.number != wake_number_) return;
        wake_at_.reset();
        work();
      },
      [this](Commit) {
        if (Status committed = runner_->commit(); !committed) report(committed.error());
        close();
      },
      [this](Cancel) {
        stopped_ = true;
        close();
      },
  };
}

void TaskActor::start() {
  Result<std::unique_ptr<TaskRunner>> runner = make_task_runner(blueprint_, *this, clock_);
  if (!runner) return settle(runner.error());
  runner_ = *std::move(runner);
  work_later();
}

void TaskActor::work_later() {
  if (!std::exchange(working_, true)) ActorBase::send(this, Work{});
}

void TaskActor::work() {
  Result<TaskRunner::Outcome> outcome = runner_->run();
  if (!outcome) return settle(outcome.error());
  switch (outcome->state) {
    case TaskRunner::State::kReady:
      work_later();
      break;
    case TaskRunner::State::kIdle:
      if (outcome->wake_after) wake_after(*outcome->wake_after);
      break;
    case TaskRunner::State::kBlocked:
      break;
    case TaskRunner::State::kFinished:
      stopped_ = true;
      ActorBase::send(coordinator_, TaskFinished{});
      break;
  }
}

void TaskActor::wake_after(std::chrono::nanoseconds pause) {
  const std::chrono::nanoseconds at = clock_.monotonic() + pause;
  if (wake_at_ && *wake_at_ <= at) return;  // then the task will see that it is too early
  wake_at_ = at;
  delayed_send(this, pause, Wake{++wake_number_});
}

void TaskActor::send(std::size_t exchange, std::size_t channel, Element element) {
  const Peer& peer = peers_->receivers[exchange][channel];
  ActorBase::send(peer.actor, Deliver{peer.channel, std::move(element)});
}

void TaskActor::return_credit(std::size_t channel, BatchPtr batch, std::size_t bytes) {
  const Peer& peer = peers_->senders[channel];
  ActorBase::send(peer.actor, Credit{peer.exchange, peer.channel, std::move(batch), bytes});
}

void TaskActor::request_split() {
  ActorBase::send(peers_->enumerator, RequestSplit{caf::actor_cast<caf::actor>(this)});
}

void TaskActor::settle(const Status& status) {
  if (!status) report(status.error());
}

void TaskActor::report(const Error& error) {
  stopped_ = true;
  ActorBase::send(coordinator_,
                  TaskFailed{TaskAddress{blueprint_.task, blueprint_.subtask}, error});
}

void TaskActor::close() {
  if (runner_) settle(runner_->close());
  runner_.reset();
  peers_.reset();
  ActorBase::send(coordinator_, TaskClosed{});
  quit();
}

// What user code throws is caught where it is called. This is for the rest, such as memory that ran
// out: the actor ends, and the coordinator must learn of it.
caf::error TaskActor::stop_after(std::exception_ptr thrown) {
  const OperatorIndex head = blueprint_.spec().operators.front();
  report(thrown_by(
      concat("the task of operator ", in_quotes(blueprint_.job->plan.logical.at(head).name)),
      std::move(thrown)));
  ActorBase::send(coordinator_, TaskClosed{});
  return caf::exit_reason::unhandled_exception;
}

}  // namespace millrace::detail
