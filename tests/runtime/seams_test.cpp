// SPDX-License-Identifier: BSD-3-Clause
// Claim: each production seam keeps its contract, errors name the path, and each seam can be replaced alone.
// Observed: against the real clock, files in a fresh temporary directory and real threads; no waiting for time to pass.
#include <troupe/seams.hpp>
#include <troupe/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <pthread.h>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// A directory of its own for one test, removed with all its files at the end.
class scratch {
public:
  scratch() {
    const char* base = std::getenv("TMPDIR");
    path_ = std::string{base ? base : "/tmp"} + "/troupe_seams_XXXXXX";
    REQUIRE(::mkdtemp(path_.data()) != nullptr);
  }

  ~scratch() { clear(path_); }

  std::string operator/(std::string_view name) const { return path_ + '/' + std::string{name}; }

  const std::string& path() const { return path_; }

private:
  void clear(const std::string& path) {
    try {
      for (const auto& name : files_->list(path))
        clear(path + '/' + name);
    } catch (const std::system_error&) {
      // a file, not a directory
    }
    files_->remove(path);
  }

  std::shared_ptr<troupe::file_system> files_ = troupe::production_files();
  std::string path_;
};

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span{text.data(), text.size()}); }

std::string content(troupe::file_system& files, const std::string& path) {
  auto f = files.open(path, troupe::open_mode::read);
  std::string text;
  std::array<std::byte, 3> buffer{};
  while (const auto n = f->read(buffer))
    text.append(reinterpret_cast<const char*>(buffer.data()), n);
  return text;
}

void put(troupe::file_system& files, const std::string& path, std::string_view text, troupe::open_mode mode) {
  auto f = files.open(path, mode);
  f->write(bytes(text));
  f->sync();
  f->close();
}

/// Whether `call` throws a system_error with the code `expected` that names `path`.
template <class Call>
bool fails_naming(Call call, std::errc expected, const std::string& path) {
  try {
    call();
  } catch (const std::system_error& e) {
    INFO(e.what());
    CHECK(e.code() == std::make_error_condition(expected));
    return std::string_view{e.what()}.find(path) != std::string_view::npos;
  }
  return false;
}

/// Gives the numbers it was made of, again and again.
class scripted final : public troupe::random_source {
public:
  explicit scripted(std::vector<std::uint64_t> numbers) : numbers_{std::move(numbers)} {}
  std::uint64_t next() noexcept override { return numbers_[drawn++ % numbers_.size()]; }
  std::size_t drawn = 0;

private:
  std::vector<std::uint64_t> numbers_;
};

constexpr auto all_bits = ~std::uint64_t{0};

} // namespace

TEST_CASE("clock: the production clock is the steady clock and the system clock") {
  const auto clock = troupe::production_clock();
  const auto before = std::chrono::steady_clock::now();
  const auto wall_before = std::chrono::system_clock::now();
  const auto shown = clock->now();
  CHECK(before <= shown);
  CHECK(shown <= std::chrono::steady_clock::now());
  CHECK(clock->wall_now() - wall_before < 1h);
  CHECK(clock->wall_now() - wall_before > -1h);
}

TEST_CASE("clock: a manual clock stands still until it is moved") {
  troupe::manual_clock clock;
  CHECK(clock.now() == troupe::time_point{});
  CHECK(clock.wall_now() == troupe::manual_clock::wall_start);
  clock.advance(90s);
  CHECK(clock.now() == troupe::time_point{90s});
  CHECK(clock.wall_now() == troupe::manual_clock::wall_start + 90s);
  clock.advance_to(troupe::time_point{100s});
  clock.advance_to(troupe::time_point{95s});
  CHECK(clock.now() == troupe::time_point{100s});
  clock.shift_wall(-1h);
  CHECK(clock.now() == troupe::time_point{100s});
  CHECK(clock.wall_now() == troupe::manual_clock::wall_start + 100s - 1h);
}

TEST_CASE("random: the sequence of a seed is the published one of SplitMix64") {
  // The reference program splitmix64.c with x = 1234567.
  const std::uint64_t wanted[] = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                                  4593380528125082431u, 16408922859458223821u};
  const auto random = troupe::seeded_random(1234567);
  for (const auto w : wanted)
    CHECK(random->next() == w);
}

TEST_CASE("random: production sources differ") {
  std::set<std::uint64_t> first;
  for (int i = 0; i < 10; ++i)
    first.insert(troupe::production_random()->next());
  CHECK(first.size() == 10);
}

TEST_CASE("random: unit is at least 0 and less than 1") {
  CHECK(scripted{{0}}.unit() == 0.0);
  CHECK(scripted{{all_bits}}.unit() == 1.0 - 0x1p-53);
  CHECK(scripted{{std::uint64_t{1} << 63}}.unit() == 0.5);
}

TEST_CASE("random: below draws again what would make some numbers likelier") {
  // 2^64 mod 3 = 1, so that 0 alone is drawn again; 2^64 mod 2^63+1 = 2^63-1, so that everything below that is.
  scripted threes{{0, 1, 2, 3}};
  CHECK(threes.below(3) == 1);
  CHECK(threes.drawn == 2);
  constexpr auto huge = (std::uint64_t{1} << 63) + 1;
  scripted halves{{5, huge - 3, huge - 2}};
  CHECK(halves.below(huge) == huge - 2);
  CHECK(halves.drawn == 3);
  CHECK(scripted{{all_bits}}.below(1) == 0);
  scripted powers{{0}};
  CHECK(powers.below(8) == 0);
  CHECK(powers.drawn == 1);
}

TEST_CASE("random: below reaches all numbers about equally often") {
  const auto random = troupe::seeded_random(42);
  std::array<int, 10> count{};
  for (int i = 0; i < 100'000; ++i)
    ++count.at(random->below(count.size()));
  for (const int c : count)
    CHECK(c == doctest::Approx(10'000).epsilon(0.05)); // five standard deviations
}

TEST_CASE("files: what is written is read") {
  const scratch dir;
  const auto files = troupe::production_files();
  const auto path = dir / "a";
  CHECK_FALSE(files->exists(path));
  put(*files, path, "first", troupe::open_mode::write);
  CHECK(files->exists(path));
  put(*files, path, "second line", troupe::open_mode::write);
  CHECK(content(*files, path) == "second line");
  put(*files, path, ", third", troupe::open_mode::append);
  CHECK(content(*files, path) == "second line, third");
}

TEST_CASE("files: truncate cuts and lengthens") {
  const scratch dir;
  const auto files = troupe::production_files();
  const auto f = files->open(dir / "a", troupe::open_mode::append);
  f->write(bytes("0123456789"));
  CHECK(f->size() == 10);
  f->truncate(4);
  CHECK(f->size() == 4);
  f->write(bytes("x")); // in mode append at the end, wherever that is now
  f->truncate(7);
  CHECK(content(*files, dir / "a") == std::string{"0123x\0\0", 7});
}

TEST_CASE("files: rename replaces and remove tells whether there was something") {
  const scratch dir;
  const auto files = troupe::production_files();
  put(*files, dir / "old", "o", troupe::open_mode::write);
  put(*files, dir / "new", "n", troupe::open_mode::write);
  files->rename(dir / "new", dir / "old");
  files->sync_directory(dir.path());
  CHECK(content(*files, dir / "old") == "n");
  CHECK(files->list(dir.path()) == std::vector<std::string>{"old"});
  CHECK(files->remove(dir / "old"));
  CHECK_FALSE(files->remove(dir / "old"));
}

TEST_CASE("files: directories are created with their parents and listed in order") {
  const scratch dir;
  const auto files = troupe::production_files();
  files->create_directories(dir / "x/y/z");
  files->create_directories(dir / "x/y/z");
  for (const char* name : {"c", "a", "b"})
    put(*files, dir / "x" + '/' + name, "", troupe::open_mode::write);
  CHECK(files->list(dir / "x") == std::vector<std::string>{"a", "b", "c", "y"});
  CHECK(files->list(dir / "x/y/z").empty());
}

TEST_CASE("files: every error names the path") {
  const scratch dir;
  const auto files = troupe::production_files();
  const auto missing = dir / "missing";
  constexpr auto none = std::errc::no_such_file_or_directory;
  CHECK(fails_naming([&] { files->open(missing, troupe::open_mode::read); }, none, missing));
  CHECK(fails_naming([&] { files->open(missing + "/x", troupe::open_mode::append); }, none, missing));
  CHECK(fails_naming([&] { files->rename(missing, dir / "other"); }, none, missing));
  CHECK(fails_naming([&] { files->list(missing); }, none, missing));
  CHECK(fails_naming([&] { files->sync_directory(missing); }, none, missing));
  const auto full = dir / "full";
  put(*files, full, "x", troupe::open_mode::write);
  CHECK(fails_naming([&] { files->create_directories(full + "/x"); }, std::errc::not_a_directory, full));
  CHECK(fails_naming([&] { files->remove(dir.path()); }, std::errc::directory_not_empty, dir.path()));

  constexpr auto bad = std::errc::bad_file_descriptor;
  std::array<std::byte, 1> buffer{};
  const auto closed = files->open(full, troupe::open_mode::read);
  CHECK(fails_naming([&] { closed->write(bytes("x")); }, bad, full)); // open for reading
  closed->close();
  closed->close();
  CHECK(fails_naming([&] { (void)closed->read(buffer); }, bad, full));
  CHECK(fails_naming([&] { closed->write(bytes("x")); }, bad, full));
  CHECK(fails_naming([&] { closed->sync(); }, bad, full));
  CHECK(fails_naming([&] { (void)closed->size(); }, bad, full));
  CHECK(fails_naming([&] { closed->truncate(0); }, bad, full));
}

TEST_CASE("threads: a thread runs its body under its name cut to fifteen bytes") {
  const auto threads = troupe::production_threads();
  std::string shown;
  {
    const auto t = threads->start("a.rather.long.name", [&] {
      std::array<char, 16> name{};
      pthread_getname_np(pthread_self(), name.data(), name.size());
      shown = name.data();
    });
    CHECK(t.joinable());
  } // joins
  CHECK(shown == "a.rather.long.n");
}

TEST_CASE("seams: one is replaced and the others stay in production") {
  const auto clock = std::make_shared<troupe::manual_clock>();
  const troupe::seams all{.clock = clock};
  CHECK(all.clock == clock);
  CHECK(all.files == troupe::production_files());
  CHECK(all.threads == troupe::production_threads());
  CHECK(all.random != nullptr);
  CHECK(troupe::seams{}.clock == troupe::production_clock());
}
