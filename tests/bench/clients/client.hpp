// SPDX-License-Identifier: MIT
#pragma once

#include "job.hpp"
#include "meter.hpp"

namespace curlicue::bench {

/// Does the job. Each client program defines it; the `main` of all of them calls it.
void run(const job& what, meter& measured);

} // namespace curlicue::bench
