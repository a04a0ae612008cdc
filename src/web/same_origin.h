// Whether a request may come from where it says: a page of another site that a browser shows may
// reach loopback too, by its address or by a name of its own that leads there, and must not run
// programs.
#pragma once

#include <string_view>

namespace millrace::detail {

// `host` is what the request was sent to, with the port; `origin` the page that it is sent for,
// empty where no browser sends it.
bool is_same_origin(std::string_view host, std::string_view origin);

}  // namespace millrace::detail
