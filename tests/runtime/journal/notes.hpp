// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/format.hpp>
#include <troupe/journal/store.hpp>

#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// What the tests of the stores keep in journals, and how they read it back: as lines of text.
namespace notes {

/// An event.
struct added {
  std::string text;
  static constexpr std::string_view journal_name = "added";
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(added, text)
};

/// Another.
struct removed {
  int count = 0;
  static constexpr std::string_view journal_name = "removed";
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(removed, count)
};

/// A state.
struct page {
  std::string text;
  static constexpr std::string_view journal_name = "page";
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(page, text)
};

/// A message in an outbox.
struct letter {
  std::string text;
  static constexpr std::string_view journal_name = "letter";
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(letter, text)
};

/// An event that can be neither copied nor encoded.
struct unkeepable {
  unkeepable() = default;
  unkeepable(const unkeepable&) { throw std::runtime_error{"cannot be copied"}; }
  static constexpr std::string_view journal_name = "unkeepable";
  friend void to_json(nlohmann::json&, const unkeepable&) { throw std::runtime_error{"cannot be encoded"}; }
  friend void from_json(const nlohmann::json&, unkeepable&) {}
};

inline constexpr const troupe::journal_type* types[]{&troupe::journal_type_of<added>, &troupe::journal_type_of<removed>,
                                                     &troupe::journal_type_of<page>, &troupe::journal_type_of<letter>,
                                                     &troupe::journal_type_of<unkeepable>};

template <class T>
troupe::journal_record record(const T& value) {
  return {&troupe::journal_type_of<T>, &value};
}

inline std::string line_of(const troupe::journal_record& r) {
  if (*r.type->info == typeid(added))
    return "added " + static_cast<const added*>(r.value)->text;
  if (*r.type->info == typeid(removed))
    return "removed " + std::to_string(static_cast<const removed*>(r.value)->count);
  if (*r.type->info == typeid(page))
    return "page " + static_cast<const page*>(r.value)->text;
  if (*r.type->info == typeid(letter))
    return "letter " + static_cast<const letter*>(r.value)->text;
  return "unknown";
}

using lines = std::vector<std::string>;

/// Everything that a replay shows, one line each; `last sent 0` is left out.
class transcript final : public troupe::journal_visitor {
public:
  void snapshot(const troupe::journal_record& r) override { all.push_back("snapshot " + line_of(r)); }
  void event(const troupe::journal_record& r) override { all.push_back(line_of(r)); }
  void handled(const troupe::inbound& i) override {
    all.push_back("handled " + std::string{i.sender} + ' ' + std::to_string(i.sequence));
  }
  void last_sent(std::uint64_t n) override {
    if (n != 0)
      all.push_back("last sent " + std::to_string(n));
  }
  void unsettled(const troupe::outbound& o) override {
    auto text = std::to_string(o.sequence) + " to " + std::string{o.target} + ": " + line_of(o.message);
    if (o.due)
      text += " due " + std::to_string(o.due->time_since_epoch() / std::chrono::microseconds{1});
    if (!o.timer.empty())
      text += " timer " + std::string{o.timer};
    all.push_back(text);
  }
  lines all;
};

inline lines replayed(troupe::journal& j) {
  transcript t;
  j.replay(t);
  return t.all;
}

/// The completion of an append, to be waited for.
class receipt {
public:
  std::function<troupe::journal::completion()> maker() {
    return [this]() -> troupe::journal::completion {
      auto promise = std::make_shared<std::promise<void>>();
      pending_ = promise->get_future();
      return [promise](const std::exception_ptr& failure) {
        if (failure)
          promise->set_exception(failure);
        else
          promise->set_value();
      };
    };
  }
  /// Returns when the append is durable; throws what it failed with.
  void wait() {
    if (pending_.valid())
      pending_.get();
  }

private:
  std::future<void> pending_;
};

/// Appends and waits.
inline void keep(troupe::journal& j, const troupe::journal_append& a) {
  receipt r;
  j.append(a, r.maker());
  r.wait();
}

inline void keep_handled(troupe::journal& j, std::uint64_t sequence) {
  troupe::journal_append a;
  a.handled = troupe::inbound{"s", sequence};
  keep(j, a);
}

template <class... Es>
void keep_events(troupe::journal& j, const Es&... es) {
  const std::vector<troupe::journal_record> all{record(es)...};
  troupe::journal_append a;
  a.events = all;
  keep(j, a);
}

inline std::shared_ptr<troupe::journal> open(troupe::journal_store& s, const std::string& key) {
  return s.open(key, types);
}

/// What the journal under `key` holds, read by one who opens it anew.
inline lines kept_under(troupe::journal_store& s, const std::string& key) { return replayed(*open(s, key)); }

} // namespace notes
