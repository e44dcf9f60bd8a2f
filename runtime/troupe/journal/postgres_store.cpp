// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/postgres_database.hpp>
#include <troupe/journal/postgres_store.hpp>

#include <utility>

namespace troupe {

std::shared_ptr<durable_store> open_postgres_store(const std::string& url, postgres_options o) {
  auto database = std::make_unique<postgres_database>(url, postgres_database::options{o.patience, o.longest_silence});
  return std::make_shared<durable_store>(std::move(database), std::move(o));
}

} // namespace troupe
