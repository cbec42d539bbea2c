// SPDX-License-Identifier: MIT
#include "environment.hpp"

#include "multi.hpp"
#include "told_failure.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace curlicue::node {

environment::environment(napi_env env) : env_(env) {
    check(env, napi_get_uv_event_loop(env, &loop_));
    check(env, napi_async_init(env, nullptr, string(env, "curlicue"), &context_));
}

environment& environment::open(napi_env env) {
    auto owner = std::make_unique<std::shared_ptr<environment>>(std::make_shared<environment>(env));
    auto& opened = **owner;
    check(env, napi_add_async_cleanup_hook(env, &end, &opened, &opened.cleanup_));
    check(env, napi_set_instance_data(
                   env, owner.release(),
                   [](napi_env, void* data, void*) {
                       delete static_cast<std::shared_ptr<environment>*>(data);
                   },
                   nullptr));
    return opened;
}

environment& environment::of(napi_env env) {
    void* data = nullptr;
    napi_get_instance_data(env, &data);
    return **static_cast<std::shared_ptr<environment>*>(data);
}

void* environment::enter(void* self) noexcept {
    auto& here = *static_cast<environment*>(self);
    if (here.entries_++ == 0)
        here.inside_ = here.shared_from_this();
    return nullptr;
}

void environment::leave(void* self, void* /*token*/) noexcept {
    auto& here = *static_cast<environment*>(self);
    if (--here.entries_ != 0)
        return;
    const auto kept = std::exchange(here.inside_, nullptr);
    if (!std::exchange(here.scope_is_open_, false))
        return;
    // Code of the user's runs in the first of these, and may come back here.
    const auto handles = here.handles_;
    napi_close_callback_scope(here.env_, std::exchange(here.scope_, nullptr));
    napi_close_handle_scope(here.env_, handles);
}

void environment::enter_js() {
    if (ending_ || finalizing_)
        throw std::runtime_error("JavaScript cannot be called now");
    if (entries_ != 0 && !scope_is_open_) // else called by JavaScript, or open already
        open_scope();
}

void environment::open_scope() {
    check(env_, napi_open_handle_scope(env_, &handles_));
    napi_value resource = nullptr;
    auto status = napi_create_object(env_, &resource);
    if (status == napi_ok)
        status = napi_open_callback_scope(env_, resource, context_, &scope_);
    scope_is_open_ = status == napi_ok;
    if (!scope_is_open_)
        napi_close_handle_scope(env_, handles_);
    check(env_, status);
}

napi_value environment::error(const std::exception_ptr& failure, bool body_began) {
    try {
        try {
            std::rethrow_exception(failure);
        } catch (const js_exception&) {
            throw;
        } catch (const std::exception& other) {
            return made_error(other, body_began);
        } catch (...) {
            return made_error(std::runtime_error("unknown failure"), false);
        }
    } catch (const js_exception& thrown) { // also where the error cannot be made
        return thrown.value();
    }
}

std::string environment::redirected(const std::string& from, std::string_view location) {
    enter_js();
    const std::array given = {string(env_, from), latin1(env_, location)};
    napi_value to = nullptr;
    check(env_, napi_call_function(env_, undefined(env_), redirect_->value(), given.size(),
                                   given.data(), &to));
    return to_string(env_, to, "a URL");
}

napi_value environment::made_error(const std::exception& failure, bool body_began) {
    const told_failure told(failure, body_began);
    const auto cause = told.nested ? error(told.nested) : undefined(env_);
    const std::array given = {string(env_, told.category), number(env_, told.code),
                              string(env_, told.words),    string(env_, told.phase),
                              number(env_, told.os_error), number(env_, told.attempts),
                              string(env_, told.limit),    cause};
    napi_value made = nullptr;
    check(env_, napi_call_function(env_, undefined(env_), make_error_->value(), given.size(),
                                   given.data(), &made));
    return made;
}

void environment::throw_js(const std::exception_ptr& failure) noexcept {
    try {
        napi_throw(env_, error(failure));
    } catch (...) {
        // JavaScript is being ended, and has an exception for that.
    }
}

void environment::closing(multi& one, future<void> closed) noexcept {
    std::erase(multis_, &one);
    ++closing_;
    // It may be ready, and then runs at once.
    static_cast<void>(std::move(closed).then_result([self = shared_from_this()](auto&&) {
        --self->closing_;
        self->end_if_closed();
    }));
}

// Called before JavaScript's objects are finalized, which does not wait for us; then Node runs the
// loop until the hook is removed.
void environment::end(napi_async_cleanup_hook_handle /*handle*/, void* self) noexcept {
    auto& here = *static_cast<environment*>(self);
    const auto kept = here.shared_from_this();
    here.make_error_.reset(); // these keep us
    here.redirect_.reset();
    here.ending_ = true;
    napi_async_destroy(here.env_, here.context_);
    while (!here.multis_.empty())
        here.multis_.back()->end();
    here.end_if_closed();
}

void environment::end_if_closed() noexcept {
    if (ending_ && closing_ == 0)
        napi_remove_async_cleanup_hook(std::exchange(cleanup_, nullptr));
}

} // namespace curlicue::node
