#include "millrace/operators/side_outputs.h"

#include "millrace/core/text.h"

namespace millrace {
namespace {

Error too_early(std::string_view tag) {
  return user_code(concat("the side output ", in_quotes(tag),
                          " was emitted to before the source was polled; emit in poll()"));
}

Error of_two_types(std::string_view tag, const std::type_info& emitted,
                   const std::type_info& read) {
  return user_code(concat("the side output ", in_quotes(tag), " is emitted as ",
                          in_quotes(readable_name(emitted)), " and read as ",
                          in_quotes(readable_name(read)),
                          "; emit and read it by one and the same OutputTag"));
}

}  // namespace

std::size_t SideOutputs::find(std::string_view tag, const std::type_info& type,
                              detail::BatchPtr (*make_batch)()) {
  if (outputs_ == nullptr) {
    if (status_) status_ = too_early(tag);
    return 0;
  }
  for (std::size_t i = 0; i < outputs_->tags().size(); ++i) {
    if (outputs_->tags()[i] != tag) continue;
    const std::type_info& read = outputs_->batch(i + 1)->record_type();
    if (read == type) return i + 1;
    if (status_) status_ = of_two_types(tag, type, read);
    return 0;
  }
  return outputs_->keeps_unread() ? outputs_->add(tag, make_batch()) : 0;
}

}  // namespace millrace
