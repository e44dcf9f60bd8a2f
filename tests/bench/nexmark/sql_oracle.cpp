// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <bench/nexmark/sql_oracle.hpp>
#include <cstring>
#include <map>
#include <sqlite3.h>
#include <stdexcept>

namespace support {

namespace {

const std::string figures =
    "count(*),sum(price<10000),sum(price>=10000 and price<1000000),sum(price>=1000000),count(distinct bidder),"
    "count(distinct case when price<10000 then bidder end),"
    "count(distinct case when price>=10000 and price<1000000 then bidder end),"
    "count(distinct case when price>=1000000 then bidder end),count(distinct auction),"
    "count(distinct case when price<10000 then auction end),"
    "count(distinct case when price>=10000 and price<1000000 then auction end),"
    "count(distinct case when price>=1000000 then auction end) from bid ";

const std::string finals = "(select a.id id,a.cat cat,a.seller seller,a.exp exp,max(b.price) f from auction a join bid "
                           "b on a.id=b.auction and "
                           "b.dt between a.dt and a.exp group by a.id)";

const std::map<std::string, std::string, std::less<>>& definitions() {
  static const std::map<std::string, std::string, std::less<>> all{
      {"q0", "select auction,bidder,price,channel,url,dt from bid"},
      {"q1", "select auction,bidder,price*908,dt from bid"},
      {"q2", "select auction,price from bid where auction%123=0"},
      {"q3",
       "select p.name,p.city,p.state,a.id from auction a join person p on a.seller=p.id where a.cat=10 and p.state "
       "in('or','id','ca')"},
      {"q4", "select cat,count(*),sum(f),sum(f)/count(*) from " + finals + " group by cat"},
      {"q5",
       "with recursive k(i) as (select 0 union all select i+1 from k where i<4), h as (select "
       "auction,(dt/2000)*2000-k.i*2000 w from bid,k), c as (select auction,w,count(*) n from h group by auction,w), "
       "m as (select w,max(n) mx from c group by w) select c.w,c.auction,c.n from c join m on c.w=m.w and c.n>=m.mx"},
      {"q6",
       "select seller,count(*),sum(f),sum(f)/count(*) from (select *,row_number() over(partition by seller order by "
       "exp desc,id desc) rn from " +
           finals + ") where rn<=10 group by seller"},
      {"q7",
       "select t.w,b.auction,b.bidder,b.price,b.dt from bid b join (select (dt/10000)*10000 w,max(price) mp from bid "
       "group by 1) t on b.price=t.mp and (b.dt/10000)*10000=t.w"},
      {"q8", "select distinct p.id,p.name,(p.dt/10000)*10000 from person p join auction a on a.seller=p.id and "
             "(a.dt/10000)=(p.dt/10000)"},
      {"q9",
       "select id,bidder,price,bdt from (select a.id,b.bidder,b.price,b.dt bdt,row_number() over(partition by a.id "
       "order by b.price desc,b.dt asc,b.seq asc) rn from auction a join bid b on a.id=b.auction and b.dt between a.dt "
       "and a.exp) where rn=1"},
      {"q11",
       "select bidder,min(dt),max(dt)+10000,count(*) from (select *,sum(n) over(partition by bidder order by dt,seq) "
       "s from (select *,case when dt-lag(dt) over(partition by bidder order by dt,seq)>=10000 then 1 else 0 end n "
       "from bid)) group by bidder,s"},
      {"q12e", "select bidder,(dt/10000)*10000 w,count(*) from bid group by bidder,w"},
      {"q14", "select auction,bidder,price*908,'nightTime',dt from bid where price*908>1000000000 and "
              "price*908<50000000000"},
      {"q15", "select date(dt/1000,'unixepoch')," + figures + "group by 1"},
      {"q16", "select channel,date(dt/1000,'unixepoch')," + figures + "group by 1,2"},
      {"q17",
       "select auction,date(dt/1000,'unixepoch'),count(*),sum(price<10000),sum(price>=10000 and "
       "price<1000000),sum(price>=1000000),min(price),max(price),sum(price)/count(*),sum(price) from bid group by "
       "1,2"},
      {"q18",
       "select bidder,auction,price,channel,dt from (select *,row_number() over(partition by bidder,auction order by "
       "dt desc,seq desc) rn from bid) where rn=1"},
      {"q19", "select auction,rn,bidder,price,dt from (select *,row_number() over(partition by auction order by price "
              "desc,dt asc,seq asc) rn from bid) where rn<=10"},
      {"q20", "select b.auction,b.bidder,b.price,b.dt,a.seller,a.exp from bid b join auction a on a.id=b.auction where "
              "a.cat=10"},
      {"q21",
       "select auction,bidder,price,channel,case lower(channel) when 'apple' then '0' when 'google' then '1' when "
       "'facebook' then '2' when 'baidu' then '3' else chid(url) end from bid where chid(url) is not null or "
       "lower(channel) in('apple','google','facebook','baidu')"},
  };
  return all;
}

/// SQL function chid(url): the value of `channel_id=`, or null.
void chid(sqlite3_context* c, int, sqlite3_value** arguments) {
  const auto* url = reinterpret_cast<const char*>(sqlite3_value_text(arguments[0]));
  const char* found = url == nullptr ? nullptr : std::strstr(url, "channel_id=");
  if (found == nullptr)
    return sqlite3_result_null(c);
  found += std::strlen("channel_id=");
  sqlite3_result_text(c, found, static_cast<int>(std::strcspn(found, "&")), SQLITE_TRANSIENT);
}

/// A statement with values, once per row.
class statement {
public:
  statement(sqlite3* db, const std::string& sql) : db_{db} {
    if (sqlite3_prepare_v2(db, sql.c_str(), -1, &s_, nullptr) != SQLITE_OK)
      throw std::runtime_error{sqlite3_errmsg(db) + std::string{" in: "} + sql};
  }
  statement(const statement&) = delete;
  statement& operator=(const statement&) = delete;
  ~statement() { sqlite3_finalize(s_); }

  void bind(int at, std::int64_t x) { sqlite3_bind_int64(s_, at, x); }
  void bind(int at, std::string_view x) {
    sqlite3_bind_text(s_, at, x.data(), static_cast<int>(x.size()), SQLITE_TRANSIENT);
  }
  template <class... Xs>
  void insert(const Xs&... xs) {
    int at = 0;
    (bind(++at, xs), ...);
    step();
    sqlite3_reset(s_);
  }
  bool step() {
    const int got = sqlite3_step(s_);
    if (got != SQLITE_ROW && got != SQLITE_DONE)
      throw std::runtime_error{sqlite3_errmsg(db_)};
    return got == SQLITE_ROW;
  }
  std::string row() const {
    std::string text;
    for (int i = 0; i < sqlite3_column_count(s_); ++i) {
      text += i == 0 ? "" : "|";
      text += reinterpret_cast<const char*>(sqlite3_column_text(s_, i));
    }
    return text;
  }

private:
  sqlite3* db_;
  sqlite3_stmt* s_ = nullptr;
};

} // namespace

sql_oracle::sql_oracle(std::span<const nexmark::event> in_order) {
  if (sqlite3_open(":memory:", &db_) != SQLITE_OK)
    throw std::runtime_error{"SQLite does not open a database in memory"};
  sqlite3_create_function(db_, "chid", 1, SQLITE_UTF8, nullptr, &chid, nullptr, nullptr);
  run("create table bid(auction int,bidder int,price int,channel text,url text,dt int,seq int);"
      "create table auction(id int,seller int,cat int,exp int,dt int);"
      "create table person(id int,name text,city text,state text,dt int); begin");
  statement bids{db_, "insert into bid values(?,?,?,?,?,?,?)"};
  statement auctions{db_, "insert into auction values(?,?,?,?,?)"};
  statement persons{db_, "insert into person values(?,?,?,?,?)"};
  for (const auto& e : in_order) {
    switch (e.what) {
      case nexmark::event::kind::bid:
        bids.insert(e.bid.auction, e.bid.bidder, e.bid.price, e.bid.channel, e.bid.url, e.time,
                    std::int64_t{e.sequence});
        break;
      case nexmark::event::kind::auction:
        auctions.insert(e.auction.id, e.auction.seller, e.auction.category, e.auction.expires, e.time);
        break;
      case nexmark::event::kind::person:
        persons.insert(e.person.id, e.person.name, e.person.city, e.person.state, e.time);
        break;
    }
  }
  run("commit; create index b on bid(auction); create index a on auction(id); create index s on auction(seller);"
      "create index p on person(id)");
}

sql_oracle::~sql_oracle() { sqlite3_close(db_); }

std::vector<std::string> sql_oracle::answer(std::string_view query) const {
  statement s{db_, definitions().find(query)->second};
  std::vector<std::string> rows;
  while (s.step())
    rows.push_back(s.row());
  std::ranges::sort(rows);
  return rows;
}

void sql_oracle::run(const char* sql) const {
  char* wrong = nullptr;
  if (sqlite3_exec(db_, sql, nullptr, nullptr, &wrong) == SQLITE_OK)
    return;
  std::string what = wrong != nullptr ? wrong : "SQLite failed";
  sqlite3_free(wrong);
  throw std::runtime_error{what};
}

} // namespace support
