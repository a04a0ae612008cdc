#include "millrace/testing/job_under_test.h"

#include <algorithm>

#include "millrace/api/job.h"
#include "millrace/coordination/memory_metadata_store.h"
#include "millrace/core/config/options.h"
#include "millrace/core/text.h"
#include "millrace/core/thrown.h"
#include "millrace/state/files/memory_checkpoint_store.h"
#include "millrace/state/memory_store.h"
#include "millrace/testing/comparison.h"

namespace millrace::detail {
namespace {

using std::chrono::nanoseconds;

// A record comes in the middle of each beat; checkpoints are taken between beats.
constexpr nanoseconds kBeat = std::chrono::milliseconds(1);
constexpr std::size_t kMostPlaces = 50;

nanoseconds beats(std::size_t count) { return static_cast<std::int64_t>(count) * kBeat; }

Status describe(JobBuilder& builder, const std::function<void(Job&)>& function) {
  Job job(builder);
  try {
    builder.call(function, job);
  } catch (const BadParameter&) {
    return builder.parameter_status();
  } catch (...) {
    return thrown_by("the job function", std::current_exception());
  }
  return builder.parameters().check_all_known();
}

}  // namespace

Result<std::unique_ptr<JobUnderTest>> JobUnderTest::make(
    const std::function<void(Job&)>& job, const std::map<std::string, std::string>& parameters,
    const test::TestRunOptions& options) {
  std::vector<Argument> given;
  for (const auto& [name, text] : parameters) given.push_back({name, text});
  JobBuilder builder("test", Parameters(std::move(given), kEngineFlags));
  if (Status described = describe(builder, job); !described) return described.error();
  builder.plan().set_parallelism(options.parallelism);
  builder.plan().set_mode(options.mode);
  Result<BuiltJob> built = builder.build();
  if (!built) return built.error();
  Result<ExecutionPlan> plan = make_execution_plan(built->plan);
  if (!plan) return plan.error();
  return std::make_unique<JobUnderTest>(*std::move(plan), std::move(built->code), options.seed);
}

Result<const OperatorSpec*> JobUnderTest::find(bool OperatorSpec::*kind, std::string_view kind_name,
                                               std::string_view name) const {
  std::vector<std::string> names;
  for (const OperatorSpec& spec : plan_.logical.operators) {
    if (!(spec.*kind)) continue;
    if (spec.name == name) return &spec;
    names.push_back(in_quotes(spec.name));
  }
  return not_found(concat("the job has no ", kind_name, " ", in_quotes(name), "; it has ",
                          names.empty() ? "none" : join(names),
                          ", and .named(...) directly behind it gives another name"));
}

Status JobUnderTest::feed(std::string_view source, BatchPtr records) {
  Result<const OperatorSpec*> spec = find(&OperatorSpec::source, "source", source);
  if (!spec) return spec.error();
  const std::type_info& type = code_of(**spec).outputs[0]()->record_type();
  if (type != records->record_type()) {
    return invalid_argument(concat("source ", in_quotes(source), " emits records of type ",
                                   readable_name(type), ", and was fed ",
                                   readable_name(records->record_type())));
  }
  FedRecords& fed = fed_[(*spec)->name];
  if (!fed.batch) fed.batch = records->make_empty();
  for (std::size_t row = 0; row < records->size(); ++row) {
    fed.due.push_back(beats(order_.size()) + kBeat / 2);
    order_.push_back({(*spec)->name, fed.due.size() - 1});
  }
  fed.batch->append(*records, 0, records->size(), true);
  shown_.reset();
  return {};
}

Status JobUnderTest::run() {
  Result<Shown> shown = run_with(std::nullopt);
  if (!shown) return shown.error();
  shown_ = *std::move(shown);
  return {};
}

Status JobUnderTest::crash_between_records() {
  if (Status ran = run(); !ran) return ran;
  for (std::size_t record = stride(); record <= order_.size(); record += stride()) {
    for (const bool of_process : {true, false}) {
      Status same = compare_with({.of_process = of_process, .record = record});
      if (!same) return same;
    }
  }
  return {};
}

Result<std::vector<BatchPtr>> JobUnderTest::shown(std::string_view sink,
                                                  const std::type_info& type) {
  Result<const OperatorSpec*> spec = find(&OperatorSpec::sink, "sink", sink);
  if (!spec) return spec.error();
  const EdgeSpec& edge = edge_to(**spec);
  const OperatorCode& from = code_of(plan_.logical.at(edge.from));
  const std::type_info& shown = from.outputs[edge.output]()->record_type();
  if (shown != type) {
    return invalid_argument(concat("sink ", in_quotes(sink), " takes records of type ",
                                   readable_name(shown), ", and was asked for ",
                                   readable_name(type)));
  }
  if (!shown_) {
    if (Status ran = run(); !ran) return ran.error();
  }
  return shown_->at((*spec)->name)->shown();
}

const EdgeSpec& JobUnderTest::edge_to(const OperatorSpec& sink) const {
  return *std::ranges::find_if(plan_.logical.edges, [&](const EdgeSpec& edge) {
    return &plan_.logical.at(edge.to) == &sink;
  });
}

const Type& JobUnderTest::type_of_sink(const OperatorSpec& sink) const {
  const EdgeSpec& edge = edge_to(sink);
  return *code_of(plan_.logical.at(edge.from)).types[edge.output];
}

// Where the way to the sink is a single line. At its end a batch job emits in no order.
bool JobUnderTest::has_an_order(const OperatorSpec& sink) const {
  if (plan_.mode == Mode::kBatch) return false;
  for (const OperatorSpec* spec = &sink;;) {
    if (parallelism_of(plan_.logical, *spec) > 1) return false;
    const EdgeSpec* into = nullptr;
    for (const EdgeSpec& edge : plan_.logical.edges) {
      if (&plan_.logical.at(edge.to) != spec) continue;
      if (into != nullptr) return false;
      into = &edge;
    }
    if (into == nullptr) return true;
    spec = &plan_.logical.at(into->from);
  }
}

OperatorFactory JobUnderTest::make_source(const OperatorSpec& spec) const {
  const auto found = fed_.find(spec.name);
  FedRecords fed = found == fed_.end() ? FedRecords() : found->second;
  if (!fed.due.empty()) {
    fed.end = spec.bounded ? fed.due.back() + kBeat : beats(order_.size()) + kBeat / 2;
  }
  std::optional<EventTime> time = code_of(spec).event_time;
  if (time) time->bounded = false;  // a watermark whenever no record is due
  return [fed = std::make_shared<const FedRecords>(std::move(fed)), time] {
    auto source = std::make_unique<FedSource>(fed);
    if (time) source->set_event_time(*time);
    return source;
  };
}

// A task fails just before the checkpoint that would follow the record; the process dies after it.
Result<JobUnderTest::Shown> JobUnderTest::run_with(std::optional<Crash> crash) const {
  Shown shown;
  JobCode code = code_;
  for (const OperatorSpec& spec : plan_.logical.operators) {
    OperatorCode& replaced = code.operators.at(spec.id);
    if (spec.source) {
      replaced.make = make_source(spec);
      replaced.enumerator = {};
    } else if (spec.sink) {
      const auto& captured = shown[spec.name] = std::make_shared<Captured>();
      replaced.make = [captured] { return std::make_unique<CapturingSink>(captured); };
    }
  }
  Disturbances disturbances;
  ExecutionSettings settings{.checkpoints = {.interval = beats(stride())}};
  if (crash && crash->of_process) {
    disturbances.dies_at = beats(crash->record) + kBeat / 4;
  } else if (crash) {
    disturbances.task_fails_at = beats(crash->record) - kBeat / 4;
    settings.restart = FixedDelayRestart{.attempts = 1, .delay = kBeat};
  }
  MemoryCheckpointStore checkpoints;
  MemoryMetadataStore metadata;
  MemoryStateStoreFactory states;
  settings.checkpoint_store = &checkpoints;
  settings.metadata_store = &metadata;
  settings.state_stores = &states;
  SimulatedCluster cluster(seed_, disturbances);
  if (Status ran = cluster.run(plan_, code, settings); !ran) return ran.error();
  return shown;
}

Status JobUnderTest::compare_with(const Crash& crash) const {
  Result<Shown> shown = run_with(crash);
  if (!shown) {
    return shown.error().with_context(concat("the job fails when ", describe_crash(crash)));
  }
  for (const OperatorSpec& spec : plan_.logical.operators) {
    if (!spec.sink) continue;
    const Type& type = type_of_sink(spec);
    const std::string differs =
        difference(lines_of(shown_->at(spec.name)->shown(), type),
                   lines_of(shown->at(spec.name)->shown(), type), has_an_order(spec));
    if (differs.empty()) continue;
    return user_code(
        concat("sink ", in_quotes(spec.name), " shows something else when ", describe_crash(crash),
               differs,
               "\nAfter a crash the job's functions are made anew and go on from the last "
               "checkpoint: what they must remember belongs into state, such as a ValueState, and "
               "not into other members or global variables"));
  }
  return {};
}

std::string JobUnderTest::describe_crash(const Crash& crash) const {
  const FedPlace& last = order_[crash.record - 1];
  const OperatorSpec& source = **find(&OperatorSpec::source, "source", last.source);
  const std::string record =
      line_of(*fed_.at(last.source).batch, last.row, *code_of(source).types[0]);
  return concat(crash.of_process ? "the process dies after a checkpoint" : "a task fails",
                " behind record ", crash.record, " of ", order_.size(), ", ", record, " of ",
                in_quotes(last.source));
}

std::size_t JobUnderTest::stride() const {
  return std::max<std::size_t>(1, (order_.size() + kMostPlaces - 1) / kMostPlaces);
}

}  // namespace millrace::detail
