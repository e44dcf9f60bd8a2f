// SPDX-License-Identifier: BSD-3-Clause
#include "support/relay.hpp"

#include <cstring>
#include <filesystem>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace support {

namespace {

sockaddr_un address_of(const std::string& path) {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  std::strncpy(a.sun_path, path.c_str(), sizeof a.sun_path - 1);
  return a;
}

/// False: the other side is gone.
bool write_all(int to, const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const auto n = ::send(to, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (n <= 0)
      return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

std::string in_url(const std::string& path) {
  std::string text;
  for (const char c : path)
    text += c == '/' ? std::string{"%2F"} : std::string(1, c);
  return text;
}

} // namespace

relay::relay(std::string server) : server_{std::move(server)} {
  const auto a = address_of(directory_ / std::filesystem::path{server_}.filename().string());
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0 || ::listen(listener_, 64) != 0 ||
      ::pipe(wake_) != 0)
    throw std::runtime_error{"no socket for the relay"};
  thread_ = std::jthread{[this] { run(); }};
}

relay::~relay() {
  {
    std::unique_lock held{mutex_};
    ending_ = true;
  }
  wake();
  thread_.join();
  for (auto& l : links_)
    end(l);
  for (const int fd : {listener_, wake_[0], wake_[1]})
    ::close(fd);
}

std::string relay::host() const { return in_url(directory_.path().string()); }

std::string relay::by_way(const std::string& url) const {
  auto text = url;
  const auto direct = in_url(std::filesystem::path{server_}.parent_path().string());
  return text.replace(text.find(direct), direct.size(), host());
}

void relay::fall_silent() { change(true, true); }
void relay::fall_silent_on_present() { change(false, true); }
void relay::speak() { change(false, false); }

void relay::change(bool everything, bool present) {
  {
    std::unique_lock held{mutex_};
    silent_ = everything;
    for (auto& l : links_)
      l.silent = present;
  }
  wake();
}

void relay::fall_silent_at(const std::string& text, whom w, bool server_hears) {
  std::unique_lock held{mutex_};
  cue_ = text;
  cue_whom_ = w;
  cue_heard_ = server_hears;
}

void relay::wake() const { [[maybe_unused]] const auto n = ::write(wake_[1], "w", 1); }

void relay::run() {
  for (;;) {
    std::vector<pollfd> all{{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    std::vector<link*> speaking;
    {
      std::unique_lock held{mutex_};
      if (ending_)
        return;
      for (auto& l : links_)
        if (!l.silent) {
          if (!write_all(l.server, std::exchange(l.held, {})))
            ::shutdown(l.server, SHUT_RDWR);
          speaking.push_back(&l);
          all.push_back({l.client, POLLIN, 0});
          all.push_back({l.server, POLLIN, 0});
        }
    }
    ::poll(all.data(), all.size(), -1);
    std::unique_lock held{mutex_};
    if (all[0].revents != 0) {
      char bytes[64];
      [[maybe_unused]] const auto n = ::read(wake_[0], bytes, sizeof bytes);
    }
    for (std::size_t i = 0; i < speaking.size(); ++i) {
      auto& l = *speaking[i];
      bool open = true;
      for (const bool from_client : {true, false})
        if (!l.silent && open && all[2 + 2 * i + (from_client ? 0 : 1)].revents != 0)
          open = pass_on(l, from_client);
      if (!l.silent && !open) {
        end(l);
        links_.remove_if([&](const link& other) { return &other == &l; });
      }
    }
    if (all[1].revents != 0)
      take();
  }
}

void relay::take() {
  link l;
  l.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  l.server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  l.silent = silent_;
  const auto a = address_of(server_);
  ++accepted_;
  if (::connect(l.server, reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0)
    links_.push_back(std::move(l));
  else
    end(l);
}

/// False: one side has ended.
bool relay::pass_on(link& l, bool from_client) {
  std::string bytes(65536, '\0');
  const auto n = ::read(from_client ? l.client : l.server, bytes.data(), bytes.size());
  if (n <= 0)
    return false;
  bytes.resize(static_cast<std::size_t>(n));
  if (from_client && !cue_.empty() && bytes.find(cue_) != std::string::npos) {
    cue_.clear();
    silent_ = cue_whom_ == whom::all;
    for (auto& other : links_)
      other.silent = other.silent || silent_;
    l.silent = true;
    ++fallen_;
    if (!cue_heard_) {
      l.held = std::move(bytes);
      return true;
    }
  }
  return write_all(from_client ? l.server : l.client, bytes);
}

void relay::end(link& l) {
  for (const int fd : {l.client, l.server})
    if (fd >= 0)
      ::close(fd);
}

} // namespace support
