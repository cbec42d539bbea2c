// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/state.hpp>

#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

namespace curlicue::detail {

/// What a combinator waits for.
struct combined {
    intrusive_ptr<state_base> source;
    bool shared; ///< by other branches
};

/// The executor for what comes of several states: that of the first whose executor is alive.
inline intrusive_ptr<executor_link> common_link(const std::vector<combined>& all) noexcept {
    for (const auto& each : all)
        if (each.source->link() && !each.source->link()->gone())
            return each.source->link();
    return nullptr;
}

/// The state of a future over several others: `Rule` says which of them decide it, and how.
///
/// `Rule::input_ready(owner, index)` is called for each input as it becomes ready,
/// `Rule::all_ready` after the last of them, on whatever threads make them ready;
/// `Rule::abandon(source, waiter)` for each input that is not needed any more, true if `waiter`
/// will still be told. With `Rule::hands_back` the inputs that were not taken are not observed;
/// with `Rule::waits_for_all` it is ready when each input is, or was left to others.
///
/// Of what types the inputs are the rule alone knows.
template <class Rule> class when_state final : public state<typename Rule::value_type> {
public:
    explicit when_state(std::vector<combined> all)
        : state<typename Rule::value_type>(common_link(all)), remaining_(all.size() + 1) {
        inputs_.reserve(all.size());
        for (auto& each : all)
            inputs_.emplace_back(*this, std::move(each));
    }

    void start() noexcept {
        const auto kept = intrusive_ptr<when_state>::share(this);
        bool others = false;
        for (auto& each : inputs_) {
            if (!Rule::hands_back)
                each.source->observe();
            if (each.shared)
                each.source->add_sharer();
            if (each.source->link() != this->link())
                others = true;
            this->retain();
        }
        if (others) // which do not end with ours
            this->end_with_executor();
        for (auto& each : inputs_)
            each.source->attach(each);
        if (this->fixed())
            abandon(); // those that were attached after the decision
        one_less();
    }

    std::size_t size() const noexcept { return inputs_.size(); }
    template <class T> result<T> take(std::size_t index) noexcept {
        auto& source = input_of<T>(index);
        source.observe();
        return source.take_noexcept();
    }
    template <class T> std::optional<failure> error(std::size_t index) const noexcept {
        return input_of<T>(index).error();
    }

    /// For rules: decides the outcome, unless that has happened: `make()` returns it.
    template <class Make> void conclude(Make&& make) noexcept {
        if (!this->fix())
            return;
        try {
            this->store(make());
        } catch (...) {
            this->store(failure(std::current_exception()));
        }
        abandon();
        if (!Rule::waits_for_all)
            this->settle();
    }

    /// The sources of all inputs but one, in their order.
    template <class T>
    std::vector<intrusive_ptr<state<T>>> sources_without(std::size_t index) const {
        std::vector<intrusive_ptr<state<T>>> rest;
        rest.reserve(inputs_.size());
        for (std::size_t i = 0; i != inputs_.size(); ++i)
            if (i != index)
                rest.push_back(intrusive_ptr<state<T>>::share(&input_of<T>(i)));
        return rest;
    }

private:
    struct input final : continuation {
        input(when_state& owner_, combined&& one) noexcept
            : owner(owner_), source(std::move(one.source)), shared(one.shared) {}
        input(input&& other) noexcept
            : owner(other.owner), source(std::move(other.source)), shared(other.shared) {}

        void source_ready() noexcept override {
            Rule::input_ready(owner, static_cast<std::size_t>(this - owner.inputs_.data()));
            gone();
        }
        void gone() noexcept {
            if (shared)
                source->drop_sharer();
            owner.one_less();
            owner.release();
        }

        when_state& owner;
        const intrusive_ptr<state_base> source;
        const bool shared;
    };

    template <class T> state<T>& input_of(std::size_t index) const noexcept {
        return static_cast<state<T>&>(*inputs_[index].source);
    }

    ~when_state() override = default;

    void abandon() noexcept {
        for (auto& each : inputs_)
            if (!Rule::abandon(*each.source, each))
                each.gone();
    }

    void one_less() noexcept {
        if (remaining_.fetch_sub(1, std::memory_order_acq_rel) != 1)
            return;
        if (!this->fixed())
            Rule::all_ready(*this);
        if (Rule::waits_for_all || this->cancelled())
            this->settle();
    }

    intrusive_ptr<state_base> cancel_requested() noexcept override {
        // Each input may be the last to end, and this with it.
        const auto kept = intrusive_ptr<when_state>::share(this);
        remaining_.fetch_add(1, std::memory_order_relaxed);
        for (auto& each : inputs_)
            if (!each.source->cancel_for(each))
                each.gone();
        one_less();
        return nullptr;
    }

    std::vector<input> inputs_;
    std::atomic<std::size_t> remaining_;
};

// What the rules of `when_all` and `gather` share: inputs run on, whatever the others do.
struct keep_inputs {
    static constexpr bool hands_back = false;
    static constexpr bool waits_for_all = false;
    static bool abandon(state_base&, continuation&) noexcept { return true; }
};

template <class T> struct when_all_rule : keep_inputs {
    using value_type = std::vector<result<T>>;

    static void input_ready(auto&, std::size_t) noexcept {}
    static void all_ready(auto& owner) noexcept {
        owner.conclude([&] {
            value_type all;
            all.reserve(owner.size());
            for (std::size_t i = 0; i != owner.size(); ++i)
                all.push_back(owner.template take<T>(i));
            return result<value_type>(std::move(all));
        });
    }
};

template <class T> struct gather_rule : keep_inputs {
    using value_type = std::vector<T>;

    static void input_ready(auto& owner, std::size_t index) noexcept {
        if (auto why = owner.template error<T>(index))
            owner.conclude([&] { return result<value_type>(*std::move(why)); });
    }
    static void all_ready(auto& owner) noexcept {
        owner.conclude([&] {
            value_type all;
            all.reserve(owner.size());
            for (std::size_t i = 0; i != owner.size(); ++i)
                all.push_back(owner.template take<T>(i).value());
            return result<value_type>(std::move(all));
        });
    }
};

template <> struct gather_rule<void> : keep_inputs {
    using value_type = void;

    static void input_ready(auto& owner, std::size_t index) noexcept {
        if (auto why = owner.template error<void>(index))
            owner.conclude([&] { return result<void>(*std::move(why)); });
    }
    static void all_ready(auto& owner) noexcept {
        owner.conclude([] { return result<void>(); });
    }
};

/// The first one decides, the others are handed back as futures of kind `Future`.
template <class T, class Any> struct when_any_rule {
    using value_type = Any;
    static constexpr bool hands_back = true;
    static constexpr bool waits_for_all = false;

    static bool abandon(state_base& source, continuation& waiter) noexcept {
        return !source.detach(waiter);
    }
    static void input_ready(auto& owner, std::size_t index) noexcept {
        owner.conclude([&] {
            Any any{index, owner.template take<T>(index), {}};
            for (auto& source : owner.template sources_without<T>(index))
                any.rest.emplace_back(std::move(source));
            return result<Any>(std::move(any));
        });
    }
    static void all_ready(auto&) noexcept {}
};

// What the rules of `race` share: the first one decides, the others are cancelled, and let go
// before it is ready.
struct cancel_inputs {
    static constexpr bool hands_back = false;
    static constexpr bool waits_for_all = true;

    static bool abandon(state_base& source, continuation& waiter) noexcept {
        return source.cancel_for(waiter);
    }
    static void all_ready(auto&) noexcept {}
};

template <class T> struct race_rule : cancel_inputs {
    using value_type = T;

    static void input_ready(auto& owner, std::size_t index) noexcept {
        owner.conclude([&] { return owner.template take<T>(index); });
    }
};

} // namespace curlicue::detail
