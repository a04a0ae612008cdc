// What holds for every metadata store.
#include "coordination/metadata_store_suite.h"

#include "millrace/coordination/local_metadata_store.h"
#include "millrace/coordination/memory_metadata_store.h"

namespace millrace::detail {
namespace {

class Memory {
 public:
  MetadataStore& store() { return store_; }

 private:
  MemoryMetadataStore store_;
};

class Directory {
 public:
  MetadataStore& store() { return store_; }

 private:
  test::TemporaryDirectory directory_;
  RealFileSystem files_;
  LocalMetadataStore store_{files_, directory_.path("metadata")};
};

using Places =
    testing::Types<Memory, Directory, InDocuments<test::InMemory>, InDocuments<test::OnDisk>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Anywhere, AnyMetadataStore, Places);

}  // namespace
}  // namespace millrace::detail
