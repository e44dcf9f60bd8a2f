// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/type_name.hpp>

#include <cstdlib>
#include <cxxabi.h>
#include <memory>

namespace troupe {

std::string type_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text{abi::__cxa_demangle(type.name(), nullptr, nullptr, &status),
                                                    std::free};
  return status == 0 ? std::string{text.get()} : std::string{type.name()};
}

} // namespace troupe
