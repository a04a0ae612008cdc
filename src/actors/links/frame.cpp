#include "millrace/actors/links/frame.h"

#include <algorithm>

#include "millrace/core/checksum.h"
#include "millrace/core/text.h"
#include "millrace/state/integers.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kPrefixBytes = 8;  // length and checksum

bool is_known(char kind) {
  return kind >= static_cast<char>(FrameKind::kHello) &&
         kind <= static_cast<char>(FrameKind::kSplit);
}

}  // namespace

FrameWriter::FrameWriter(FrameKind kind, std::string& out) : out_(out), begin_(out.size()) {
  out_.append(kPrefixBytes, '\0');
  out_ += static_cast<char>(kind);
}

Status FrameWriter::finish() {
  const std::string_view framed = std::string_view(out_).substr(begin_ + kPrefixBytes);
  if (framed.size() > kMostFrameBytes) {
    return resource_exhausted(concat("a frame of ", framed.size(),
                                     " bytes, and a link takes up to ", kMostFrameBytes,
                                     "; no record may be larger"));
  }
  put_integer(out_, begin_, static_cast<std::uint32_t>(framed.size()));
  put_integer(out_, begin_ + sizeof(std::uint32_t), short_checksum_of(framed));
  finished_ = true;
  return {};
}

FrameWriter::~FrameWriter() {
  if (!finished_) out_.resize(begin_);
}

Status append_frame(FrameKind kind, std::string_view body, std::string& out) {
  FrameWriter writer(kind, out);
  out += body;
  return writer.finish();
}

Result<std::optional<Frame>> FrameReader::next(std::string_view& bytes) {
  if (header_.size() < kPrefixBytes) {
    if (!fill(header_, kPrefixBytes, bytes)) return std::optional<Frame>();
    if (Status begun = begin_frame(); !begun) return begun.error();
  }
  if (!fill(frame_, length_, bytes)) return std::optional<Frame>();
  if (short_checksum_of(frame_) != integer_at<std::uint32_t>(header_, sizeof(std::uint32_t))) {
    return corruption(concat("a frame of ", length_, " bytes has the wrong checksum"));
  }
  if (!is_known(frame_[0])) {
    return corruption(concat("a frame is of kind ", static_cast<unsigned char>(frame_[0]),
                             ", which is not known"));
  }
  header_.clear();
  return std::optional<Frame>(Frame{std::move(frame_)});
}

Status FrameReader::begin_frame() {
  length_ = integer_at<std::uint32_t>(header_, 0);
  if (length_ == 0) return corruption("a frame of no bytes");
  if (length_ > most_) {
    return corruption(concat("a frame of ", length_, " bytes, and at most ", most_,
                             " are taken: no link of Millrace sends that, unless under TLS"));
  }
  frame_ = pool_->take();
  frame_.reserve(length_);
  return {};
}

bool FrameReader::fill(std::string& part, std::size_t size, std::string_view& bytes) {
  const std::size_t taken = std::min(size - part.size(), bytes.size());
  part.append(bytes.substr(0, taken));
  bytes.remove_prefix(taken);
  return part.size() == size;
}

}  // namespace millrace::detail
