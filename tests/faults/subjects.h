// The jobs that the fault tests run, with what they must show.
#pragma once

#include <memory>

#include "faults/round.h"
#include "millrace/testing/verifier/verifier.h"

namespace millrace::faults {

// Where making things durable takes no time, if there is such a place: a process that dies loses
// nothing that is not durable, and a round sees many more checkpoints there.
std::filesystem::path fast_folder();

// The verifier's own job. Makes the output of a run without faults below the folder, to compare
// with it.
class Witnessed final : public Subject {
 public:
  Witnessed(const std::filesystem::path& program, const std::filesystem::path& folder,
            test::EventPattern pattern, test::EventPace pace);

  std::vector<std::string> words() const override;
  std::string judge(const std::filesystem::path& shown) const override;

 private:
  test::EventPattern pattern_;
  test::EventPace pace_;
  std::filesystem::path right_;
};

// The example that finds tried out cards, with made-up attempts.
class Fraud final : public Subject {
 public:
  Fraud(const std::filesystem::path& program, const std::filesystem::path& folder);

  std::vector<std::string> words() const override;
  std::string judge(const std::filesystem::path& shown) const override;

 private:
  std::filesystem::path input_;
  std::filesystem::path right_;
};

}  // namespace millrace::faults
