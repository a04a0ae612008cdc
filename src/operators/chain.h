// A chain: operators that run in one task, connected by direct calls on whole batches. An output
// may have several consumers, so a chain is a tree; its leaves are outlets, which lead out of the
// task. Watermarks and idleness go on from operator to operator, behind the records before them; an
// operator that makes its own watermarks swallows those of its input, but for the last one.
//
// The chain works on one element at a time: begin one with process(), watermark(), mark_idle(),
// timer(), finish() or, where the head is a source, poll(). kMore means that an outlet is not
// ready: nothing new may begin until resume() has returned kDone. Every batch inside is bounded, so
// a chain's memory is too.
//
// What user code throws or returns as an error comes back as an error that names the operator.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "millrace/core/thrown.h"
#include "millrace/operators/any_source.h"
#include "millrace/operators/operator.h"
#include "millrace/operators/watermark_generator.h"

namespace millrace::detail {

// Where records leave the chain. An outlet that is ready takes a whole batch, whatever its size.
class Outlet {
 public:
  virtual ~Outlet() = default;

  virtual bool ready() const = 0;
  // Unless shared, may move the records out, or take the batch and leave an empty one.
  virtual void write(BatchPtr& batch, bool shared) = 0;
  // Also tells that the stream is not idle any more; then it need not have grown.
  virtual void watermark(Timestamp watermark) = 0;
  // No records for a while, and nobody is to wait for the next watermark.
  virtual void mark_idle() = 0;
  virtual void finish() = 0;
};

struct ChainLink {
  std::size_t output;                     // of the operator whose consumer this is
  std::variant<std::size_t, Outlet*> to;  // an operator of the chain, or an outlet
};

struct ChainOperator {
  std::string name;
  std::unique_ptr<Operator> instance;
  Outputs outputs;
  std::vector<ChainLink> consumers;
};

class Chain {
 public:
  // The head is operator 0; each other operator is the consumer of exactly one before it.
  explicit Chain(std::vector<ChainOperator> operators);

  // Restores operator i from restored(i), if that gives something, and opens it. If one fails,
  // those that were opened before it are closed again.
  Status open(const std::function<OperatorContext(std::size_t)>& context_of,
              const std::function<const Snapshot*(std::size_t)>& restored = {});
  Status close();

  // `in` stays in place, and its batch unchanged, until the call or a later resume() gives kDone.
  Result<Progress> process(std::uint32_t input, Cursor& in);
  Result<Progress> watermark(Timestamp watermark);
  Result<Progress> mark_idle();
  Result<Progress> timer(std::size_t index, Timestamp now);  // of operator `index`
  Result<Progress> finish();
  Result<Poll> poll();  // idle() tells whether its records are all delivered
  Result<Progress> resume();

  bool idle() const { return nodes_[root_].work.kind == Work::Kind::kNone; }

  // The input ran empty: sinks hand on what they hold. A watermark that is due then may leave the
  // chain at work.
  Status flush();

  std::size_t size() const { return nodes_.size(); }
  const std::string& name_of(std::size_t index) const { return nodes_[index].op.name; }
  Operator& operator_at(std::size_t index) const { return *nodes_[index].op.instance; }
  AnySource* source() const { return source_; }  // the head, if it is a source

  // Calls into operator `index`; what it throws or returns as an error comes back with its name.
  template <class Call>
  auto guard(std::size_t index, Call&& call) -> decltype(call()) {
    try {
      auto result = call();
      if (!result) return result.error().with_context(place(index));
      return result;
    } catch (...) {
      return thrown_by(place(index), std::current_exception());
    }
  }

  // Records that left operator `index` so far, over all of its outputs.
  std::uint64_t records_out(std::size_t index) const { return nodes_[index].records_out; }

 private:
  struct Work {
    enum class Kind : std::uint8_t {
      kNone,
      kBatch,
      kGiven,  // what the operator has put out unasked, as a source does
      kWatermark,
      kIdle,
      kTimer,
      kFinish,
    };

    Kind kind = Kind::kNone;
    std::uint32_t input = 0;
    Cursor* cursor = nullptr;
    Timestamp time{};
  };

  struct Node {
    Node(std::size_t position, ChainOperator chained)
        : index(position), op(std::move(chained)), watermarks(op.instance->watermarks()) {}

    std::size_t index;
    ChainOperator op;
    WatermarkGenerator* watermarks;      // its own; null if it hands on those of its input
    std::optional<Timestamp> watermark;  // of its own, to follow what it has put out
    Work work;
    Cursor cursor;                  // over the batch that the operator before gave
    bool called = false;            // the operator has done its part of the work
    bool delivering = false;        // the outputs are on their way to the consumers
    std::size_t consumer = 0;       // the next consumer to deliver or forward to
    bool consumer_started = false;  // that consumer has begun
    std::uint64_t records_out = 0;
  };

  std::string place(std::size_t index) const;
  Status open(std::size_t index, const OperatorContext& context, const Snapshot* restored);
  Status close_first(std::size_t count);

  Result<Progress> start(std::size_t root, Work work);
  Result<Progress> give_watermark(Node& node);
  void begin(Node& node, Work work);
  Result<Progress> advance(Node& node);
  Result<Progress> call(Node& node);
  Result<Progress> deliver(Node& node);
  Result<Progress> deliver_to(Node& node, const ChainLink& link);
  Result<Progress> forward(Node& node, const Work& work);
  Result<Progress> forward_own_watermark(Node& node);
  static bool goes_on(const Node& node);
  static void leave(Outlet& outlet, const Work& work);

  std::vector<Node> nodes_;
  std::size_t root_ = 0;  // where the work began: the head, but for timers
  std::string subtask_;   // as errors name it, from open() on
  AnySource* source_ = nullptr;
};

}  // namespace millrace::detail
