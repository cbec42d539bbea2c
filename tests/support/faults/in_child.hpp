// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace curlicue::test {

/// Where a process was when a signal ended it: `libcurl.so.4 curl_multi_perform`, the innermost
/// first. Of a stripped library these are the exported functions that come before the place.
using places = std::vector<std::string>;

/// How a child process ended.
struct child_end {
    enum class how { well, complained, crashed, hung } kind = how::well;
    std::string said; ///< what `body` returned, or why it is no good end
    places stack;     ///< of a crash or a hang

    bool well() const noexcept { return kind == how::well; }
    /// Whether a library that is not ours has ended the process, one of `functions` running.
    bool crashed_in(const places& functions) const;
    /// For people.
    std::string text() const;
};

/// Runs `body` in a process of its own, which ends without any destructors or exit handlers of
/// ours: nothing that happens there touches this one. What `body` returns is its complaint, empty
/// for none; leaks are one, under a sanitizer that knows. One that is not over in 30 s is
/// said to hang. Not while other threads run: the child would inherit the locks that they hold.
child_end in_child(const std::function<std::string()>& body);

} // namespace curlicue::test
