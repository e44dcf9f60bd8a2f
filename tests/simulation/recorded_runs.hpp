// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "programs/programs.hpp"

#include <string>
#include <vector>

namespace simulated {

/// Compares the first seeds of each application with what another build has recorded in `path`: equal seeds give equal
/// runs in every build of the same code. Says which are others. Returns the exit status: 0, 1, or 77 if the file is of
/// another compiler or SQLite, which may order calls or write files differently.
int compare_runs(const std::vector<application>& all, const std::string& path);

/// Records them: right after a change of what the applications do, or of the messages that the runtime sends.
void record_runs(const std::vector<application>& all, const std::string& path);

} // namespace simulated
