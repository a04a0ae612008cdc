// A header of one layer, and the archive that holds it.
#include <millrace/core/time.h>

#include <cstdio>

int main() {
  const auto time = millrace::parse_timestamp("1500");
  if (time) std::puts(millrace::to_string(*time).c_str());
}
