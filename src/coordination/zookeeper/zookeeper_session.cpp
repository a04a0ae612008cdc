#include "millrace/coordination/zookeeper/zookeeper_session.h"

#include <time.h>
#include <zookeeper/zookeeper.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <system_error>
#include <utility>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

using Kind = ZooKeeperOperation::Kind;
using Why = ZooKeeperRefusal::Why;

// The client would say on standard error what is said here by errors and states, and write the
// addresses for it into one buffer of all sessions.
void silence_client() {
  static const bool silenced = [] {
    zoo_set_debug_level(static_cast<ZooLogLevel>(0));
    return true;
  }();
  static_cast<void>(silenced);
}

bool is_answer(int code) { return code == ZOK || code < ZAPIERROR; }

// Of codes below ZAPIERROR, which come from a server, those that the client gives too.
bool is_unknown(int code) {
  switch (code) {
    case ZSESSIONEXPIRED:
    case ZCLOSING:
    case ZSESSIONMOVED:
    case ZTHROTTLEDOP:
      return true;
    default:
      return !is_answer(code);
  }
}

std::optional<Why> why_of(int code) {
  switch (code) {
    case ZNONODE:
      return Why::kNoNode;
    case ZNODEEXISTS:
      return Why::kNodeExists;
    case ZBADVERSION:
      return Why::kOtherVersion;
    case ZNOTEMPTY:
      return Why::kNotEmpty;
    default:
      return std::nullopt;
  }
}

// It refers to the operation.
zoo_op_t request_of(const ZooKeeperOperation& operation, const ACL_vector* access) {
  zoo_op_t request{};
  const char* path = operation.path.c_str();
  const char* data = operation.data.data();
  const auto size = static_cast<int>(operation.data.size());
  const int version = operation.version.value_or(-1);
  switch (operation.kind) {
    case Kind::kCheck:
      zoo_check_op_init(&request, path, version);
      break;
    case Kind::kCreate:
      zoo_create_op_init(&request, path, data, size, access, ZOO_PERSISTENT, nullptr, 0);
      break;
    case Kind::kSet:
      zoo_set_op_init(&request, path, data, size, version, nullptr);
      break;
    case Kind::kErase:
      zoo_delete_op_init(&request, path, version);
      break;
  }
  return request;
}

}  // namespace

std::chrono::nanoseconds boot_time() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

struct ZooKeeperSession::Client {
  ~Client() {
    if (handle != nullptr) zookeeper_close(handle);
  }

  // The client's threads may call this before open() has returned.
  static void watch(zhandle_t*, int, int, const char*, void* context) {
    auto* client = static_cast<Client*>(context);
    { const std::lock_guard lock(client->mutex); }  // whoever waits has looked, or is woken
    client->woken.notify_all();
    client->changed();
  }

  const ACL_vector* access() const {
    return options.authorization.empty() ? &ZOO_OPEN_ACL_UNSAFE : &ZOO_CREATOR_ALL_ACL;
  }

  ZooKeeperOptions options;
  std::function<void()> changed;
  zhandle_t* handle = nullptr;
  std::mutex mutex;
  std::condition_variable woken;
};

// What a request waits for. The client's completion holds it too, so that one which comes after
// nobody waits any more finds it.
struct ZooKeeperSession::Reply {
  using Held = std::shared_ptr<Reply>;

  // The completion's share, as C passes it on; take() gives it back.
  const void* share(Held self) { return new Held(std::move(self)); }
  static Held take(const void* shared) {
    auto* held = static_cast<Held*>(const_cast<void*>(shared));
    Held reply = std::move(*held);
    delete held;
    return reply;
  }

  template <class Fill>
  static void finish(int code, const void* shared, Fill fill) {
    const Held reply = take(shared);
    const std::lock_guard lock(reply->mutex);
    if (code == ZOK) fill(*reply);
    reply->code = code;
    reply->arrived.notify_all();
  }
  static void on_nothing(int code, const void* shared) {
    finish(code, shared, [](Reply&) {});
  }
  static void on_text(int code, const char*, const void* shared) { on_nothing(code, shared); }
  static void on_stat(int code, const Stat*, const void* shared) { on_nothing(code, shared); }
  static void on_data(int code, const char* data, int size, const Stat* stat, const void* shared) {
    finish(code, shared, [&](Reply& reply) {
      if (size > 0) reply.node.data.assign(data, static_cast<std::size_t>(size));
      reply.node.version = stat->version;
    });
  }
  static void on_names(int code, const String_vector* names, const void* shared) {
    finish(code, shared,
           [&](Reply& reply) { reply.names.assign(names->data, names->data + names->count); });
  }

  std::mutex mutex;
  std::condition_variable arrived;
  std::optional<int> code;
  Node node;
  std::vector<std::string> names;
  // Of a commit: what the client reads and writes until then.
  std::vector<ZooKeeperOperation> operations;
  std::vector<zoo_op_t> requests;
  std::vector<zoo_op_result_t> results;
};

Result<std::shared_ptr<ZooKeeperSession>> ZooKeeperSession::open(const ZooKeeperOptions& options,
                                                                 std::function<void()> changed) {
  auto client = std::make_unique<Client>();
  client->options = options;
  client->changed = std::move(changed);
  silence_client();
  client->handle = zookeeper_init(options.quorum.c_str(), &Client::watch,
                                  static_cast<int>(options.session_timeout.count()), nullptr,
                                  client.get(), ZOO_NO_LOG_CLIENTENV);
  if (client->handle == nullptr) {
    return unavailable(concat("cannot use the addresses of ZooKeeper, ", in_quotes(options.quorum),
                              ": ", std::system_category().message(errno),
                              "; check them, and that their names can be resolved"));
  }
  const std::string& authorization = options.authorization;
  if (!authorization.empty()) {
    zoo_add_auth(client->handle, "digest", authorization.data(),
                 static_cast<int>(authorization.size()), nullptr, nullptr);
  }
  return std::shared_ptr<ZooKeeperSession>(new ZooKeeperSession(std::move(client)));
}

ZooKeeperSession::ZooKeeperSession(std::unique_ptr<Client> client) : client_(std::move(client)) {}
ZooKeeperSession::~ZooKeeperSession() = default;

ZooKeeperSession::State ZooKeeperSession::state() const {
  const int state = zoo_state(client_->handle);
  if (state == ZOO_EXPIRED_SESSION_STATE || state == ZOO_AUTH_FAILED_STATE) return State::kOver;
  return state == ZOO_CONNECTED_STATE ? State::kConnected : State::kConnecting;
}

std::string ZooKeeperSession::id() const {
  auto id = static_cast<std::uint64_t>(zoo_client_id(client_->handle)->client_id);
  std::string text(16, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, id >>= 4) {
    *digit = kHexDigits[id & 0xf];
  }
  return text;
}

Lease ZooKeeperSession::lease() const {
  const std::lock_guard lock(mutex_);
  return lease_;
}

Duration ZooKeeperSession::timeout() const { return Duration(zoo_recv_timeout(client_->handle)); }

// Whoever waits longer than a third of the timeout has lost the connection, or is about to.
std::chrono::nanoseconds ZooKeeperSession::patience() const {
  const std::chrono::nanoseconds most = timeout() / 3;
  const Lease::Time left = lease().left(boot_time());
  return left.count() > 0 ? std::min(most, left) : most;
}

Status ZooKeeperSession::await_connection() const {
  std::unique_lock lock(client_->mutex);
  client_->woken.wait_for(lock, patience(), [&] { return state() != State::kConnecting; });
  if (state() == State::kConnected) return {};
  return error_of(state() == State::kOver ? ZSESSIONEXPIRED : ZCONNECTIONLOSS, "reaching",
                  client_->options.path);
}

template <class Send>
Result<std::shared_ptr<ZooKeeperSession::Reply>> ZooKeeperSession::call(std::string_view what,
                                                                        const std::string& path,
                                                                        Send send) {
  // The client would keep what it cannot send until it is connected: nobody waits so long.
  if (state() != State::kConnected) return error_of(ZCONNECTIONLOSS, what, path);
  auto reply = std::make_shared<Reply>();
  const void* shared = reply->share(reply);
  const int sent = send(*reply, shared);
  if (sent != ZOK) {
    if (sent != ZMARSHALLINGERROR) Reply::take(shared);  // after which the client may have it still
    return error_of(sent, what, path);
  }
  std::unique_lock lock(reply->mutex);
  const auto arrived = [&] { return reply->code.has_value(); };
  if (!reply->arrived.wait_for(lock, patience(), arrived)) {
    return error_of(ZOPERATIONTIMEOUT, what, path);
  }
  lock.unlock();  // nobody else has it any more
  return reply;
}

Error ZooKeeperSession::error_of(int code, std::string_view what, std::string_view path) const {
  const std::string text = concat("ZooKeeper (", client_->options.quorum, "): ", what, ' ',
                                  in_quotes(path), ": ", zerror(code));
  if (is_unknown(code)) return unavailable(text + "; it is tried again when it answers");
  if (code == ZNOAUTH) {
    return invalid_argument(
        text +
        "; the node belongs to another user: set "
        "high-availability.zookeeper.client.authorization to the user who made it, or name "
        "another high-availability.cluster-id");
  }
  if (why_of(code)) return cancelled(text + "; somebody else has changed it");
  return internal(text);
}

Status ZooKeeperSession::sync() {
  const std::chrono::nanoseconds sent = boot_time();
  const auto reply = call("waiting for", client_->options.path, [&](Reply&, const void* shared) {
    return zoo_async(client_->handle, "/", &Reply::on_text, shared);
  });
  if (!reply) return reply.error();
  if (*(*reply)->code != ZOK) {
    return error_of(*(*reply)->code, "waiting for", client_->options.path);
  }
  const std::lock_guard lock(mutex_);
  lease_.renew(sent, timeout());
  return {};
}

Result<std::optional<ZooKeeperSession::Node>> ZooKeeperSession::get(const std::string& path,
                                                                    Watch watch) {
  const auto reply = call("reading", path, [&](Reply&, const void* shared) {
    return zoo_aget(client_->handle, path.c_str(), watch == Watch::kYes, &Reply::on_data, shared);
  });
  if (!reply) return reply.error();
  const int code = *(*reply)->code;
  if (code == ZNONODE) return std::optional<Node>();
  if (code != ZOK) return error_of(code, "reading", path);
  return std::optional(std::move((*reply)->node));
}

Result<bool> ZooKeeperSession::exists(const std::string& path, Watch watch) {
  const auto reply = call("looking for", path, [&](Reply&, const void* shared) {
    return zoo_aexists(client_->handle, path.c_str(), watch == Watch::kYes, &Reply::on_stat,
                       shared);
  });
  if (!reply) return reply.error();
  const int code = *(*reply)->code;
  if (code != ZOK && code != ZNONODE) return error_of(code, "looking for", path);
  return code == ZOK;
}

Result<std::vector<std::string>> ZooKeeperSession::children(const std::string& path) {
  const auto reply = call("listing", path, [&](Reply&, const void* shared) {
    return zoo_aget_children(client_->handle, path.c_str(), 0, &Reply::on_names, shared);
  });
  if (!reply) return reply.error();
  const int code = *(*reply)->code;
  if (code != ZOK && code != ZNONODE) return error_of(code, "listing", path);
  std::ranges::sort((*reply)->names);
  return std::move((*reply)->names);
}

struct ZooKeeperSession::NewNode {
  const std::string& path;
  std::string_view data;
  int mode;
  const ACL_vector* access;
};

Status ZooKeeperSession::make(const std::string& path, std::string_view data) {
  return create({path, data, ZOO_PERSISTENT, client_->access()});
}

Status ZooKeeperSession::make_open(const std::string& path) {
  return create({path, "", ZOO_PERSISTENT, &ZOO_OPEN_ACL_UNSAFE});
}

Status ZooKeeperSession::make_ephemeral(const std::string& path, std::string_view data) {
  return create({path, data, ZOO_EPHEMERAL_SEQUENTIAL, client_->access()});
}

// Many may do so at once. Who may not make a node may see it nevertheless, so it is looked for.
Status ZooKeeperSession::create(const NewNode& node) {
  if (node.mode == ZOO_PERSISTENT) {
    const Result<bool> there = exists(node.path);
    if (!there) return there.error();
    if (*there) return {};
  }
  const auto reply = call("making", node.path, [&](Reply&, const void* shared) {
    return zoo_acreate(client_->handle, node.path.c_str(), node.data.data(),
                       static_cast<int>(node.data.size()), node.access, node.mode, &Reply::on_text,
                       shared);
  });
  if (!reply) return reply.error();
  const int code = *(*reply)->code;
  return code == ZOK || code == ZNODEEXISTS ? Status() : error_of(code, "making", node.path);
}

Result<std::optional<ZooKeeperRefusal>> ZooKeeperSession::commit(
    std::vector<ZooKeeperOperation> operations) {
  const std::string path = operations.back().path;
  const auto reply = call("changing", path, [&](Reply& own, const void* shared) {
    own.operations = std::move(operations);
    for (const ZooKeeperOperation& operation : own.operations) {
      own.requests.push_back(request_of(operation, client_->access()));
    }
    own.results.resize(own.requests.size());
    return zoo_amulti(client_->handle, static_cast<int>(own.requests.size()), own.requests.data(),
                      own.results.data(), &Reply::on_nothing, shared);
  });
  if (!reply) return reply.error();
  const int code = *(*reply)->code;
  if (code == ZOK) return std::optional<ZooKeeperRefusal>();
  // Those behind the one that failed have a code that says so.
  const auto& results = (*reply)->results;
  const auto failed = std::ranges::find(results, code, &zoo_op_result_t::err);
  const auto index = static_cast<std::size_t>(failed - results.begin());
  const std::optional<Why> why = why_of(code);
  if (is_unknown(code) || !why || failed == results.end()) return error_of(code, "changing", path);
  return std::optional(ZooKeeperRefusal{index, *why});
}

}  // namespace millrace::detail
