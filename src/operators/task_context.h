// What a process function, source or sink may know about its place: subtask() of parallelism(),
// its name, and the clock. A value, given to open().
#pragma once

#include <string>
#include <utility>

#include "millrace/operators/operator.h"

namespace millrace {

class TaskContext {
 public:
  explicit TaskContext(detail::OperatorContext context) : context_(std::move(context)) {}

  const std::string& name() const { return context_.name; }
  bool named() const { return context_.named; }  // by the user, as opposed to automatically
  std::uint32_t subtask() const { return context_.subtask.value(); }
  std::uint32_t parallelism() const { return context_.parallelism; }
  const Clock& clock() const { return *context_.clock; }

 private:
  detail::OperatorContext context_;
};

}  // namespace millrace
