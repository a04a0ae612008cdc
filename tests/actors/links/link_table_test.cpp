#include "millrace/actors/links/link_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using namespace link_command;
using testing::HasSubstr;

constexpr LinkLimits kLimits{.heartbeat = {.interval = 2s, .timeout = 10s},
                             .handshake = 5s,
                             .congested_bytes = 1'000,
                             .most_bytes = 10'000,
                             .most_unknown = 3};

LinkTable table(const std::string& identity, std::uint64_t incarnation = 1) {
  return LinkTable({.cluster = "c", .identity = identity, .incarnation = incarnation}, kLimits);
}

template <class Command>
std::vector<Command> all_of(const LinkCommands& commands) {
  std::vector<Command> found;
  for (const LinkCommand& command : commands) {
    if (const auto* one = std::get_if<Command>(&command)) found.push_back(*one);
  }
  return found;
}
template <class Command>
Command one_of(const LinkCommands& commands) {
  const std::vector<Command> found = all_of<Command>(commands);
  EXPECT_EQ(found.size(), 1U);
  return found.at(0);
}

Frame frame_of(std::string_view bytes) {
  FrameReader reader(std::make_shared<BytePool>());
  return **reader.next(bytes);
}
Frame frame_of(FrameKind kind, std::string_view body) {
  std::string bytes;
  EXPECT_TRUE(append_frame(kind, body, bytes));
  return frame_of(bytes);
}
Frame hello_of(const std::string& identity, std::uint64_t number = 1, std::uint64_t incarnation = 1,
               const std::string& cluster = "c") {
  std::string bytes;
  append_hello(
      {.cluster = cluster, .identity = identity, .incarnation = incarnation, .number = number},
      bytes);
  return frame_of(bytes);
}
Goodbye goodbye_in(const LinkCommands& commands) {
  for (const Send& send : all_of<Send>(commands)) {
    const Frame frame = frame_of(send.bytes);
    if (frame.kind() == FrameKind::kGoodbye) return *decode_goodbye(frame.body());
  }
  return {.error = internal("no goodbye")};
}

// A link that came from outside and is up.
LinkId up(LinkTable& table, const std::string& identity, LinkTime now = 0s,
          std::uint64_t number = 1) {
  const LinkId link = *table.accept(now);
  table.on_frame(link, hello_of(identity, number), now);
  EXPECT_TRUE(table.is_up(link));
  return link;
}

TEST(LinkTable, ConnectsSaysHelloAndHasTheLinkWithTheAnswer) {
  LinkTable links = table("a");
  const LinkAddress address{"there", 7};
  const Dial dial = one_of<Dial>(links.connect(address, {}, 0s));
  EXPECT_EQ(dial.address, address);
  EXPECT_TRUE(links.is_dialing(dial.link));
  const Send hello = one_of<Send>(links.on_dialed(dial.link));
  EXPECT_EQ(decode_hello(frame_of(hello.bytes).body())->identity, "a");
  const LinkUp link = one_of<LinkUp>(links.on_frame(dial.link, hello_of("b"), 1s));
  EXPECT_EQ(link.address, dial.address);
  EXPECT_EQ(link.peer.identity, "b");
  EXPECT_TRUE(links.is_up(dial.link));
}

TEST(LinkTable, AnswersAGoodHello) {
  LinkTable links = table("a");
  const LinkId link = *links.accept(0s);
  const LinkCommands commands = links.on_frame(link, hello_of("b"), 0s);
  EXPECT_EQ(decode_hello(frame_of(one_of<Send>(commands).bytes).body())->identity, "a");
  EXPECT_EQ(one_of<LinkUp>(commands).peer.identity, "b");
}

TEST(LinkTable, RefusesABadHelloWithAGoodbyeAndWaitsForThePeerToClose) {
  LinkTable links = table("a");
  const LinkId link = *links.accept(0s);
  const LinkCommands commands = links.on_frame(link, hello_of("b", 1, 1, "other"), 0s);
  EXPECT_THAT(goodbye_in(commands).error.message(), HasSubstr("different clusters"));
  EXPECT_THAT(one_of<Refused>(commands).error.message(), HasSubstr("different clusters"));
  EXPECT_TRUE(all_of<Close>(commands).empty());
  EXPECT_FALSE(links.empty());
  one_of<Close>(links.on_closed(link));
  EXPECT_TRUE(links.empty());
}

TEST(LinkTable, ClosesAfterAGoodbyeThatThePeerIgnores) {
  LinkTable links = table("a");
  const LinkId link = up(links, "b");
  one_of<LinkDown>(links.close(link, cancelled("enough"), 1s));
  EXPECT_TRUE(all_of<Close>(links.on_tick(5s)).empty());
  const LinkCommands commands = links.on_tick(6s);
  one_of<Close>(commands);
  EXPECT_TRUE(all_of<LinkDown>(commands).empty());
  EXPECT_TRUE(links.empty());
}

TEST(LinkTable, TellsWhyTheOtherEndDidNotWantTheLink) {
  LinkTable links = table("a");
  const LinkId link = one_of<Dial>(links.connect({"there", 7}, {}, 0s)).link;
  links.on_dialed(link);
  std::string bytes;
  append_goodbye({.error = invalid_argument("not you")}, bytes);
  const LinkCommands commands = links.on_frame(link, frame_of(bytes), 0s);
  EXPECT_EQ(one_of<ConnectFailed>(commands).error.message(),
            "connecting to there:7: the other end closed the link: not you");
  one_of<Close>(commands);
  EXPECT_TRUE(links.empty());
}

TEST(LinkTable, GivesUpAHandshakeThatTakesTooLong) {
  LinkTable links = table("a");
  links.accept(0s);
  const LinkId dialed = one_of<Dial>(links.connect({"there", 7}, {}, 0s)).link;
  EXPECT_TRUE(links.on_tick(4s).empty());
  const LinkCommands commands = links.on_tick(5s);
  EXPECT_EQ(all_of<Close>(commands).size(), 2U);
  one_of<Refused>(commands);
  EXPECT_THAT(one_of<ConnectFailed>(commands).error.message(), HasSubstr("within 5s"));
  EXPECT_TRUE(links.on_dialed(dialed).empty());
  EXPECT_TRUE(links.empty());
}

TEST(LinkTable, BoundsTheConnectionsOfWhomNothingIsKnown) {
  LinkTable links = table("a");
  up(links, "b");
  for (std::size_t i = 0; i < kLimits.most_unknown; ++i) EXPECT_TRUE(links.accept(0s));
  EXPECT_FALSE(links.accept(0s));
  links.on_tick(5s);
  EXPECT_TRUE(links.accept(5s));
}

TEST(LinkTable, ClosesABrokenConnectionAtOnceBeforeTheLinkIsUp) {
  LinkTable links = table("a");
  const LinkId link = *links.accept(0s);
  const LinkCommands commands = links.on_broken(link, corruption("garbage"), false, 0s);
  one_of<Close>(commands);
  EXPECT_EQ(one_of<Refused>(commands).error, corruption("garbage"));
  EXPECT_TRUE(all_of<Send>(commands).empty());
}

TEST(LinkTable, LeavesAConnectionOpenForWhatThePeerWasTold) {
  LinkTable links = table("a");
  const LinkId link = *links.accept(0s);
  const LinkCommands commands = links.on_broken(link, invalid_argument("TLS"), true, 0s);
  EXPECT_EQ(one_of<Refused>(commands).error, invalid_argument("TLS"));
  EXPECT_EQ(commands.size(), 1U);
  one_of<Close>(links.on_tick(5s));
}

TEST(LinkTable, SaysGoodbyeWhenALinkBreaks) {
  LinkTable links = table("a");
  const LinkId link = up(links, "b");
  const LinkCommands commands = links.on_broken(link, corruption("wrong checksum"), false, 0s);
  EXPECT_EQ(goodbye_in(commands).error, corruption("wrong checksum"));
  EXPECT_EQ(one_of<LinkDown>(commands).identity, "b");
  EXPECT_TRUE(links.on_frame(link, frame_of(FrameKind::kData, "x"), 0s).empty());
}

TEST(LinkTable, HandsOverFramesOfALinkThatIsUp) {
  LinkTable links = table("a");
  const LinkId link = up(links, "b");
  for (const FrameKind kind : {FrameKind::kControl, FrameKind::kData, FrameKind::kCredit}) {
    EXPECT_EQ(one_of<HandOver>(links.on_frame(link, frame_of(kind, "x"), 0s)).frame.kind(), kind);
  }
  EXPECT_TRUE(links.on_frame(link, frame_of(FrameKind::kHeartbeat, ""), 0s).empty());
  one_of<HandOver>(links.on_frame(link, frame_of(FrameKind::kHeartbeat, "progress"), 0s));
}

TEST(LinkTable, RefusesASecondHello) {
  LinkTable links = table("a");
  const LinkId link = up(links, "b");
  EXPECT_THAT(one_of<LinkDown>(links.on_frame(link, hello_of("b"), 0s)).error.message(),
              HasSubstr("hello was said twice"));
}

TEST(LinkTable, SendsHeartbeatsWithProgressAndClosesASilentLink) {
  LinkTable links = table("a");
  const LinkId link = up(links, "b");
  links.set_progress("done: 7");
  EXPECT_TRUE(links.on_tick(1s).empty());
  const Frame beat = frame_of(one_of<Send>(links.on_tick(2s)).bytes);
  EXPECT_EQ(beat.kind(), FrameKind::kHeartbeat);
  EXPECT_EQ(beat.body(), "done: 7");
  links.on_bytes(link, 3s);
  for (LinkTime now = 4s; now < 13s; now += 1s) {
    EXPECT_TRUE(all_of<LinkDown>(links.on_tick(now)).empty());
  }
  const LinkCommands commands = links.on_tick(13s);
  EXPECT_EQ(one_of<LinkDown>(commands).error.message(), "'b' has been silent for 10s");
  one_of<Close>(commands);
}

TEST(LinkTable, TellsOfCongestionAndOfItsEnd) {
  LinkTable links = table("a");
  const LinkId link = up(links, "b");
  EXPECT_TRUE(links.on_waiting(link, 1'000).empty());
  EXPECT_TRUE(one_of<LinkCongested>(links.on_waiting(link, 1'001)).congested);
  EXPECT_TRUE(links.on_waiting(link, 900).empty());
  EXPECT_FALSE(one_of<LinkCongested>(links.on_waiting(link, 500)).congested);
}

TEST(LinkTable, ClosesALinkThatHoldsTooMuch) {
  LinkTable links = table("a");
  const LinkId link = up(links, "b");
  const LinkCommands commands = links.on_waiting(link, 10'001);
  EXPECT_EQ(one_of<LinkDown>(commands).error.code(), ErrorCode::kResourceExhausted);
  one_of<Close>(commands);
}

TEST(LinkTable, HasOneLinkPerIdentity) {
  LinkTable links = table("a");
  const LinkId link = up(links, "b");
  const LinkCommands again = links.connect({"there", 7}, {.identity = "b"}, 0s);
  EXPECT_EQ(one_of<LinkUp>(again).link, link);
  EXPECT_TRUE(all_of<Dial>(again).empty());
  one_of<Dial>(links.connect({"elsewhere", 7}, {.identity = "c"}, 0s));
  EXPECT_TRUE(links.connect({"elsewhere", 7}, {.identity = "c"}, 0s).empty());
}

TEST(LinkTable, ReplacesTheLinkOfAProcessThatConnectsAgain) {
  LinkTable links = table("a");
  const LinkId old = up(links, "b", 0s, 1);
  const LinkId fresh = *links.accept(1s);
  const LinkCommands commands = links.on_frame(fresh, hello_of("b", 2), 1s);
  EXPECT_EQ(one_of<LinkDown>(commands).link, old);
  EXPECT_EQ(one_of<LinkUp>(commands).link, fresh);
  EXPECT_EQ(one_of<Close>(commands).link, old);
  const LinkId restarted = *links.accept(2s);
  EXPECT_EQ(one_of<LinkUp>(links.on_frame(restarted, hello_of("b", 1, 2), 2s)).link, restarted);
}

TEST(LinkTable, RefusesAHelloThatIsOlderThanTheLink) {
  LinkTable links = table("a");
  const LinkId link = up(links, "b", 0s, 5);
  const LinkId late = *links.accept(1s);
  const LinkCommands commands = links.on_frame(late, hello_of("b", 4), 1s);
  EXPECT_EQ(goodbye_in(commands).cause, Goodbye::Cause::kSuperseded);
  EXPECT_TRUE(links.is_up(link));
}

TEST(LinkTable, ReportsTheEndOfALinkWhoseConnectionCloses) {
  LinkTable links = table("a");
  const LinkId link = up(links, "b");
  EXPECT_EQ(one_of<LinkDown>(links.on_closed(link)).error.code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(links.empty());
  EXPECT_FALSE(links.is_up(link));
}

// Two processes that connect to each other at the same time, and a network between them that
// delivers frames in any order that the two connections allow.
class Crossing {
 public:
  explicit Crossing(unsigned choices) : choices_(choices) {
    dial(a_, b_, "b", 0);
    dial(b_, a_, "a", 1);
    while (step()) {
    }
  }

  LinkTable& a() { return a_.table; }
  LinkTable& b() { return b_.table; }
  const std::vector<LinkUp>& ups_at_a() const { return a_.ups; }
  const std::vector<LinkUp>& ups_at_b() const { return b_.ups; }
  std::size_t failures() const { return a_.failures + b_.failures; }
  // The connection that each end's link is on.
  int connection_at_a() const { return a_.connection_of.at(a_.ups.back().link); }
  int connection_at_b() const { return b_.connection_of.at(b_.ups.back().link); }

 private:
  struct End {
    LinkTable table;
    std::map<LinkId, int> connection_of = {};
    std::vector<LinkUp> ups = {};
    std::size_t failures = 0;
  };
  struct Event {
    End* to;
    int connection;
    std::string bytes;  // empty: the connection stands, or closes if it stood
    bool closes = false;
  };

  void dial(End& from, End& to, const std::string& identity, int connection) {
    const Dial dial = one_of<Dial>(from.table.connect({identity, 1}, {.identity = identity}, 0s));
    from.connection_of[dial.link] = connection;
    queues_[connection * 2 + (&from == &b_)].push_back({&from, connection, ""});
    to.connection_of[*to.table.accept(0s)] = connection;
  }

  End& other(const End& end) { return &end == &a_ ? b_ : a_; }

  void perform(End& end, const LinkCommands& commands) {
    for (const Send& send : all_of<Send>(commands)) put(end, send.link, {.bytes = send.bytes});
    for (const Close& close : all_of<Close>(commands)) put(end, close.link, {.closes = true});
    for (const LinkUp& up : all_of<LinkUp>(commands)) end.ups.push_back(up);
    end.failures += all_of<ConnectFailed>(commands).size() + all_of<LinkDown>(commands).size();
  }

  void put(End& from, LinkId link, Event event) {
    event.to = &other(from);
    event.connection = from.connection_of.at(link);
    queues_[event.connection * 2 + (event.to == &b_)].push_back(event);
  }

  bool step() {
    std::vector<std::deque<Event>*> ready;
    for (auto& queue : queues_) {
      if (!queue.empty()) ready.push_back(&queue);
    }
    if (ready.empty()) return false;
    std::deque<Event>& queue = *ready[choices_ % ready.size()];
    choices_ /= static_cast<unsigned>(ready.size());
    const Event event = std::move(queue.front());
    queue.pop_front();
    for (const auto& [link, connection] : event.to->connection_of) {
      if (connection != event.connection) continue;
      LinkTable& table = event.to->table;
      perform(*event.to, event.closes          ? table.on_closed(link)
                         : event.bytes.empty() ? table.on_dialed(link)
                                               : table.on_frame(link, frame_of(event.bytes), 0s));
      break;
    }
    return true;
  }

  End a_{table("a")};
  End b_{table("b")};
  std::array<std::deque<Event>, 4> queues_;  // of each connection, each way
  unsigned choices_;
};

TEST(LinkTable, KeepsOneOfTwoConnectionsThatCrossWhateverTheOrder) {
  for (unsigned choices = 0; choices < 100'000; choices += 7) {
    Crossing crossing(choices);
    ASSERT_EQ(crossing.ups_at_a().size(), 1U) << choices;
    ASSERT_EQ(crossing.ups_at_b().size(), 1U) << choices;
    ASSERT_EQ(crossing.connection_at_a(), crossing.connection_at_b()) << choices;
    ASSERT_TRUE(crossing.a().is_up(crossing.ups_at_a().back().link)) << choices;
    ASSERT_TRUE(crossing.b().is_up(crossing.ups_at_b().back().link)) << choices;
    ASSERT_EQ(crossing.failures(), 0U) << choices;
  }
}

TEST(LinkAddress, IsReadAsItIsWritten) {
  EXPECT_EQ(*parse_link_address("10.0.0.1:6123"), (LinkAddress{"10.0.0.1", 6123}));
  EXPECT_EQ(to_string(*parse_link_address("::1:6123")), "::1:6123");
  for (const std::string_view text :
       {"", "host", "host:", ":1", "host:0", "host:65536", "host:x"}) {
    const Result<LinkAddress> address = parse_link_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_NE(address.error().message().find("expected host:port"), std::string::npos);
  }
}

}  // namespace
}  // namespace millrace::detail
