// SPDX-License-Identifier: MIT
#include "curl_functions.hpp"

#include "scope.hpp"

#include <climits>
#include <cstring>

namespace curlicue::node {
namespace {

napi_value kept_by(napi_env env, napi_value object) {
    napi_value functions = nullptr, symbol = nullptr;
    check(env, napi_create_object(env, &functions));
    check(env, napi_create_symbol(env, string(env, "functions"), &symbol));
    check(env, napi_set_property(env, object, symbol, functions));
    return functions;
}

std::string returned_by(CURLoption option) { return "what " + name_of(option) + " returns"; }

bool is_undefined(napi_env env, napi_value value) { return type_of(env, value) == napi_undefined; }

/// What a function returned that answers with a number; undefined is 0.
int answer(napi_env env, CURLoption option, napi_value returned, int least, int most) {
    if (is_undefined(env, returned))
        return 0;
    return static_cast<int>(to_whole(env, returned, returned_by(option).c_str(), least, most));
}

std::size_t fill(std::span<char> buffer, std::span<const std::byte> data) {
    if (data.size() > buffer.size())
        throw type_error("READFUNCTION returned more than it was asked for");
    if (!data.empty())
        std::memcpy(buffer.data(), data.data(), data.size());
    return data.size();
}

} // namespace

curl_functions::curl_functions(environment& where, napi_value object)
    : where_(where.shared_from_this()),
      functions_(where.env(), kept_by(where.env(), object), reference::strength::weak) {}

napi_value curl_functions::call(CURLoption option, std::initializer_list<napi_value> given) const {
    const auto env = where_->env();
    const auto functions = functions_.value();
    if (functions == nullptr)
        throw std::runtime_error("the Curl was collected");
    const auto function = element(env, functions, static_cast<std::uint32_t>(option));
    napi_value returned = nullptr;
    check(env, napi_call_function(env, undefined(env), function, given.size(), given.begin(),
                                  &returned));
    return returned;
}

// Of WRITEFUNCTION and HEADERFUNCTION.
std::size_t curl_functions::taken(CURLoption option, std::size_t size, napi_value chunk) const {
    const auto env = where_->env();
    const auto returned = call(option, {chunk});
    if (is_undefined(env, returned))
        return size;
    double count = 0;
    if (napi_get_value_double(env, returned, &count) == napi_ok && count == CURL_WRITEFUNC_PAUSE)
        return CURL_WRITEFUNC_PAUSE;
    return static_cast<std::size_t>(
        to_whole(env, returned, returned_by(option).c_str(), 0, static_cast<std::int64_t>(size)));
}

std::size_t curl_functions::read(std::span<char> buffer) const {
    const auto env = where_->env();
    const auto returned =
        call(CURLOPT_READFUNCTION, {number(env, static_cast<double>(buffer.size()))});
    double count = 0;
    switch (type_of(env, returned)) {
    case napi_undefined:
    case napi_null:
        return 0;
    case napi_number: // any other would be taken for the size of what is in the buffer
        check(env, napi_get_value_double(env, returned, &count));
        if (count != CURL_READFUNC_PAUSE && count != CURL_READFUNC_ABORT)
            throw type_error("READFUNCTION returned a number that is neither READFUNC_PAUSE nor "
                             "READFUNC_ABORT; it has to return the bytes themselves");
        return static_cast<std::size_t>(count);
    case napi_string: {
        const auto text = to_string(env, returned, "what READFUNCTION returns");
        return fill(buffer, std::as_bytes(std::span(text)));
    }
    default:
        return fill(buffer, to_bytes(env, returned, "what READFUNCTION returns"));
    }
}

void curl_functions::set(easy& handle, CURLoption option, napi_value function) {
    set_callback(handle, option);
    const auto env = where_->env();
    check(env,
          napi_set_element(env, functions_.value(), static_cast<std::uint32_t>(option), function));
}

void curl_functions::set_callback(easy& handle, CURLoption option) {
    const auto self = shared_from_this();
    const auto env = where_->env();
    switch (option) {
    case CURLOPT_WRITEFUNCTION:
        handle.setopt<CURLOPT_WRITEFUNCTION>([self, env](std::span<const char> data) {
            const js_scope scope(*self->where_);
            self->body_began = true;
            return self->taken(CURLOPT_WRITEFUNCTION, data.size(), copy_of(env, data));
        });
        break;
    case CURLOPT_HEADERFUNCTION:
        handle.setopt<CURLOPT_HEADERFUNCTION>([self, env](std::string_view line) {
            const js_scope scope(*self->where_);
            return self->taken(CURLOPT_HEADERFUNCTION, line.size(), latin1(env, line));
        });
        break;
    case CURLOPT_READFUNCTION:
        handle.setopt<CURLOPT_READFUNCTION>([self](std::span<char> buffer) {
            const js_scope scope(*self->where_);
            return self->read(buffer);
        });
        break;
    case CURLOPT_SEEKFUNCTION:
        handle.setopt<CURLOPT_SEEKFUNCTION>([self, env](curl_off_t offset, int origin) {
            const js_scope scope(*self->where_);
            const auto returned =
                self->call(CURLOPT_SEEKFUNCTION,
                           {number(env, static_cast<double>(offset)), number(env, origin)});
            return answer(env, CURLOPT_SEEKFUNCTION, returned, CURL_SEEKFUNC_OK,
                          CURL_SEEKFUNC_CANTSEEK);
        });
        break;
    case CURLOPT_XFERINFOFUNCTION:
        handle.setopt<CURLOPT_XFERINFOFUNCTION>([self, env](curl_off_t down, curl_off_t downloaded,
                                                            curl_off_t up, curl_off_t uploaded) {
            const js_scope scope(*self->where_);
            const auto size = [&](curl_off_t value) {
                return number(env, static_cast<double>(value));
            };
            const auto returned = self->call(
                CURLOPT_XFERINFOFUNCTION, {size(down), size(downloaded), size(up), size(uploaded)});
            return answer(env, CURLOPT_XFERINFOFUNCTION, returned, INT_MIN, INT_MAX);
        });
        break;
    case CURLOPT_DEBUGFUNCTION:
        handle.setopt<CURLOPT_DEBUGFUNCTION>(
            [self, env](curl_infotype type, std::span<const char> data) {
                const js_scope scope(*self->where_);
                const auto returned =
                    self->call(CURLOPT_DEBUGFUNCTION, {number(env, type), copy_of(env, data)});
                if (!is_undefined(env, returned)) // libcurl wants no answer; a promise is a mistake
                    to_number(env, returned, returned_by(CURLOPT_DEBUGFUNCTION).c_str());
            });
        break;
    default:
        throw type_error(name_of(option) + " takes no function here");
    }
}

} // namespace curlicue::node
