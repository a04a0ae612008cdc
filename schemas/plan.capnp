# The logical plan and the execution plan, between client, coordinator and job processes.
#
# Fields are added at the end, never removed or renumbered; where a reader of before would misread the
# plan, `version` grows, and readers refuse what is not theirs. Enumerators keep the order of the C++
# enumerations.
@0xb7d1f6a20c5e4839;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("millrace::detail::wire");

struct Plan {
  version @0 :UInt16;
  union {
    logical @1 :LogicalPlan;
    execution @2 :ExecutionPlan;
  }
}

enum Mode {
  streaming @0;
  batch @1;
  automatic @2;
}

enum Exchange {
  forward @0;
  rebalance @1;
  rescale @2;
  random @3;
  broadcast @4;
  global @5;
  keyed @6;
  custom @7;
}

enum Chaining {
  always @0;
  head @1;
  never @2;
}

struct LogicalPlan {
  job @0 :Text;
  mode @1 :Mode;
  parallelism @2 :UInt32;
  maxParallelism @3 :UInt32;  # 0: automatic
  chaining @4 :Bool;
  operators @5 :List(Operator);
  edges @6 :List(Edge);
}

struct Operator {
  id @0 :UInt64;
  name @1 :Text;
  kind @2 :Text;
  named @3 :Bool;
  stateful @4 :Bool;
  source @5 :Bool;
  sink @6 :Bool;
  bounded @7 :Bool;
  blocking @8 :Bool;
  single @9 :Bool;
  hasParallelism @10 :Bool;
  hasMaxParallelism @11 :Bool;
  parallelism @12 :UInt32;
  maxParallelism @13 :UInt32;
  chaining @14 :Chaining;
  slotSharingGroup @15 :Text;  # empty: that of the inputs
  keySchema @16 :Text;         # empty: not keyed
  outputs @17 :List(Output);   # the main output first
  inputs @18 :UInt32;
  splits @19 :Bool;  # an enumerator deals them out
}

struct Output {
  tag @0 :Text;  # empty for the main output
  schema @1 :Text;
}

struct Edge {
  from @0 :UInt32;  # a position in LogicalPlan.operators
  output @1 :UInt32;
  to @2 :UInt32;
  input @3 :UInt32;
  exchange @4 :Exchange;
  chosen @5 :Bool;
  readFirst @6 :Bool;
  keySchema @7 :Text;
}

struct ExecutionPlan {
  logical @0 :LogicalPlan;
  mode @1 :Mode;  # streaming or batch
  maxParallelism @2 :UInt32;
  tasks @3 :List(Task);  # sources first; a task's id is its position
  edges @4 :List(TaskEdge);
}

struct Task {
  name @0 :Text;
  operators @1 :List(UInt32);  # positions in LogicalPlan.operators, the head first, depth first
  chained @2 :List(UInt32);    # positions in LogicalPlan.edges
  parallelism @3 :UInt32;
  maxParallelism @4 :UInt32;
  slotSharingGroup @5 :Text;
  blocking @6 :Bool;
}

struct TaskEdge {
  edge @0 :UInt32;  # a position in LogicalPlan.edges
  from @1 :UInt32;
  to @2 :UInt32;
  exchange @3 :Exchange;
}
