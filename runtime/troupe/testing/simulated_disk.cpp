// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/testing/simulated_disk.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <system_error>
#include <utility>

namespace troupe {

namespace {

constexpr std::uint64_t sector = 512;

[[noreturn]] void fail(int error, const char* operation, const std::string& path) {
  throw std::system_error{error, std::generic_category(), std::string{operation} + ' ' + path};
}

} // namespace

/// A file or directory, whatever its name.
struct simulated_disk::inode {
  struct change {
    std::uint64_t at;  // truncate: the new size
    std::string bytes; // empty: truncate
  };

  void apply(const change& c) { apply(durable, c); }

  static void apply(std::string& content, const change& c) {
    if (c.bytes.empty())
      return content.resize(c.at);
    if (content.size() < c.at + c.bytes.size())
      content.resize(c.at + c.bytes.size());
    content.replace(c.at, c.bytes.size(), c.bytes);
  }

  void change_by(change c) {
    apply(live, c);
    unsynced.push_back(std::move(c));
  }

  bool directory = false;
  std::string live;             // as programs see it
  std::string durable;          // as it is after a crash, with the first of `unsynced`
  std::vector<change> unsynced; // oldest first
};

/// An open file. It keeps its inode, whatever becomes of the name, and of the disk.
class simulated_disk::handle final : public simulated_file {
public:
  enum class use : unsigned char { read, write, append, in_place };

  handle(simulated_disk& disk, std::shared_ptr<inode> node, std::string path, use how)
      : disk_{disk}, node_{std::move(node)}, path_{std::move(path)}, use_{how} {}

  void seek(std::uint64_t to) override { at_ = to; }

  std::size_t read(std::span<std::byte> buffer) override {
    require_open("read");
    if (use_ != use::read && use_ != use::in_place)
      fail(EBADF, "read", path_);
    const auto& content = node_->live;
    const auto n = std::min<std::size_t>(buffer.size(), content.size() - std::min(content.size(), at_));
    if (n == 0)
      return 0;
    std::memcpy(buffer.data(), content.data() + at_, n);
    if (disk_.chance_.read_rots()) {
      const auto bit = disk_.chance_.draw(n * 8);
      buffer[bit / 8] ^= std::byte{1} << (bit % 8);
    }
    at_ += n;
    return n;
  }

  void write(std::span<const std::byte> bytes) override {
    require_writable("write");
    auto n = bytes.size();
    const bool full = n > 0 && disk_.chance_.write_fails();
    if (full)
      n = disk_.chance_.draw(n);
    if (use_ == use::append)
      at_ = node_->live.size();
    if (n > 0)
      node_->change_by({at_, std::string{reinterpret_cast<const char*>(bytes.data()), n}});
    at_ += n;
    if (full)
      fail(ENOSPC, "write", path_);
  }

  void sync() override {
    require_open("sync");
    const bool fails = disk_.chance_.sync_fails();
    for (const auto& c : node_->unsynced)
      if (!fails)
        node_->apply(c);
    node_->unsynced.clear(); // after a failure too: a second sync finds nothing to do
    if (fails)
      fail(EIO, "sync", path_);
  }

  std::uint64_t size() override {
    require_open("size");
    return node_->live.size();
  }

  void truncate(std::uint64_t size) override {
    require_writable("truncate");
    node_->change_by({size, {}});
  }

  void close() override { open_ = false; }

private:
  void require_open(const char* operation) const {
    if (!open_)
      fail(EBADF, operation, path_);
  }
  void require_writable(const char* operation) const {
    require_open(operation);
    if (use_ == use::read)
      fail(EBADF, operation, path_);
  }

  simulated_disk& disk_;
  const std::shared_ptr<inode> node_;
  const std::string path_;
  const use use_;
  std::size_t at_ = 0;
  bool open_ = true;
};

simulated_disk::simulated_disk() {
  const auto root = std::make_shared<inode>();
  root->directory = true;
  for (const auto* path : {"", "/", "."}) // no directory, the root, and where the program runs
    live_[path] = durable_[path] = root;
}

simulated_disk::~simulated_disk() = default;

std::string simulated_disk::plain(const std::string& path) {
  auto result = path;
  while (result.size() > 1 && result.back() == '/')
    result.pop_back();
  return result;
}

std::string simulated_disk::parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

std::shared_ptr<simulated_disk::inode> simulated_disk::find(const std::string& path, const char* operation) const {
  const auto found = live_.find(plain(path));
  if (found == live_.end())
    fail(ENOENT, operation, path);
  return found->second;
}

void simulated_disk::require_directory(const std::string& path, const char* operation) const {
  if (!find(path, operation)->directory)
    fail(ENOTDIR, operation, path);
}

void simulated_disk::change_name(const std::string& path, std::shared_ptr<inode> now) {
  if (now != nullptr)
    live_[path] = now;
  else
    live_.erase(path);
  pending_.push_back({path, std::move(now), operations_});
}

std::unique_ptr<file> simulated_disk::open(const std::string& given, open_mode mode) {
  const auto path = plain(given);
  const auto node = mode == open_mode::read ? find(path, "open") : find_or_make(path);
  if (node->directory)
    fail(EISDIR, "open", path);
  if (mode == open_mode::write && !node->live.empty())
    node->change_by({0, {}});
  const auto how = mode == open_mode::read    ? handle::use::read
                   : mode == open_mode::write ? handle::use::write
                                              : handle::use::append;
  return std::make_unique<handle>(*this, node, path, how);
}

std::unique_ptr<simulated_file> simulated_disk::open_in_place(const std::string& given) {
  const auto path = plain(given);
  const auto node = find_or_make(path);
  if (node->directory)
    fail(EISDIR, "open", path);
  return std::make_unique<handle>(*this, node, path, handle::use::in_place);
}

std::shared_ptr<simulated_disk::inode> simulated_disk::find_or_make(const std::string& path) {
  if (!live_.contains(path)) {
    require_directory(parent_of(path), "open");
    ++operations_;
    change_name(path, std::make_shared<inode>());
  }
  return live_.at(path);
}

void simulated_disk::rename(const std::string& from, const std::string& to) {
  const auto source = plain(from);
  const auto target = plain(to);
  const auto node = find(source, "rename");
  require_directory(parent_of(target), "rename");
  if (source == target)
    return;
  ++operations_;
  if (node->directory) {
    names inside;
    for (auto i = live_.lower_bound(source + '/'); i != live_.end() && i->first.starts_with(source + '/'); ++i)
      inside.insert(*i);
    for (const auto& [path, file] : inside) {
      change_name(path, nullptr);
      change_name(target + path.substr(source.size()), file);
    }
  }
  change_name(source, nullptr);
  change_name(target, node);
}

bool simulated_disk::remove(const std::string& given) {
  const auto path = plain(given);
  const auto found = live_.find(path);
  if (found == live_.end())
    return false;
  if (found->second->directory && !list(path).empty())
    fail(ENOTEMPTY, "remove", path);
  ++operations_;
  change_name(path, nullptr);
  return true;
}

bool simulated_disk::exists(const std::string& path) { return live_.contains(plain(path)); }

std::vector<std::string> simulated_disk::list(const std::string& given) {
  const auto path = plain(given);
  require_directory(path, "list");
  std::vector<std::string> result;
  for (const auto& [name, node] : live_)
    if (name.size() > 1 && name != path && parent_of(name) == path)
      result.push_back(name.substr(name.rfind('/') + 1));
  std::sort(result.begin(), result.end());
  return result;
}

void simulated_disk::create_directories(const std::string& given) {
  const auto path = plain(given);
  if (const auto found = live_.find(path); found != live_.end()) {
    if (!found->second->directory)
      fail(ENOTDIR, "create_directories", path);
    return;
  }
  create_directories(parent_of(path));
  const auto node = std::make_shared<inode>();
  node->directory = true;
  ++operations_;
  change_name(path, node);
}

void simulated_disk::sync_directory(const std::string& given) {
  const auto path = plain(given);
  require_directory(path, "sync_directory");
  if (chance_.sync_fails())
    fail(EIO, "sync_directory", path);
  // Changes of other directories stay pending; an operation that concerns this one and another is kept as a whole. So is
  // whatever had changed one of its names before: later it would undo the operation.
  std::set<std::uint64_t> kept;
  std::set<std::string> names_kept;
  for (auto last = pending_.rbegin(); last != pending_.rend();) {
    const auto next =
        std::find_if(last, pending_.rend(), [&](const change& c) { return c.operation != last->operation; });
    if (std::any_of(last, next,
                    [&](const change& c) { return parent_of(c.path) == path || names_kept.contains(c.path); })) {
      kept.insert(last->operation);
      for (; last != next; ++last)
        names_kept.insert(last->path);
    }
    last = next;
  }
  const auto stays = [&](const change& c) {
    if (!kept.contains(c.operation))
      return true;
    if (c.now != nullptr)
      durable_[c.path] = c.now;
    else
      durable_.erase(c.path);
    return false;
  };
  std::vector<change> rest;
  std::copy_if(pending_.begin(), pending_.end(), std::back_inserter(rest), stays);
  pending_ = std::move(rest);
}

void simulated_disk::crash() {
  ++crashes_;
  // Names: as many whole operations as chance wants, the oldest first.
  std::vector<std::uint64_t> operations;
  for (const auto& c : pending_)
    if (operations.empty() || operations.back() != c.operation)
      operations.push_back(c.operation);
  const auto kept = chance_.draw(operations.size() + 1);
  for (const auto& c : pending_) {
    if (kept == 0 || c.operation > operations[kept - 1])
      break;
    if (c.now != nullptr)
      durable_[c.path] = c.now;
    else
      durable_.erase(c.path);
  }
  pending_.clear();
  // Content. The inodes are new ones: what is open still writes to the old ones, and nobody reads those.
  std::map<const inode*, std::shared_ptr<inode>> fresh; // seams: looked up only
  for (auto& [path, node] : durable_) {
    auto& replacement = fresh[node.get()];
    if (replacement == nullptr) {
      const auto n = chance_.draw(node->unsynced.size() + 1);
      for (std::size_t i = 0; i < n; ++i)
        node->apply(node->unsynced[i]);
      if (n < node->unsynced.size() && !node->unsynced[n].bytes.empty() && chance_.draw(2) != 0) {
        // The next write is torn: whole sectors of it, and then perhaps a part of one.
        auto torn = node->unsynced[n];
        const auto sectors = chance_.draw(torn.bytes.size() / sector + 1);
        const auto left = torn.bytes.size() - sectors * sector;
        torn.bytes.resize(sectors * sector + chance_.draw(std::min(left, sector) + 1));
        if (!torn.bytes.empty())
          node->apply(torn);
      }
      replacement = std::make_shared<inode>();
      replacement->directory = node->directory;
      replacement->live = replacement->durable = node->durable;
    }
    node = replacement;
  }
  // What lies in a directory that is lost is lost. Sorted by path: a directory comes before what is in it.
  std::erase_if(durable_, [&, left = names{}](const auto& entry) mutable {
    const bool lost = entry.first.size() > 1 && !left.contains(parent_of(entry.first));
    if (!lost)
      left.insert(entry);
    return lost;
  });
  live_ = durable_;
}

std::string simulated_disk::content(const std::string& path) const { return find(path, "open")->live; }

void simulated_disk::put(const std::string& path, const std::string& content) {
  const auto node = std::make_shared<inode>();
  node->live = node->durable = content;
  live_[plain(path)] = durable_[plain(path)] = node;
}

} // namespace troupe
