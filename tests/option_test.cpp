// SPDX-License-Identifier: MIT
#include <curlicue/easy.hpp>
#include <curlicue/option.hpp>

#include <chrono>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

#include <gtest/gtest.h>

namespace curlicue {
namespace {

using namespace std::chrono_literals;

option_kind kind_by(curl_easytype type) {
    switch (type) {
    case CURLOT_LONG:
    case CURLOT_VALUES:
        return option_kind::number;
    case CURLOT_OFF_T:
        return option_kind::big_number;
    case CURLOT_OBJECT:
        return option_kind::object;
    case CURLOT_STRING:
        return option_kind::string;
    case CURLOT_SLIST:
        return option_kind::list;
    case CURLOT_CBPTR:
        return option_kind::callback_data;
    case CURLOT_BLOB:
        return option_kind::blob;
    case CURLOT_FUNCTION:
        return option_kind::function;
    }
    throw std::logic_error("a type of option that is new in this libcurl");
}

template <class Visit> void for_each_option(Visit visit) {
    const curl_easyoption* option = nullptr;
    while ((option = curl_easy_option_next(option)) != nullptr)
        visit(*option);
}

/// The code of the std::system_error that `call` throws; empty if it does not.
template <class Call> std::error_code refusal_of(Call call) {
    try {
        call();
    } catch (const std::system_error& error) {
        return error.code();
    }
    return {};
}

TEST(AnOption, HasTheTypeThatTheLibcurlAtHandSays) {
    for_each_option([](const curl_easyoption& option) {
        EXPECT_EQ(kind_of(option.id), kind_by(option.type)) << option.name;
    });
}

TEST(AnOption, IsNamedAsLibcurlNamesIt) {
    EXPECT_EQ(name_of(CURLOPT_URL), "CURLOPT_URL");
    EXPECT_EQ(name_of(static_cast<CURLoption>(9999)), "CURLOPT_9999");
}

TEST(AnOption, TakesDurationsInItsOwnUnit) {
    EXPECT_EQ(detail::as_number<CURLOPT_TIMEOUT>(2min), 120);
    EXPECT_EQ(detail::as_number<CURLOPT_TIMEOUT_MS>(2s), 2000);
    EXPECT_EQ(detail::as_number<CURLOPT_CONNECTTIMEOUT_MS>(0.25s), 250);
}

TEST(AnOption, RoundsDurationsUpSoThatNoneBecomesForEver) {
    EXPECT_EQ(detail::as_number<CURLOPT_TIMEOUT>(500ms), 1);
    EXPECT_EQ(detail::as_number<CURLOPT_TIMEOUT>(1001ms), 2);
    EXPECT_EQ(detail::as_number<CURLOPT_TIMEOUT_MS>(1ns), 1);
    EXPECT_EQ(detail::as_number<CURLOPT_TIMEOUT>(0ms), 0);
    EXPECT_EQ(detail::as_number<CURLOPT_TIMEOUT>(std::chrono::duration<float>(0.1F)), 1);
}

TEST(AnOption, TakesADurationOfAnyLength) {
    constexpr auto longest = std::numeric_limits<long>::max();
    EXPECT_EQ(detail::as_number<CURLOPT_TIMEOUT_MS>(std::chrono::hours::max()), longest);
    EXPECT_EQ(detail::as_number<CURLOPT_TIMEOUT_MS>(std::chrono::milliseconds::max()), longest);
    easy()
        .setopt<CURLOPT_TIMEOUT_MS>(std::chrono::hours::max())
        .setopt<CURLOPT_TIMEOUT>(std::chrono::hours::max());
}

TEST(AnOption, RefusesANegativeDuration) {
    easy handle;
    const auto refused = make_error_code(CURLE_BAD_FUNCTION_ARGUMENT);
    EXPECT_EQ(refusal_of([&] { handle.setopt<CURLOPT_TIMEOUT_MS>(-1s); }), refused);
    EXPECT_EQ(refusal_of([&] { handle.setopt<CURLOPT_TIMEOUT>(-2s); }), refused);
    const std::chrono::duration<double> nan(std::numeric_limits<double>::quiet_NaN());
    EXPECT_EQ(refusal_of([&] { handle.setopt<CURLOPT_TIMEOUT>(nan); }), refused);
}

TEST(AnOption, TakesPointsInTime) {
    const auto time = std::chrono::system_clock::from_time_t(1'000'000'000) + 900ms;
    EXPECT_EQ(detail::as_number<CURLOPT_TIMEVALUE_LARGE>(time), 1'000'000'000);
    easy().setopt<CURLOPT_TIMEVALUE>(time);
}

TEST(AnOption, TakesBoolsIntegersEnumeratorsAndMasks) {
    easy handle;
    handle.setopt<CURLOPT_FOLLOWLOCATION>(true)
        .setopt<CURLOPT_MAXREDIRS>(3)
        .setopt<CURLOPT_MAXREDIRS>(std::uint8_t{3})
        .setopt<CURLOPT_USE_SSL>(CURLUSESSL_TRY)
        .setopt<CURLOPT_HTTPAUTH>(CURLAUTH_ANY)
        .setopt<CURLOPT_MAX_RECV_SPEED_LARGE>(1LL << 40);
}

TEST(AnOption, RefusesANumberThatItsTypeCannotHold) {
    easy handle;
    EXPECT_EQ(
        refusal_of([&] { handle.setopt<CURLOPT_MAX_RECV_SPEED_LARGE>(std::uint64_t{1} << 63); }),
        make_error_code(CURLE_BAD_FUNCTION_ARGUMENT));
}

TEST(AnOption, TakesStringsOfEveryKind) {
    easy handle;
    const std::string string = "file:///";
    const char* const null = nullptr;
    handle.setopt<CURLOPT_URL>(string)
        .setopt<CURLOPT_URL>("file:///")
        .setopt<CURLOPT_URL>(std::string_view(string).substr(0, 7))
        .setopt<CURLOPT_URL>(std::string(300, 'x'))
        .setopt<CURLOPT_USERAGENT>(null)
        .setopt<CURLOPT_USERAGENT>(nullptr);
}

TEST(AnOption, RefusesAStringWithANulInside) {
    easy handle;
    try {
        handle.setopt<CURLOPT_URL>(std::string_view("file:///a\0b", 11));
        FAIL();
    } catch (const usage_error& error) {
        EXPECT_EQ(error.code(), errc::embedded_nul);
        EXPECT_NE(std::string(error.what()).find("CURLOPT_URL"), std::string::npos);
        EXPECT_EQ(std::string(error.what()).find("file:"), std::string::npos);
    }
    EXPECT_THROW(handle.setopt<CURLOPT_HTTPHEADER>({std::string_view("a: \0", 4)}), usage_error);
}

TEST(AnOption, ThatLibcurlRefusesIsNamedAndItsValueIsNot) {
    easy handle;
    try {
        handle.setopt<CURLOPT_PROTOCOLS_STR>("secret");
        FAIL();
    } catch (const std::system_error& error) {
        EXPECT_EQ(&error.code().category(), &easy_category());
        EXPECT_NE(std::string(error.what()).find("CURLOPT_PROTOCOLS_STR"), std::string::npos);
        EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
    }
}

TEST(TheRunTimeDoor, RefusesAnUnknownOption) {
    easy handle;
    EXPECT_EQ(refusal_of([&] { handle.setopt(static_cast<CURLoption>(9999), 1); }),
              make_error_code(CURLE_UNKNOWN_OPTION));
}

TEST(TheRunTimeDoor, RefusesTheWrongTypeAndChangesNothing) {
    easy handle("file:///etc/hostname");
    const auto wrong = make_error_code(CURLE_BAD_FUNCTION_ARGUMENT);
    EXPECT_EQ(refusal_of([&] { handle.setopt(CURLOPT_URL, 1); }), wrong);
    EXPECT_EQ(refusal_of([&] { handle.setopt(CURLOPT_TIMEOUT, "1"); }), wrong);
    EXPECT_EQ(refusal_of([&] { handle.setopt(CURLOPT_TIMEOUT, nullptr); }), wrong);
    EXPECT_EQ(refusal_of([&] { handle.setopt(CURLOPT_HTTPHEADER, "a: b"); }), wrong);
    EXPECT_EQ(refusal_of([&] { handle.setopt(CURLOPT_URL, option_value({"a", "b"})); }), wrong);
    EXPECT_EQ(refusal_of([&] { handle.setopt(CURLOPT_WRITEFUNCTION, &handle); }), wrong);
    EXPECT_EQ(refusal_of([&] { handle.setopt(CURLOPT_POSTFIELDS, &handle); }), wrong);
    std::string body;
    handle.setopt<CURLOPT_WRITEDATA>(body).perform();
    EXPECT_FALSE(body.empty());
}

TEST(TheRunTimeDoor, RefusesTheErrorBufferWhichIsOurs) {
    easy handle;
    char buffer[CURL_ERROR_SIZE] = {};
    EXPECT_THROW(handle.setopt(CURLOPT_ERRORBUFFER, buffer), std::invalid_argument);
    EXPECT_THROW(handle.setopt(CURLOPT_ERRORBUFFER, nullptr), std::invalid_argument);
}

TEST(TheRunTimeDoor, TakesWhatStandsInBraces) {
    std::string body;
    easy handle;
    handle.setopt<CURLOPT_WRITEDATA>(body);
    const std::string url = "file:///etc/hostname";
    handle.setopt(CURLOPT_URL, option_value{url});
    handle.perform();
    handle.setopt(CURLOPT_URL, {std::string_view(url)});
    handle.setopt(CURLOPT_USERAGENT, {nullptr});
    handle.setopt(CURLOPT_TIMEOUT, {0});
    handle.perform();
    EXPECT_FALSE(body.empty());
    const auto wrong = make_error_code(CURLE_BAD_FUNCTION_ARGUMENT);
    EXPECT_EQ(refusal_of([&] { handle.setopt(CURLOPT_TIMEOUT, {"1"}); }), wrong);
    EXPECT_EQ(refusal_of([&] { handle.setopt(CURLOPT_URL, {"a", "b"}); }), wrong);
    EXPECT_EQ(refusal_of([&] { handle.setopt(CURLOPT_HTTPHEADER, std::string("a: b")); }), wrong)
        << "without braces it is no list";
}

TEST(TheRunTimeDoor, TakesANullStringForNone) {
    const char* const null = nullptr;
    easy().setopt(CURLOPT_USERAGENT, null);
    EXPECT_TRUE(std::holds_alternative<std::nullptr_t>(option_value(null).alternatives()));
}

option_value value_for(const curl_easyoption& option) {
    switch (kind_of(option.id)) {
    case option_kind::number:
    case option_kind::big_number:
        return 0;
    case option_kind::string:
        return "1";
    case option_kind::list:
        return {"a: b", "c: d"};
    case option_kind::blob:
        return option_value::bytes(3);
    default:
        return nullptr;
    }
}

TEST(TheRunTimeDoor, OpensForEveryOption) {
    // Refused for their value, or because this libcurl was built without the feature.
    const std::set<int> answers{CURLE_BAD_FUNCTION_ARGUMENT, CURLE_UNKNOWN_OPTION,
                                CURLE_NOT_BUILT_IN,          CURLE_UNSUPPORTED_PROTOCOL,
                                CURLE_SSL_ENGINE_NOTFOUND,   CURLE_FAILED_INIT};
    int accepted = 0;
    for_each_option([&](const curl_easyoption& option) {
        if (option.id == CURLOPT_ERRORBUFFER)
            return;
        easy handle; // a new one: libcurl 8.10 leaks where some follow others
        const auto code = refusal_of([&] { handle.setopt(option.id, value_for(option)); });
        EXPECT_TRUE(!code || answers.contains(code.value()))
            << option.name << ": " << code.message();
        accepted += code ? 0 : 1;
    });
    EXPECT_GT(accepted, 200);
}

TEST(TheRunTimeDoor, TakesRawCallbacksWithTheirData) {
    std::string body;
    const auto append = [](char* data, std::size_t size, std::size_t count, void* target) {
        static_cast<std::string*>(target)->append(data, size * count);
        return size * count;
    };
    easy handle("file:///etc/hostname");
    handle.setopt(CURLOPT_WRITEDATA, &body);
    handle.setopt(CURLOPT_WRITEFUNCTION, reinterpret_cast<option_value::function>(
                                             static_cast<curl_write_callback>(append)));
    handle.perform();
    EXPECT_FALSE(body.empty());
}

} // namespace
} // namespace curlicue
