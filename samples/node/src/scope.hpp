// SPDX-License-Identifier: MIT
#pragma once

#include "environment.hpp"
#include "value.hpp"

namespace curlicue::node {

/// Around a call of JavaScript's inside a callback of libcurl's. What is made meanwhile may be
/// collected afterwards.
class js_scope {
public:
    /// @throws as environment::enter_js
    explicit js_scope(environment& where) : env_(where.env()) {
        where.enter_js();
        check(env_, napi_open_handle_scope(env_, &scope_));
    }
    js_scope(const js_scope&) = delete;
    js_scope& operator=(const js_scope&) = delete;
    ~js_scope() { napi_close_handle_scope(env_, scope_); }

private:
    const napi_env env_;
    napi_handle_scope scope_ = nullptr;
};

} // namespace curlicue::node
