// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "support/temporary_directory.hpp"

#include <atomic>
#include <list>
#include <mutex>
#include <string>
#include <thread>

namespace support {

/// Stands in front of a server's socket, takes every connection, and can fall silent as a server that hangs: then it neither
/// reads nor passes on, but goes on accepting. What is written to it meanwhile is kept, and passed on when it speaks again.
class relay {
public:
  /// Whom a silence is about.
  enum class whom { one, all };

  /// `server`: the path of its socket. Listens in a directory of its own under the same name.
  explicit relay(std::string server);
  ~relay();
  relay(const relay&) = delete;
  relay& operator=(const relay&) = delete;

  /// `url` of the server, by way of here.
  std::string by_way(const std::string& url) const;
  /// The directory of the socket, as a host in a URL.
  std::string host() const;

  /// From now on, on all connections that there are and will be.
  void fall_silent();
  /// From now on, on all connections that there are.
  void fall_silent_on_present();
  /// Once a client has sent `text`: on its connection or on all, whether or not the server hears of that.
  void fall_silent_at(const std::string& text, whom w, bool server_hears);
  /// Goes on with everything.
  void speak();

  /// How many connections it has taken so far.
  int accepted() const { return accepted_; }
  /// How often `fall_silent_at` has come true.
  int fallen() const { return fallen_; }

private:
  struct link {
    int client = -1;
    int server = -1;
    bool silent = false;
    std::string held; ///< From the client, not passed on.
  };

  void run();
  void take();
  bool pass_on(link& l, bool from_client);
  void wake() const;
  void change(bool everything, bool present);
  static void end(link& l);

  const std::string server_;
  temporary_directory directory_;
  int listener_ = -1;
  int wake_[2] = {-1, -1};
  std::atomic<int> accepted_{0};
  std::atomic<int> fallen_{0};

  // -- guarded by mutex_ --
  std::mutex mutex_;
  bool ending_ = false;
  bool silent_ = false;
  std::list<link> links_;
  std::string cue_; ///< Of `fall_silent_at`; empty: none.
  whom cue_whom_ = whom::one;
  bool cue_heard_ = false;

  std::jthread thread_;
};

} // namespace support
