// SPDX-License-Identifier: MIT
#pragma once

#include <cstdio>

#include <gtest/gtest.h>
#include <uv.h>

namespace curlicue::test {

/// A test with a loop of its own, which at its end must be empty: whatever a test leaves open, or
/// a library forgets, fails it.
class uv_fixture : public ::testing::Test {
protected:
    void SetUp() override { ASSERT_EQ(uv_loop_init(&loop), 0); }

    void TearDown() override {
        uv_run(&loop, UV_RUN_DEFAULT);
        const int closed = uv_loop_close(&loop);
        if (closed != 0)
            uv_print_all_handles(&loop, stderr);
        EXPECT_EQ(closed, 0) << uv_strerror(closed);
    }

    uv_loop_t loop{};
};

} // namespace curlicue::test
