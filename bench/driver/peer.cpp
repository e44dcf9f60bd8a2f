// SPDX-License-Identifier: BSD-3-Clause
#include "bench/driver/peer.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>
#include <sys/wait.h>
#include <utility>

namespace bench {

namespace {

/// Replaces every `{key}`.
std::string filled(std::string text, const std::vector<std::pair<std::string, std::string>>& values) {
  for (const auto& [key, value] : values) {
    const auto mark = "{" + key + "}";
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
      text.replace(at, mark.size(), value);
  }
  return text;
}

struct outcome {
  int status;
  std::string output;
};

outcome shell(const std::string& command) {
  auto* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr)
    return {-1, {}};
  std::string output;
  std::array<char, 4096> part;
  for (auto n = std::fread(part.data(), 1, part.size(), pipe); n > 0; n = std::fread(part.data(), 1, part.size(), pipe))
    output.append(part.data(), n);
  const auto status = ::pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, std::move(output)};
}

bool listed(std::string_view names, const std::string& name) {
  std::istringstream words{std::string{names}};
  for (std::string word; words >> word;)
    if (word == name)
      return true;
  return false;
}

} // namespace

bool peer::look() {
  auto command = command_;
  const auto erlang = command.find("\"{row}\",\"{n}\",\"{workers}\"");
  if (erlang != std::string::npos)
    command.replace(erlang, std::string{"\"{row}\",\"{n}\",\"{workers}\""}.size(), "\"--rows\"");
  const auto plain = command.find("{row} {n} {workers}");
  if (plain != std::string::npos)
    command.replace(plain, std::string{"{row} {n} {workers}"}.size(), "--rows");
  const auto all = shell("timeout 20 " + filled(command, {{"workers", "1"}}));
  std::istringstream words{all.output};
  for (std::string word; words >> word;)
    rows_.insert(word);
  return all.status == 0;
}

std::vector<figure> peer::run(const row& r, unsigned workers, const std::string& mimalloc, std::string& wrong) const {
  auto command = filled(
      command_, {{"row", std::string{r.name}}, {"n", std::to_string(r.n)}, {"workers", std::to_string(workers)}});
  std::string prefix = "timeout -k 5 " + std::to_string(r.timeout_s) + " ";
  if (!mimalloc.empty() && listed(r.mimalloc, name_))
    prefix += "env LD_PRELOAD='" + mimalloc + "' ";
  const auto all = shell(prefix + command);
  if (all.status != 0) {
    wrong = all.status == 124 ? "did not end within " + std::to_string(r.timeout_s) + " s"
                              : "ended with status " + std::to_string(all.status);
    return {};
  }
  std::vector<figure> result;
  std::istringstream lines{all.output};
  for (figure f; lines >> f.name >> f.unit >> f.value >> f.check;) {
    if (f.name == r.name && r.check >= 0 && f.check != r.check) {
      wrong = "came to " + std::to_string(f.check) + " and not to " + std::to_string(r.check);
      return {};
    }
    result.push_back(f);
  }
  if (std::ranges::none_of(result, [&](const figure& f) { return f.name == r.name; })) {
    wrong = "printed no figure for the row";
    return {};
  }
  return result;
}

} // namespace bench
