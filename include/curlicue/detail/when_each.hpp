// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/when.hpp>

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace curlicue::detail {

/// What a tuple or a variant has of a `T`.
template <class T> using part = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

/// `when_all` of several types.
template <class... Ts> struct when_each_rule : keep_inputs {
    using value_type = std::tuple<result<Ts>...>;

    static void input_ready(auto&, std::size_t) noexcept {}
    static void all_ready(auto& owner) noexcept {
        owner.conclude([&] { return take(owner, std::index_sequence_for<Ts...>()); });
    }
    template <std::size_t... Is>
    static result<value_type> take(auto& owner, std::index_sequence<Is...>) {
        return value_type(owner.template take<Ts>(Is)...);
    }
};

/// `race` of several types.
template <class... Ts> struct race_each_rule : cancel_inputs {
    using value_type = std::variant<part<Ts>...>;

    static void input_ready(auto& owner, std::size_t index) noexcept {
        owner.conclude([&] { return take(owner, index, std::index_sequence_for<Ts...>()); });
    }

private:
    template <class Owner, std::size_t... Is>
    static result<value_type> take(Owner& owner, std::size_t index, std::index_sequence<Is...>) {
        constexpr std::array<result<value_type> (*)(Owner&), sizeof...(Ts)> each{
            &take_one<Is, Ts, Owner>...};
        return each[index](owner);
    }
    template <std::size_t I, class T, class Owner>
    static result<value_type> take_one(Owner& owner) {
        auto won = owner.template take<T>(I);
        if (!won)
            return won.why();
        if constexpr (std::is_void_v<T>)
            return value_type(std::in_place_index<I>);
        else
            return value_type(std::in_place_index<I>, std::move(won).value());
    }
};

} // namespace curlicue::detail
