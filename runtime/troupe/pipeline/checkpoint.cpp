// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/format.hpp>
#include <troupe/journal/json_text.hpp>
#include <troupe/pipeline/checkpoint.hpp>

#include <array>
#include <utility>

namespace troupe::pipeline {

namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes as text: base64 (RFC 4648).
std::string to_text(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t k) {
      return i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : std::uint32_t{0};
    };
    const auto three = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k <= bytes.size() ? digits[three >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::string to_bytes(std::string_view text) {
  const auto wrong = [] { return journal_error{"a checkpoint's state is no base64"}; };
  if (text.size() % 4 != 0)
    throw wrong();
  while (text.ends_with('='))
    text.remove_suffix(1);
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int held = 0; // bits not written yet
  for (const char c : text) {
    const auto digit = digits.find(c);
    if (digit == std::string_view::npos)
      throw wrong();
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    if ((held += 6) < 8)
      continue;
    held -= 8;
    bytes += static_cast<char>(bits >> held & 255);
  }
  return bytes;
}

constexpr int format_version = 1;

void encode(const void* value, json_text& text) {
  const auto& c = *static_cast<const checkpoint*>(value);
  nlohmann::json kept = nlohmann::json::object();
  for (const auto& [name, bytes] : c.kept)
    kept[name] = to_text(bytes);
  text.clear();
  text +=
      nlohmann::json{{"version", c.version}, {"epoch", c.epoch}, {"graph", c.graph}, {"kept", std::move(kept)}}.dump();
}

std::shared_ptr<const void> decode(int version, std::string_view text) {
  if (version != format_version)
    throw journal_error{"this program knows checkpoints of version 1"};
  const auto json = nlohmann::json::parse(text);
  auto c = std::make_shared<checkpoint>();
  read_json(json.at("version"), c->version);
  read_json(json.at("epoch"), c->epoch);
  read_json(json.at("graph"), c->graph);
  for (const auto& [name, state] : json.at("kept").items())
    c->kept.emplace(name, to_bytes(state.get_ref<const std::string&>()));
  return c;
}

constexpr journal_format format{"pipeline_checkpoint", format_version, &encode, &decode};
constexpr journal_type type{&typeid(checkpoint),
                            [](const void* value) -> std::shared_ptr<const void> {
                              return std::make_shared<const checkpoint>(*static_cast<const checkpoint*>(value));
                            },
                            &format};
constexpr std::array types{&type};

/// Takes the latest checkpoint out of a journal that has nothing else.
class taker final : public journal_visitor {
public:
  void snapshot(const journal_record& state) override { found = *static_cast<const checkpoint*>(state.value); }
  void event(const journal_record&) override {}
  void handled(const inbound&) override {}
  void last_sent(std::uint64_t) override {}
  void unsettled(const outbound&) override {}

  std::optional<checkpoint> found;
};

} // namespace

std::optional<std::string> validate(const checkpoint_options& o) {
  using namespace std::chrono_literals;
  if (o.every < 1ms || o.every > 24h)
    return "checkpoints.every must be 1 ms..1 day, not " + std::to_string(o.every.count()) + " ms";
  return std::nullopt;
}

checkpoint_log::checkpoint_log(const std::shared_ptr<journal_store>& store, std::string_view pipeline)
    : journal_{store->open("pipeline/" + std::string{pipeline}, types)} {}

std::optional<checkpoint> checkpoint_log::last() {
  taker t;
  journal_->replay(t);
  return std::move(t.found);
}

void checkpoint_log::keep(const checkpoint& c) { journal_->snapshot({&type, &c}); }

void forget_checkpoint(const std::shared_ptr<journal_store>& store, std::string_view pipeline) {
  checkpoint_log log{store, pipeline};
  try {
    log.last();                    // stores know a journal only once it was read
  } catch (const journal_error&) { // it cannot be read: a reason to forget it
  }
  log.erase();
}

} // namespace troupe::pipeline
