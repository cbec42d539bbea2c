// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>

namespace curlicue::test {

/// A call of the system, and why it fails.
struct call_failure {
    std::string_view call;
    int why; ///< of errno
    friend void PrintTo(const call_failure& failure, std::ostream* out) { *out << failure.call; }
};

/// Linked into a program this replaces the C library's functions of these names, for libcurl and
/// libuv too: a program's own symbols go before those of its libraries. They do as ever, but that
/// as long as one of these lives the call with the number `which`, from 1, fails, or all from there
/// on: whichever thread makes them, and without having done anything.
class failing_call {
public:
    enum class lasting { once, from_there_on };
    failing_call(const call_failure& how, std::size_t which, lasting = lasting::once) noexcept;
    failing_call(const failing_call&) = delete;
    failing_call& operator=(const failing_call&) = delete;
    ~failing_call();

    /// Whether one has failed.
    static bool felt() noexcept;
};

/// "socket_EMFILE"
std::string name_of(const call_failure& how);

} // namespace curlicue::test
