// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/postgres_new_events.hpp>

#include <array>
#include <cstddef>

namespace troupe {

namespace {

constexpr const char* statement = "add_events";
constexpr std::size_t bytes_max = 4 * 1024 * 1024; // of one array, before it is sent

} // namespace

postgres_new_events::postgres_new_events(postgres_connection& c) : connection_{c} {
  c.prepare(statement, "INSERT INTO events SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], "
                       "$5::integer[], $6::json[], $7::bigint[])");
}

void postgres_new_events::add(std::string_view key, const record_row& e) {
  if (data_.bytes().size() >= bytes_max)
    send();
  journals_.add(key);
  sequences_.add(static_cast<std::int64_t>(e.sequence));
  times_.add(e.time);
  types_.add(e.type);
  versions_.add(e.version);
  data_.add(e.data);
  checksums_.add(std::int64_t{e.checksum});
}

void postgres_new_events::send() {
  if (journals_.empty())
    return;
  const std::array all{&journals_, &sequences_, &times_, &types_, &versions_, &data_, &checksums_};
  connection_.send(statement, all);
  for (auto* column : all)
    column->clear();
}

} // namespace troupe
