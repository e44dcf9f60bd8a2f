// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/error.hpp>
#include <troupe/journal/sqlite_database.hpp>
#include <troupe/journal/sqlite_store.hpp>

#include <utility>

namespace troupe {

std::shared_ptr<durable_store> open_sqlite_store(const std::string& path, sqlite_options o) {
  if (o.cache_kib < 1 || o.checkpoint_every < 1 || o.place_every < 1)
    throw usage_error{"sqlite_options: cache_kib, checkpoint_every and place_every must be 1 or more"};
  auto database =
      std::make_unique<sqlite_database>(path, sqlite_database::options{o.cache_kib, o.checkpoint_every, o.place_every,
                                                                       std::move(o.vfs), o.lock, std::move(o.failed)});
  return std::make_shared<durable_store>(std::move(database), std::move(o));
}

} // namespace troupe
