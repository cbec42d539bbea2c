// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace curlicue {

/// A move-only `std::function`: what C++23 calls `std::move_only_function`. Callables of up to
/// three pointers that move without throwing live inside it; larger ones cost one allocation.
/// Calling an empty one throws `std::bad_function_call`.
template <class Signature> class unique_function;

template <class R, class... Args> class unique_function<R(Args...)> {
public:
    unique_function() noexcept = default;
    unique_function(std::nullptr_t) noexcept {}

    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, unique_function> &&
                 std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
    unique_function(F&& callable) {
        using Callable = std::decay_t<F>;
        if constexpr (std::is_pointer_v<std::remove_cvref_t<F>> ||
                      std::is_member_pointer_v<Callable>)
            if (callable == nullptr)
                return;
        model<Callable>::construct(storage_, std::forward<F>(callable));
        actions_ = &model<Callable>::actions;
    }

    unique_function(unique_function&& other) noexcept
        : actions_(std::exchange(other.actions_, nullptr)) {
        if (actions_ != nullptr)
            actions_->relocate(other.storage_, storage_);
    }
    unique_function& operator=(unique_function&& other) noexcept {
        if (this != &other) {
            const unique_function old(
                std::move(*this)); // goes last: its destructor may do anything
            std::construct_at(this, std::move(other));
        }
        return *this;
    }
    ~unique_function() {
        if (actions_ != nullptr)
            actions_->destroy(storage_);
    }

    R operator()(Args... args) {
        if (actions_ == nullptr)
            throw std::bad_function_call();
        return actions_->invoke(storage_, std::forward<Args>(args)...);
    }

    explicit operator bool() const noexcept { return actions_ != nullptr; }

private:
    static constexpr std::size_t capacity = 3 * sizeof(void*);
    struct alignas(void*) buffer {
        std::byte bytes[capacity]; // NOLINT(modernize-avoid-c-arrays)
    };

    struct action_table {
        R (*invoke)(buffer&, Args&&...);
        void (*relocate)(buffer& from, buffer& to) noexcept;
        void (*destroy)(buffer&) noexcept;
    };

    template <class Callable> struct model {
        static constexpr bool inlined = sizeof(Callable) <= capacity &&
                                        alignof(Callable) <= alignof(buffer) &&
                                        std::is_nothrow_move_constructible_v<Callable>;
        using stored = std::conditional_t<inlined, Callable, Callable*>;

        static stored& get(buffer& storage) noexcept {
            return *std::launder(reinterpret_cast<stored*>(storage.bytes));
        }
        static Callable& callable(buffer& storage) noexcept {
            if constexpr (inlined)
                return get(storage);
            else
                return *get(storage);
        }
        template <class F> static void construct(buffer& storage, F&& source) {
            if constexpr (inlined)
                ::new (static_cast<void*>(storage.bytes)) Callable(std::forward<F>(source));
            else
                ::new (static_cast<void*>(storage.bytes))
                    stored(new Callable(std::forward<F>(source)));
        }
        static R invoke(buffer& storage, Args&&... args) {
            if constexpr (std::is_void_v<R>)
                std::invoke(callable(storage), std::forward<Args>(args)...);
            else
                return std::invoke(callable(storage), std::forward<Args>(args)...);
        }
        static void relocate(buffer& from, buffer& to) noexcept {
            ::new (static_cast<void*>(to.bytes)) stored(std::move(get(from)));
            get(from).~stored();
        }
        static void destroy(buffer& storage) noexcept {
            if constexpr (inlined)
                get(storage).~stored();
            else
                delete get(storage);
        }
        static constexpr action_table actions{&invoke, &relocate, &destroy};
    };

    const action_table* actions_ = nullptr;
    buffer storage_;
};

} // namespace curlicue
