// A job whose processes speak another version of the protocol between processes, as one does that
// was built with another release. It has in it what the library has in linked_process.cpp.
#include "millrace/actors/linked_process.h"
#include "millrace/millrace.h"

namespace millrace::detail {

Hello LinkedProcess::hello(Role role) const {
  return {.version = kLinkVersion + 1,
          .role = role,
          .cluster = cluster,
          .identity = identity,
          .incarnation = 1};
}

}  // namespace millrace::detail

int main(int argc, char** argv) {
  return millrace::run(
      "foreign",
      [](millrace::Job& job) {
        job.from(millrace::sequence(1, 10)).named("numbers").to(millrace::discard());
      },
      argc, argv);
}
