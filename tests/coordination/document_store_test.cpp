#include "coordination/document_store_suite.h"

#include "millrace/core/text.h"
#include "support/fault_file_system.h"

namespace millrace::detail {
namespace {

using Places = testing::Types<test::InMemory, test::OnDisk>;
INSTANTIATE_TYPED_TEST_SUITE_P(WithoutServers, AnyDocumentStore, Places);

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += concat(kHexDigits[byte >> 4], kHexDigits[byte & 0xf]);
  }
  return text;
}

constexpr std::string_view kSchema = "SavedDocument{version:uint64,bytes:string}";

TEST(LocalDocumentStore, WritesTheseBytes) {
  const test::TemporaryDirectory directory;
  RealFileSystem files;
  directory.file("leader", *encode_leader({1, "one:1", "x"}));
  LocalDocumentStore documents(files, directory.path());
  ASSERT_TRUE(documents.write("jobs/7", kNoDocument, "text", LeaderEpoch(1)));
  const std::string bytes = directory.read("jobs/7");
  EXPECT_EQ(bytes.substr(0, 8), "MILLRDOC");
  EXPECT_EQ(hex(bytes.substr(8, 16)), "010000002a0000006000000000000000");
  EXPECT_EQ(bytes.substr(24, kSchema.size()), kSchema);
  EXPECT_EQ(hex(bytes.substr(24 + kSchema.size())),
            "0100000000000000010474657874c34a0bb564afb179e306ac8fe78dfb2b");
}

// A document of version 1 that is to be replaced or erased, on a disk that fails.
class LocalDocumentStoreFaults : public testing::Test {
 protected:
  struct Place {
    Place() {
      EXPECT_TRUE(memory.make_directories("/data"));
      EXPECT_TRUE(replace_file(memory, "/data/leader", *encode_leader({1, "one:1", "x"})));
      EXPECT_TRUE(store.write("jobs/7", kNoDocument, "old", LeaderEpoch(1)));
    }

    Status write() {
      const auto written = store.write("jobs/7", DocumentVersion(1), "new", LeaderEpoch(1));
      return written ? Status() : written.error();
    }
    Status erase() { return store.erase("jobs/7", DocumentVersion(1), LeaderEpoch(1)); }
    std::optional<Document> document() {
      return LocalDocumentStore(memory, "/data").read("jobs/7").value_or(std::nullopt);
    }

    test::MemoryFileSystem memory;
    test::FaultFileSystem files{memory};
    LocalDocumentStore store{files, "/data"};
  };

  static inline const Document kOld{"old", DocumentVersion(1)};
};

TEST_F(LocalDocumentStoreFaults, AFailureChangesNothingOrSaysThatItIsUnknown) {
  for (const bool erases : {false, true}) {
    for (std::size_t n = 1;; ++n) {
      Place place;
      place.files.fail_short(n, EIO);
      const Status changed = erases ? place.erase() : place.write();
      if (!place.files.failed()) {
        EXPECT_TRUE(changed);
        EXPECT_GT(n, 5u);
        break;
      }
      ASSERT_FALSE(changed) << n;
      const bool unknown = changed.error().code() == ErrorCode::kUnavailable;
      EXPECT_TRUE(place.document() == kOld || unknown) << changed.error().message();
    }
  }
}

TEST_F(LocalDocumentStoreFaults, APowerCutLeavesTheOldDocumentOrTheNewOne) {
  for (std::uint64_t seed = 0; seed < 16; ++seed) {
    for (std::size_t n = 1; n <= 9; ++n) {
      Place place;
      place.files.cut_power(n);
      EXPECT_FALSE(place.write());
      Random random(seed);
      place.memory.cut_power(random);
      const auto document = place.document();
      ASSERT_TRUE(document);
      EXPECT_EQ(document->bytes, document->version == DocumentVersion(1) ? "old" : "new");
    }
  }
}

}  // namespace
}  // namespace millrace::detail
