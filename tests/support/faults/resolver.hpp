// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace curlicue::test {

/// Linked into a program this answers what libcurl's threads ask getaddrinfo about names that end
/// in ".test"; all else goes to the real one. One at a time.
class resolver {
public:
    resolver();
    resolver(const resolver&) = delete;
    resolver& operator=(const resolver&) = delete;
    /// Lets what is stuck go on, and waits for it.
    ~resolver();

    // Set them before the first question.
    std::vector<std::string> addresses{"127.0.0.1"}; ///< numeric, in this order
    int failure = 0;                                 ///< EAI_…: there are none
    bool stuck = false;                              ///< no answer before `go_on`

    void go_on();
    /// Asked and not answered yet.
    int looking() const;
    /// Asked at all.
    int asked() const;
};

} // namespace curlicue::test
