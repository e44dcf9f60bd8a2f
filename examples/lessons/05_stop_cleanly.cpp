// SPDX-License-Identifier: BSD-3-Clause
// Shows: a service that runs until Ctrl-C, ends within a deadline, and says how that went.
//
// Run:   build/release/bin/05_stop_cleanly (it sends the signal to itself)
//
// Output:
//   3 entries
//   complete: yes, drained: yes

#include <troupe/system.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <thread>
#include <unistd.h>

using namespace std::chrono_literals;

struct entry {
  std::string text;
};

// [snippet hook]
class journal : public troupe::actor<journal, entry> {
public:
  void on(const entry&) { ++entries_; }
  void on_stop() { std::printf("%d entries\n", entries_); } // not called by kill, nor after a failure

private:
  int entries_ = 0;
};
// [end]

// [snippet main]
int main() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr); // before the system: its threads inherit this

  troupe::system sys;
  std::thread listener{[&] {
    int signal = 0;
    sigwait(&signals, &signal);
    sys.request_shutdown();
  }};

  auto book = sys.spawn<journal>();
  for (const char* text : {"opened", "sold", "closed"})
    book.tell(entry{text});
  kill(getpid(), SIGINT); // here, the user presses Ctrl-C

  const bool wanted = sys.wait(); // false: the top of the tree has given up
  const troupe::shutdown_report report = sys.shutdown(5s);
  if (!wanted)
    kill(getpid(), SIGTERM); // lets the listener go
  listener.join();
  std::printf("complete: %s, drained: %s\n", report.complete ? "yes" : "no", report.drained ? "yes" : "no");
  if (!report.complete)
    std::fprintf(stderr, "%s\n", to_string(report).c_str());
  return report.exit_code();
}
// [end]
