// SPDX-License-Identifier: MIT
// A program of tests that is told to end, as one is that takes too long, says first in which test.
#include <csignal>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

namespace {

std::string running = "no test\n"; // does not change while a test runs

void say_and_end(int signal) {
    static_cast<void>(::write(STDERR_FILENO, running.data(), running.size()));
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

class remembers_the_test final : public ::testing::EmptyTestEventListener {
    void OnTestStart(const ::testing::TestInfo& test) override {
        running = std::string(test.test_suite_name()) + '.' + test.name() + " does not end\n";
    }
};

[[maybe_unused]] const bool installed = [] {
    ::testing::UnitTest::GetInstance()->listeners().Append(new remembers_the_test);
    return std::signal(SIGTERM, &say_and_end) != SIG_ERR;
}();

} // namespace
