// Names a side output and its type: `constexpr OutputTag<Payment> kRefused{"refused"};`
#pragma once

#include <string_view>

namespace millrace {

template <class T>
struct OutputTag {
  using value_type = T;

  std::string_view name;
};

}  // namespace millrace
