// Records of 100 bytes from one process to another over loopback, as behind key_by: scattered by
// key, encoded, framed, sent with credit, decoded and summed. One way, and both ways at once;
// beside a loop that writes and reads as many bytes through blocking sockets.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <thread>

#include "keys.h"
#include "millrace/actors/channel_writer.h"
#include "millrace/actors/links/link_actor.h"
#include "millrace/actors/links/remote_channel.h"
#include "millrace/actors/scheduler.h"
#include "millrace/core/records/record.h"

namespace millrace::bench {
namespace {

using namespace detail;

constexpr std::size_t kRecordBytes = 100;
constexpr std::size_t kRecords = 8'000'000;  // each way
constexpr std::uint32_t kChannels = 4;
constexpr int kRuns = 3;

struct Numbers {
  std::uint64_t key;
  std::array<std::int64_t, 11> values;
  std::int32_t kind;
};
struct Text {
  std::uint64_t key;
  std::int64_t value;
  std::string name;  // 84 characters
};

void fill(std::uint64_t key, Numbers& event) {
  event.key = key;
  event.values.fill(1);
  event.kind = 2;
}
void fill(std::uint64_t key, Text& event) {
  event.key = key;
  event.value = 1;
  event.name.assign(84, 'x');
}

struct Begin {
  LinkId link;
};

struct Place {
  caf::actor links;
  std::shared_ptr<BytePool> pool;
};

RemoteChannel channel_number(std::uint32_t number) {
  return {.job = JobId(1),
          .attempt = AttemptId(1),
          .sender = SubtaskId(1),
          .receiver = SubtaskId(2),
          .channel = number,
          .input = number};
}

template <class T>
ChannelRecords records_of() {
  return {.type = &type_of<T>(), .prototype = make_batch<T>()};
}

// What a source and a key_by do.
template <class T>
class Sender final : public ActorBase {
 public:
  Sender(caf::actor_config& config, Place place)
      : ActorBase(config),
        place_(std::move(place)),
        batch_(make_batch<T>()),
        writer_(
            records_of<T>(), kChannels, std::make_unique<Scatter>(Choose{}),
            [this](std::size_t channel, Element element) { pass(channel, std::move(element)); }) {
    for (std::uint32_t i = 0; i < kChannels; ++i) {
      outputs_.emplace_back(channel_number(i), records_of<T>(), place_.pool);
    }
  }

  caf::behavior make_behavior() override {
    return {[this](Begin begin) {
              link_ = begin.link;
              work();
            },
            [this](FrameArrived& arrived) {
              const ChannelHeader credit = *decode_credit(arrived.frame.body());
              const std::uint32_t channel = credit.channel;
              writer_.on_credit(channel, {}, *outputs_[channel].accept(credit));
              work();
            }};
  }

 private:
  struct Choose {
    std::uint32_t operator()(const T& event) const {
      return static_cast<std::uint32_t>((mix64(event.key) >> 32) * kChannels >> 32);
    }
  };
  using Scatter = ScatterBy<T, Choose>;

  void work() {
    while (sent_ < kRecords && writer_.ready()) {
      auto& batch = static_cast<Batch<T>&>(*batch_);
      for (std::size_t i = 0; i < kBatchRecords; ++i) {
        batch.fill([&](T& event) { fill(++sent_, event); });
      }
      writer_.write(batch_, false);
      batch_->clear();
    }
    if (sent_ >= kRecords && !std::exchange(finished_, true)) writer_.finish();
  }

  void pass(std::size_t channel, Element element) {
    Result<std::string> frame = outputs_[channel].encode(std::move(element));
    check(frame.has_value(), "an element of the benchmark cannot be encoded");
    send(place_.links, SendFrame{link_, *std::move(frame)});
  }

  Place place_;
  LinkId link_;
  std::size_t sent_ = 0;
  bool finished_ = false;
  BatchPtr batch_;
  ChannelWriter writer_;
  std::vector<RemoteOutput> outputs_;
};

template <class T>
class Receiver final : public ActorBase {
 public:
  Receiver(caf::actor_config& config, Place place, std::promise<void>& done)
      : ActorBase(config), place_(std::move(place)), done_(done) {
    for (std::uint32_t i = 0; i < kChannels; ++i) {
      inputs_.emplace_back(channel_number(i), records_of<T>(), place_.pool);
    }
  }

  caf::behavior make_behavior() override {
    return {[this](FrameArrived& arrived) {
      std::string_view body = arrived.frame.body();
      const std::uint32_t channel = take_channel_header(body)->channel;
      Result<Element> element = inputs_[channel].accept(std::move(arrived.frame));
      check(element.has_value(), "a frame of the benchmark cannot be decoded");
      if (element->kind == Element::Kind::kEnd && ++ended_ == kChannels) return finish();
      if (element->batch) take(arrived.link, channel, std::move(element->batch));
    }};
  }

 private:
  void take(LinkId link, std::uint32_t channel, BatchPtr batch) {
    for (const T& event : static_cast<Batch<T>&>(*batch).values()) sum_ += event.key;
    send(place_.links, SendFrame{link, *inputs_[channel].credit()});
    BatchPool::of_this_thread().put(std::move(batch));
  }

  void finish() {
    constexpr std::uint64_t kLast = (kRecords + kBatchRecords - 1) / kBatchRecords * kBatchRecords;
    check(sum_ == kLast * (kLast + 1) / 2, "records were lost on the way");
    done_.set_value();
  }

  Place place_;
  std::promise<void>& done_;
  std::vector<RemoteInput> inputs_;
  std::uint32_t ended_ = 0;
  std::uint64_t sum_ = 0;
};

class Owner final : public ActorBase {
 public:
  Owner(caf::actor_config& config, std::promise<std::uint16_t>& port, std::promise<LinkId>& link,
        std::promise<void>& told)
      : ActorBase(config), port_(port), link_(link), told_(told) {}

  caf::behavior make_behavior() override {
    return {[this](const Listening& listening) { port_.set_value(listening.address->port); },
            [this](const LinkUp& up) { link_.set_value(up.link); },
            [this](const ControlArrived&) { told_.set_value(); },
            [](const LinkDown&) {},
            [](const LinkCongested&) {},
            [](const LinkRelieved&) {}};
  }

 private:
  std::promise<std::uint16_t>& port_;
  std::promise<LinkId>& link_;
  std::promise<void>& told_;
};

struct SystemConfig : caf::actor_system_config {
  SystemConfig() {
    set("scheduler.max-threads", std::size_t{2});
    set("scheduler.max-throughput", kMessagesPerTurn);
    load<Scheduler>();
    prepare_for_links(*this);
  }
};

// One end; `tell` takes the bound port of the end that listens. Gives the seconds that it took.
template <class T>
double run_end(const std::string& identity, std::uint16_t port, bool sends, bool receives,
               const std::function<void(std::uint16_t)>& tell) {
  std::promise<std::uint16_t> bound;
  std::promise<LinkId> up;
  std::promise<void> told;
  std::promise<void> done;
  SystemClock clock;
  SystemConfig config;
  caf::actor_system system(config);
  ThreadExecutor executor;
  Place place{.links = {}, .pool = std::make_shared<BytePool>()};
  const auto owner = system.spawn<Owner>(bound, up, told);
  place.links = spawn_links(system, {.owner = owner,
                                     .self = {.cluster = "bench", .identity = identity},
                                     .clock = &clock,
                                     .executor = &executor,
                                     .pool = place.pool});
  const auto sender = system.spawn<Sender<T>>(place);
  const auto receiver = system.spawn<Receiver<T>>(place, done);
  const JobAttempt attempt{JobId(1), AttemptId(1)};
  caf::anon_send(place.links, OpenReceiver{attempt, {SubtaskId(1)}, sender});
  caf::anon_send(place.links, OpenReceiver{attempt, {SubtaskId(2)}, receiver});
  if (tell) {
    caf::anon_send(place.links, Listen{{"127.0.0.1", 0}});
    tell(bound.get_future().get());
  } else {
    caf::anon_send(place.links, ConnectLink{{"127.0.0.1", port}, {}});
  }
  const LinkId link = up.get_future().get();
  const auto begin = std::chrono::steady_clock::now();
  if (sends) caf::anon_send(sender, Begin{link});
  if (receives) done.get_future().get();
  std::string frame;
  check(append_frame(FrameKind::kControl, "all is here", frame).has_value(), "no frame");
  caf::anon_send(place.links, SendFrame{link, std::move(frame)});
  told.get_future().get();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  caf::anon_send(place.links, StopLinks{});
  for (const caf::actor& actor : {sender, receiver, owner}) {
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  }
  return taken.count();
}

struct Taken {
  double seconds;
  double cpu_seconds;  // of both processes
};

double cpu_seconds(const rusage& usage) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double own_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return cpu_seconds(usage);
}

// Forks a process that listens; `run` is the other end. What `other` tells comes through a pipe.
Taken with_other_process(
    const std::function<void(const std::function<void(std::uint16_t)>&)>& other,
    const std::function<double(std::uint16_t)>& run) {
  int ends[2];
  check(pipe(ends) == 0, "no pipe");
  const pid_t child = fork();
  if (child == 0) {
    other([&](std::uint16_t port) { check(write(ends[1], &port, 2) == 2, "no pipe"); });
    _exit(0);
  }
  std::uint16_t port = 0;
  check(read(ends[0], &port, 2) == 2, "the other process has ended");
  const double before = own_cpu_seconds();
  const double seconds = run(port);
  rusage usage{};
  wait4(child, nullptr, 0, &usage);
  close(ends[0]);
  close(ends[1]);
  return {seconds, own_cpu_seconds() - before + cpu_seconds(usage)};
}

template <class T>
Taken links(bool both) {
  return with_other_process(
      [&](const auto& tell) { run_end<T>("other", 0, both, true, tell); },
      [&](std::uint16_t port) { return run_end<T>("one", port, true, both, {}); });
}

// A frame of about the size that a full batch has.
constexpr std::size_t kLoopBytes = kRecordBytes * kBatchRecords;

void write_all(int socket) {
  const std::vector<char> bytes(kLoopBytes, 'x');
  for (std::size_t left = kRecords * kRecordBytes; left > 0;) {
    const ssize_t written = send(socket, bytes.data(), std::min(bytes.size(), left), MSG_NOSIGNAL);
    check(written > 0, "the loop cannot write");
    left -= static_cast<std::size_t>(written);
  }
}

void read_all(int socket) {
  std::vector<char> bytes(256 * 1'024);
  for (std::size_t left = kRecords * kRecordBytes; left > 0;) {
    const ssize_t got = read(socket, bytes.data(), std::min(bytes.size(), left));
    check(got > 0, "the loop cannot read");
    left -= static_cast<std::size_t>(got);
  }
}

void loop_end(int socket, bool sends, bool receives) {
  std::thread writer;
  if (sends) writer = std::thread([socket] { write_all(socket); });
  if (receives) read_all(socket);
  if (writer.joinable()) writer.join();
}

Taken loop(bool both) {
  return with_other_process(
      [&](const auto& tell) {
        Result<Listener> listener = listen_on({"127.0.0.1", 0});
        tell(listener->port);
        int socket = -1;
        while (socket < 0) socket = accept(listener->socket.descriptor(), nullptr, nullptr);
        loop_end(socket, both, true);
        char last = 0;
        check(write(socket, &last, 1) == 1, "the loop cannot write");
      },
      [&](std::uint16_t port) {
        const Socket socket(::socket(AF_INET, SOCK_STREAM, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        check(connect(socket.descriptor(), reinterpret_cast<const sockaddr*>(&address),
                      sizeof address) == 0,
              "the loop cannot connect");
        const auto begin = std::chrono::steady_clock::now();
        loop_end(socket.descriptor(), true, both);
        char last = 0;
        check(read(socket.descriptor(), &last, 1) == 1, "the loop cannot read");
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      });
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

template <class T>
void compare(const char* name, bool both) {
  constexpr double kMegabytes = static_cast<double>(kRecords * kRecordBytes) / 1e6;
  const double gigabytes = kMegabytes / 1'000 * (both ? 2 : 1);
  std::vector<double> ours;
  std::vector<double> plain;
  std::vector<double> ratios;
  std::vector<double> our_cpu;
  std::vector<double> plain_cpu;
  for (int i = 0; i < kRuns; ++i) {
    const Taken linked = links<T>(both);
    const Taken looped = loop(both);
    ours.push_back(kMegabytes / linked.seconds);
    plain.push_back(kMegabytes / looped.seconds);
    ratios.push_back(ours.back() / plain.back());
    our_cpu.push_back(linked.cpu_seconds / gigabytes);
    plain_cpu.push_back(looped.cpu_seconds / gigabytes);
  }
  const auto [least, most] = std::ranges::minmax(ours);
  std::printf("%-34s %6.0f MB/s each way (%.0f to %.0f)   sockets %6.0f MB/s   ratio %.2f   ", name,
              median(ours), least, most, median(plain), median(ratios));
  std::printf("CPU %.2f s/GB, sockets %.2f\n", median(our_cpu), median(plain_cpu));
  std::fflush(stdout);
}

}  // namespace
}  // namespace millrace::bench

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::bench::Begin)

int main() {
  using namespace millrace::bench;
  compare<Numbers>("100 bytes of numbers, one way", false);
  compare<Numbers>("100 bytes of numbers, both ways", true);
  compare<Text>("100 bytes with a string, one way", false);
  compare<Text>("100 bytes with a string, both ways", true);
  return 0;
}
