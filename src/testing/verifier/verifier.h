// With what an engine, or a job's own operators, are verified: seeded events, a witness that keeps
// account of them in state, and a checker that names what was lost, duplicated, reordered or
// altered. docs/reference/testing.md shows how. Link Millrace::testing.
#pragma once

#include "millrace/testing/verifier/checker.h"
#include "millrace/testing/verifier/event.h"
#include "millrace/testing/verifier/event_source.h"
#include "millrace/testing/verifier/verdict.h"
#include "millrace/testing/verifier/witness.h"
#include "millrace/testing/verifier/witnessed_job.h"
