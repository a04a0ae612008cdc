// A process with a link, for tests that stop and kill it: prints the port that it listens on, and
// sends back every control frame. It ends with whoever started it.
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <string>

#include "actors/links/link_fixture.h"

int main(int count, char** arguments) {
  using namespace millrace::detail;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::string identity = count > 1 ? arguments[1] : "peer";
  const std::chrono::milliseconds interval(count > 2 ? std::stoi(arguments[2]) : 2'000);
  LinkProcess process(identity, {.heartbeat = {.interval = interval, .timeout = 5 * interval}});
  std::printf("%d\n", process.listen());
  std::fflush(stdout);
  for (;;) {
    const auto arrived = process.next<ControlArrived>(std::chrono::hours(1));
    if (arrived) process.send_frame(arrived->link, FrameKind::kControl, arrived->frame.body());
  }
}
