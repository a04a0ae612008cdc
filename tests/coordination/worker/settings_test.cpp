#include "millrace/coordination/worker/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/core/config/options.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Config config(std::vector<ConfigFlag> flags) {
  return *Config::load(kEngineOptions, {.flags = std::move(flags)});
}

TEST(JobSettings, AreThoseThatWereSet) {
  EXPECT_THAT(job_settings(Config()), IsEmpty());
  EXPECT_THAT(job_settings(config({{"state.memory", "64MiB"}, {"parallelism.default", "3"}})),
              ElementsAre(Setting{"parallelism.default", "3"}, Setting{"state.memory", "64MiB"}));
}

TEST(JobSettings, LeaveOutWhatAProcessDecides) {
  const Config of_all = config({{"log.file", "x"},
                                {"log.level", "debug"},
                                {"heartbeat.timeout", "11s"},
                                {"high-availability.zookeeper.client.authorization", "a:secret"},
                                {"security.allow-plaintext", "true"},
                                {"taskmanager.numberOfTaskSlots", "2"}});
  EXPECT_THAT(job_settings(of_all), ElementsAre(Setting{"log.level", "debug"}));
  EXPECT_THAT(link_settings(of_all), ElementsAre(Setting{"heartbeat.timeout", "11s"},
                                                 Setting{"security.allow-plaintext", "true"}));
}

TEST(JobSettings, SayWhetherTheJobIsAdaptive) {
  EXPECT_THAT(
      job_settings(config({{"jobmanager.scheduler", "adaptive"}, {"jobmanager.rpc.port", "1"}})),
      ElementsAre(Setting{"jobmanager.scheduler", "adaptive"}));
}

TEST(SettingsInProcess, TakeThoseOfLinksFromTheProcess) {
  const std::vector<Setting> of_job{{"parallelism.default", "3"}, {"heartbeat.timeout", "1h"}};
  const std::vector<Setting> own{{"heartbeat.timeout", "11s"}};
  const Result<Config> both = config_of(settings_in_process(of_job, own));
  ASSERT_TRUE(both) << both.error().message();
  EXPECT_EQ(both->get(kHeartbeatTimeout), std::chrono::seconds(11));
  EXPECT_EQ(both->get(kDefaultParallelism), 3);
}

TEST(ConfigOf, NamesWhatItDoesNotKnow) {
  const Result<Config> unknown = config_of(std::vector<Setting>{{"paralelism.default", "3"}});
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message(), HasSubstr("paralelism.default"));
}

}  // namespace
}  // namespace millrace::detail
