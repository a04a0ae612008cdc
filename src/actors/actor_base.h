// The base of our actors. ThreadSanitizer does not see into CAF's library, and so not that a
// message that was sent is handled later; where it looks on, the base says so.
#pragma once

#include <caf/event_based_actor.hpp>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace millrace::detail {

class ActorBase : public caf::event_based_actor {
 public:
  using caf::event_based_actor::event_based_actor;

#ifdef __SANITIZE_THREAD__
  ~ActorBase() override { __tsan_acquire(this); }

  void initialize() override {
    caf::event_based_actor::initialize();
    __tsan_release(this);
  }

  using caf::event_based_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit* unit) override {
    __tsan_release(this);
    caf::event_based_actor::enqueue(std::move(element), unit);
  }

  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    __tsan_acquire(this);
    return caf::event_based_actor::cleanup(std::move(reason), host);
  }

  caf::invoke_message_result consume(caf::mailbox_element& element) override {
    __tsan_acquire(this);
    const caf::invoke_message_result result = caf::event_based_actor::consume(element);
    __tsan_release(this);
    return result;
  }
#endif
};

}  // namespace millrace::detail
