// SPDX-License-Identifier: MIT
// An async_multi over a fake libcurl and a real loop; both libcurl and the program do what the
// input says. The library checks its invariants after every callback.
#include "fuzz/session.hpp"

#include <csignal>
#include <filesystem>
#include <iterator>

#include <gtest/gtest.h>

namespace {

// The fake tells what breaks libcurl's rules through GoogleTest.
class failure_ends_run : public testing::EmptyTestEventListener {
    void OnTestPartResult(const testing::TestPartResult& result) override {
        curlicue::fuzz::require(!result.failed());
    }
};

std::ptrdiff_t open_descriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    std::signal(SIGPIPE, SIG_IGN); // a waker that is broken
    testing::InitGoogleTest(argc, *argv);
    testing::UnitTest::GetInstance()->listeners().Append(new failure_ends_run);
    curlicue::fuzz::session(curlicue::fuzz::bytes(nullptr, 0)).run(); // what libcurl opens once
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto before = open_descriptors();
    curlicue::fuzz::session(curlicue::fuzz::bytes(data, size)).run();
    curlicue::fuzz::require(open_descriptors() == before);
    return 0;
}
