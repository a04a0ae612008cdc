#include "millrace/actors/task_actor.h"

#include <caf/send.hpp>

#include "millrace/actors/batch_pool.h"
#include "millrace/core/text.h"
#include "millrace/core/thrown.h"

namespace millrace::detail {

TaskActor::TaskActor(caf::actor_config& config, TaskBlueprint blueprint, TaskPlace place,
                     TaskStart start)
    : ActorBase(config),
      blueprint_(std::move(blueprint)),
      place_(std::move(place)),
      start_(std::move(start)) {}

caf::behavior TaskActor::make_behavior() {
  set_exception_handler(
      [this](std::exception_ptr& exception) { return stop_after(std::move(exception)); });
  return {
      [this](Connect& connect) {
        peers_ = std::move(connect.peers);
        if (!stopped_) open();
      },
      [this](Start) { on_runner([](TaskRunner& runner) { runner.start(); }); },
      [this](Deliver& deliver) { on_runner([&](TaskRunner& runner) { take(runner, deliver); }); },
      [this](Credit& credit) { on_runner([&](TaskRunner& runner) { take(runner, credit); }); },
      [this](FrameArrived& arrived) {
        on_runner([&](TaskRunner& runner) { take(runner, arrived); });
      },
      [this](const LinkDown& down) {
        if (stopped_) return;
        stopped_ = true;
        tell(TaskFailed{.from = place_.address, .error = down.error, .lost_peer = true});
      },
      [this](LinkRelieved relieved) { on_runner([&](TaskRunner&) { release(relieved.link); }); },
      [this](AssignSplit& assigned) {
        on_runner([&](TaskRunner& runner) {
          settle(runner.on_split(std::move(assigned.split), std::move(assigned.schema)));
        });
      },
      [this](NoMoreSplits) {
        on_runner([&](TaskRunner& runner) { settle(runner.on_split(std::nullopt)); });
      },
      [this](const Trigger& trigger) {
        on_runner([&](TaskRunner& runner) { settle(runner.on_trigger(trigger.barrier)); });
      },
      [this](ResumeSources) { on_runner([](TaskRunner& runner) { runner.on_resume(); }); },
      [this](Drain) { on_runner([](TaskRunner& runner) { runner.on_drain(); }); },
      [this](KeyedStateWritten& written) {
        on_runner([&](TaskRunner& runner) {
          runner.on_written(written.checkpoint, written.index, std::move(written.keyed));
        });
      },
      [this](InFlightStored& stored) {
        on_runner([&](TaskRunner& runner) {
          runner.on_stored(stored.checkpoint, std::move(stored.file));
        });
      },
      [this](CompleteCheckpoint complete) {
        on_runner([&](TaskRunner& runner) {
          Status committed = runner.on_complete(complete.checkpoint);
          if (!committed) return report(committed.error());
          tell(CheckpointCommitted{place_.address, complete.checkpoint});
        });
      },
      [this](AbortCheckpoint abort) {
        on_runner([&](TaskRunner& runner) { settle(runner.on_abort(abort.checkpoint)); });
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
      [this](Close) {
        stopped_ = true;
        close();
      },
      [this](Crash) {
        if (!stopped_) report(user_code("the simulation had the task fail"));
      },
  };
}

// A turn: a few messages, or all until it waits where the task has a thread of its own.
caf::resumable::resume_result TaskActor::resume(caf::execution_unit* unit, std::size_t most) {
  const AtWork at_work(place_.crash_page, blueprint_.task, blueprint_.subtask);
  return ActorBase::resume(unit, most);
}

// What comes before the task is open is not for it: it goes on from what is complete.
template <class Call>
void TaskActor::on_runner(Call call) {
  if (stopped_ || !runner_) return;
  call(*runner_);
  if (!stopped_) work_later();
}

template <class Message>
void TaskActor::tell(Message message) {
  ActorBase::send(place_.coordinator, std::move(message));
}

void TaskActor::take(TaskRunner& runner, Deliver& deliver) {
  runner.on_element(deliver.channel, std::move(deliver.element));
}

void TaskActor::take(TaskRunner& runner, Credit& credit) {
  runner.on_credit(credit.exchange, credit.channel, std::move(credit.batch), credit.bytes);
}

void TaskActor::take(TaskRunner& runner, FrameArrived& arrived) {
  const auto take_if_right = [&](auto message) {
    message ? take(runner, *message) : refuse(arrived.link, message.error());
  };
  if (!remote_) {
    refuse(arrived.link, corruption("a frame came for a task without channels to other processes"));
  } else if (arrived.frame.kind() == FrameKind::kCredit) {
    take_if_right(remote_->accept_credit(arrived.link, arrived.frame));
  } else {
    take_if_right(remote_->accept_data(arrived.link, std::move(arrived.frame)));
  }
}

template <class Call>
void TaskActor::each_channel_on(LinkId link, Call call) {
  for (std::size_t exchange = 0; exchange < peers_->receivers.size(); ++exchange) {
    const std::vector<Peer>& receivers = peers_->receivers[exchange];
    for (std::size_t channel = 0; channel < receivers.size(); ++channel) {
      if (!receivers[channel].actor && receivers[channel].link == link) call(exchange, channel);
    }
  }
}

// Its channels wait, as if they had no credit.
void TaskActor::hold(LinkId link) {
  each_channel_on(link, [&](std::size_t exchange, std::size_t channel) {
    runner_->hold(exchange, channel, true);
  });
}

// One channel after the other, for what the first ones send may be all that there is room for.
void TaskActor::release(LinkId link) {
  bool full = false;
  each_channel_on(link, [&](std::size_t exchange, std::size_t channel) {
    full = full || peers_->loads.at(link)->must_wait();
    runner_->hold(exchange, channel, full);
  });
}

// A frame that is wrong ends its link, so that its sender learns of it.
void TaskActor::refuse(LinkId link, const Error& error) {
  ActorBase::send(peers_->links, CloseLink{link, error});
  report(unavailable(error.message()));
}

void TaskActor::put_out(LinkId link, Result<std::string> frame) {
  if (!frame) return report(frame.error());
  LinkLoad& load = *peers_->loads.at(link);
  load.add(frame->size());
  ActorBase::send(peers_->links, SendFrame{link, *std::move(frame), true});
  if (load.must_wait()) hold(link);
}

void TaskActor::open() {
  if (peers_->links) {
    remote_ = std::make_unique<RemoteEnds>(blueprint_, place_.address, peers_);
  }
  Result<std::unique_ptr<TaskRunner>> runner =
      make_task_runner(blueprint_, *this, *place_.clock, std::move(start_));
  if (!runner) return report(runner.error());
  runner_ = *std::move(runner);
  tell(TaskOpened{place_.address});
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
    case TaskRunner::State::kBlocked:
      break;
    case TaskRunner::State::kFinished:
      if (!std::exchange(finished_, true)) tell(TaskFinished{place_.address});
      break;
  }
  if (outcome->wake_after) wake_after(*outcome->wake_after);
}

void TaskActor::wake_after(std::chrono::nanoseconds pause) {
  const std::chrono::nanoseconds at = place_.clock->monotonic() + pause;
  if (wake_at_ && *wake_at_ <= at) return;  // then the task will see that it is too early
  wake_at_ = at;
  delayed_send(this, pause, Wake{++wake_number_});
}

void TaskActor::send(std::size_t exchange, std::size_t channel, Element element) {
  if (stopped_) return;  // behind something that could not be sent
  const Peer& peer = peers_->receivers[exchange][channel];
  if (!peer.actor) {
    return put_out(peer.link, remote_->encode(exchange, channel, std::move(element)));
  }
  ActorBase::send(peer.actor, Deliver{peer.channel, std::move(element)});
}

void TaskActor::return_credit(std::size_t channel, BatchPtr batch, std::size_t bytes) {
  const Peer& peer = peers_->senders[channel];
  if (!peer.actor) {
    BatchPool::of_this_thread().put(std::move(batch));
    return put_out(peer.link, remote_->credit(channel));
  }
  ActorBase::send(peer.actor, Credit{peer.exchange, peer.channel, std::move(batch), bytes});
}

void TaskActor::request_split() {
  ActorBase::send(peers_->enumerator, RequestSplit{caf::actor_cast<caf::actor>(this)});
}

void TaskActor::acknowledge(const Barrier& barrier, TaskSnapshot snapshot) {
  tell(CheckpointAcknowledged{place_.address, barrier.checkpoint, std::move(snapshot),
                              barrier.writes_rows()});
}

void TaskActor::decline(CheckpointId checkpoint, std::optional<Error> error) {
  tell(CheckpointDeclined{place_.address, checkpoint, std::move(error)});
}

KeyedBackend::Done TaskActor::when_written(CheckpointId checkpoint, std::size_t index) {
  return [=, self = caf::actor_cast<caf::actor>(this)](Result<KeyedSnapshot> keyed) {
    caf::anon_send(self, KeyedStateWritten{checkpoint, index, std::move(keyed)});
  };
}

TaskPort::Stored TaskActor::when_stored(CheckpointId checkpoint) {
  return [checkpoint, self = caf::actor_cast<caf::actor>(this)](Result<StoredFile> file) {
    caf::anon_send(self, InFlightStored{checkpoint, std::move(file)});
  };
}

void TaskActor::settle(const Status& status) {
  if (!status) report(status.error());
}

void TaskActor::report(const Error& error) {
  stopped_ = true;
  tell(TaskFailed{place_.address, error});
}

// Tasks know each other; and what a task holds goes with it, however it ends.
void TaskActor::on_exit() {
  runner_.reset();
  remote_.reset();
  peers_.reset();
}

void TaskActor::close() {
  if (runner_) settle(runner_->close());
  runner_.reset();
  tell(TaskClosed{place_.address});
  quit();
}

// What user code throws is caught where it is called. This is for the rest, such as memory that ran
// out: the actor ends, and the coordinator must learn of it.
caf::error TaskActor::stop_after(std::exception_ptr thrown) {
  const OperatorIndex head = blueprint_.spec().operators.front();
  report(thrown_by(
      concat("the task of operator ", in_quotes(blueprint_.job->plan.logical.at(head).name)),
      std::move(thrown)));
  tell(TaskClosed{place_.address});
  return caf::exit_reason::unhandled_exception;
}

}  // namespace millrace::detail
