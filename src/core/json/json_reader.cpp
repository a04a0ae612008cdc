#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "millrace/core/codec/codec.h"
#include "millrace/core/json/json.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

namespace ondemand = simdjson::ondemand;

struct DeleteKeys {
  void (*delete_keys)(void*);
  void operator()(void* keys) const { delete_keys(keys); }
};

std::string_view trimmed(std::string_view token) {
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.remove_suffix(1);
  return token;
}

// As JSON spells it, whatever its size.
bool is_number(std::string_view token) {
  const auto skip_digits = [&token] {
    const std::size_t end = std::min(token.find_first_not_of("0123456789"), token.size());
    token.remove_prefix(end);
    return end > 0;
  };
  if (token.starts_with('-')) token.remove_prefix(1);
  if (token.starts_with('0')) {
    token.remove_prefix(1);
  } else if (!skip_digits()) {
    return false;
  }
  if (token.starts_with('.')) {
    token.remove_prefix(1);
    if (!skip_digits()) return false;
  }
  if (token.starts_with('e') || token.starts_with('E')) {
    token.remove_prefix(1);
    if (token.starts_with('+') || token.starts_with('-')) token.remove_prefix(1);
    if (!skip_digits()) return false;
  }
  return token.empty();
}

std::string describe_token(std::string_view token) {
  if (token.front() == '{') return "an object";
  if (token.front() == '[') return "an array";
  if (token.front() != '"') return std::string(token.substr(0, 40));
  token.remove_prefix(1);
  if (!token.empty() && token.back() == '"') token.remove_suffix(1);
  return concat("the string ", in_quotes(token));
}

std::string expected_for(const Type& type) {
  switch (type.kind) {
    case Kind::kTimestamp:
      return "a timestamp, as ISO-8601 text or integer milliseconds";
    case Kind::kDuration:
      return concat("a duration, as an ", to_string(type.integer));
    case Kind::kEnum:
      return concat("the name of a ", type.name);
    case Kind::kList:
    case Kind::kArray:
      return "an array";
    case Kind::kMap:
      return type.key().kind == Kind::kString ? "an object" : "an array of [key, value]";
    case Kind::kVariant:
      return "an object with the name of an alternative as its only key";
    case Kind::kRecord:
      return type.is_tuple() ? concat("an array of ", type.fields.size()) : "an object";
    default:
      return std::string(to_string(type.kind));
  }
}

}  // namespace

// The functions return false once the first error is recorded.
class JsonReader::Implementation {
 public:
  explicit Implementation(JsonReaderOptions options) : options_(std::move(options)) {}

  Status read(const Type& type, std::string_view text, void* value) {
    path_.clear();
    document_ = nullptr;
    depth_ = 0;
    problem_.reset();
    load(text);
    ondemand::document document;
    const simdjson::padded_string_view padded(text_.data(), text.size() + 2, text_.size());
    if (const auto error = parser_.iterate(padded).get(document)) {
      (void)fail_syntax(error);
    } else {
      (void)read_document(document, type, value);
    }
    return problem_ ? Status(invalid_argument(message(*problem_))) : Status();
  }

  const JsonProblem& problem() const { return *problem_; }

 private:
  struct Step {
    std::string_view name;  // empty for an element
    std::size_t index = 0;
  };

  // An array of one around the text lets it be any value, and shows what follows it.
  void load(std::string_view text) {
    text_.resize(text.size() + 2 + simdjson::SIMDJSON_PADDING);
    text_[0] = '[';
    if (!text.empty()) std::memcpy(&text_[1], text.data(), text.size());
    text_[text.size() + 1] = ']';
    std::memset(&text_[text.size() + 2], 0, simdjson::SIMDJSON_PADDING);
  }

  bool read_document(ondemand::document& document, const Type& type, void* value) {
    document_ = &document;
    ondemand::array values;
    if (const auto error = document.get_array().get(values)) return fail_syntax(error);
    std::size_t count = 0;
    for (auto element : values) {
      ondemand::value json;
      if (const auto error = element.get(json)) return fail_syntax(error);
      if (count++ > 0) return fail_at(token_of(json).data(), "expected the end of the text");
      if (!read_value(type, json, value)) return false;
    }
    if (count == 0)
      return fail_at(&text_[1], concat("expected ", expected_for(type), ", found nothing"));
    const char* rest = nullptr;
    const bool is_end = document.current_location().get(rest) == simdjson::OUT_OF_BOUNDS;
    return is_end || fail_at(rest, "expected the end of the text");
  }

  bool read_value(const Type& type, ondemand::value& json, void* value) {
    switch (type.kind) {
      case Kind::kBool:
        return json.get_bool().get(as<bool>(value)) == simdjson::SUCCESS || fail(type, json);
      case Kind::kFloat:
        return read_float(type, json, as<float>(value));
      case Kind::kDouble:
        return json.get_double().get(as<double>(value)) == simdjson::SUCCESS || fail(type, json);
      case Kind::kString:
        return read_string(type, json, as<std::string>(value));
      case Kind::kTimestamp:
        return read_timestamp(type, json, as<Timestamp>(value));
      case Kind::kEnum:
        return read_enum(type, json, value);
      case Kind::kOptional:
      case Kind::kList:
      case Kind::kArray:
      case Kind::kMap:
      case Kind::kVariant:
      case Kind::kRecord:
        return read_nested(type, json, value);
      default:
        return read_integer(type, json, value);
    }
  }

  bool read_float(const Type& type, ondemand::value& json, float& value) {
    double wide = 0;
    if (json.get_double().get(wide)) return fail(type, json);
    value = static_cast<float>(wide);
    return !std::isinf(value) || fail(type, json);
  }

  bool read_string(const Type& type, ondemand::value& json, std::string& value) {
    std::string_view text;
    if (const auto error = json.get_string().get(text)) {
      return error == simdjson::INCORRECT_TYPE ? fail(type, json) : fail_syntax(error);
    }
    value = text;
    return true;
  }

  bool read_integer(const Type& type, ondemand::value& json, void* value) {
    std::int64_t number = 0;
    if (!json.get_int64().get(number)) {
      return store_integer(held_as(type), number, value) || fail(type, json);
    }
    std::uint64_t large = 0;
    if (held_as(type) != Kind::kUInt64 || json.get_uint64().get(large)) return fail(type, json);
    return store_unsigned(Kind::kUInt64, large, value);
  }

  bool read_timestamp(const Type& type, ondemand::value& json, Timestamp& value) {
    std::int64_t milliseconds = 0;
    if (!json.get_int64().get(milliseconds)) {
      value = Timestamp(Duration(milliseconds));
      return true;
    }
    std::string_view text;
    if (json.get_string().get(text)) return fail(type, json);
    const Result<Timestamp> time = parse_timestamp(text);
    if (!time) return fail(type, json);
    value = *time;
    return true;
  }

  bool read_enum(const Type& type, ondemand::value& json, void* value) {
    std::string_view name;
    if (json.get_string().get(name)) return read_integer(type, json, value);
    if (const EnumName* found = find_enum_name(type, name)) {
      return store_integer(type.integer, found->value, value);
    }
    std::vector<std::string> known;
    for (const EnumName& each : type.names) known.emplace_back(each.name);
    const std::string_view near = nearest(name, known);
    const std::string hint = near.empty() ? "" : concat("; did you mean ", in_quotes(near), '?');
    return fail_at(token_of(json).data(),
                   concat("expected ", expected_for(type), ", found ", in_quotes(name), hint));
  }

  bool read_nested(const Type& type, ondemand::value& json, void* value) {
    if (depth_ == kMostNesting) return fail_at(token_of(json).data(), "this nests too deep");
    ++depth_;
    const bool well = read_container(type, json, value);
    --depth_;
    return well;
  }

  bool read_container(const Type& type, ondemand::value& json, void* value) {
    switch (type.kind) {
      case Kind::kOptional:
        return read_optional(type, json, value);
      case Kind::kList:
        return read_list(type, json, value);
      case Kind::kArray:
        return read_array(type, json, value);
      case Kind::kMap:
        return type.key().kind == Kind::kString ? read_object(type, json, value)
                                                : read_entries(type, json, value);
      case Kind::kVariant:
        return read_variant(type, json, value);
      default:
        return type.is_tuple() ? read_tuple(type, json, value) : read_record(type, json, value);
    }
  }

  bool read_optional(const Type& type, ondemand::value& json, void* value) {
    if (token_of(json) == "null") {
      type.optional->reset(value);
      return true;
    }
    return read_value(type.element(), json, type.optional->emplace(value));
  }

  // use(index, element) for each element of an array.
  template <class Use>
  bool each_element(const Type& type, ondemand::value& json, Use use) {
    ondemand::array array;
    if (json.get_array().get(array)) return fail(type, json);
    path_.push_back({});
    for (auto element : array) {
      ondemand::value item;
      if (const auto error = element.get(item)) return fail_syntax(error);
      if (!use(path_.back().index, item)) return false;
      ++path_.back().index;
    }
    path_.pop_back();
    return true;
  }

  // use(key, value) for each member of an object.
  template <class Use>
  bool each_member(const Type& type, ondemand::value& json, Use use) {
    ondemand::object object;
    if (json.get_object().get(object)) return fail(type, json);
    for (auto member : object) {
      std::string_view key;
      ondemand::value item;
      if (const auto error = member.unescaped_key().get(key)) return fail_syntax(error);
      if (const auto error = member.value().get(item)) return fail_syntax(error);
      if (!use(key, item)) return false;
    }
    return true;
  }

  bool read_list(const Type& type, ondemand::value& json, void* value) {
    const Type& element = type.element();
    std::size_t room = type.list->elements(value).size;  // what is there is read into
    std::size_t size = 0;
    const bool well = each_element(type, json, [&](std::size_t i, ondemand::value& item) {
      size = i + 1;
      if (size > room) type.list->resize(value, room = size);
      const void* first = type.list->elements(value).data;
      return read_value(element, item,
                        const_cast<char*>(static_cast<const char*>(first)) + i * element.size);
    });
    type.list->resize(value, size);
    return well;
  }

  bool read_array(const Type& type, ondemand::value& json, void* value) {
    const Type& element = type.element();
    const char* begin = token_of(json).data();
    std::size_t size = 0;
    const bool well = each_element(type, json, [&](std::size_t i, ondemand::value& item) {
      if (++size > type.length) return true;
      return read_value(element, item, static_cast<char*>(value) + i * element.size);
    });
    return well && (size == type.length || fail_size(begin, type.length, size));
  }

  bool read_tuple(const Type& type, ondemand::value& json, void* value) {
    const char* begin = token_of(json).data();
    std::size_t size = 0;
    const bool well = each_element(type, json, [&](std::size_t i, ondemand::value& item) {
      if (++size > type.fields.size()) return true;
      const Field& field = type.fields[i];
      return read_value(field.type(), item, static_cast<char*>(value) + field.offset);
    });
    return well && (size == type.fields.size() || fail_size(begin, type.fields.size(), size));
  }

  bool read_object(const Type& type, ondemand::value& json, void* value) {
    const Type& element = type.element();
    const auto made = make_key(type);
    type.map->clear(value);
    return each_member(type, json, [&](std::string_view key, ondemand::value& item) {
      as<std::string>(made.get()) = key;
      void* place = type.map->insert(value, made.get());
      if (place == nullptr) {
        return fail_at(token_of(item).data(), concat("the key ", in_quotes(key), " twice"));
      }
      path_.push_back({key});
      if (!read_value(element, item, place)) return false;
      path_.pop_back();
      return true;
    });
  }

  bool read_entries(const Type& type, ondemand::value& json, void* value) {
    const Type& key = type.key();
    const Type& element = type.element();
    const auto made = make_key(type);
    type.map->clear(value);
    return each_element(type, json, [&](std::size_t, ondemand::value& entry) {
      const char* begin = token_of(entry).data();
      void* place = nullptr;
      std::size_t size = 0;
      const bool well = each_element(type, entry, [&](std::size_t i, ondemand::value& item) {
        size = i + 1;
        if (i > 1) return true;
        if (i == 1) return read_value(element, item, place);
        if (!read_value(key, item, made.get())) return false;
        place = type.map->insert(value, made.get());
        return place != nullptr || fail_at(token_of(item).data(), "a key that is there already");
      });
      return well && (size == 2 || fail_size(begin, 2, size));
    });
  }

  static std::unique_ptr<void, DeleteKeys> make_key(const Type& type) {
    return {type.map->make_keys(1), DeleteKeys{type.map->delete_keys}};
  }

  bool read_variant(const Type& type, ondemand::value& json, void* value) {
    const char* begin = token_of(json).data();
    std::size_t count = 0;
    const bool well = each_member(type, json, [&](std::string_view key, ondemand::value& item) {
      const Field* field = find(type, key, 0);
      if (field == nullptr || ++count > 1) {
        return fail_at(begin,
                       concat("expected ", expected_for(type), ", found the key ", in_quotes(key)));
      }
      const auto index = static_cast<std::size_t>(field - type.fields.data());
      path_.push_back({key});
      if (!read_value(field->type(), item, type.variant->emplace(value, index))) return false;
      path_.pop_back();
      return true;
    });
    return well && (count == 1 || fail_at(begin, concat("expected ", expected_for(type))));
  }

  bool read_record(const Type& type, ondemand::value& json, void* value) {
    const char* begin = token_of(json).data();
    const bool is_renamed = depth_ == 1 && !options_.renames.empty();
    std::uint64_t seen = 0;
    std::size_t next = 0;  // keys mostly come in the order of the fields
    const bool well = each_member(type, json, [&](std::string_view key, ondemand::value& item) {
      const Field* field = find(type, is_renamed ? renamed(key) : key, next);
      if (field == nullptr) return skip_member(key, item);
      const auto index = static_cast<std::size_t>(field - type.fields.data());
      seen |= std::uint64_t{1} << index;
      next = index + 1;
      path_.push_back({field->name});
      if (!read_value(field->type(), item, static_cast<char*>(value) + field->offset)) return false;
      path_.pop_back();
      return true;
    });
    return well && finish_record(type, value, seen, begin);
  }

  // What nobody asked for must be JSON too.
  bool skip_member(std::string_view key, ondemand::value& json) {
    path_.push_back({key});
    const bool well = skip(json);
    path_.pop_back();
    return well;
  }

  bool skip(ondemand::value& json) {
    if (depth_ == kMostNesting) return fail_at(token_of(json).data(), "this nests too deep");
    ++depth_;
    const bool well = skip_value(json);
    --depth_;
    return well;
  }

  bool skip_value(ondemand::value& json) {
    const std::string_view token = token_of(json);
    switch (token.front()) {
      case '{':
        return each_member(
            type_of<std::monostate>(), json,
            [this](std::string_view key, ondemand::value& item) { return skip_member(key, item); });
      case '[':
        return each_element(type_of<std::tuple<>>(), json,
                            [this](std::size_t, ondemand::value& item) { return skip(item); });
      case '"': {
        std::string_view text;
        const auto error = json.get_string().get(text);
        return !error || fail_syntax(error);
      }
      default:
        if (token == "true" || token == "false" || token == "null") return true;
        return is_number(token) ||
               fail_at(token.data(), concat("expected a JSON value, found ", in_quotes(token)));
    }
  }

  bool finish_record(const Type& type, void* value, std::uint64_t seen, const char* begin) {
    for (std::size_t i = 0; i < type.fields.size(); ++i) {
      if ((seen >> i & 1) != 0) continue;
      const Field& field = type.fields[i];
      const Type& missing = field.type();
      if (missing.kind != Kind::kOptional) {
        return fail_at(begin, concat("the key ", in_quotes(external(field.name)), " is missing"));
      }
      missing.optional->reset(static_cast<char*>(value) + field.offset);
    }
    return true;
  }

  static const Field* find(const Type& type, std::string_view name, std::size_t guess) {
    if (guess < type.fields.size() && type.fields[guess].name == name) return &type.fields[guess];
    for (const Field& field : type.fields) {
      if (field.name == name) return &field;
    }
    return nullptr;
  }

  std::string_view renamed(std::string_view key) {
    name_ = key;
    const auto found = options_.renames.find(name_);
    return found == options_.renames.end() ? key : std::string_view(found->second);
  }

  // What the text calls a field of the outermost record.
  std::string_view external(std::string_view field) const {
    if (depth_ > 1) return field;
    for (const auto& [key, name] : options_.renames) {
      if (name == field) return key;
    }
    return field;
  }

  static std::string_view token_of(ondemand::value& json) { return trimmed(json.raw_json_token()); }

  bool fail(const Type& type, ondemand::value& json) {
    const std::string_view token = token_of(json);
    return fail_at(token.data(),
                   concat("expected ", expected_for(type), ", found ", describe_token(token),
                          is_out_of_range(type, token) ? ", which is out of range" : ""));
  }

  static bool is_out_of_range(const Type& type, std::string_view token) {
    if (!is_number(token)) return false;
    if (type.kind == Kind::kFloat || type.kind == Kind::kDouble) return true;
    const bool wants_whole = is_signed_integer(held_as(type)) || is_unsigned_integer(held_as(type));
    return wants_whole && token.find_first_of(".eE") == token.npos;
  }

  bool fail_size(const char* at, std::size_t expected, std::size_t found) {
    return fail_at(at, concat("expected ", expected, " elements, found ", found));
  }

  bool fail_syntax(simdjson::error_code error) {
    const char* at = nullptr;
    if (document_ == nullptr || document_->current_location().get(at)) at = nullptr;
    return fail_at(at, concat("this is not JSON: ", simdjson::error_message(error)));
  }

  // The bracket that was put before the text makes an offset the column that counts from 1.
  bool fail_at(const char* at, std::string what) {
    if (problem_) return false;
    const std::size_t column = at == nullptr ? 0 : static_cast<std::size_t>(at - text_.data());
    problem_ = {.column = column, .field = path(), .what = std::move(what)};
    return false;
  }

  static std::string message(const JsonProblem& problem) {
    std::string text;
    if (problem.column > 0) text = concat("column ", problem.column, ": ");
    if (!problem.field.empty()) text += concat("field ", in_quotes(problem.field), ": ");
    return text + problem.what;
  }

  std::string path() const {
    std::string text;
    for (const Step& step : path_) {
      if (step.name.empty()) {
        text += concat('[', step.index, ']');
      } else {
        text += text.empty() ? std::string(step.name) : concat('.', step.name);
      }
    }
    return text;
  }

  JsonReaderOptions options_;
  ondemand::parser parser_;
  ondemand::document* document_ = nullptr;
  std::string text_;  // the text in brackets, and padding
  std::string name_;
  std::vector<Step> path_;
  int depth_ = 0;
  std::optional<JsonProblem> problem_;
};

JsonReader::JsonReader(JsonReaderOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(options))) {}
JsonReader::JsonReader(JsonReader&&) noexcept = default;
JsonReader& JsonReader::operator=(JsonReader&&) noexcept = default;
JsonReader::~JsonReader() = default;

Status JsonReader::read(const Type& type, std::string_view text, void* value) {
  return implementation_->read(type, text, value);
}

const JsonProblem& JsonReader::problem() const { return implementation_->problem(); }

}  // namespace millrace::detail
