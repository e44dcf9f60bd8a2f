// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/entities.hpp>
#include <troupe/journal/format.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

/// Durable actors of which one hears of very many others, once or a few times each: an urn and its voters.
namespace ballot {

struct vote {
  int n = 0;
  static constexpr std::string_view journal_name = "vote";
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(vote, n)
};
struct voted {
  int n = 0;
  static constexpr std::string_view journal_name = "voted";
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(voted, n)
};
struct tally {
  int votes = 0;
  int sum = 0;
  static constexpr std::string_view journal_name = "tally";
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(tally, votes, sum)
};
struct count_query {
  using reply = tally;
};
struct senders_query {
  using reply = std::size_t;
};

inline int spoiled = 0; // so many votes are not counted at the first attempt

template <std::size_t Most>
class urn : public troupe::journaled_actor<urn<Most>, tally, troupe::events<voted>, vote, count_query, senders_query> {
  using base = troupe::journaled_actor<urn<Most>, tally, troupe::events<voted>, vote, count_query, senders_query>;

public:
  static constexpr std::size_t senders_max = Most;
  explicit urn(const std::string& key) : base{key} {}
  typename base::template effect<> on(const vote& m) {
    if (spoiled > 0) {
      --spoiled;
      throw std::runtime_error{"spoiled"};
    }
    return {voted{m.n}};
  }
  tally on(const count_query&) { return this->state(); }
  std::size_t on(const senders_query&) { return this->session().senders(); }
  static void apply(tally& t, const voted& e) {
    ++t.votes;
    t.sum += e.n;
  }
};

struct cast_vote {
  int n = 0;
};
struct cast {
  static constexpr std::string_view journal_name = "cast";
  friend void to_json(nlohmann::json& j, const cast&) { j = nlohmann::json::object(); }
  friend void from_json(const nlohmann::json&, cast&) {}
};
struct card {
  int cast = 0;
  static constexpr std::string_view journal_name = "card";
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(card, cast)
};

template <class Urn>
class voter : public troupe::journaled_actor<voter<Urn>, card, troupe::events<cast>, cast_vote> {
  using base = troupe::journaled_actor<voter<Urn>, card, troupe::events<cast>, cast_vote>;

public:
  voter(const std::string& key, const troupe::durable_ref<Urn>& to) : base{key}, to_{to} {}
  typename base::template effect<> on(const cast_vote& m) {
    typename base::template effect<> fx{cast{}};
    fx.send(to_, vote{m.n});
    return fx;
  }
  static void apply(card& c, const cast&) { ++c.cast; }

private:
  const troupe::durable_ref<Urn> to_;
};

} // namespace ballot
