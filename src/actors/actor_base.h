// The base of our actors. ThreadSanitizer does not see into CAF's library, and so not that a
// message that was sent is handled later; where it looks on, the base says so.
#pragma once

#include <caf/event_based_actor.hpp>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace millrace::detail {

// Base is the kind of actor: one that is scheduled, or a broker.
template <class Base>
class BasicActor : public Base {
 public:
  using Base::Base;

#ifdef __SANITIZE_THREAD__
  ~BasicActor() override { __tsan_acquire(this); }

  void initialize() override {
    Base::initialize();
    __tsan_release(this);
  }

  using Base::enqueue;
  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit* unit) override {
    __tsan_release(this);
    Base::enqueue(std::move(element), unit);
  }

  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    __tsan_acquire(this);
    return Base::cleanup(std::move(reason), host);
  }

  caf::invoke_message_result consume(caf::mailbox_element& element) override {
    __tsan_acquire(this);
    const caf::invoke_message_result result = Base::consume(element);
    __tsan_release(this);
    return result;
  }
#endif
};

using ActorBase = BasicActor<caf::event_based_actor>;

}  // namespace millrace::detail
