#include "millrace/web/routes.h"

#include <gtest/gtest.h>

#include "millrace/web/same_origin.h"

namespace millrace::detail {
namespace {

using Words = std::vector<std::string>;

TEST(MatchPath, TakesWordsForNames) {
  EXPECT_EQ(match_path("/jobs", "/jobs"), Words());
  EXPECT_EQ(match_path("/jobs/{job}/savepoints/{request}", "/jobs/a/savepoints/b"),
            (Words{"a", "b"}));
  EXPECT_EQ(match_path("/jobs/{job}", "/jobs/"), Words{""});
}

TEST(MatchPath, MatchesWholePathsAlone) {
  for (const char* path : {"", "/", "jobs/a", "/jobs", "/jobs/a/b", "/job/a", "/jobs/a/"}) {
    EXPECT_EQ(match_path("/jobs/{job}", path), std::nullopt) << path;
  }
}

TEST(IsSameOrigin, TrustsAddressesAndLocalhost) {
  for (const char* host : {"", "localhost", "localhost:8081", "127.0.0.1:1", "[::1]:8081"}) {
    EXPECT_TRUE(is_same_origin(host, "")) << host;
  }
  EXPECT_TRUE(is_same_origin("localhost:8081", "http://localhost:8081"));
}

TEST(IsSameOrigin, TrustsNoNamesAndNoPagesOfOthers) {
  EXPECT_FALSE(is_same_origin("millrace.example:8081", ""));
  EXPECT_FALSE(is_same_origin("127.0.0.1.example", ""));
  EXPECT_FALSE(is_same_origin("localhost:8081", "http://localhost:3000"));
  EXPECT_FALSE(is_same_origin("localhost:8081", "https://example.com"));
  EXPECT_FALSE(is_same_origin("localhost:8081", "null"));
}

}  // namespace
}  // namespace millrace::detail
