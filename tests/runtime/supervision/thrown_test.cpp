// SPDX-License-Identifier: BSD-3-Clause
// Claim: a look at an exception finds what a handler would catch, and the same object, for every kind of class and value.
// Oracle: the handler.
#include <troupe/supervision/thrown.hpp>

#include <doctest/doctest.h>

#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace {

struct left {
  virtual ~left() = default;
  int l = 1;
};
struct right {
  virtual ~right() = default;
  int r = 2;
};
struct both : left, right {
  int b = 3;
};
struct top {
  virtual ~top() = default;
  int t = 4;
};
struct shared_left : virtual top {};
struct shared_right : virtual top {};
struct diamond : shared_left, shared_right {}; // one top
struct plain_left : top {};
struct plain_right : top {};
struct ambiguous : plain_left, plain_right {}; // two
struct closed : private top {};
struct flat {
  int f = 5;
};
struct declined : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class E>
const void* caught(const std::exception_ptr& why) {
  try {
    std::rethrow_exception(why);
  } catch (const E& e) {
    return &e;
  } catch (...) {
    return nullptr;
  }
}

template <class E>
void compare_one(const std::exception_ptr& why) {
  const void* found = troupe::detail::thrown_as<E>(why);
  if (std::is_pointer_v<E>) // what a reference to a caught pointer refers to is the library's affair
    CHECK((found != nullptr) == (caught<E>(why) != nullptr));
  else
    CHECK(found == caught<E>(why));
}

template <class... Es>
void compare(const std::exception_ptr& why) {
  (compare_one<Es>(why), ...);
}

} // namespace

TEST_CASE("thrown: what is found is what a handler would catch") {
  const std::vector<std::exception_ptr> all{
      std::make_exception_ptr(both{}),
      std::make_exception_ptr(diamond{}),
      std::make_exception_ptr(ambiguous{}),
      std::make_exception_ptr(closed{}),
      std::make_exception_ptr(flat{}),
      std::make_exception_ptr(declined{"no"}),
      std::make_exception_ptr(std::bad_alloc{}),
      std::make_exception_ptr(std::string{"text"}),
      std::make_exception_ptr(7),
      std::make_exception_ptr("literal"),
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(i);
    compare<left, right, both, top, diamond, shared_right, ambiguous, plain_left, closed, flat>(all[i]);
    compare<std::exception, std::runtime_error, declined, std::bad_alloc, std::string, int, long>(all[i]);
    compare<const char*, void*>(all[i]);
  }
  CHECK(troupe::detail::thrown_as<right>(all[0])->r == 2);
  CHECK(troupe::detail::thrown_as<top>(all[1])->t == 4);
}

TEST_CASE("thrown: nothing is found where nothing was thrown") {
  CHECK(troupe::detail::thrown_as<std::exception>(nullptr) == nullptr);
  CHECK(troupe::detail::thrown_as<int>(nullptr) == nullptr);
}

TEST_CASE("thrown: a nested exception is found through the pointer that caught it") {
  std::exception_ptr outer;
  try {
    try {
      throw declined{"inner"};
    } catch (...) {
      std::throw_with_nested(std::runtime_error{"outer"});
    }
  } catch (...) {
    outer = std::current_exception();
  }
  const auto* found = troupe::detail::thrown_as<std::nested_exception>(outer);
  REQUIRE(found != nullptr);
  CHECK(troupe::detail::thrown_as<declined>(found->nested_ptr()) != nullptr);
  CHECK(std::string{troupe::detail::thrown_as<std::exception>(outer)->what()} == "outer");
}
