#include "millrace/actors/links/barrier_codec.h"

namespace millrace::detail {
namespace {

// What follows the checkpoint: nothing more, or that it is a savepoint, behind which sources go on
// or stop.
enum class SavepointMark : std::uint8_t { kNone, kGoesOn, kStops };
constexpr std::size_t kMostPathBytes = 64 << 10;

}  // namespace

void append_barrier(const Barrier& barrier, std::string& out) {
  append_integer(out, barrier.checkpoint.value());
  append_integer(out, barrier.completed.value());
  append_time(out, barrier.overtakes_at);
  const SavepointNotice* const savepoint = barrier.savepoint.get();
  const auto mark = savepoint == nullptr ? SavepointMark::kNone
                    : savepoint->stops   ? SavepointMark::kStops
                                         : SavepointMark::kGoesOn;
  out += static_cast<char>(mark);
  if (savepoint != nullptr) append_frame_text(out, savepoint->path);
}

Result<Barrier> take_barrier(ByteReader& reader) {
  Barrier barrier{.checkpoint = CheckpointId(reader.take<std::uint64_t>()),
                  .completed = CheckpointId(reader.take<std::uint64_t>()),
                  .overtakes_at = take_time(reader)};
  const auto mark = reader.take<std::uint8_t>();
  if (mark > static_cast<std::uint8_t>(SavepointMark::kStops)) {
    return corruption("a barrier is of a kind that is not known");
  }
  if (mark == static_cast<std::uint8_t>(SavepointMark::kNone)) return barrier;
  SavepointNotice notice{.path = std::string(reader.take_text(kMostPathBytes)),
                         .stops = mark == static_cast<std::uint8_t>(SavepointMark::kStops)};
  barrier.savepoint = std::make_shared<const SavepointNotice>(std::move(notice));
  return barrier;
}

}  // namespace millrace::detail
