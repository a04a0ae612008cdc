// The verifier's own job as an executable, for clusters to run.
#include "millrace/millrace.h"
#include "millrace/verifier.h"

int main(int argc, char** argv) {
  return millrace::run("verified", millrace::test::witnessed_job, argc, argv);
}
