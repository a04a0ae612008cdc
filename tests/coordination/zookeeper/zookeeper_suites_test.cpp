// What holds for coordinators that agree elsewhere holds in ZooKeeper.
#include "coordination/document_store_suite.h"
#include "coordination/leader_election_suite.h"
#include "coordination/metadata_store_suite.h"
#include "coordination/zookeeper/zookeeper_test_cluster.h"

namespace millrace::detail {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(InZooKeeper, AnyLeaderElection, test::OnZooKeeper);
INSTANTIATE_TYPED_TEST_SUITE_P(InZooKeeper, AnyDocumentStore, test::OnZooKeeper);
INSTANTIATE_TYPED_TEST_SUITE_P(InZooKeeper, AnyMetadataStore, InDocuments<test::OnZooKeeper>);

}  // namespace
}  // namespace millrace::detail
