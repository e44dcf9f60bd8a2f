// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/testing/trace.hpp>
#include <troupe/type_name.hpp>

#include <cstdio>
#include <utility>

namespace troupe {

namespace {

/// FNV-1a, 64 bits (G. Fowler, L. C. Noll, K.-P. Vo).
std::uint64_t hash_of_bytes(const char* text) noexcept {
  std::uint64_t h = 0xcbf29ce484222325;
  for (; *text != 0; ++text)
    h = (h ^ static_cast<unsigned char>(*text)) * 0x100000001b3;
  return h;
}

std::string in_milliseconds(time_point at) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%14.6f ms  ", static_cast<double>(at.time_since_epoch().count()) / 1e6);
  return buffer;
}

} // namespace

std::string plain_name(const std::string& name) {
  const auto colons = name.rfind("::", name.find('<'));
  return colons == name.npos ? name : name.substr(colons + 2);
}

std::uint64_t trace::hash_of_name(const char* name) noexcept { return hash_of_bytes(name); }

void trace::remark(kind k, time_point at, std::uint64_t who, std::string text) {
  keep({k, at, who, 0, 0, nullptr, std::move(text)});
}

void trace::name(std::uint64_t id, std::string name) { names_[id] = std::move(name); }

void trace::keep(entry e) {
  if (entries_.size() == capacity_) {
    entries_.pop_front();
    ++forgotten_;
  }
  entries_.push_back(std::move(e));
}

std::string trace::called(std::uint64_t id) const {
  if (id == 0)
    return "outside";
  const auto found = names_.find(id);
  return found == names_.end() ? "#" + std::to_string(id) : found->second;
}

std::string trace::text() const {
  std::string all;
  if (forgotten_ != 0)
    all += "(" + std::to_string(forgotten_) + " earlier entries are left out)\n";
  for (const auto& e : entries_) {
    if ((e.what == kind::turn && e.to == 0) || (e.what == kind::failed && e.text.empty()))
      continue; // for the hash only
    all += in_milliseconds(e.at);
    const auto message = [&] {
      return (e.type == nullptr ? "?" : plain_name(type_name(*e.type))) +
             (e.number != 0 ? " #" + std::to_string(e.number) : "");
    };
    switch (e.what) {
      case kind::sent: all += "  " + called(e.from) + " sends " + message() + " to " + called(e.to); break;
      case kind::refused:
        all += "  " + called(e.from) + " sends " + message() + " to " + called(e.to) + ", whose mailbox looks full";
        break;
      case kind::lost:
        all += "  " + called(e.from) + " sends " + message() + " to " + called(e.to) + ", and it is lost on the link";
        break;
      case kind::handled:
        all += called(e.to) + " handles " + message() +
               (e.number == 0 ? " of its own (timer, watch)" : " from " + called(e.from));
        break;
      case kind::resumed: all += called(e.to) + " goes on with " + message(); break;
      case kind::failed: all += called(e.from) + " fails: " + e.text; break;
      case kind::turn:
        all += "(" + called(e.from) + " goes before " + std::to_string(e.to) + " that were ready earlier)";
        break;
      case kind::time: all += "-- time passes"; break;
      case kind::note: all += (e.from != 0 ? called(e.from) + ": " : std::string{}) + e.text; break;
    }
    all += '\n';
  }
  return all;
}

} // namespace troupe
