// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as rows of a journal, with the right checksum or another: a value that is written as the same again, or a
// journal_error that names the journal.
#include <troupe/journal/format.hpp>
#include <troupe/journal/row_codec.hpp>

#include "memory_file.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using fuzz::require;

struct reserved {
  std::uint32_t quantity = 0;
  std::string unit;
  static constexpr std::string_view journal_name = "reserved";
  static constexpr int journal_version = 2;
  static void upcast(int from, nlohmann::json& j) {
    if (from == 1)
      j["unit"] = "piece";
  }
  TROUPE_JSON(reserved, quantity, unit)
};

struct shelf {
  std::vector<reserved> open;
  bool closed = false;
  static constexpr std::string_view journal_name = "shelf";
  TROUPE_JSON(shelf, open, closed)
};

const std::array<const troupe::journal_type*, 2> types{&troupe::journal_type_of<reserved>,
                                                       &troupe::journal_type_of<shelf>};

/// Cuts fields off an input: up to a zero byte, or to the end.
struct fields {
  std::string_view rest;
  std::string_view text() {
    const auto end = rest.find('\0');
    const auto one = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    return one;
  }
  unsigned byte() {
    if (rest.empty())
      return 0;
    const auto b = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    return b;
  }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fields in{{reinterpret_cast<const char*>(data), size}};
  const troupe::row_codec codec{"shop.db", "shelf/1", types};
  const auto kind = in.byte();
  const bool damaged = (kind & 4) != 0;
  troupe::record_row row{in.byte(), 1'700'000'000'000'000, in.text(), static_cast<int>(in.byte()), {}};
  try {
    if ((kind & 1) == 0) {
      row.data = in.rest;
      row.checksum = troupe::checksum_of(codec.key(), row) ^ (damaged ? 1u << in.byte() % 32 : 0);
      const auto read = codec.decode("event", row);
      require(!damaged);
      troupe::json_text text;
      const auto again = codec.encode(read.record(), row.sequence, row.time, text);
      troupe::json_text other;
      const auto read_again = codec.decode("event", again);
      require(again.data == codec.encode(read_again.record(), row.sequence, row.time, other).data);
    } else {
      troupe::outbox_row sent;
      sent.target = in.text();
      sent.timer = in.text();
      if ((kind & 2) != 0)
        sent.due = row.time + in.byte();
      row.data = in.rest;
      sent.message = row;
      sent.checksum = troupe::checksum_of(codec.key(), sent) ^ (damaged ? 1u << in.byte() % 32 : 0);
      const auto read = codec.decode(sent);
      require(!damaged && (read.type == nullptr) == (row.type != "reserved" && row.type != "shelf"));
    }
  } catch (const troupe::journal_error& e) {
    require(std::string_view{e.what()}.find("journal 'shelf/1' in shop.db") == 0);
  }
  return 0;
}
