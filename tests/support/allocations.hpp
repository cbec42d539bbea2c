// SPDX-License-Identifier: MIT
#pragma once

namespace curlicue::test {

/// How often the calling thread has used `operator new`. Links with a program that replaces it.
int allocations() noexcept;

} // namespace curlicue::test
