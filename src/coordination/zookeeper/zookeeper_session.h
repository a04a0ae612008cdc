// One session with ZooKeeper: the adapter to its C client, and the one place that maps its errors.
// The client reconnects by itself to whichever server answers, until the session is over; then
// another takes this one's place.
//
// Calls block, but not longer than the lease lasts, and may come from any thread but the one that
// calls `changed`. kUnavailable says that there was no answer: what was to be changed may be
// changed, and nobody knows until it is read.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/coordination/lease.h"
#include "millrace/coordination/zookeeper/zookeeper_options.h"
#include "millrace/core/result.h"

namespace millrace::detail {

// What a session changes in one step: all of it or nothing. A version is that of a node's content.
struct ZooKeeperOperation {
  enum class Kind { kCheck, kCreate, kSet, kErase };

  Kind kind;
  std::string path;
  std::optional<std::int32_t> version = {};  // none: any, as long as there is such a node
  std::string data = {};
};

// Which of the operations could not be done, so that none was.
struct ZooKeeperRefusal {
  enum class Why { kNoNode, kNodeExists, kOtherVersion, kNotEmpty };

  std::size_t operation = 0;
  Why why = Why::kNoNode;
};

class ZooKeeperSession {
 public:
  enum class State { kConnecting, kConnected, kOver };
  enum class Watch { kNo, kYes };  // whether `changed` is called at the next change, once

  struct Node {
    std::string data;
    std::int32_t version = 0;
  };

  // `changed` is called when the state may have changed, or something that is watched.
  static Result<std::shared_ptr<ZooKeeperSession>> open(const ZooKeeperOptions& options,
                                                        std::function<void()> changed);
  ZooKeeperSession(const ZooKeeperSession&) = delete;
  ZooKeeperSession& operator=(const ZooKeeperSession&) = delete;
  // Ends the session, and with it its ephemeral nodes, if a server can be told.
  ~ZooKeeperSession();

  State state() const;
  std::string id() const;  // that no other session has; once connected
  Lease lease() const;
  Duration timeout() const;  // as the servers have granted it; once connected

  // Waits for the client to connect again; kUnavailable if it takes it too long.
  Status await_connection() const;

  // The next read sees what anybody wrote before. Renews the lease: the answer is the leader's of
  // the servers, which knows of the session, while others may be cut off and not know it.
  Status sync();

  Result<std::optional<Node>> get(const std::string& path, Watch watch = Watch::kNo);
  Result<bool> exists(const std::string& path, Watch watch = Watch::kNo);
  Result<std::vector<std::string>> children(const std::string& path);  // sorted; none without node

  // A node may be there already. What is made belongs to the user whom the options name, and to
  // everybody if they name none.
  Status make(const std::string& path, std::string_view data);
  // One that is everybody's, and empty.
  Status make_open(const std::string& path);
  // One that is gone with the session. Its name is the path's, and a number that grows.
  Status make_ephemeral(const std::string& path, std::string_view data);

  // Nothing if all was done.
  Result<std::optional<ZooKeeperRefusal>> commit(std::vector<ZooKeeperOperation> operations);

 private:
  struct Client;
  struct Reply;

  explicit ZooKeeperSession(std::unique_ptr<Client> client);

  template <class Send>
  Result<std::shared_ptr<Reply>> call(std::string_view what, const std::string& path, Send send);
  std::chrono::nanoseconds patience() const;
  struct NewNode;
  Status create(const NewNode& node);
  Error error_of(int code, std::string_view what, std::string_view path) const;

  const std::unique_ptr<Client> client_;
  mutable std::mutex mutex_;
  Lease lease_;
};

// CLOCK_BOOTTIME: it never jumps, and goes on while the machine sleeps.
std::chrono::nanoseconds boot_time();

}  // namespace millrace::detail
