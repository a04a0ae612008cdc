#include "millrace/core/codec/schema.h"

#include <charconv>
#include <map>
#include <optional>

#include "millrace/core/text.h"

namespace millrace {
namespace {

using namespace detail;

constexpr int kMostNestedTypes = 256;
constexpr std::size_t kMostTypes = 10'000;
constexpr std::string_view kDelimiters = "{}<>,:/ ";

// The kind whose whole text is this word: bool to timestamp.
std::optional<Kind> scalar_named(std::string_view word) {
  for (int i = 0; i <= static_cast<int>(Kind::kTimestamp); ++i) {
    if (to_string(static_cast<Kind>(i)) == word) return static_cast<Kind>(i);
  }
  return std::nullopt;
}

class Builder {
 public:
  std::uint32_t add(const Type& type) {
    if (const auto known = records_.find(&type); known != records_.end()) return known->second;
    const auto index = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
    nodes_[index].kind = type.kind;
    if (type.kind == Kind::kRecord && !type.is_tuple()) {
      records_[&type] = index;
      nodes_[index].name = unused_name(type.name);
    }
    if (type.kind == Kind::kEnum) nodes_[index].name = type.name;
    add_numbers(type, nodes_[index]);
    add_parts(type, index);
    return index;
  }

  std::vector<SchemaNode> take() { return std::move(nodes_); }

 private:
  static void add_numbers(const Type& type, SchemaNode& node) {
    node.integer = type.integer;
    node.length = type.length;
    node.period_numerator = type.period_numerator;
    node.period_denominator = type.period_denominator;
  }

  // A node may move while others are added, so it is looked up again after each.
  void add_parts(const Type& type, std::uint32_t index) {
    if (type.key) {
      const std::uint32_t key = add(type.key());
      nodes_[index].key = key;
    }
    if (type.element) {
      const std::uint32_t element = add(type.element());
      nodes_[index].element = element;
    }
    for (const Field& field : type.fields) {
      const std::uint32_t member = add(field.type());
      nodes_[index].members.push_back({std::string(field.name), member});
    }
  }

  // Records of one name are told apart by a number; scalars' names are taken.
  std::string unused_name(std::string_view wanted) {
    std::string name(wanted);
    for (int n = 2; scalar_named(name) || names_.contains(name); ++n) {
      name = concat(wanted, '_', n);
    }
    names_[name] = true;
    return name;
  }

  std::vector<SchemaNode> nodes_;
  std::map<const Type*, std::uint32_t> records_;
  std::map<std::string, bool, std::less<>> names_;
};

class Printer {
 public:
  explicit Printer(const Schema& schema) : nodes_(schema.nodes()), printed_(nodes_.size()) {}

  std::string print() {
    node(0);
    return std::move(text_);
  }

 private:
  void node(std::uint32_t index) {
    const SchemaNode& node = nodes_[index];
    switch (node.kind) {
      case Kind::kDuration:
        text_ += concat("duration<", to_string(node.integer), ',', node.period_numerator, '/',
                        node.period_denominator, '>');
        break;
      case Kind::kEnum:
        text_ += concat("enum<", node.name, ',', to_string(node.integer), '>');
        break;
      case Kind::kRecord:
        node.name.empty() ? tuple(node) : record(node, index);
        break;
      case Kind::kVariant:
        text_ += "variant<";
        members(node);
        text_ += '>';
        break;
      case Kind::kOptional:
      case Kind::kList:
      case Kind::kArray:
      case Kind::kMap:
        container(node);
        break;
      default:
        text_ += to_string(node.kind);
    }
  }

  void container(const SchemaNode& of) {
    text_ += concat(to_string(of.kind), '<');
    if (of.kind == Kind::kMap) {
      node(of.key);
      text_ += ',';
    }
    node(of.element);
    if (of.kind == Kind::kArray) text_ += concat(',', of.length);
    text_ += '>';
  }

  void record(const SchemaNode& record, std::uint32_t index) {
    text_ += record.name;
    if (printed_[index]) return;
    printed_[index] = true;
    text_ += '{';
    members(record);
    text_ += '}';
  }

  void tuple(const SchemaNode& tuple) {
    text_ += "tuple<";
    for (std::size_t i = 0; i < tuple.members.size(); ++i) {
      if (i > 0) text_ += ',';
      node(tuple.members[i].node);
    }
    text_ += '>';
  }

  void members(const SchemaNode& of) {
    for (std::size_t i = 0; i < of.members.size(); ++i) {
      if (i > 0) text_ += ',';
      text_ += concat(of.members[i].name, ':');
      node(of.members[i].node);
    }
  }

  const std::vector<SchemaNode>& nodes_;
  std::vector<bool> printed_;
  std::string text_;
};

// Recursive descent. The first error stops it: from then on every step fails.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::vector<SchemaNode>> parse() {
    std::uint32_t root = 0;
    if (type(root, 0) && at_ < text_.size()) fail("the end of the schema");
    if (expected_.empty() && !is_finite()) fail("no record that holds itself by value");
    if (expected_.empty()) return std::move(nodes_);
    return invalid_argument(
        concat("schema ", in_quotes(text_), ", column ", at_ + 1, ": expected ", expected_));
  }

 private:
  bool type(std::uint32_t& index, int depth) {
    if (depth > kMostNestedTypes) return fail("fewer types inside each other");
    if (nodes_.size() > kMostTypes) return fail("fewer types");
    const std::size_t begin = at_;
    const std::string word(take_word());
    if (word.empty()) return fail("the name of a type");
    const char next = at_ < text_.size() ? text_[at_] : '\0';
    if (next == '{') return record(word, index, depth);
    if (next == '<') return compound(word, begin, index, depth);
    if (const auto kind = scalar_named(word)) {
      index = add(*kind);
      return true;
    }
    const auto known = records_.find(word);
    if (known == records_.end()) return fail_at(begin, "a scalar type or a record named before");
    index = known->second;
    return true;
  }

  bool record(const std::string& name, std::uint32_t& index, int depth) {
    index = add(Kind::kRecord);
    nodes_[index].name = name;
    if (scalar_named(name) || !records_.emplace(name, index).second) {
      return fail("a record whose name is not taken");
    }
    return take('{') && (take_if('}') || (members(index, depth) && take('}')));
  }

  bool compound(std::string_view word, std::size_t begin, std::uint32_t& index, int depth) {
    static constexpr std::pair<std::string_view, Kind> kWords[] = {
        {"duration", Kind::kDuration}, {"enum", Kind::kEnum},   {"optional", Kind::kOptional},
        {"list", Kind::kList},         {"array", Kind::kArray}, {"map", Kind::kMap},
        {"variant", Kind::kVariant},   {"tuple", Kind::kRecord}};
    for (const auto& [name, kind] : kWords) {
      if (name != word) continue;
      index = add(kind);
      return take('<') && inside(kind, index, depth) && take('>');
    }
    return fail_at(begin, "optional, list, array, map, variant, tuple, enum or duration");
  }

  bool inside(Kind kind, std::uint32_t index, int depth) {
    switch (kind) {
      case Kind::kDuration:
        return integer(index) && take(',') && number(nodes_[index].period_numerator) && take('/') &&
               number(nodes_[index].period_denominator);
      case Kind::kEnum:
        nodes_[index].name = take_word();
        return take(',') && integer(index);
      case Kind::kMap:
        return part(&SchemaNode::key, index, depth) && take(',') &&
               part(&SchemaNode::element, index, depth);
      case Kind::kArray:
        return part(&SchemaNode::element, index, depth) && take(',') && length(index);
      case Kind::kVariant:
        return members(index, depth);
      case Kind::kRecord:
        return tuple(index, depth);
      default:
        return part(&SchemaNode::element, index, depth);
    }
  }

  bool part(std::uint32_t SchemaNode::*which, std::uint32_t index, int depth) {
    std::uint32_t node = 0;
    if (!type(node, depth + 1)) return false;
    nodes_[index].*which = node;
    return true;
  }

  bool member(std::string name, std::uint32_t index, int depth) {
    std::uint32_t node = 0;
    if (!type(node, depth + 1)) return false;
    nodes_[index].members.push_back({std::move(name), node});
    return true;
  }

  bool members(std::uint32_t index, int depth) {
    do {
      std::string name(take_word());
      if (name.empty()) return fail("a name");
      if (!take(':') || !member(std::move(name), index, depth)) return false;
    } while (take_if(','));
    return true;
  }

  bool tuple(std::uint32_t index, int depth) {
    if (at_ < text_.size() && text_[at_] == '>') return true;
    do {
      const std::size_t position = nodes_[index].members.size();
      if (!member(std::to_string(position), index, depth)) return false;
    } while (take_if(','));
    return true;
  }

  bool integer(std::uint32_t index) {
    const std::size_t begin = at_;
    const auto kind = scalar_named(take_word());
    if (!kind || *kind > Kind::kUInt64) return fail_at(begin, "an integer type");
    nodes_[index].integer = *kind;
    return true;
  }

  bool length(std::uint32_t index) {
    std::int64_t value = 0;
    if (!number(value)) return false;
    nodes_[index].length = static_cast<std::uint64_t>(value);
    return true;
  }

  bool number(std::int64_t& value) {
    const std::size_t begin = at_;
    const std::string_view word = take_word();
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error == std::errc() && end == word.data() + word.size() && value > 0) return true;
    return fail_at(begin, "a number from 1");
  }

  std::string_view take_word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && kDelimiters.find(text_[at_]) == std::string_view::npos) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  bool take_if(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take(char c) { return take_if(c) || fail(concat('\'', c, '\'')); }

  bool is_finite() const {
    std::vector<Visit> visits(nodes_.size(), Visit::kNone);
    bool finite = true;
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) finite = finite && ends(i, visits);
    return finite;
  }

  // Whether nothing that the node holds by value leads back to it.
  enum class Visit : std::uint8_t { kNone, kUnderWay, kEnds };
  bool ends(std::uint32_t index, std::vector<Visit>& visits) const {
    if (visits[index] != Visit::kNone) return visits[index] == Visit::kEnds;
    visits[index] = Visit::kUnderWay;
    const SchemaNode& node = nodes_[index];
    if (node.kind == Kind::kArray && !ends(node.element, visits)) return false;
    for (const SchemaMember& member : node.members) {
      if (!ends(member.node, visits)) return false;
    }
    visits[index] = Visit::kEnds;
    return true;
  }

  std::uint32_t add(Kind kind) {
    nodes_.emplace_back().kind = kind;
    return static_cast<std::uint32_t>(nodes_.size() - 1);
  }

  bool fail(std::string expected) {
    if (expected_.empty()) expected_ = std::move(expected);
    return false;
  }
  bool fail_at(std::size_t column, std::string expected) {
    at_ = column;
    return fail(std::move(expected));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<SchemaNode> nodes_;
  std::map<std::string, std::uint32_t, std::less<>> records_;
  std::string expected_;
};

}  // namespace

Result<Schema> Schema::parse(std::string_view text) {
  Result<std::vector<SchemaNode>> nodes = Parser(text).parse();
  if (!nodes) return nodes.error();
  return Schema(std::move(*nodes));
}

Schema schema_of(const Type& type) {
  Builder builder;
  builder.add(type);
  return Schema(builder.take());
}

std::string to_string(const Schema& schema) { return Printer(schema).print(); }

}  // namespace millrace
