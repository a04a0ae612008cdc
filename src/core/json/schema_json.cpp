#include "millrace/core/json/schema_json.h"

#include <cstring>
#include <vector>

#include "millrace/core/codec/codec.h"
#include "millrace/core/codec/column_input.h"
#include "millrace/core/json/json.h"

namespace millrace::detail {
namespace {

using Texts = std::vector<std::string>;

template <class T>
std::string text_of(const T& value) {
  std::string text;
  append_json(text, value);
  return text;
}

template <class T>
T value_at(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// The text of a number of fixed width.
std::string number_text(Kind held_as, const char* bytes) {
  switch (held_as) {
    case Kind::kFloat:
      return text_of(value_at<float>(bytes));
    case Kind::kDouble:
      return text_of(value_at<double>(bytes));
    case Kind::kUInt64:
      return text_of(value_at<std::uint64_t>(bytes));
    default:
      return text_of(read_integer(held_as, bytes));
  }
}

// Reads columns into a text for each row. What a container holds is read first.
class Columns {
 public:
  Columns(const Schema& schema, ColumnInput& in) : nodes_(schema.nodes()), in_(in) {}

  Status read(std::uint32_t index, std::size_t rows, Texts& texts) {
    texts.clear();
    if (rows == 0) return {};
    if (depth_ == kMostDepth) return in_.corrupt("a record that nests too deep");
    ++depth_;
    Status status = read_node(nodes_[index], rows, texts);
    --depth_;
    return status;
  }

 private:
  static constexpr int kMostDepth = kMostNesting * 2;  // records count here too

  Status read_node(const SchemaNode& node, std::size_t rows, Texts& texts) {
    switch (node.kind) {
      case Kind::kString:
        return strings(rows, texts);
      case Kind::kOptional:
        return optional(node, rows, texts);
      case Kind::kList:
        return list(node, rows, texts);
      case Kind::kArray:
        return array(node, rows, texts);
      case Kind::kMap:
        return map(node, rows, texts);
      case Kind::kVariant:
        return variant(node, rows, texts);
      case Kind::kRecord:
        return record(node, rows, texts);
      default:
        return fixed(node, rows, texts);
    }
  }

  Status fixed(const SchemaNode& node, std::size_t rows, Texts& texts) {
    const std::size_t width = fixed_width(held_as(node));
    const char* bytes = nullptr;
    Status status = in_.take(rows, width, bytes);
    for (std::size_t i = 0; status && i < rows; ++i, bytes += width) {
      if (node.kind == Kind::kBool) {
        if (*bytes != 0 && *bytes != 1) return in_.corrupt("a bool that is neither 0 nor 1");
        texts.push_back(*bytes == 1 ? "true" : "false");
      } else if (node.kind == Kind::kTimestamp) {
        texts.push_back(text_of(Timestamp(Duration(value_at<std::int64_t>(bytes)))));
      } else {
        texts.push_back(number_text(held_as(node), bytes));
      }
    }
    return status;
  }

  Status strings(std::size_t rows, Texts& texts) {
    Lengths lengths;
    Status status = in_.take_lengths(rows, lengths);
    const char* bytes = nullptr;
    if (status) status = in_.take(lengths.total(), 1, bytes);
    if (!status) return status;
    lengths.each([&](std::size_t length) {
      texts.push_back(text_of(std::string(bytes, length)));
      bytes += length;
    });
    return {};
  }

  Status optional(const SchemaNode& node, std::size_t rows, Texts& texts) {
    const char* bits = nullptr;
    Status status = in_.take_bits(rows, bits);
    if (!status) return status;
    std::size_t present = 0;
    for (std::size_t i = 0; i < rows; ++i) present += bit_at(bits, i) ? 1 : 0;
    Texts values;
    status = read(node.element, present, values);
    if (!status) return status;
    auto next = values.begin();
    for (std::size_t i = 0; i < rows; ++i) texts.push_back(bit_at(bits, i) ? *next++ : "null");
    return {};
  }

  Status list(const SchemaNode& node, std::size_t rows, Texts& texts) {
    Lengths lengths;
    Status status = in_.take_lengths(rows, lengths);
    if (status) status = in_.can_hold(lengths.total(), 1);
    Texts elements;
    if (status) status = read(node.element, lengths.total(), elements);
    if (!status) return status;
    auto next = elements.begin();
    lengths.each([&](std::size_t length) { texts.push_back(joined(next, length)); });
    return {};
  }

  Status array(const SchemaNode& node, std::size_t rows, Texts& texts) {
    Status status = in_.can_hold(rows, std::max<std::uint64_t>(node.length, 1));
    Texts elements;
    if (status) status = read(node.element, rows * node.length, elements);
    if (!status) return status;
    auto next = elements.begin();
    for (std::size_t i = 0; i < rows; ++i) texts.push_back(joined(next, node.length));
    return {};
  }

  static std::string joined(Texts::iterator& next, std::size_t size) {
    std::string text = "[";
    for (std::size_t i = 0; i < size; ++i) text += (i == 0 ? "" : ",") + *next++;
    return text + ']';
  }

  Status map(const SchemaNode& node, std::size_t rows, Texts& texts) {
    Lengths lengths;
    Status status = in_.take_lengths(rows, lengths);
    if (status) status = in_.can_hold(lengths.total(), 1);
    Texts keys;
    Texts values;
    if (status) status = read(node.key, lengths.total(), keys);
    if (status) status = read(node.element, lengths.total(), values);
    if (!status) return status;
    const bool object = nodes_[node.key].kind == Kind::kString;
    std::size_t next = 0;
    lengths.each([&](std::size_t length) {
      std::string text(1, object ? '{' : '[');
      for (std::size_t i = 0; i < length; ++i, ++next) {
        if (i > 0) text += ',';
        text +=
            object ? keys[next] + ':' + values[next] : '[' + keys[next] + ',' + values[next] + ']';
      }
      texts.push_back(text + (object ? '}' : ']'));
    });
    return {};
  }

  Status variant(const SchemaNode& node, std::size_t rows, Texts& texts) {
    const char* tags = nullptr;
    Status status = in_.take(rows, 1, tags);
    if (!status) return status;
    texts.resize(rows);
    std::vector<std::vector<std::size_t>> rows_of(node.members.size());
    for (std::size_t i = 0; i < rows; ++i) {
      const auto tag = static_cast<unsigned char>(tags[i]);
      if (tag >= node.members.size()) return in_.corrupt("the tag of an unknown alternative");
      rows_of[tag].push_back(i);
    }
    for (std::size_t tag = 0; tag < node.members.size(); ++tag) {
      Texts values;
      status = read(node.members[tag].node, rows_of[tag].size(), values);
      if (!status) return status;
      for (std::size_t i = 0; i < values.size(); ++i) {
        texts[rows_of[tag][i]] = '{' + text_of(node.members[tag].name) + ':' + values[i] + '}';
      }
    }
    return {};
  }

  Status record(const SchemaNode& node, std::size_t rows, Texts& texts) {
    const bool tuple = node.name.empty();
    const char* bits = nullptr;
    if (node.members.empty()) {
      Status status = in_.take_bits(rows, bits);
      if (!status) return status;
    }
    texts.assign(rows, tuple ? "[" : "{");
    for (std::size_t member = 0; member < node.members.size(); ++member) {
      Texts values;
      Status status = read(node.members[member].node, rows, values);
      if (!status) return status;
      const std::string before =
          (member == 0 ? "" : ",") + (tuple ? "" : text_of(node.members[member].name) + ':');
      for (std::size_t i = 0; i < rows; ++i) texts[i] += before + values[i];
    }
    for (std::string& text : texts) text += tuple ? ']' : '}';
    return {};
  }

  const std::vector<SchemaNode>& nodes_;
  ColumnInput& in_;
  int depth_ = 0;
};

}  // namespace

Status append_json(std::string& out, const Schema& schema, std::string_view columns) {
  ColumnInput in(columns);
  Texts texts;
  Status status = Columns(schema, in).read(0, 1, texts);
  if (status && !in.rest().empty()) status = in.corrupt("bytes follow the record");
  if (status) out += texts.front();
  return status;
}

}  // namespace millrace::detail
