// What a source or a sink of one's own is written with: derive from Source, SplitSource or Sink,
// and use it as job.from(source<YourSource>(arguments...)) or
// stream.to(sink<YourSink>(arguments...)).
#pragma once

#include "millrace/operators/endpoints.h"
