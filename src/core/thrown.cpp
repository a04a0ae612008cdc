#include "millrace/core/thrown.h"

#include <cxxabi.h>

#include <cstdlib>
#include <string>
#include <typeinfo>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

std::string readable_name(const std::type_info& type) {
  int status = 0;
  char* name = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string result = status == 0 ? name : type.name();
  std::free(name);
  return result;
}

}  // namespace

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
