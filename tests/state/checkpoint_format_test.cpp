#include "millrace/state/checkpoint_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "millrace/core/text.h"
#include "millrace/state/files/memory_checkpoint_store.h"

namespace millrace::detail {
namespace {

using testing::HasSubstr;

CheckpointMetadata small() {
  return {.job = "count",
          .id = 5,
          .epoch = 2,
          .fingerprint = 0xfeed,
          .triggered_at_milliseconds = 1'234,
          .enumerators = {{"lines", {.elements = {"rest"}}}}};
}

OperatorSnapshot counter() {
  const StoredFile file{.name = "000012.sst",
                        .path = "shared/99aa06d3014798d86001c324468d497f-5-2",
                        .bytes = 0,
                        .checksum = checksum_of("")};
  return {.id = 77,
          .name = "count words",
          .subtask = 1,
          .parallelism = 2,
          .max_parallelism = 128,
          .pieces = {{"position", {.elements = {"42"}}},
                     {"rules", {.redistribution = Redistribution::kUnion, .elements = {"a", ""}}}},
          .keyed = {{.first_group = 64,
                     .last_group = 127,
                     .states = {{.name = "count",
                                 .kind = "value",
                                 .id = 3,
                                 .key_schema = "string",
                                 .value_schemas = {"int64"},
                                 .time_to_live_milliseconds = 5'000}},
                     .files = {file}}}};
}

CheckpointMetadata large() {
  CheckpointMetadata metadata = small();
  metadata.savepoint = true;
  metadata.tasks = {{.finished = true}, {.operators = {counter(), counter()}}};
  metadata.tasks[1].operators[0].keyed.clear();
  return metadata;
}

CheckpointMetadata with(const std::function<void(OperatorSnapshot&)>& change) {
  CheckpointMetadata metadata = large();
  change(metadata.tasks[1].operators[1]);
  return metadata;
}

Error refusal(std::string_view bytes) {
  const Result<CheckpointMetadata> metadata = decode_checkpoint(bytes, "chk-5-2/_metadata");
  EXPECT_FALSE(metadata);
  return metadata ? internal("it was read") : metadata.error();
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += concat(kHexDigits[byte >> 4], kHexDigits[byte & 0xf]);
  }
  return text;
}

TEST(CheckpointFormat, IsReadBack) {
  for (const CheckpointMetadata& metadata : {CheckpointMetadata(), small(), large()}) {
    EXPECT_EQ(*decode_checkpoint(*encode_checkpoint(metadata), "f"), metadata);
  }
}

constexpr std::string_view kSchema =
    "CheckpointMetadata{job:string,id:uint64,epoch:uint64,fingerprint:uint64,"
    "triggered_at_milliseconds:int64,savepoint:bool,tasks:list<TaskSnapshot{finished:bool,"
    "operators:list<OperatorSnapshot{id:uint64,name:string,subtask:uint32,parallelism:uint32,"
    "max_parallelism:uint32,pieces:map<string,StatePiece{redistribution:enum<Redistribution,uint8>,"
    "elements:list<string>,schema:string}>,keyed:list<KeyedSnapshot{first_group:uint32,last_group:"
    "uint32,"
    "states:list<StateDescription{name:string,kind:string,id:uint32,key_schema:string,"
    "entry_schema:string,value_schemas:list<string>,time_to_live_milliseconds:int64}>,"
    "files:list<StoredFile{name:string,path:string,bytes:uint64,"
    "checksum:Checksum{high:uint64,low:uint64}}>,rows:list<RowsFile{file:StoredFile,"
    "first_key:string,last_key:string,rows:uint64}>}>}>,in_flight:list<StoredFile>}>,"
    "enumerators:map<string,StatePiece>}";

// Before there were savepoints.
constexpr std::string_view kFirstSchema =
    "CheckpointMetadata{job:string,id:uint64,epoch:uint64,fingerprint:uint64,"
    "triggered_at_milliseconds:int64,savepoint:bool,tasks:list<TaskSnapshot{finished:bool,"
    "operators:list<OperatorSnapshot{id:uint64,name:string,subtask:uint32,parallelism:uint32,"
    "max_parallelism:uint32,pieces:map<string,StatePiece{redistribution:enum<Redistribution,uint8>,"
    "elements:list<string>}>,keyed:list<KeyedSnapshot{first_group:uint32,last_group:uint32,"
    "states:list<StateDescription{name:string,kind:string,id:uint32,key_schema:string,"
    "entry_schema:string,value_schemas:list<string>,time_to_live_milliseconds:int64}>,"
    "files:list<StoredFile{name:string,path:string,bytes:uint64,"
    "checksum:Checksum{high:uint64,low:uint64}}>}>}>}>,enumerators:map<string,StatePiece>}";

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

TEST(CheckpointFormat, ReadsWhatTheFirstOneWrote) {
  const std::string bytes = concat(
      "MILLRCHK", from_hex("01000000db0200003f03000000000000"), kFirstSchema,
      from_hex("0105636f756e7405000000000000000200000000000000edfe000000000000d204000000000000"
               "000100010101056c696e6573000101010472657374e7495e42376a47c8ae19bcb543641613"));
  const Result<CheckpointMetadata> metadata = decode_checkpoint(bytes, "f");
  ASSERT_TRUE(metadata) << metadata.error().message();
  EXPECT_EQ(*metadata, small());
}

// The bytes of version 1. Older metadata stays readable: a test of its own for each schema there
// ever was, should this one change.
TEST(CheckpointFormat, HasTheseBytes) {
  const std::string bytes = *encode_checkpoint(small());
  EXPECT_EQ(bytes.substr(0, 8), "MILLRCHK");
  EXPECT_EQ(hex(bytes.substr(8, 16)), "0100000056030000bc03000000000000");
  EXPECT_EQ(bytes.substr(24, kSchema.size()), kSchema);
  EXPECT_EQ(hex(bytes.substr(24 + kSchema.size())),
            "0105636f756e7405000000000000000200000000000000edfe000000000000d2040000000000000001"
            "00010101056c696e657300010101047265737401000917829993d711090b6efeaf68005a3c");
}

TEST(CheckpointFormat, OfASavepointIsAnotherKindOfFile) {
  const std::string bytes = *encode_savepoint(small());
  EXPECT_EQ(bytes.substr(0, 8), "MILLRSAV");
  EXPECT_TRUE(is_savepoint(bytes));
  EXPECT_FALSE(is_savepoint(*encode_checkpoint(small())));
  EXPECT_EQ(*decode_savepoint(bytes, "f"), small());
  EXPECT_EQ(decode_checkpoint(bytes, "f").error().code(), ErrorCode::kCorruption);
}

std::string of_version(char version, std::string bytes) {
  bytes[8] = version;
  const Checksum sum = checksum_of(std::string_view(bytes).substr(0, bytes.size() - 16));
  std::memcpy(bytes.data() + bytes.size() - 16, &sum.low, 8);
  std::memcpy(bytes.data() + bytes.size() - 8, &sum.high, 8);
  return bytes;
}

TEST(CheckpointFormat, RefusesANewerVersion) {
  EXPECT_EQ(decode_checkpoint(of_version(2, *encode_checkpoint(small())), "c/_metadata").error(),
            unsupported("'c/_metadata' is of version 2 of the format of a checkpoint, this "
                        "Millrace reads version 1; use the Millrace that wrote it"));
  EXPECT_EQ(decode_savepoint(of_version(2, *encode_savepoint(small())), "s/_metadata").error(),
            unsupported("'s/_metadata' is of version 2 of the format of a savepoint, this Millrace "
                        "reads version 1; use the Millrace that wrote it"));
}

TEST(CheckpointFormat, RefusesEachByteFlipped) {
  const std::string good = *encode_checkpoint(small());
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string bytes = good;
      bytes[i] = static_cast<char>(bytes[i] ^ flip);
      const Error error = refusal(bytes);
      EXPECT_EQ(error.code(), ErrorCode::kCorruption) << "byte " << i;
      EXPECT_THAT(error.message(), HasSubstr("'chk-5-2/_metadata'"));
      EXPECT_THAT(error.message(), HasSubstr("byte"));
    }
  }
}

TEST(CheckpointFormat, RefusesNumbersThatCannotBe) {
  const auto refused = [](const std::function<void(OperatorSnapshot&)>& change) {
    return refusal(*encode_checkpoint(with(change)));
  };
  EXPECT_EQ(refused([](auto& o) { o.subtask = 2; }),
            corruption("'chk-5-2/_metadata': operator 'count words': it is subtask 2 of 2, counted "
                       "from 0; no Millrace writes that: restore another checkpoint"));
  EXPECT_THAT(refused([](auto& o) { o.keyed[0].last_group = 63; }).message(),
              HasSubstr("key groups 64 to 63 of 128"));
  EXPECT_THAT(refused([](auto& o) { o.keyed[0].last_group = 128; }).message(),
              HasSubstr("key groups 64 to 128 of 128"));
  EXPECT_THAT(refused([](auto& o) { o.keyed.push_back(o.keyed[0]); }).message(),
              HasSubstr("several keyed states"));
  EXPECT_THAT(refused([](auto& o) { o.keyed[0].states[0].value_schemas.clear(); }).message(),
              HasSubstr("its state 'count' has 0 schemas of values"));
  EXPECT_THAT(
      refused([](auto& o) { o.keyed[0].rows = {{.first_key = "b", .last_key = "a"}}; }).message(),
      HasSubstr("in no order"));
}

TEST(CheckpointFormat, RefusesARedistributionThatItDoesNotKnow) {
  const auto unknown = static_cast<Redistribution>(3);
  const Error error = refusal(
      *encode_checkpoint(with([&](auto& o) { o.pieces["rules"].redistribution = unknown; })));
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.message(), HasSubstr("the piece 'rules' has the redistribution 3"));
  CheckpointMetadata metadata = small();
  metadata.enumerators["lines"].redistribution = unknown;
  EXPECT_EQ(refusal(*encode_checkpoint(metadata)).code(), ErrorCode::kUnsupported);
}

// Somebody may forge a checksum; that must not crash.
TEST(CheckpointFormat, SurvivesMutationsWithARightChecksum) {
  const std::string good = *encode_checkpoint(large());
  std::mt19937 random(20'26);
  for (int i = 0; i < 5'000; ++i) {
    std::string bytes = good;
    for (int n = 0; n < 3; ++n) bytes[24 + random() % (bytes.size() - 40)] = char(random());
    const Checksum sum = checksum_of(std::string_view(bytes).substr(0, bytes.size() - 16));
    std::memcpy(bytes.data() + bytes.size() - 16, &sum.low, 8);
    std::memcpy(bytes.data() + bytes.size() - 8, &sum.high, 8);
    (void)decode_checkpoint(bytes, "f");
  }
}

TEST(ReadCheckpoint, GivesTheMetadataThatIsThisCheckpoints) {
  MemoryCheckpointStore store;
  const CheckpointName name{.id = CheckpointId(5), .epoch = 2};
  const CheckpointName later{.id = CheckpointId(6), .epoch = 2};
  ASSERT_TRUE(store.write_metadata(name, *encode_checkpoint(small())));
  ASSERT_TRUE(store.write_metadata(later, *encode_checkpoint(small())));
  EXPECT_EQ(*read_checkpoint(store, name), small());
  EXPECT_EQ(read_checkpoint(store, later).error(),
            corruption("'chk-6-2/_metadata' is the metadata of chk-5-2, not of chk-6-2: was it "
                       "copied or renamed? Restore it from where it lay"));
}

TEST(ReadCheckpoint, PassesOnWhatIsWrong) {
  MemoryCheckpointStore store;
  const CheckpointName name{.id = CheckpointId(5), .epoch = 2};
  EXPECT_EQ(read_checkpoint(store, name).error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(store.write_metadata(name, "nonsense"));
  EXPECT_EQ(read_checkpoint(store, name).error().code(), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace millrace::detail
