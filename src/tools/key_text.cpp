#include "millrace/tools/key_text.h"

#include <nlohmann/json.hpp>

#include <optional>

#include "millrace/core/json/json.h"
#include "millrace/core/records/hash.h"
#include "millrace/core/text.h"
#include "millrace/core/time.h"
#include "millrace/state/key_codec.h"

namespace millrace::detail {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMostDepth = 256;

bool is_number(Kind kind) {
  return is_signed_integer(kind) || is_unsigned_integer(kind) || kind == Kind::kEnum ||
         kind == Kind::kDuration;
}

// Walks over a key's bytes, and makes its JSON and its hash.
class KeyReader {
 public:
  KeyReader(const Schema& schema, std::string_view& bytes)
      : nodes_(schema.nodes()), bytes_(bytes) {}

  // Nothing if the bytes are none of the schema.
  std::optional<std::uint64_t> read(std::uint32_t index, std::string& out) {
    if (depth_ == kMostDepth) return std::nullopt;
    ++depth_;
    const auto hash = read_node(nodes_[index], out);
    --depth_;
    return hash;
  }

 private:
  using Hash = std::optional<std::uint64_t>;

  Hash read_node(const SchemaNode& node, std::string& out) {
    if (node.kind == Kind::kString) return text(out);
    if (node.kind == Kind::kList || node.kind == Kind::kArray) return sequence(node, out);
    if (node.kind == Kind::kRecord) return record(node, out);
    std::uint64_t word = 0;
    if (!read_word(bytes_, word)) return std::nullopt;
    if (node.kind == Kind::kOptional) return optional(node, word, out);
    if (node.kind == Kind::kVariant) return variant(node, word, out);
    if (node.kind == Kind::kBool) {
      if (word > 1) return std::nullopt;
      out += word == 1 ? "true" : "false";
    } else if (node.kind == Kind::kTimestamp) {
      append_json(out, Timestamp(Duration(static_cast<std::int64_t>(word))));
    } else if (!is_number(node.kind)) {
      return std::nullopt;
    } else if (held_as(node) == Kind::kUInt64) {
      append_json(out, word);
    } else {
      append_json(out, static_cast<std::int64_t>(word));
    }
    return mix64(word);
  }

  Hash text(std::string& out) {
    std::string value;
    if (!read_text(bytes_, value)) return std::nullopt;
    append_json(out, value);
    return hash_text(value);
  }

  Hash sequence(const SchemaNode& node, std::string& out) {
    std::uint64_t size = 0;
    if (!read_word(bytes_, size) || size > bytes_.size()) return std::nullopt;
    if (node.kind == Kind::kArray && size != node.length) return std::nullopt;
    std::uint64_t hash = mix64(size);
    out += '[';
    for (std::uint64_t i = 0; i < size; ++i) {
      if (i > 0) out += ',';
      const Hash part = read(node.element, out);
      if (!part) return std::nullopt;
      hash = join_hash(hash, *part);
    }
    out += ']';
    return hash;
  }

  Hash record(const SchemaNode& node, std::string& out) {
    const bool tuple = node.name.empty();
    std::uint64_t hash = mix64(node.members.size());
    out += tuple ? '[' : '{';
    for (std::size_t i = 0; i < node.members.size(); ++i) {
      if (i > 0) out += ',';
      if (!tuple) append_name(out, node.members[i].name);
      const Hash part = read(node.members[i].node, out);
      if (!part) return std::nullopt;
      hash = join_hash(hash, *part);
    }
    out += tuple ? ']' : '}';
    return hash;
  }

  static void append_name(std::string& out, const std::string& name) {
    append_json(out, name);
    out += ':';
  }

  Hash optional(const SchemaNode& node, std::uint64_t present, std::string& out) {
    if (present > 1) return std::nullopt;
    if (present == 0) {
      out += "null";
      return mix64(0);
    }
    const Hash part = read(node.element, out);
    return part ? Hash(join_hash(mix64(1), *part)) : std::nullopt;
  }

  Hash variant(const SchemaNode& node, std::uint64_t index, std::string& out) {
    if (index >= node.members.size()) return std::nullopt;
    out += '{';
    append_name(out, node.members[index].name);
    const Hash part = read(node.members[index].node, out);
    out += '}';
    return part ? Hash(join_hash(join_hash(mix64(2), mix64(index)), *part)) : std::nullopt;
  }

  const std::vector<SchemaNode>& nodes_;
  std::string_view& bytes_;
  int depth_ = 0;
};

// Makes a key's bytes of JSON; false if that is none of the schema.
class KeyWriter {
 public:
  KeyWriter(const Schema& schema, std::string& out) : nodes_(schema.nodes()), out_(out) {}

  bool write(std::uint32_t index, const Json& json) {
    const SchemaNode& node = nodes_[index];
    switch (node.kind) {
      case Kind::kBool:
        if (!json.is_boolean()) return false;
        append_word(out_, json.get<bool>() ? 1 : 0);
        return true;
      case Kind::kString:
        if (!json.is_string()) return false;
        append_text(out_, json.get_ref<const std::string&>());
        return true;
      case Kind::kTimestamp:
        return timestamp(json);
      case Kind::kOptional:
        append_word(out_, json.is_null() ? 0 : 1);
        return json.is_null() || write(node.element, json);
      case Kind::kList:
      case Kind::kArray:
        return sequence(node, json);
      case Kind::kRecord:
        return record(node, json);
      case Kind::kVariant:
        return variant(node, json);
      default:
        return is_number(node.kind) && number(held_as(node), json);
    }
  }

 private:
  bool number(Kind held_as, const Json& json) {
    if (!json.is_number_integer()) return false;
    std::uint64_t stored = 0;
    const bool fits = json.is_number_unsigned()
                          ? store_unsigned(held_as, json.get<std::uint64_t>(), &stored)
                          : store_integer(held_as, json.get<std::int64_t>(), &stored);
    if (fits) append_word(out_, json.get<std::uint64_t>());
    return fits;
  }

  bool timestamp(const Json& json) {
    if (!json.is_string() && !json.is_number_integer()) return false;
    const std::string text = json.is_string() ? json.get<std::string>() : json.dump();
    const Result<Timestamp> time = parse_timestamp(text);
    if (!time) return false;
    append_word(out_, static_cast<std::uint64_t>(time->time_since_epoch().count()));
    return true;
  }

  bool sequence(const SchemaNode& node, const Json& json) {
    if (!json.is_array()) return false;
    if (node.kind == Kind::kArray && json.size() != node.length) return false;
    append_word(out_, json.size());
    for (const Json& element : json) {
      if (!write(node.element, element)) return false;
    }
    return true;
  }

  bool record(const SchemaNode& node, const Json& json) {
    if (!json.is_array() && !json.is_object()) return false;
    if (json.size() != node.members.size()) return false;
    for (std::size_t i = 0; i < node.members.size(); ++i) {
      const SchemaMember& member = node.members[i];
      if (json.is_object() && !json.contains(member.name)) return false;
      if (!write(member.node, json.is_object() ? json[member.name] : json[i])) return false;
    }
    return true;
  }

  bool variant(const SchemaNode& node, const Json& json) {
    if (!json.is_object() || json.size() != 1) return false;
    for (std::size_t i = 0; i < node.members.size(); ++i) {
      if (node.members[i].name != json.begin().key()) continue;
      append_word(out_, i);
      return write(node.members[i].node, json.begin().value());
    }
    return false;
  }

  const std::vector<SchemaNode>& nodes_;
  std::string& out_;
};

}  // namespace

Status append_key_json(std::string& out, const Schema& schema, std::string_view& bytes) {
  if (KeyReader(schema, bytes).read(0, out)) return {};
  return corruption("the key of a row is none of its schema");
}

Result<std::uint64_t> hash_of_key(const Schema& schema, std::string_view bytes) {
  std::string ignored;
  const std::optional<std::uint64_t> hash = KeyReader(schema, bytes).read(0, ignored);
  if (hash && bytes.empty()) return *hash;
  return corruption("the key of a row is none of its schema");
}

Result<std::string> parse_key(const Schema& schema, std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  if (schema.root().kind == Kind::kString && !json.is_string()) json = std::string(text);
  if (schema.root().kind == Kind::kTimestamp && json.is_discarded()) json = std::string(text);
  std::string bytes;
  if (!json.is_discarded() && KeyWriter(schema, bytes).write(0, json)) return bytes;
  return invalid_argument(concat("the key ", in_quotes(text),
                                 " is none of this state, whose keys are ", to_string(schema),
                                 "; expected it in JSON, such as 7, \"text\" or "
                                 "{\"field\":1}"));
}

}  // namespace millrace::detail
