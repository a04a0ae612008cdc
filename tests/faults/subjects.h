// The jobs that the fault tests run, with what they must show.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

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

// A job whose output is compared with that of a run that nothing disturbs, as lines in any order.
// Makes that below the folder.
class Compared : public Subject {
 public:
  Compared(const std::filesystem::path& program, const std::filesystem::path& folder,
           std::vector<std::string> words);

  std::vector<std::string> words() const override { return words_; }
  std::string judge(const std::filesystem::path& shown) const override;

 private:
  std::vector<std::string> words_;
  std::filesystem::path right_;
};

// Makes the folder, with payments for the example fraud: four files of so many each.
std::filesystem::path make_payments(const std::filesystem::path& folder, int payments = 40'000);

// The example fraud, with made-up payments.
class Fraud final : public Compared {
 public:
  Fraud(const std::filesystem::path& program, const std::filesystem::path& folder);
};

// A job whose records change from one process to the next: evolving_job.h.
class Evolving final : public Compared {
 public:
  Evolving(const std::filesystem::path& program, const std::filesystem::path& folder);

  std::vector<std::string> words_of(std::size_t start) const override;
};

// The example custom: so many numbers.
class Custom final : public Subject {
 public:
  explicit Custom(std::int64_t count) : count_(count) {}

  std::vector<std::string> words() const override;
  std::string judge(const std::filesystem::path& shown) const override;

 private:
  std::int64_t count_;
};

}  // namespace millrace::faults
