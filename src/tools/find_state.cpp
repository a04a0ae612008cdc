#include <nlohmann/json.hpp>

#include <ostream>

#include "millrace/core/text.h"
#include "millrace/state/keyed_state.h"
#include "millrace/tools/key_text.h"
#include "millrace/tools/snapshot_reader.h"
#include "millrace/tools/state_command.h"
#include "millrace/tools/state_rows.h"

namespace millrace::detail {
namespace {

using Json = nlohmann::ordered_json;

// What a key has, put together from its rows.
class Answer {
 public:
  explicit Answer(const StateDescription& state) : state_(state) {
    const bool object = state.kind == "map" && state.entry_schema == "string";
    all_ = object ? Json::object() : Json::array();
  }

  void add(const RowText& row) {
    found_ = true;
    const Json value = value_of(row.value);
    if (state_.kind == "list") {
      for (const Json& element : elements_of(value)) all_.push_back(element);
    } else if (state_.kind == "timers") {
      all_.push_back(parsed(row.entry));
    } else if (state_.kind != "map") {
      all_ = value;
    } else if (all_.is_object()) {
      all_[parsed(row.entry).get<std::string>()] = value;
    } else {
      all_.push_back(Json::array({parsed(row.entry), value}));
    }
  }

  bool found() const { return found_; }
  std::string text() const {
    return all_.dump(-1, ' ', false, nlohmann::detail::error_handler_t::replace);
  }

 private:
  // Text that is no UTF-8 is shown as it can be.
  static Json parsed(const std::string& text) {
    Json json = Json::parse(text, nullptr, false);
    return json.is_discarded() ? Json(text) : json;
  }

  // With its time only where it has one.
  Json value_of(const std::string& text) const {
    Json json = parsed(text);
    const bool timed =
        json.is_object() && json.size() == 2 && json.contains("value") && json.contains("touched");
    const bool plain = state_.time_to_live_milliseconds == 0 &&
                       state_.value_schemas.back().starts_with("Expiring{");
    return timed && plain ? json["value"] : json;
  }

  Json elements_of(const Json& chunk) const {
    const bool timed = state_.time_to_live_milliseconds != 0;
    if (!chunk.is_object() || !chunk.contains("values")) return Json::array({chunk});
    if (!timed) return chunk["values"];
    Json elements = Json::array();
    for (std::size_t i = 0; i < chunk["values"].size() && i < chunk["touched"].size(); ++i) {
      elements.push_back({{"value", chunk["values"][i]}, {"touched", chunk["touched"][i]}});
    }
    return elements;
  }

  const StateDescription& state_;
  Json all_;
  bool found_ = false;
};

}  // namespace

Result<bool> find_state(const StateQuery& query, std::ostream& out) {
  Result<std::unique_ptr<SnapshotReader>> opened = SnapshotReader::open(query.path);
  if (!opened) return opened.error();
  SnapshotReader& reader = **opened;
  const Result<const OperatorState*> of = reader.find(query.operator_name);
  if (!of) return of.error();
  const Result<StateDescription> state = SnapshotReader::find_state(**of, query.state);
  if (!state) return state.error();
  const Result<RowFormat> format = RowFormat::make(*state);
  if (!format) return format.error();
  const Result<std::string> key = parse_key(format->key_schema(), query.key);
  if (!key) return key.error();
  const Result<std::uint64_t> hash = hash_of_key(format->key_schema(), *key);
  if (!hash) return hash.error();
  std::string prefix;
  KeyedState::begin_key(prefix, *hash, 0);
  prefix.erase(0, KeyedState::prefix_of(0).size());
  Answer answer(*state);
  const std::unique_ptr<RowsOfState> rows = reader.scan(**of, query.state, prefix + *key);
  while (rows->next()) {
    const Result<RowText> row = format->read(rows->key(), rows->value());
    if (!row) return row.error();
    answer.add(*row);
  }
  if (!rows->status()) return rows->status().error();
  if (!answer.found()) {
    return not_found(concat("state ", in_quotes(query.state), " of operator ",
                            in_quotes(query.operator_name), " has nothing for the key ",
                            in_quotes(query.key)));
  }
  out << answer.text() << "\n";
  return true;
}

}  // namespace millrace::detail
