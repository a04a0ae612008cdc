#include "millrace/core/thrown.h"

#include <typeinfo>

#include "millrace/core/text.h"

namespace millrace::detail {
Error thrown_by(std::string_view who, std::exception_ptr exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& thrown) {
    return user_code(concat(who, " threw ", readable_name(typeid(thrown)), ": ", thrown.what()));
  } catch (...) {
    return user_code(concat(who, " threw something that is not a std::exception"));
  }
}

}  // namespace millrace::detail
