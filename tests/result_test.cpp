// SPDX-License-Identifier: MIT
#include <curlicue/future.hpp>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

using namespace curlicue;

namespace {

TEST(AResult, HoldsAValue) {
    result<std::string> held(std::string("value"));
    EXPECT_TRUE(held.has_value());
    EXPECT_TRUE(held);
    EXPECT_EQ(held.value(), "value");
    EXPECT_FALSE(held.error());
    EXPECT_EQ(held.exception(), nullptr);
    held.value() += "s";
    EXPECT_EQ(std::move(held).value(), "values");
}

TEST(AResult, HoldsAFailure) {
    const result<int> held(failure(std::make_error_code(std::errc::connection_refused)));
    EXPECT_FALSE(held);
    EXPECT_EQ(held.error(), std::errc::connection_refused);
    EXPECT_THROW((void)held.value(), std::system_error);
    EXPECT_NE(held.exception(), nullptr);
}

TEST(AResult, OfVoidHoldsNothingOrAFailure) {
    EXPECT_TRUE(result<void>().has_value());
    EXPECT_NO_THROW(result<void>().value());
    const result<void> failed(errc::timed_out);
    EXPECT_THROW(failed.value(), timed_out);
}

TEST(AResult, HoldsWhatOnlyMoves) {
    result<std::unique_ptr<int>> held(std::make_unique<int>(1));
    EXPECT_EQ(*held.value(), 1);
    EXPECT_EQ(*std::move(held).value(), 1);
}

TEST(AResult, HoldsErrorCodesAsValuesToo) {
    const result<std::error_code> held(std::make_error_code(std::errc::timed_out));
    EXPECT_TRUE(held.has_value());
    EXPECT_EQ(held.value(), std::errc::timed_out);
}

TEST(AFailure, HasTheExceptionThatItsCodeIsThrownAs) {
    const auto thrown = [](failure why) { std::rethrow_exception(why.exception()); };
    EXPECT_THROW(thrown(errc::cancelled), cancelled);
    EXPECT_THROW(thrown(errc::timed_out), timed_out);
    EXPECT_THROW(thrown(errc::broken_promise), future_error);
    EXPECT_THROW(thrown(errc::closed), usage_error);
    EXPECT_THROW(thrown(std::make_error_code(std::errc::io_error)), std::system_error);
}

TEST(AFailure, HasTheCodeOfItsException) {
    EXPECT_EQ(failure(std::make_exception_ptr(cancelled())).code(), errc::cancelled);
    EXPECT_TRUE(failure(std::make_exception_ptr(cancelled())).cancelled());
    EXPECT_EQ(failure(std::make_exception_ptr(usage_error(errc::closed))).code(), errc::closed);
    EXPECT_EQ(failure(std::make_exception_ptr(std::bad_alloc())).code(),
              std::errc::not_enough_memory);
    EXPECT_EQ(failure(std::make_exception_ptr(std::runtime_error("no code"))).code(),
              std::errc::state_not_recoverable);
    EXPECT_EQ(failure(std::exception_ptr()).code(), std::errc::state_not_recoverable);
    EXPECT_NE(failure(std::exception_ptr()).exception(), nullptr);
}

TEST(AFailure, SaysWhatItsExceptionSays) {
    EXPECT_EQ(failure(std::make_exception_ptr(std::runtime_error("no code"))).message(), "no code");
    EXPECT_EQ(failure(std::make_exception_ptr(42)).message(),
              "an exception that says nothing: it is no std::exception");
    EXPECT_EQ(failure(errc::cancelled).message(), "cancelled");
    EXPECT_EQ(failure(std::make_error_code(std::errc::timed_out)).message(),
              std::make_error_code(std::errc::timed_out).message());
    const result<int> failed(failure(std::make_exception_ptr(std::runtime_error("words"))));
    EXPECT_EQ(failed.message(), "words");
    EXPECT_EQ(failed.error(), errc::no_code);
    EXPECT_EQ(failed.error().message(),
              "an exception that has no code; its words are in message()");
    EXPECT_EQ(result<int>(1).message(), "");
}

TEST(AFailure, MakesItsExceptionWhenAsked) {
    struct counted : failure::detail {
        mutable int made = 0;
        std::exception_ptr make_exception() const override {
            ++made;
            return std::make_exception_ptr(std::runtime_error("made"));
        }
    };
    const auto detail = std::make_shared<counted>();
    const failure why(errc::timed_out, detail);
    EXPECT_EQ(why.code(), errc::timed_out);
    EXPECT_EQ(detail->made, 0);
    EXPECT_THROW(std::rethrow_exception(why.exception()), std::runtime_error);
    EXPECT_EQ(detail->made, 1);
}

TEST(AFailure, ThatCannotMakeItsExceptionHasTheOneInTheWay) {
    struct failing : failure::detail {
        std::exception_ptr make_exception() const override { throw std::bad_alloc(); }
    };
    const failure why(errc::timed_out, std::make_shared<failing>());
    EXPECT_THROW(std::rethrow_exception(why.exception()), std::bad_alloc);
}

} // namespace
