// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/testing/schedule.hpp>

#include <charconv>
#include <stdexcept>
#include <system_error>

namespace troupe {

namespace {

constexpr std::string_view letters = "opcsftxdl"; // by choice_kind

[[noreturn]] void refuse(std::string_view part, const char* why) {
  throw std::invalid_argument{"schedule: \"" + std::string{part} + "\" " + why};
}

/// Takes a number, and what must follow it unless that is 0, off the front of `rest`.
template <class Number>
Number take_number(std::string_view part, std::string_view& rest, char next) {
  Number n{};
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), n);
  if (error != std::errc{})
    refuse(part, "is not a number in its range where one is wanted");
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  if (next == 0 ? !rest.empty() : rest.empty() || rest.front() != next)
    refuse(part, "is not of the form LETTER SUBJECT.ORDINAL=VALUE, without blanks");
  if (next != 0)
    rest.remove_prefix(1);
  return n;
}

choice parse_choice(std::string_view part) {
  choice d;
  const auto kind = part.empty() ? letters.npos : letters.find(part.front());
  if (kind == letters.npos)
    refuse(part, "does not begin with one of the letters opcsftxdl");
  d.kind = static_cast<choice_kind>(kind);
  auto rest = part.substr(1);
  d.subject = take_number<std::uint32_t>(part, rest, '.');
  d.ordinal = take_number<std::uint32_t>(part, rest, '=');
  d.value = take_number<std::uint32_t>(part, rest, 0);
  return d;
}

} // namespace

char letter_of(choice_kind kind) noexcept { return letters[static_cast<std::size_t>(kind)]; }

std::string to_string(const schedule& s) {
  auto text = std::to_string(s.seed);
  for (const auto& d : s.choices) {
    text += '/';
    text += letter_of(d.kind);
    text += std::to_string(d.subject) + '.' + std::to_string(d.ordinal) + '=' + std::to_string(d.value);
  }
  return text;
}

schedule parse_schedule(std::string_view text) {
  schedule s;
  auto slash = text.find('/');
  auto head = text.substr(0, slash);
  s.seed = take_number<std::uint64_t>(text.substr(0, slash), head, 0);
  while (slash != text.npos) {
    text.remove_prefix(slash + 1);
    slash = text.find('/');
    s.choices.push_back(parse_choice(text.substr(0, slash)));
  }
  return s;
}

} // namespace troupe
