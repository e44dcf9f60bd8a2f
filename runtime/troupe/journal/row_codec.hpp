// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/json_text.hpp>
#include <troupe/journal/rows.hpp>
#include <troupe/journal/store.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace troupe {

/// A row that a database gave back says what was written; otherwise why not, for a message: "its checksum is wrong".
std::string fault_of(std::string_view key, const record_row& r);
std::string fault_of(std::string_view key, const handled_row& r);
std::string fault_of(std::string_view key, const outbox_row& r);
std::string fault_of(std::string_view key, const journal_head& h);

/// Throws usage_error unless `key` can name a journal, a target or a timer: 1 to 1000 bytes of UTF-8 without a zero byte.
void check_key(std::string_view what, std::string_view key);

/// Turns the values of one journal into rows and back. Threads: one at a time.
class row_codec {
public:
  /// `place` is the database, for messages. Throws usage_error naming a type that has no format or shares its name.
  row_codec(std::string place, std::string key, std::span<const journal_type* const> types);

  const std::string& key() const noexcept { return key_; }

  /// `text` is where the row's data is: it lives as long as the row. The other texts are those of the arguments.
  record_row encode(const journal_record& r, std::uint64_t sequence, row_time time, json_text& text) const;
  outbox_row encode(const outbound& o, row_time time, json_text& text) const;
  handled_row encode(const inbound& i) const;

  /// A value read back, with what it needs to be a record.
  struct decoded {
    const journal_type* type;
    std::shared_ptr<const void> value;
    journal_record record() const noexcept { return {type, value.get()}; }
  };
  /// Throws recovery_error if the row was damaged, its type is not one of this journal's, or its JSON cannot be read. `what`
  /// is "event" or "snapshot".
  decoded decode(std::string_view what, const record_row& r) const;
  /// An empty value if the type is none of this journal's: the target knows it.
  decoded decode(const outbox_row& r) const;

  /// "journal 'stock/1' in shop.db"
  std::string where() const { return "journal '" + key_ + "' in " + place_; }

private:
  decoded value_of(std::string_view what, const record_row& r) const;
  [[noreturn]] void refuse(std::string_view what, const record_row& r, const std::string& why) const;

  const std::string key_;
  const std::string place_;
  const std::span<const journal_type* const> types_;
};

} // namespace troupe
