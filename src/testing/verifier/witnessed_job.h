// Events and their witness as a job: a whole one, and as parts for a job with something of one's
// own between them.
//
//   int main(int argc, char** argv) { return run("witnessed", test::witnessed_job, argc, argv); }
#pragma once

#include <string>

#include "millrace/api/job.h"
#include "millrace/testing/verifier/event.h"
#include "millrace/testing/verifier/event_source.h"

namespace millrace::test {

// Has the stream's events witnessed, and what comes out written below the directory, where judge()
// looks for it. The events of a key and partition must come in their order, with event time.
void witness(const Stream<Event>& events, const EventPattern& pattern,
             const std::string& directory);

// Parameters: output, seed, partitions, rounds, keys, burst and pause, in microseconds.
void witnessed_job(Job& job);

}  // namespace millrace::test
