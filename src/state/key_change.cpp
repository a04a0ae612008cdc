#include "millrace/state/key_change.h"

#include <set>
#include <utility>

namespace millrace::detail {
namespace {

int width_of(Kind kind) {
  switch (kind) {
    case Kind::kInt8:
    case Kind::kUInt8:
      return 8;
    case Kind::kInt16:
    case Kind::kUInt16:
      return 16;
    case Kind::kInt32:
    case Kind::kUInt32:
      return 32;
    default:
      return 64;
  }
}

bool is_integer(Kind kind) { return is_signed_integer(kind) || is_unsigned_integer(kind); }

// Whether all values of the one are the same 64 bits as values of the other.
bool is_widened(Kind before, Kind now) {
  if (is_signed_integer(before) == is_signed_integer(now)) return width_of(before) <= width_of(now);
  return is_unsigned_integer(before) && width_of(before) < width_of(now);
}

class Comparison {
 public:
  Comparison(const Schema& before, const Schema& now)
      : before_(before.nodes()), now_(now.nodes()) {}

  bool same(std::uint32_t before, std::uint32_t now) {
    if (!seen_.emplace(before, now).second) return true;  // a type in itself
    return same_nodes(before_[before], now_[now]);
  }

 private:
  bool same_nodes(const SchemaNode& before, const SchemaNode& now) {
    const bool numbers = (is_integer(before.kind) || before.kind == Kind::kEnum) &&
                         (is_integer(now.kind) || now.kind == Kind::kEnum);
    if (numbers) return is_widened(held_as(before), held_as(now));
    if (before.kind != now.kind) return false;
    switch (before.kind) {
      case Kind::kDuration:
        return before.period_numerator == now.period_numerator &&
               before.period_denominator == now.period_denominator &&
               is_widened(before.integer, now.integer);
      case Kind::kArray:
        return before.length == now.length && same(before.element, now.element);
      case Kind::kOptional:
      case Kind::kList:
        return same(before.element, now.element);
      case Kind::kVariant:
        return before.members.size() <= now.members.size() && same_members(before, now);
      case Kind::kRecord:
        return before.members.size() == now.members.size() && same_members(before, now);
      default:
        return true;
    }
  }

  bool same_members(const SchemaNode& before, const SchemaNode& now) {
    for (std::size_t i = 0; i < before.members.size(); ++i) {
      if (!same(before.members[i].node, now.members[i].node)) return false;
    }
    return true;
  }

  const std::vector<SchemaNode>& before_;
  const std::vector<SchemaNode>& now_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen_;
};

}  // namespace

bool is_same_key(const Schema& before, const Schema& now) {
  return Comparison(before, now).same(0, 0);
}

}  // namespace millrace::detail
