// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/outbox.hpp>
#include <troupe/type_name.hpp>

#include <exception>

namespace troupe::detail {

std::shared_ptr<const void> read_message(const stored_message& m, const journal_type& type) {
  if (m.type != nullptr)
    return *m.type->info == *type.info ? m.value : nullptr;
  if (type.format == nullptr || type.format->name != m.written_type)
    return nullptr;
  try {
    return type.format->decode(m.version, m.data);
  } catch (const std::exception& e) {
    throw journal_error{"a message of the type '" + m.written_type + "' version " + std::to_string(m.version) +
                        " cannot be read: " + e.what()};
  }
}

std::string type_name(const stored_message& m) {
  return m.type != nullptr ? troupe::type_name(*m.type->info) : m.written_type;
}

} // namespace troupe::detail
