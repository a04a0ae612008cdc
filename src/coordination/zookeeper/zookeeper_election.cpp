#include "millrace/coordination/zookeeper/zookeeper_election.h"

#include <algorithm>
#include <utility>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

using Kind = ZooKeeperOperation::Kind;
using Session = ZooKeeperSession;

constexpr std::size_t kNumberDigits = 10;  // that ZooKeeper puts behind a sequential node's name
constexpr Duration kRetry{1'000};          // what does not go away by itself
constexpr Duration kAtOnce{0};

// Node names are n-SESSION-NUMBER, so that a session finds the node whose reply was lost.
std::string prefix_of(const Session& session) { return concat("n-", session.id(), '-'); }

std::string_view number_of(std::string_view name) {
  return name.size() < kNumberDigits ? name : name.substr(name.size() - kNumberDigits);
}

}  // namespace

ZooKeeperElection::ZooKeeperElection(ZooKeeperOptions options, Logger log)
    : options_(std::move(options)), log_(std::move(log)) {}

ZooKeeperElection::~ZooKeeperElection() { ZooKeeperElection::resign(); }

void ZooKeeperElection::join(std::string address, LeadershipListener listener) {
  check(!thread_.joinable(), "an election was joined twice");
  address_ = std::move(address);
  listener_ = std::move(listener);
  thread_ = std::thread([this] { run(); });
}

void ZooKeeperElection::resign() {
  if (!thread_.joinable()) return;
  check(thread_.get_id() != std::this_thread::get_id(), "a listener called its election");
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  poked_.notify_all();
  thread_.join();
}

Result<ZooKeeperElection::Fence> ZooKeeperElection::fence(LeaderEpoch epoch) const {
  const std::lock_guard lock(mutex_);
  if (!held_ || held_->epoch != epoch) {
    return cancelled(concat("this coordinator does not lead in epoch ", epoch.value(),
                            held_ ? " any more" : "", ", and changes nothing"));
  }
  if (session_->lease().over(boot_time())) {
    return cancelled(concat("this coordinator has led in epoch ", epoch.value(),
                            ", but had no contact with ZooKeeper for ",
                            to_string(session_->timeout()),
                            ": another may lead by now, this one changes nothing"));
  }
  return Fence{session_, node("leader"), held_->version};
}

Result<std::shared_ptr<Session>> ZooKeeperElection::session() const {
  const std::lock_guard lock(mutex_);
  if (session_ != nullptr) return session_;
  return unavailable(concat("there is no session with ZooKeeper (", options_.quorum,
                            ") yet; it is tried again and again"));
}

// The thread.

void ZooKeeperElection::run() {
  while (!ending()) wait(step());
  depose("it has resigned");
  drop_session();
}

bool ZooKeeperElection::ending() const {
  const std::lock_guard lock(mutex_);
  return ending_;
}

void ZooKeeperElection::wait(Duration most) {
  std::unique_lock lock(mutex_);
  poked_.wait_for(lock, most, [&] { return is_poked_ || ending_; });
  is_poked_ = false;
}

void ZooKeeperElection::poke() {
  {
    const std::lock_guard lock(mutex_);
    is_poked_ = true;
  }
  poked_.notify_all();
}

// Does what there is to do, and says when to look again if nobody pokes before.
Duration ZooKeeperElection::step() {
  depose_when_lease_is_over();
  if (session_ == nullptr) open_session();
  if (session_ == nullptr) return kRetry;
  switch (session_->state()) {
    case Session::State::kOver:
      freeze("the session with ZooKeeper has expired");
      depose("its session with ZooKeeper has expired");
      drop_session();
      return kAtOnce;
    case Session::State::kConnecting:
      return await_connection();
    case Session::State::kConnected:
      break;
  }
  const Status taken = take_part();
  depose_when_lease_is_over();
  if (taken) {
    trouble_.clear();
    return session_->timeout() / 4;
  }
  prepared_ = false;  // somebody may have removed nodes
  const bool unavailable = taken.error().code() == ErrorCode::kUnavailable;
  if (taken.error().code() == ErrorCode::kCancelled) return kAtOnce;  // somebody was faster
  if (!unavailable && trouble_ != taken.error().message()) {
    trouble_ = taken.error().message();
    log_.error("cannot take part in the election of a leader",
               {{"cluster", options_.path}, {"cause", trouble_}});
  }
  freeze(taken.error().message());
  return unavailable ? std::min(kRetry, session_->timeout() / 16) : kRetry;
}

void ZooKeeperElection::open_session() {
  auto opened = Session::open(options_, [this] { poke(); });
  if (!opened) {
    if (trouble_ != opened.error().message()) {
      trouble_ = opened.error().message();
      log_.error("cannot reach ZooKeeper", {{"cluster", options_.path}, {"cause", trouble_}});
    }
    return;
  }
  opened_ = boot_time();
  const std::lock_guard lock(mutex_);
  session_ = *std::move(opened);
}

// Closing it takes its time, and its thread may want to poke.
void ZooKeeperElection::drop_session() {
  std::shared_ptr<Session> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped = std::exchange(session_, nullptr);
  }
  prepared_ = false;
  own_.clear();
  tried_.reset();
}

Duration ZooKeeperElection::await_connection() {
  freeze(concat("there is no connection with ZooKeeper (", options_.quorum, ')'));
  const Lease lease = session_->lease();
  if (!lease.begun() && boot_time() - opened_ > options_.connection_timeout) {
    log_.warn("ZooKeeper does not answer; going on trying",
              {{"servers", options_.quorum},
               {"cluster", options_.path},
               {"after", options_.connection_timeout}});
    listener_(Frozen{concat("ZooKeeper (", options_.quorum, ") does not answer")});
    drop_session();  // the next one looks the addresses up again
    return kAtOnce;
  }
  const auto left = std::chrono::ceil<Duration>(lease.left(boot_time()));
  const Duration pause = session_->timeout() / 4;
  return left.count() > 0 ? std::min(left, pause) : pause;
}

Status ZooKeeperElection::take_part() {
  Status status = session_->sync();
  if (status && !prepared_) status = prepare();
  if (!status) return status;
  const Result<Leader> leader = look_at_leader();
  if (!leader) return leader.error();
  compare(*leader);
  thaw();
  if (address_.empty()) return {};
  status = stand();
  if (!status) return status;
  const auto own = std::ranges::find(candidates_, own_);
  if (own != candidates_.begin()) return await_turn(*(own - 1));
  return held_ ? Status() : lead(*leader);
}

// The nodes that every cluster has, which all of its processes may want to make at once. Those
// above the cluster's own are other clusters' too.
Status ZooKeeperElection::prepare() {
  const std::string& path = options_.path;
  for (std::size_t end = path.find('/', 1); end != std::string::npos;
       end = path.find('/', end + 1)) {
    Status made = session_->make_open(path.substr(0, end));
    if (!made) return made;
  }
  Status made = session_->make(path, "");
  if (made) made = session_->make(node("election"), "");
  if (!made) return made;
  const Result<std::string> nobody = encode_leader({});
  if (!nobody) return nobody.error();
  made = session_->make(node("leader"), *nobody);
  prepared_ = made.has_value();
  return made;
}

Result<ZooKeeperElection::Leader> ZooKeeperElection::look_at_leader() {
  const std::string path = node("leader");
  const auto found = session_->get(path, Session::Watch::kYes);
  if (!found) return found.error();
  if (!*found) {
    depose(concat("somebody has removed ", path, " from ZooKeeper"));
    return cancelled(concat("there is no ", path));
  }
  const Result<LeaderRecord> record = decode_leader((*found)->data, path);
  if (record) return Leader{*record, (*found)->version};
  if (held_ && held_->version != (*found)->version) depose(record.error().message());
  return record.error().with_context(
      "nobody can be elected before the node of ZooKeeper that says who leads is mended (if there "
      "is no copy, remove it and restart all processes of the cluster: epochs begin at 1 again)");
}

void ZooKeeperElection::compare(const Leader& leader) {
  const LeaderEpoch epoch(leader.record.epoch);
  if (held_ && held_->version != leader.version) {
    depose(concat("the coordinator at ", leader.record.address, " was elected, in epoch ",
                  epoch.value()));
  }
  const LeaderKnown known{epoch, leader.record.address};
  if (epoch.value() > 0 && known != known_) listener_(known_ = known);
  if (tried_ == leader.record) take_lead({epoch, leader.version});
  tried_.reset();
}

// Sees to it that it has one node in the list, and sorts the list.
Status ZooKeeperElection::stand() {
  const std::string election = node("election");
  const std::string prefix = prefix_of(*session_);
  const auto is_own = [&](const std::string& name) { return name.starts_with(prefix); };
  for (;;) {
    auto names = session_->children(election);
    if (!names) return names.error();
    candidates_ = *std::move(names);
    if (std::ranges::any_of(candidates_, is_own)) break;
    Status made = session_->make_ephemeral(election + '/' + prefix, address_);
    if (!made) return made;
  }
  std::ranges::sort(candidates_, {}, [](const std::string& name) { return number_of(name); });
  own_ = *std::ranges::find_if(candidates_, is_own);
  return {};
}

Status ZooKeeperElection::await_turn(const std::string& before) {
  const Result<bool> there = session_->exists(node("election/" + before), Session::Watch::kYes);
  if (!there) return there.error();
  return *there ? Status() : cancelled("the candidate before this one is gone");
}

Status ZooKeeperElection::lead(const Leader& leader) {
  const LeaderRecord wanted{leader.record.epoch + 1, address_, own_};
  Result<std::string> bytes = encode_leader(wanted);
  if (!bytes) return bytes.error();
  const auto refused = session_->commit(
      {{.kind = Kind::kCheck, .path = node("election/" + own_)},
       {.kind = Kind::kSet, .path = node("leader"), .version = leader.version, .data = *bytes}});
  if (!refused) {
    tried_ = wanted;
    return refused.error();
  }
  if (*refused) return cancelled("the leader, or the list of candidates, has changed");
  compare({wanted, leader.version + 1});
  take_lead({LeaderEpoch(wanted.epoch), leader.version + 1});
  return {};
}

void ZooKeeperElection::take_lead(Held held) {
  {
    const std::lock_guard lock(mutex_);
    held_ = held;
  }
  log_.info("this coordinator leads", {{"cluster", options_.path}, {"epoch", held.epoch}});
  listener_(Elected{held.epoch});
}

// The fence is gone before anybody is told.
void ZooKeeperElection::depose(std::string why) {
  std::optional<Held> held;
  {
    const std::lock_guard lock(mutex_);
    held = std::exchange(held_, std::nullopt);
  }
  if (!held) return;
  log_.warn("this coordinator leads no more",
            {{"cluster", options_.path}, {"epoch", held->epoch}, {"cause", why}});
  listener_(Deposed{std::move(why)});
}

void ZooKeeperElection::depose_when_lease_is_over() {
  if (!held_ || !session_->lease().over(boot_time())) return;
  depose(concat("there was no contact with ZooKeeper for ", to_string(session_->timeout()),
                ", and another may have been elected"));
}

void ZooKeeperElection::freeze(const std::string& why) {
  if (std::exchange(frozen_, true)) return;
  log_.warn("the election of a leader is out of reach",
            {{"cluster", options_.path}, {"cause", why}});
  listener_(Frozen{why});
}

void ZooKeeperElection::thaw() {
  if (!std::exchange(frozen_, false)) return;
  log_.info(
      "ZooKeeper was reached",
      {{"cluster", options_.path}, {"servers", options_.quorum}, {"session", session_->id()}});
  listener_(Thawed{});
}

std::string ZooKeeperElection::node(std::string_view name) const {
  return concat(options_.path, '/', name);
}

}  // namespace millrace::detail
