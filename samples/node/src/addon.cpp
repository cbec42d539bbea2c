// SPDX-License-Identifier: MIT
// What Node loads: `open(makeError, redirect, most characters in a string, most bytes in an array)`
// is called by lib/native.js, once for each environment; `rest()` when nobody fetches.
#include "class.hpp"
#include "client.hpp"
#include "curl.hpp"
#include "multi.hpp"
#include "transfer.hpp"
#include <curlicue/version.hpp>

namespace curlicue::node {
namespace {

napi_value open(napi_env env, napi_callback_info info) noexcept {
    return called(env, [=] {
        const arguments given(env, info);
        given.where.begin(given[0], given[1],
                          {static_cast<std::size_t>(given.number(2, "the longest string")),
                           static_cast<std::size_t>(given.number(3, "the longest array"))});
        return undefined(env);
    });
}

napi_value rest(napi_env env, napi_callback_info info) noexcept {
    return called(env, [=] {
        arguments(env, info).where.memory()->rest();
        return undefined(env);
    });
}

void set_function(napi_env env, napi_value exports, const char* name, napi_callback function) {
    napi_value made = nullptr;
    check(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &made));
    set_property(env, exports, name, made);
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
    set_function(env, exports, "open", &open);
    set_function(env, exports, "rest", &rest);
    set_property(env, exports, "Curl", curl::define(env));
    set_property(env, exports, "AsyncCurlMulti", multi::define(env));
    set_property(env, exports, "Client", fetch_client::define(env));
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
