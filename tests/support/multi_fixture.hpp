// SPDX-License-Identifier: MIT
#pragma once

#include "support/multi_driver.hpp"
#include "support/nginx.hpp"
#include <curlicue/easy.hpp>
#include <curlicue/error.hpp>
#include <curlicue/multi.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace curlicue::test {

/// Which breach of the contract the call is told to be.
template <class Call> errc refusal(Call call) {
    try {
        call();
    } catch (const usage_error& error) {
        return static_cast<errc>(error.code().value());
    }
    throw std::logic_error("the call was not refused");
}

/// What libcurl says against the call.
template <class Call> CURLMcode multi_refusal(Call call) {
    try {
        call();
    } catch (const multi_error& error) {
        return static_cast<CURLMcode>(error.code().value());
    }
    throw std::logic_error("libcurl did not refuse the call");
}

/// Transfers from nginx.
class multi_fixture : public ::testing::Test {
protected:
    static std::string url(std::string_view path) { return nginx::shared().http(path); }

    static easy get(std::string_view path, std::string& body) {
        easy handle(url(path));
        handle.setopt<CURLOPT_WRITEDATA>(body);
        return handle;
    }

    /// Runs the transfers to their end, and reads nothing.
    static void finish(multi& transfers) {
        const patience patience;
        while (transfers.perform() > 0) {
            patience.check();
            transfers.poll(std::chrono::milliseconds(100));
        }
    }
};

} // namespace curlicue::test
