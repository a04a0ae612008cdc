// State of a key and a namespace, such as a window: a table's key is the pair, so that each
// namespace of a key is loaded, changed, evicted and removed for itself, and may have a value, a
// list, a map or timers. The bytes of the namespace lie behind those of the key. The key alone
// decides the key group, and so the subtask and where the rows lie; the pair decides the place in
// the table, or all namespaces of a key would stand in each other's way.
//
// For operators of the engine:
//
//   StateOwner<Namespaced<K, Window>> owner;
//   NamespacedKeys<K, Window> pairs;
//   pairs.add(key, window);                // for each record and window of a group
//   owner.begin_group(pairs.current());
//   owner.current_keys().index = i;        // each state is now that of pair i
//   owner.clear_current();                 // the key has nothing any more in that namespace
#pragma once

#include <array>
#include <vector>

#include "millrace/core/records/hash.h"
#include "millrace/state/current_keys.h"

namespace millrace::detail {

template <class K, class N>
struct Namespaced {
  K key{};
  N space{};
};

// The hash by which a table finds a key and rows are ordered.
template <class K>
std::uint64_t hash_of_key(const K& key) {
  return hash_key(key);
}
template <class K, class N>
std::uint64_t hash_of_key(const Namespaced<K, N>& pair) {
  constexpr std::uint64_t kLower = 0xffff'ffff;
  const std::uint64_t hash = hash_key(pair.key);
  return (hash & ~kLower) | (join_hash(hash, hash_key(pair.space)) & kLower);
}

// A group of pairs, up to kMostKeys.
template <class K, class N>
class NamespacedKeys {
 public:
  NamespacedKeys() : pairs_(kMostKeys) {}

  void clear() { size_ = 0; }
  bool full() const { return size_ == kMostKeys; }
  std::size_t size() const { return size_; }

  void add(const K& key, const N& space) {
    Namespaced<K, N>& pair = pairs_[size_];
    pair.key = key;  // into what its last one has allocated
    pair.space = space;
    hashes_[size_] = hash_of_key(pair);
    keys_[size_++] = &pair;
  }
  const Namespaced<K, N>& operator[](std::size_t i) const { return pairs_[i]; }

  // Holds until the pairs change.
  CurrentKeys current() const { return {.hashes = {hashes_.data(), size_}, .keys = keys_.data()}; }

 private:
  std::vector<Namespaced<K, N>> pairs_;
  std::array<std::uint64_t, kMostKeys> hashes_;
  std::array<const void*, kMostKeys> keys_;
  std::size_t size_ = 0;
};

}  // namespace millrace::detail
