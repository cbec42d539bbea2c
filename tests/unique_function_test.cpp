// SPDX-License-Identifier: MIT
#include <curlicue/unique_function.hpp>

#include <array>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <gtest/gtest.h>

using namespace curlicue;

namespace {

int twice(int value) { return 2 * value; }

TEST(AUniqueFunction, CallsWhatItHolds) {
    unique_function<int(int)> function = &twice;
    EXPECT_TRUE(function);
    EXPECT_EQ(function(4), 8);
    function = twice;
    EXPECT_EQ(function(5), 10);
    unique_function<std::size_t(const std::string&)> member = &std::string::size;
    EXPECT_EQ(member("four"), 4U);
}

TEST(AUniqueFunction, HoldsWhatOnlyMoves) {
    unique_function<int()> function = [owned = std::make_unique<int>(3)] { return *owned; };
    auto moved = std::move(function);
    EXPECT_FALSE(function); // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(moved(), 3);
}

TEST(AUniqueFunction, HoldsWhatIsLarge) {
    std::array<int, 100> numbers{};
    numbers[99] = 7;
    unique_function<int()> function = [numbers] { return numbers[99]; };
    const auto moved = std::make_unique<unique_function<int()>>(std::move(function));
    EXPECT_EQ((*moved)(), 7);
}

TEST(AUniqueFunction, HoldsWhatThrowsWhenItMoves) {
    struct throwing {
        throwing() = default;
        throwing(const throwing&) = default;
        throwing(throwing&&) { throw std::runtime_error("moved"); }
        int operator()() const { return 1; }
    };
    const throwing source;
    unique_function<int()> function = source;
    auto moved = std::move(function);
    EXPECT_EQ(moved(), 1);
}

TEST(AUniqueFunction, HoldsWhatIsAligned) {
    struct alignas(64) aligned {
        bool operator()() const { return reinterpret_cast<std::uintptr_t>(this) % 64 == 0; }
    };
    unique_function<bool()> function = aligned();
    auto moved = std::move(function);
    EXPECT_TRUE(moved());
}

TEST(AUniqueFunction, ThatIsEmptyThrows) {
    unique_function<void()> empty;
    EXPECT_FALSE(empty);
    EXPECT_THROW(empty(), std::bad_function_call);
    int (*none)(int) = nullptr;
    EXPECT_FALSE(unique_function<int(int)>(none));
    EXPECT_FALSE(unique_function<int(int)>(nullptr));
}

TEST(AUniqueFunction, DropsTheResultThatIsNotWanted) {
    unique_function<void(int)> function = &twice;
    function(1);
}

TEST(AUniqueFunction, DestroysWhatItHeldOnce) {
    const auto token = std::make_shared<int>();
    unique_function<void()> function = [token] {};
    EXPECT_EQ(token.use_count(), 2);
    function = [token, more = std::string(100, 'x')] {};
    EXPECT_EQ(token.use_count(), 2);
    auto& itself = function;
    function = std::move(itself);
    EXPECT_EQ(token.use_count(), 2);
    function = nullptr;
    EXPECT_EQ(token.use_count(), 1);
}

TEST(AUniqueFunction, MayBeAssignedToByWhatItDestroys) {
    struct assigner {
        unique_function<int()>* target;
        explicit assigner(unique_function<int()>* target_) : target(target_) {}
        assigner(assigner&& other) noexcept : target(std::exchange(other.target, nullptr)) {}
        ~assigner() {
            if (target != nullptr)
                *target = [] { return 2; };
        }
        int operator()() const { return 0; }
    };
    unique_function<int()> function;
    function = assigner(&function);
    function = [] { return 1; };
    EXPECT_EQ(function(), 2);
}

TEST(AUniqueFunction, PassesReferencesOn) {
    unique_function<void(std::unique_ptr<int>, int&)> function = [](std::unique_ptr<int> from,
                                                                    int& to) { to = *from; };
    int seen = 0;
    function(std::make_unique<int>(4), seen);
    EXPECT_EQ(seen, 4);
}

} // namespace
