#include "millrace/state/sealed_record.h"

#include <cstring>

#include "millrace/core/checksum.h"
#include "millrace/core/codec/codec.h"
#include "millrace/core/text.h"
#include "millrace/state/integers.h"

namespace millrace::detail {
namespace {

// magic | version | size of the schema | size of the whole | schema | record | checksum
constexpr std::size_t kMagic = 8;
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kSchemaSizeAt = 12;
constexpr std::size_t kSizeAt = 16;
constexpr std::size_t kHeader = 24;
constexpr std::size_t kChecksum = 16;

// Every version has these parts in these places, so that what is said of damage is true of newer
// versions too.
class Envelope {
 public:
  Envelope(const SealedFormat& format, std::string_view bytes, std::string_view file)
      : format_(format), bytes_(bytes), file_(file) {}

  Status check() const {
    Status status = check_magic();
    if (status) status = check_size();
    if (status) status = check_sum();
    if (status) status = check_version();
    return status;
  }

  Result<std::string_view> schema() const {
    const auto size = integer_at<std::uint32_t>(bytes_, kSchemaSizeAt);
    const std::size_t most = bytes_.size() - kHeader - kChecksum;
    if (size <= most) return bytes_.substr(kHeader, size);
    return corrupt(concat("says in bytes ", kSchemaSizeAt, " to ", kSizeAt - 1,
                          " that its schema has ", size, " bytes, but there are ", most));
  }
  std::string_view record(std::string_view schema) const {
    return bytes_.substr(kHeader + schema.size(),
                         bytes_.size() - kHeader - schema.size() - kChecksum);
  }

  Error corrupt(std::string_view how) const {
    return corruption(concat("'", file_, "' ", how, "; restore another ", format_.what,
                             ", or this file from a backup"));
  }

 private:
  Status check_magic() const {
    const std::string_view start = bytes_.substr(0, kMagic);
    if (start == format_.magic) return {};
    if (format_.magic.starts_with(start)) return truncated("of at least ", kHeader + kChecksum);
    return corrupt(concat("is no Millrace ", format_.what, ": bytes 0 to ", kMagic - 1, " are ",
                          in_quotes(start), ", expected ", in_quotes(format_.magic)));
  }

  Status check_size() const {
    if (bytes_.size() < kHeader + kChecksum) {
      return truncated("of at least ", kHeader + kChecksum);
    }
    const auto size = integer_at<std::uint64_t>(bytes_, kSizeAt);
    if (bytes_.size() < size) return truncated("of ", size);
    if (bytes_.size() == size) return {};
    return corrupt(concat("goes on after byte ", size, ", its end by bytes ", kSizeAt, " to ",
                          kHeader - 1, ", until byte ", bytes_.size()));
  }

  Error truncated(std::string_view of, std::uint64_t size) const {
    return corrupt(concat("is truncated at byte ", bytes_.size(), " ", of, size));
  }

  Status check_sum() const {
    const std::size_t end = bytes_.size() - kChecksum;
    const Checksum written{.high = integer_at<std::uint64_t>(bytes_, end + 8),
                           .low = integer_at<std::uint64_t>(bytes_, end)};
    const Checksum found = checksum_of(bytes_.substr(0, end));
    if (found == written) return {};
    return corrupt(concat("differs from what was written, somewhere in bytes 0 to ",
                          bytes_.size() - 1, ": their checksum is ", to_string(found),
                          ", expected ", to_string(written)));
  }

  Status check_version() const {
    const auto version = integer_at<std::uint32_t>(bytes_, kVersionAt);
    if (version == format_.version) return {};
    return unsupported(concat("'", file_, "' is of version ", version, " of the format of a ",
                              format_.what, ", this Millrace reads version ", format_.version,
                              "; use the Millrace that wrote it"));
  }

  const SealedFormat& format_;
  const std::string_view bytes_;
  const std::string_view file_;
};

}  // namespace

Result<std::string> seal(const SealedFormat& format, const Type& type, const void* record) {
  check(format.magic.size() == kMagic, "the magic of a sealed format is 8 bytes long");
  const std::string schema = to_string(schema_of(type));
  std::string bytes(format.magic);
  append_integer(bytes, format.version);
  append_integer(bytes, static_cast<std::uint32_t>(schema.size()));
  append_integer(bytes, std::uint64_t{0});
  bytes += schema;
  Status encoded = encode(type, Rows(record, type.size, 1), bytes);
  if (!encoded) return encoded.error();
  const std::uint64_t size = bytes.size() + kChecksum;
  std::memcpy(bytes.data() + kSizeAt, &size, sizeof size);
  const Checksum checksum = checksum_of(bytes);
  append_integer(bytes, checksum.low);
  append_integer(bytes, checksum.high);
  return bytes;
}

Status unseal(const SealedFormat& format, std::string_view bytes, std::string_view file,
              const Type& type, void* record) {
  const Envelope envelope(format, bytes, file);
  Status status = envelope.check();
  if (!status) return status;
  const Result<std::string_view> text = envelope.schema();
  if (!text) return text.error();
  const Result<Schema> schema = Schema::parse(*text);
  if (!schema) return envelope.corrupt(concat("has no schema: ", schema.error().message()));
  const Result<Decoder> decoder = Decoder::make(*schema, type);
  if (!decoder) return decoder.error().with_context(concat("'", file, "'"));
  std::string_view rest = envelope.record(*text);
  status = decoder->decode(rest, MutableRows(record, type.size, 1));
  if (!status) return envelope.corrupt(concat("cannot be decoded: ", status.error().message()));
  if (rest.empty()) return {};
  return envelope.corrupt(concat("holds ", rest.size(), " bytes after its record"));
}

}  // namespace millrace::detail
