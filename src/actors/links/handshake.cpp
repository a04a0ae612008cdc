#include "millrace/actors/links/handshake.h"

#include <algorithm>
#include <array>

#include "millrace/actors/links/byte_reader.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr std::string_view kMagic = "MILLRLNK";
constexpr std::size_t kMostName = 512;
constexpr std::size_t kMostMessage = 2'048;  // so that a goodbye is no larger than a hello may be

constexpr std::array<std::string_view, 4> kRoleNames{"coordinator", "worker", "host", "client"};

bool may_link(Role a, Role b) {
  const auto are = [&](Role one, Role other) {
    return (a == one && b == other) || (a == other && b == one);
  };
  return are(Role::kCoordinator, Role::kWorker) || are(Role::kCoordinator, Role::kClient) ||
         are(Role::kCoordinator, Role::kHost) || are(Role::kHost, Role::kHost);
}

std::string description(const Hello& hello) {
  return concat("the ", to_string(hello.role), " ", in_quotes(hello.identity), " of cluster ",
                in_quotes(hello.cluster));
}

}  // namespace

std::string_view to_string(Role role) { return kRoleNames[static_cast<std::size_t>(role) - 1]; }

std::optional<Role> role_named(std::string_view name) {
  const auto found = std::ranges::find(kRoleNames, name);
  if (found == kRoleNames.end()) return std::nullopt;
  return static_cast<Role>(found - kRoleNames.begin() + 1);
}

void append_hello(const Hello& hello, std::string& out) {
  FrameWriter writer(FrameKind::kHello, out);
  out += kMagic;
  append_integer(out, hello.version);
  out += static_cast<char>(hello.role);
  append_frame_text(out, hello.cluster);
  append_frame_text(out, hello.identity);
  append_integer(out, hello.incarnation);
  append_integer(out, hello.number);
  millrace::check(writer.finish().has_value(), "a hello is too large for a frame");
}

Result<Hello> decode_hello(std::string_view body) {
  ByteReader reader(body);
  if (reader.take_bytes(kMagic.size()) != kMagic) {
    return corruption("the hello does not begin as one of Millrace does");
  }
  Hello hello{.version = reader.take<std::uint32_t>()};
  if (!reader.well()) return corruption("the hello ends too early");
  if (hello.version != kLinkVersion) {
    return unsupported(concat("one end of the link speaks version ", hello.version,
                              " of the protocol and the other version ", kLinkVersion,
                              "; run the same release of Millrace on both"));
  }
  const auto role = reader.take<std::uint8_t>();
  hello.cluster = reader.take_text(kMostName);
  hello.identity = reader.take_text(kMostName);
  hello.incarnation = reader.take<std::uint64_t>();
  hello.number = reader.take<std::uint64_t>();
  if (!reader.ended()) return corruption("the hello is of the wrong size");
  if (role == 0 || role > kRoleNames.size()) {
    return corruption(concat("the hello names role ", role, ", which is not known"));
  }
  hello.role = static_cast<Role>(role);
  return hello;
}

void append_goodbye(const Goodbye& goodbye, std::string& out) {
  FrameWriter writer(FrameKind::kGoodbye, out);
  out += static_cast<char>(goodbye.cause);
  out += static_cast<char>(goodbye.error.code());
  append_frame_text(out, std::string_view(goodbye.error.message()).substr(0, kMostMessage));
  millrace::check(writer.finish().has_value(), "a goodbye is too large for a frame");
}

Result<Goodbye> decode_goodbye(std::string_view body) {
  ByteReader reader(body);
  const auto cause = reader.take<std::uint8_t>();
  const auto code = reader.take<std::uint8_t>();
  const std::string_view message = reader.take_text(kMostMessage);
  if (!reader.well()) return corruption("a goodbye ends too early");
  if (cause > static_cast<std::uint8_t>(Goodbye::Cause::kSuperseded) ||
      code > static_cast<std::uint8_t>(ErrorCode::kInternal)) {
    return corruption("a goodbye with an unknown cause");
  }
  return Goodbye{static_cast<Goodbye::Cause>(cause),
                 Error(static_cast<ErrorCode>(code), std::string(message))};
}

Result<Hello> Handshake::on_frame(const Frame& frame) const {
  if (frame.kind() != FrameKind::kHello) {
    return corruption("the first frame of a connection is no hello");
  }
  Result<Hello> hello = decode_hello(frame.body());
  if (!hello) return hello;
  if (Status well = check(*hello); !well) return well.error();
  return hello;
}

Status Handshake::check(const Hello& hello) const {
  const std::string them = description(hello);
  if (hello.cluster != self_.cluster) {
    return invalid_argument(
        concat(them, " has reached ", description(self_), ": they belong to different clusters"));
  }
  if (hello.identity == self_.identity) {
    return invalid_argument(
        concat(them, " has reached a process of the same identity, maybe itself"));
  }
  if (!may_link(hello.role, self_.role)) {
    return invalid_argument(concat("a ", to_string(hello.role), " has no link with a ",
                                   to_string(self_.role), "; ", them, " has reached ",
                                   in_quotes(self_.identity)));
  }
  if (expected_.role && hello.role != *expected_.role) {
    return invalid_argument(concat(in_quotes(self_.identity), " expected a ",
                                   to_string(*expected_.role), " at this address, and found ",
                                   them));
  }
  if (!expected_.identity.empty() && hello.identity != expected_.identity) {
    return not_found(concat(in_quotes(self_.identity), " expected ", in_quotes(expected_.identity),
                            " at this address, and found ", them));
  }
  if (proved_ && !proved_->contains(hello.role)) {
    return invalid_argument(
        concat(them, " has a certificate that does not name the role ", to_string(hello.role)));
  }
  return {};
}

}  // namespace millrace::detail
