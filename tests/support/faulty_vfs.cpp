// SPDX-License-Identifier: BSD-3-Clause
#include "support/faulty_vfs.hpp"

#include <atomic>
#include <cstring>
#include <mutex>
#include <new>
#include <sqlite3.h>
#include <string_view>

namespace support {

namespace {

using fault = faulty_vfs::fault;

struct plan {
  std::mutex mutex;
  fault kind = fault::none;
  int left = 0;
  bool happened = false;
  std::string suffix;

  /// Whether this operation on the file `name` is the one; `operation`: write, sync or index.
  bool strikes(fault operation, std::string_view name) {
    std::unique_lock held{mutex};
    const bool writes = kind == fault::write || kind == fault::short_write || kind == fault::full;
    if ((writes ? fault::write : kind) != operation || !name.ends_with(suffix) || --left != 0)
      return false;
    happened = true;
    return true;
  }
  fault what() {
    std::unique_lock held{mutex};
    return kind;
  }
};

plan& current() {
  static plan only;
  return only;
}

/// What SQLite takes for an open file: our table of methods, the name, and behind it the default VFS's file.
struct file {
  sqlite3_file base;
  const char* name;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
file& of(sqlite3_file* f) { return *reinterpret_cast<file*>(f); }

int write(sqlite3_file* f, const void* bytes, int n, sqlite3_int64 at) {
  auto& own = of(f);
  auto* real = own.real();
  if (!current().strikes(fault::write, own.name))
    return real->pMethods->xWrite(real, bytes, n, at);
  const auto kind = current().what();
  if (kind == fault::short_write)
    real->pMethods->xWrite(real, bytes, n / 2, at);
  return kind == fault::full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

int sync(sqlite3_file* f, int flags) {
  auto& own = of(f);
  if (current().strikes(fault::sync, own.name))
    return SQLITE_IOERR_FSYNC;
  return own.real()->pMethods->xSync(own.real(), flags);
}

int map_index(sqlite3_file* f, int region, int size, int extend, volatile void** mapped) {
  auto& own = of(f);
  if (extend != 0 && current().strikes(fault::index, own.name))
    return SQLITE_IOERR_SHMSIZE;
  return own.real()->pMethods->xShmMap(own.real(), region, size, extend, mapped);
}

template <auto Method, class... Args>
auto pass(sqlite3_file* f, Args... args) {
  auto* real = of(f).real();
  return (real->pMethods->*Method)(real, args...);
}

using m = sqlite3_io_methods;
const sqlite3_io_methods methods{
    3,
    &pass<&m::xClose>,
    &pass<&m::xRead, void*, int, sqlite3_int64>,
    &write,
    &pass<&m::xTruncate, sqlite3_int64>,
    &sync,
    &pass<&m::xFileSize, sqlite3_int64*>,
    &pass<&m::xLock, int>,
    &pass<&m::xUnlock, int>,
    &pass<&m::xCheckReservedLock, int*>,
    &pass<&m::xFileControl, int, void*>,
    &pass<&m::xSectorSize>,
    &pass<&m::xDeviceCharacteristics>,
    &map_index,
    &pass<&m::xShmLock, int, int, int>,
    [](sqlite3_file* f) { of(f).real()->pMethods->xShmBarrier(of(f).real()); },
    &pass<&m::xShmUnmap, int>,
    [](sqlite3_file*, sqlite3_int64, int, void** page) {
      *page = nullptr; // no memory-mapped reading
      return SQLITE_OK;
    },
    [](sqlite3_file*, sqlite3_int64, void*) { return SQLITE_OK; },
};

sqlite3_vfs* real_vfs = nullptr;

int open(sqlite3_vfs*, const char* name, sqlite3_file* f, int flags, int* out) {
  auto& own = of(f);
  own.base.pMethods = nullptr;
  own.name = name != nullptr ? name : "";
  const int code = real_vfs->xOpen(real_vfs, name, own.real(), flags, out);
  if (own.real()->pMethods != nullptr)
    own.base.pMethods = &methods;
  return code;
}

} // namespace

const std::string& faulty_vfs::name() {
  static const std::string own = [] {
    static sqlite3_vfs vfs;
    real_vfs = sqlite3_vfs_find(nullptr);
    vfs = *real_vfs; // everything but files goes to the default one
    vfs.pNext = nullptr;
    vfs.zName = "faulty";
    vfs.szOsFile = static_cast<int>(sizeof(file)) + real_vfs->szOsFile;
    vfs.xOpen = &open;
    sqlite3_vfs_register(&vfs, 0);
    return std::string{"faulty"};
  }();
  return own;
}

void faulty_vfs::fail(fault f, int nth, const std::string& suffix) {
  auto& p = current();
  std::unique_lock held{p.mutex};
  p.kind = f;
  p.left = nth;
  p.happened = false;
  p.suffix = suffix;
}

bool faulty_vfs::has_failed() {
  std::unique_lock held{current().mutex};
  return current().happened;
}

} // namespace support
