// SPDX-License-Identifier: MIT
// Functions of JavaScript's as callbacks of libcurl's.
#include "curl.hpp"
#include "scope.hpp"

#include <cstring>

namespace curlicue::node {

std::size_t curl::call(CURLoption option, std::size_t otherwise,
                       std::initializer_list<napi_value> given) const {
    const auto env = where_.env();
    const auto function = element(env, functions_->value(), static_cast<std::uint32_t>(option));
    napi_value returned = nullptr;
    check(env, napi_call_function(env, undefined(env), function, given.size(), given.begin(),
                                  &returned));
    if (type_of(env, returned) == napi_undefined)
        return otherwise;
    return static_cast<std::size_t>(to_number(env, returned, "what the function returns"));
}

std::size_t curl::read(std::span<char> buffer) const {
    const auto env = where_.env();
    const auto size = number(env, static_cast<double>(buffer.size()));
    const auto function = element(env, functions_->value(), CURLOPT_READFUNCTION);
    napi_value returned = nullptr;
    check(env, napi_call_function(env, undefined(env), function, 1, &size, &returned));
    switch (type_of(env, returned)) {
    case napi_undefined:
    case napi_null:
        return 0;
    case napi_number: // CURL_READFUNC_PAUSE, CURL_READFUNC_ABORT
        return static_cast<std::size_t>(to_number(env, returned, "what READFUNCTION returns"));
    default:
        const auto data = to_bytes(env, returned, "what READFUNCTION returns");
        if (data.size() > buffer.size())
            throw type_error("READFUNCTION returned more than it was asked for");
        std::memcpy(buffer.data(), data.data(), data.size());
        return data.size();
    }
}

// While libcurl calls, the JavaScript object is kept, and we with it.
void curl::set_function(CURLoption option) {
    const auto env = where_.env();
    switch (option) {
    case CURLOPT_WRITEFUNCTION:
        handle_.setopt<CURLOPT_WRITEFUNCTION>([this, env](std::span<const char> data) {
            const js_scope scope(where_);
            return call(CURLOPT_WRITEFUNCTION, data.size(), {copy_of(env, data)});
        });
        break;
    case CURLOPT_HEADERFUNCTION:
        handle_.setopt<CURLOPT_HEADERFUNCTION>([this, env](std::string_view line) {
            const js_scope scope(where_);
            return call(CURLOPT_HEADERFUNCTION, line.size(), {latin1(env, line)});
        });
        break;
    case CURLOPT_READFUNCTION:
        handle_.setopt<CURLOPT_READFUNCTION>([this](std::span<char> buffer) {
            const js_scope scope(where_);
            return read(buffer);
        });
        break;
    case CURLOPT_SEEKFUNCTION:
        handle_.setopt<CURLOPT_SEEKFUNCTION>([this, env](curl_off_t offset, int origin) {
            const js_scope scope(where_);
            return static_cast<int>(
                call(CURLOPT_SEEKFUNCTION, CURL_SEEKFUNC_OK,
                     {number(env, static_cast<double>(offset)), number(env, origin)}));
        });
        break;
    case CURLOPT_XFERINFOFUNCTION:
        handle_.setopt<CURLOPT_XFERINFOFUNCTION>([this, env](curl_off_t down, curl_off_t downloaded,
                                                             curl_off_t up, curl_off_t uploaded) {
            const js_scope scope(where_);
            const auto size = [&](curl_off_t value) {
                return number(env, static_cast<double>(value));
            };
            return static_cast<int>(call(CURLOPT_XFERINFOFUNCTION, 0,
                                         {size(down), size(downloaded), size(up), size(uploaded)}));
        });
        break;
    case CURLOPT_DEBUGFUNCTION:
        handle_.setopt<CURLOPT_DEBUGFUNCTION>(
            [this, env](curl_infotype type, std::span<const char> data) {
                const js_scope scope(where_);
                call(CURLOPT_DEBUGFUNCTION, 0, {number(env, type), copy_of(env, data)});
            });
        break;
    default:
        throw type_error(name_of(option) + " takes no function here");
    }
}

} // namespace curlicue::node
