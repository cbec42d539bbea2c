// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace curlicue::bench {

/// How often the program has used `operator new`, where allocations.cpp replaces it; elsewhere
/// there is no such function.
[[gnu::weak]] std::uint64_t allocations() noexcept;

} // namespace curlicue::bench
