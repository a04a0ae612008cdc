// What a process with links is, in its cluster.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "millrace/actors/links/link_options.h"

namespace millrace::detail {

struct LinkedProcess {
  std::string cluster;
  std::string identity;
  LinkAddress listen{"127.0.0.1", 0};  // port 0: any that is free
  LinkOptions options = {};
  std::size_t threads = 0;  // that run tasks; 0: one per core
  std::uint64_t seed = 0;

  // What it says of itself.
  Hello hello(Role role) const;
};

}  // namespace millrace::detail
