// SPDX-License-Identifier: MIT
#pragma once

#include "fuzz/bytes.hpp"
#include "support/fake_curl/fake_curl.hpp"

#include <array>

namespace curlicue::fuzz {

/// The descriptors that a fake libcurl has open, and what it does with them. It may do whatever
/// some version of libcurl was seen to do; but it tells, by REMOVE or its close callback, of every
/// close of a descriptor that it has asked to be watched, before its call ends.
class connections {
public:
    connections() = default;
    connections(const connections&) = delete;
    connections& operator=(const connections&) = delete;
    ~connections();

    /// One thing of those, inside a call for `multi`.
    void act(test::fake_multi& multi, bytes& input);
    /// What the peers do, at any time.
    void disturb(bytes& input) const;
    /// The end of a call of `curl_multi_cleanup`.
    void cleaned_up(const test::fake_multi& multi);

private:
    enum class kind { none, plain, told, waker };
    struct slot {
        kind is = kind::none;
        int fd = -1;
        int peer = -1;
        const test::fake_multi* owner = nullptr; ///< who has asked for it
        bool wanted = false;
        bool read = false; ///< somebody once wanted to read from it
    };

    static void open(slot& one, test::fake_multi& multi, bytes& input);
    static void open_told(slot& one, test::fake_multi& multi);
    static void open_waker(slot& one, bool broken);
    static void announce(slot& one, test::fake_multi& multi, int what);
    static void remove(slot& one, test::fake_multi& multi);
    static void replace(slot& one);
    static void close(slot& one, test::fake_multi& multi, bytes& input);
    static void end(slot& one);

    std::array<slot, 6> slots_;
};

} // namespace curlicue::fuzz
