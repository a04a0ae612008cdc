// What the owner of a process's links learns of them. Plain values, without CAF.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "millrace/actors/links/handshake.h"
#include "millrace/actors/links/link_load.h"
#include "millrace/core/ids.h"
#include "millrace/core/result.h"

namespace millrace::detail {

// One connection in the life of this process. Another connection with the same peer is another
// link: whoever had frames under way on the first must not go on with the second as if nothing had
// happened.
using LinkId = StrongId<struct LinkIdTag, std::uint64_t>;

struct LinkAddress {
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const LinkAddress&, const LinkAddress&) = default;
};
std::string to_string(const LinkAddress& address);  // host:port
Result<LinkAddress> parse_link_address(std::string_view text);

// There is a link; frames may be sent.
struct LinkUp {
  LinkId link;
  Hello peer;
  LinkAddress address = {};                  // to which this end has connected, if it has
  std::shared_ptr<LinkLoad> load = nullptr;  // for whoever sends much
};
// There is none any more, and this is why. What was under way may be lost.
struct LinkDown {
  LinkId link;
  std::string identity;  // of the peer
  Error error;
};
// No link came of an attempt to connect.
struct ConnectFailed {
  LinkAddress address;
  ExpectedPeer expected;
  Error error;
};
// More than is good waits to be sent, or that is over.
struct LinkCongested {
  LinkId link;
  bool congested;
};
// There is room again on a link whose load had senders wait.
struct LinkRelieved {
  LinkId link;
};

}  // namespace millrace::detail
