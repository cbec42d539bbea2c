// SPDX-License-Identifier: MIT
#pragma once

#include "environment.hpp"
#include "value.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <memory>

#include <node_api.h>

namespace curlicue::node {

/// A call from JavaScript: what was given, and `undefined` for what was not.
class arguments {
public:
    arguments(napi_env env, napi_callback_info info) : env(env), where(environment::of(env)) {
        std::size_t given = values_.size();
        check(env, napi_get_cb_info(env, info, &given, values_.data(), &self, nullptr));
    }

    napi_value operator[](std::size_t index) const noexcept { return values_[index]; }
    bool has(std::size_t index) const { return type_of(env, values_[index]) != napi_undefined; }
    /// @throws type_error
    std::string text(std::size_t index, const char* what) const {
        return to_string(env, values_[index], what);
    }
    double number(std::size_t index, const char* what) const {
        return to_number(env, values_[index], what);
    }
    std::int64_t whole(std::size_t index, const char* what, std::int64_t least,
                       std::int64_t most) const {
        return to_whole(env, values_[index], what, least, most);
    }

    const napi_env env;
    environment& where;
    napi_value self = nullptr;

private:
    std::array<napi_value, 8> values_{};
};

/// Runs what JavaScript called; what it throws is thrown there.
template <class Call> napi_value called(napi_env env, Call call) noexcept {
    try {
        return call();
    } catch (...) {
        environment::of(env).throw_js(std::current_exception());
        return nullptr;
    }
}

/// A class of JavaScript's, each of whose objects has a `T`, made by `T(const arguments&)`, which
/// is told by `collected()` when the object is gone. By `T::tag` and the environment its objects
/// are told from others: of other classes, of other addons, and of a second copy of this one, which
/// has an environment of its own. *Ownership:* shared with what C++ has still to do with it.
template <class T> class js_class {
public:
    template <napi_value (T::*Method)(const arguments&)>
    static constexpr napi_property_descriptor method(const char* name) {
        return {name,    nullptr, trampoline<Method>,  nullptr,
                nullptr, nullptr, napi_default_method, nullptr};
    }
    template <napi_value (T::*Getter)(const arguments&)>
    static constexpr napi_property_descriptor getter(const char* name) {
        return {name,    nullptr, nullptr,      getter_trampoline<Getter>,
                nullptr, nullptr, napi_default, nullptr};
    }

    /// @returns the class
    static napi_value define(napi_env env, const char* name,
                             std::initializer_list<napi_property_descriptor> members) {
        napi_value defined = nullptr;
        check(env, napi_define_class(env, name, NAPI_AUTO_LENGTH, &construct, nullptr,
                                     members.size(), members.begin(), &defined));
        return defined;
    }

    /// @throws type_error if it is no object of this class
    static const std::shared_ptr<T>& of(environment& where, napi_value object, const char* what) {
        const auto env = where.env();
        const auto tag = tag_in(where);
        bool ours = false;
        if (type_of(env, object) == napi_object)
            check(env, napi_check_object_type_tag(env, object, &tag, &ours));
        if (!ours)
            throw type_error(what);
        return unwrapped(env, object);
    }

private:
    static napi_type_tag tag_in(environment& where) noexcept {
        return {reinterpret_cast<std::uintptr_t>(&where), T::tag};
    }
    static const std::shared_ptr<T>& unwrapped(napi_env env, napi_value object) {
        void* pointer = nullptr;
        check(env, napi_unwrap(env, object, &pointer));
        return *static_cast<std::shared_ptr<T>*>(pointer);
    }

    static napi_value construct(napi_env env, napi_callback_info info) noexcept {
        return called(env, [=] {
            const arguments given(env, info);
            napi_value target = nullptr;
            check(env, napi_get_new_target(env, info, &target));
            if (target == nullptr)
                throw type_error("a class is called with new");
            auto owner = std::make_unique<std::shared_ptr<T>>(std::make_shared<T>(given));
            const auto tag = tag_in(given.where);
            check(env, napi_type_tag_object(env, given.self, &tag));
            check(env, napi_wrap(env, given.self, owner.get(), &finalize, nullptr, nullptr));
            static_cast<void>(owner.release()); // the JavaScript object's from here on
            return given.self;
        });
    }
    static void finalize(napi_env /*env*/, void* data, void* /*hint*/) noexcept {
        auto* const owner = static_cast<std::shared_ptr<T>*>(data);
        const environment::finalizing now((*owner)->where());
        (*owner)->collected();
        delete owner;
    }

    // Node sees to it that `this` is one of ours before it calls a method, but not with a getter.
    template <napi_value (T::*Getter)(const arguments&)>
    static napi_value getter_trampoline(napi_env env, napi_callback_info info) noexcept {
        return called(env, [=] {
            const arguments given(env, info);
            return (of(given.where, given.self, "Illegal invocation").get()->*Getter)(given);
        });
    }
    template <napi_value (T::*Method)(const arguments&)>
    static napi_value trampoline(napi_env env, napi_callback_info info) noexcept {
        return called(env, [=] {
            const arguments given(env, info);
            return (unwrapped(env, given.self).get()->*Method)(given);
        });
    }
};

} // namespace curlicue::node
