// SPDX-License-Identifier: MIT
#pragma once

#include "value.hpp"

#include <utility>

#include <node_api.h>

namespace curlicue::node {

/// The producer's end of a JavaScript promise, if there is one: settled once. Whoever has one
/// pending settles it whatever happens, by both of what `environment::run` is given.
class deferred {
public:
    /// A new promise, pending. @throws type_error if one is pending already
    napi_value promise(napi_env env) {
        if (pending())
            throw type_error("this is waited for already");
        napi_value made = nullptr;
        check(env, napi_create_promise(env, &deferred_, &made));
        return made;
    }
    bool pending() const noexcept { return deferred_ != nullptr; }
    void resolve(napi_env env, napi_value value) {
        check(env, napi_resolve_deferred(env, std::exchange(deferred_, nullptr), value));
    }
    /// Nothing if it is settled.
    void reject(napi_env env, napi_value error) {
        if (pending())
            check(env, napi_reject_deferred(env, std::exchange(deferred_, nullptr), error));
    }

private:
    napi_deferred deferred_ = nullptr;
};

} // namespace curlicue::node
