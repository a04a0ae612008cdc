#include "millrace/coordination/zookeeper/zookeeper_options.h"

#include "millrace/core/config/options.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr std::string_view kPlain =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

Error wrong(const ConfigOption& option, std::string_view value, std::string_view expected) {
  return invalid_argument(concat(option.key, " is ", in_quotes(value), "; it must be ", expected));
}

bool is_name(std::string_view text) {
  return !text.empty() && text != "." && text != ".." &&
         text.find_first_not_of(kPlain) == std::string_view::npos;
}

bool is_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const Result<std::int64_t> port = parse_integer(text.substr(colon + 1));
  return port && *port >= 1 && *port <= 65'535;
}

// With no spaces.
Result<std::string> quorum_of(const Config& config) {
  const std::string text = config.get(kZooKeeperQuorum);
  std::string quorum;
  std::string address;
  for (const char c : text + ',') {
    if (c != ',') {
      if (c != ' ') address += c;
      continue;
    }
    if (!is_address(address)) {
      return wrong(kZooKeeperQuorum, text,
                   "the addresses of ZooKeeper's servers, such as zoo1:2181,zoo2:2181,zoo3:2181");
    }
    quorum += (quorum.empty() ? "" : ",") + address;
    address.clear();
  }
  return quorum;
}

Result<std::string> path_of(const Config& config) {
  const std::string root = config.get(kZooKeeperRoot);
  const std::string cluster = config.get(kClusterId);
  bool well = root.starts_with('/');
  for (std::size_t start = 1; well && start <= root.size();) {
    const std::size_t end = std::min(root.find('/', start), root.size());
    well = is_name(std::string_view(root).substr(start, end - start));
    start = end + 1;
  }
  if (!well || root.ends_with('/')) {
    return wrong(kZooKeeperRoot, root,
                 "a path of letters, digits and ._- with no slash at its end, such as /millrace");
  }
  if (!is_name(cluster)) return wrong(kClusterId, cluster, "a name of letters, digits and ._-");
  return root + '/' + cluster;
}

Status check_timeout(const Config& config, const Option<Duration>& option) {
  const Duration value = config.get(option);
  if (value >= Duration(100) && value <= std::chrono::hours(1)) return {};
  return wrong(option, config.text(option), "between 100ms and 1h");
}

}  // namespace

Result<ZooKeeperOptions> zookeeper_options(const Config& config) {
  Result<std::string> quorum = quorum_of(config);
  if (!quorum) return quorum.error();
  Result<std::string> path = path_of(config);
  if (!path) return path.error();
  for (const Option<Duration>& option : {kZooKeeperSessionTimeout, kZooKeeperConnectionTimeout}) {
    if (Status status = check_timeout(config, option); !status) return status.error();
  }
  std::string authorization = config.get(kZooKeeperAuthorization);
  const std::size_t colon = authorization.find(':');
  if (!authorization.empty() &&
      (colon == std::string::npos || colon == 0 || colon + 1 == authorization.size())) {
    return invalid_argument(
        concat(kZooKeeperAuthorization.key, " must be user:password, neither of them empty"));
  }
  return ZooKeeperOptions{.quorum = *std::move(quorum),
                          .path = *std::move(path),
                          .session_timeout = config.get(kZooKeeperSessionTimeout),
                          .connection_timeout = config.get(kZooKeeperConnectionTimeout),
                          .authorization = std::move(authorization)};
}

}  // namespace millrace::detail
