// SPDX-License-Identifier: MIT
// What Node loads: (makeError, most characters in a string, most bytes in an array) is called by
// lib/native.js, once for each environment.
#include "class.hpp"
#include "curl.hpp"
#include "multi.hpp"
#include "transfer.hpp"
#include <curlicue/version.hpp>

namespace curlicue::node {
namespace {

napi_value open(napi_env env, napi_callback_info info) noexcept {
    return called(env, [=] {
        const arguments given(env, info);
        given.where.begin(given[0],
                          {static_cast<std::size_t>(given.number(1, "the longest string")),
                           static_cast<std::size_t>(given.number(2, "the longest array"))});
        return undefined(env);
    });
}

napi_value option_numbers(napi_env env) {
    napi_value numbers = nullptr;
    check(env, napi_create_object(env, &numbers));
    const curl_easyoption* option = nullptr;
    while ((option = curl_easy_option_next(option)) != nullptr)
        set_property(env, numbers, option->name, number(env, option->id));
    return numbers;
}

napi_value exports(napi_env env, napi_value exports) {
    environment::open(env);
    napi_value make = nullptr;
    check(env, napi_create_function(env, "open", NAPI_AUTO_LENGTH, &open, nullptr, &make));
    set_property(env, exports, "open", make);
    set_property(env, exports, "Curl", curl::define(env));
    set_property(env, exports, "AsyncCurlMulti", multi::define(env));
    set_property(env, exports, "Transfer", transfer::define(env));
    set_property(env, exports, "options", option_numbers(env));
    set_property(env, exports, "curlVersion", string(env, curl_version()));
    return exports;
}

} // namespace
} // namespace curlicue::node

NAPI_MODULE_INIT() {
    try {
        return curlicue::node::exports(env, exports);
    } catch (const std::exception& failure) {
        napi_throw_error(env, nullptr, failure.what());
        return nullptr;
    }
}
