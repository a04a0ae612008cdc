// What jobs are tested with, by any test framework: link Millrace::testing.
#pragma once

#include "millrace/testing/harness.h"
#include "millrace/testing/test_run.h"
