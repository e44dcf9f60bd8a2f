// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/testing/simulated_vfs.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <span>
#include <sqlite3.h>
#include <system_error>
#include <utility>
#include <vector>

namespace troupe::detail {

/// What the connections to one file share: its locks (https://sqlite.org/lockingv3.html) and, for a write-ahead log, memory
/// with locks of its own (https://sqlite.org/walformat.html#the_wal_index_file_format).
struct simulated_vfs::shared_file {
  int readers = 0;                // that hold SHARED or more
  const void* reserved = nullptr; // who holds RESERVED or more
  bool pending = false;           // that one waits for the readers
  std::vector<std::vector<char>> memory;
  std::array<int, SQLITE_SHM_NLOCK> memory_readers{};
  std::array<const void*, SQLITE_SHM_NLOCK> memory_writer{};
};

/// An open file. SQLite gives the room for it, and looks at the beginning only.
struct simulated_vfs::handle {
  sqlite3_file base{};
  simulated_vfs* vfs = nullptr;
  std::string path{};
  std::unique_ptr<simulated_file> file{};
  std::shared_ptr<shared_file> shared{};
  int level = SQLITE_LOCK_NONE;
  bool new_name = false; // the directory is not known to be synced
  bool temporary = false;
  bool uses_memory = false;
  std::array<bool, SQLITE_SHM_NLOCK> reads{};
};

/// SQLite's table of functions.
struct simulated_vfs::operations {
  static handle& of(sqlite3_file* f) { return *reinterpret_cast<handle*>(f); }
  static simulated_vfs& of(sqlite3_vfs* v) { return *static_cast<simulated_vfs*>(v->pAppData); }

  /// Runs `f`, which returns a code of SQLite; `otherwise` if it throws, or the disk has crashed meanwhile.
  template <class F>
  static int guarded(simulated_vfs& v, int otherwise, F&& f) noexcept {
    v.last_error_ = EIO;
    try {
      return v.disk_.crashes() == v.boot_ ? f() : otherwise;
    } catch (const std::system_error& e) {
      v.last_error_ = e.code().value();
      return v.last_error_ == ENOSPC ? SQLITE_FULL : otherwise;
    } catch (const std::bad_alloc&) {
      return SQLITE_NOMEM;
    }
  }

  // -- a file --

  static int close(sqlite3_file* f) {
    auto& h = of(f);
    (void)unlock(f, SQLITE_LOCK_NONE);
    (void)release_memory(f, 0);
    if (h.temporary)
      guarded(*h.vfs, SQLITE_OK, [&] { return h.vfs->disk_.remove(h.path), SQLITE_OK; });
    h.~handle();
    return SQLITE_OK;
  }
  static int read(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
    auto& h = of(f);
    return guarded(*h.vfs, SQLITE_IOERR_READ, [&] {
      h.file->seek(static_cast<std::uint64_t>(at));
      const auto got = h.file->read({static_cast<std::byte*>(to), static_cast<std::size_t>(n)});
      if (got == static_cast<std::size_t>(n))
        return SQLITE_OK;
      std::memset(static_cast<char*>(to) + got, 0, static_cast<std::size_t>(n) - got);
      return SQLITE_IOERR_SHORT_READ;
    });
  }
  static int write(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
    auto& h = of(f);
    return guarded(*h.vfs, SQLITE_IOERR_WRITE, [&] {
      h.file->seek(static_cast<std::uint64_t>(at));
      h.file->write({static_cast<const std::byte*>(from), static_cast<std::size_t>(n)});
      return SQLITE_OK;
    });
  }
  static int truncate(sqlite3_file* f, sqlite3_int64 size) {
    auto& h = of(f);
    return guarded(*h.vfs, SQLITE_IOERR_TRUNCATE,
                   [&] { return h.file->truncate(static_cast<std::uint64_t>(size)), SQLITE_OK; });
  }
  static int sync(sqlite3_file* f, int) {
    auto& h = of(f);
    return guarded(*h.vfs, SQLITE_IOERR_FSYNC, [&] {
      h.file->sync();
      if (h.new_name)
        h.vfs->disk_.sync_directory(simulated_disk::parent_of(h.path));
      h.new_name = false;
      return SQLITE_OK;
    });
  }
  static int size(sqlite3_file* f, sqlite3_int64* out) {
    auto& h = of(f);
    return guarded(*h.vfs, SQLITE_IOERR_FSTAT,
                   [&] { return *out = static_cast<sqlite3_int64>(h.file->size()), SQLITE_OK; });
  }

  static int lock(sqlite3_file* f, int level) {
    auto& h = of(f);
    auto& s = *h.shared;
    if (level <= h.level)
      return SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED) {
      if (s.pending)
        return SQLITE_BUSY;
      ++s.readers;
    } else {
      if (s.reserved != nullptr && s.reserved != &h)
        return SQLITE_BUSY;
      s.reserved = &h;
      if (level == SQLITE_LOCK_EXCLUSIVE) {
        s.pending = true;
        if (s.readers > 1)
          return h.level = SQLITE_LOCK_PENDING, SQLITE_BUSY;
      }
    }
    h.level = level;
    return SQLITE_OK;
  }
  static int unlock(sqlite3_file* f, int level) {
    auto& h = of(f);
    if (h.level <= level)
      return SQLITE_OK;
    auto& s = *h.shared;
    if (s.reserved == &h) {
      s.reserved = nullptr;
      s.pending = false;
    }
    s.readers -= level == SQLITE_LOCK_NONE ? 1 : 0;
    h.level = level;
    return SQLITE_OK;
  }
  static int is_reserved(sqlite3_file* f, int* out) { return *out = of(f).shared->reserved != nullptr, SQLITE_OK; }
  static int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int sector_size(sqlite3_file*) { return 512; }
  static int traits(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; } // a torn write spares its neighbours

  // -- the memory beside a write-ahead log --

  static int map_memory(sqlite3_file* f, int page, int bytes, int extend, volatile void** out) {
    auto& h = of(f);
    auto& memory = h.shared->memory;
    h.uses_memory = true;
    *out = nullptr;
    const auto wanted = static_cast<std::size_t>(page);
    if (wanted >= memory.size() && extend != 0)
      memory.resize(wanted + 1);
    if (wanted < memory.size()) {
      memory[wanted].resize(static_cast<std::size_t>(bytes));
      *out = memory[wanted].data();
    }
    return SQLITE_OK;
  }
  static int lock_memory(sqlite3_file* f, int first, int n, int flags) {
    auto& h = of(f);
    auto& s = *h.shared;
    for (int i = first; i < first + n; ++i) { // whether it can be had at all
      const auto at = static_cast<std::size_t>(i);
      const bool taken = s.memory_writer[at] != nullptr && s.memory_writer[at] != &h;
      const int others = s.memory_readers[at] - (h.reads[at] ? 1 : 0);
      if ((flags & SQLITE_SHM_LOCK) != 0 && (taken || ((flags & SQLITE_SHM_EXCLUSIVE) != 0 && others > 0)))
        return SQLITE_BUSY;
    }
    for (int i = first; i < first + n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const bool wants = (flags & SQLITE_SHM_LOCK) != 0;
      if ((flags & SQLITE_SHM_EXCLUSIVE) != 0) {
        s.memory_writer[at] = wants ? &h : nullptr;
      } else if (h.reads[at] != wants) {
        s.memory_readers[at] += wants ? 1 : -1;
        h.reads[at] = wants;
      }
    }
    return SQLITE_OK;
  }
  static void order_memory(sqlite3_file*) {} // one thread
  static int release_memory(sqlite3_file* f, int) {
    auto& h = of(f);
    if (!h.uses_memory)
      return SQLITE_OK;
    for (std::size_t i = 0; i < h.reads.size(); ++i) {
      h.shared->memory_readers[i] -= std::exchange(h.reads[i], false) ? 1 : 0;
      if (h.shared->memory_writer[i] == &h)
        h.shared->memory_writer[i] = nullptr;
    }
    h.uses_memory = false;
    return SQLITE_OK; // the memory itself goes with the last who has the file open, as SQLite's own does
  }

  // -- names --

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* room, int flags, int* flags_out) {
    auto& v = of(vfs);
    room->pMethods = nullptr;
    return guarded(v, SQLITE_CANTOPEN, [&] {
      const bool temporary = name == nullptr;
      const auto path = temporary ? ".sqlite-" + std::to_string(++v.temporary_files_) : std::string{name};
      const bool exists = v.disk_.exists(path);
      if (!exists && (flags & SQLITE_OPEN_CREATE) == 0)
        return SQLITE_CANTOPEN;
      auto file = v.disk_.open_in_place(path);
      auto& shared = v.shared_[path];
      auto state = shared.lock();
      if (state == nullptr)
        shared = state = std::make_shared<shared_file>();
      auto* h = new (room) handle{};
      h->vfs = &v;
      h->path = path;
      h->file = std::move(file);
      h->shared = std::move(state);
      h->new_name = !temporary; // whoever made it may have ended before that was synced
      h->temporary = temporary;
      h->base.pMethods = &methods;
      if (flags_out != nullptr)
        *flags_out = flags;
      return SQLITE_OK;
    });
  }
  static int remove(sqlite3_vfs* vfs, const char* name, int sync) {
    auto& v = of(vfs);
    return guarded(v, SQLITE_IOERR_DELETE, [&] {
      if (!v.disk_.remove(name))
        return SQLITE_IOERR_DELETE_NOENT;
      if (sync != 0)
        v.disk_.sync_directory(simulated_disk::parent_of(name));
      return SQLITE_OK;
    });
  }
  static int access(sqlite3_vfs* vfs, const char* name, int, int* out) {
    *out = 0;
    auto& v = of(vfs);
    return guarded(v, SQLITE_IOERR_ACCESS, [&] { return *out = v.disk_.exists(name), SQLITE_OK; });
  }
  static int full_name(sqlite3_vfs*, const char* name, int room, char* out) {
    sqlite3_snprintf(room, out, "%s", name);
    return SQLITE_OK;
  }
  static int randomness(sqlite3_vfs*, int n, char* out) {
    std::memset(out, 0, static_cast<std::size_t>(n));
    return n;
  }
  static int sleep(sqlite3_vfs*, int us) { return us; } // nobody else could end what is waited for
  static int time(sqlite3_vfs*, double* day) { return *day = 0, SQLITE_OK; }
  static int time_ms(sqlite3_vfs*, sqlite3_int64* ms) { return *ms = 0, SQLITE_OK; }
  static int last_error(sqlite3_vfs* vfs, int, char*) { return of(vfs).last_error_; }

  static constexpr sqlite3_io_methods methods{
      2,       &close,      &read,        &write,        &truncate,       &sync,
      &size,   &lock,       &unlock,      &is_reserved,  &control,        &sector_size,
      &traits, &map_memory, &lock_memory, &order_memory, &release_memory, nullptr,
      nullptr};
};

simulated_vfs::simulated_vfs(simulated_disk& disk)
    : disk_{disk}, boot_{disk.crashes()}, name_{"simulated-" + std::to_string(reinterpret_cast<std::uintptr_t>(
                                                                   this))}, // one at a time lives here
      registered_{std::make_unique<sqlite3_vfs>()} {
  auto& v = *registered_;
  v.iVersion = 2;
  v.szOsFile = sizeof(handle);
  v.mxPathname = 1'000;
  v.zName = name_.c_str();
  v.pAppData = this;
  v.xOpen = &operations::open;
  v.xDelete = &operations::remove;
  v.xAccess = &operations::access;
  v.xFullPathname = &operations::full_name;
  v.xRandomness = &operations::randomness;
  v.xSleep = &operations::sleep;
  v.xCurrentTime = &operations::time;
  v.xGetLastError = &operations::last_error;
  v.xCurrentTimeInt64 = &operations::time_ms;
  sqlite3_vfs_register(&v, 0);
}

simulated_vfs::~simulated_vfs() { sqlite3_vfs_unregister(registered_.get()); }

} // namespace troupe::detail
