// SPDX-License-Identifier: MIT
// What a fetch costs, in allocations.
#include "support/allocations.hpp"
#include "support/fetch_fixture.hpp"

#include <string>

using namespace curlicue::test;

namespace {

TEST_F(AFetch, OfASmallBodyIsTwoAllocations) {
    if (!uses_memory_again(multi->executor()))
        GTEST_SKIP() << "nothing is used again under this sanitizer";
    const auto hello = url("/hello");
    const auto fetch = [&](int times) {
        for (int i = 0; i != times; ++i)
            ASSERT_FALSE(text_of(hello).empty());
    };
    fetch(64);
    const int before = allocations();
    fetch(100);
    // The URL, for the request and for what may follow a redirect; the body has room in a string.
    EXPECT_LE(allocations() - before, 2 * 100);
}

} // namespace
