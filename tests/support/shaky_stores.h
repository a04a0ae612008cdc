// State stores in memory that tell what they are given, and refuse it while they are told to.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "millrace/state/memory_store.h"

namespace millrace::test_support {

class ShakyStores final : public detail::StateStoreFactory {
 public:
  using StateStore = detail::StateStore;

  Result<std::unique_ptr<StateStore>> make(std::string_view name) override {
    return shaky(inner_.make(name));
  }
  Result<std::unique_ptr<StateStore>> restore(std::string_view name,
                                              std::span<const detail::StoredFile> files,
                                              detail::CheckpointStore& from) override {
    return shaky(inner_.restore(name, files, from));
  }

  // Asked before each change.
  std::function<Status()> refuse = [] { return Status(); };
  std::function<void(std::span<const detail::StateRow>)> on_ingest;

 private:
  class Shaky final : public StateStore {
   public:
    Shaky(std::unique_ptr<StateStore> inner, ShakyStores& stores)
        : inner_(std::move(inner)), stores_(stores) {}
    Status get(std::span<const std::string_view> keys,
               const std::function<void(std::size_t, std::string_view)>& found) override {
      return inner_->get(keys, found);
    }
    std::unique_ptr<detail::StateScan> scan(std::string_view first, std::string_view end) override {
      return inner_->scan(first, end);
    }
    Status ingest(std::span<const detail::StateRow> rows) override {
      Status refused = stores_.refuse();
      if (refused && stores_.on_ingest) stores_.on_ingest(rows);
      return refused ? inner_->ingest(rows) : refused;
    }
    Result<std::unique_ptr<detail::StateUpload>> begin_upload(
        detail::UploadTarget target) override {
      return inner_->begin_upload(std::move(target));
    }

   private:
    std::unique_ptr<StateStore> inner_;
    ShakyStores& stores_;
  };

  Result<std::unique_ptr<StateStore>> shaky(Result<std::unique_ptr<StateStore>> made) {
    if (!made) return made.error();
    return std::unique_ptr<StateStore>(std::make_unique<Shaky>(*std::move(made), *this));
  }

  detail::MemoryStateStoreFactory inner_;
};

}  // namespace millrace::test_support
