// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/when_each.hpp>
#include <curlicue/future.hpp>

namespace curlicue {

/// What `when_any` gives.
template <class T, class Future = future<T>> struct any_result {
    std::size_t index = 0;    ///< which came first
    result<T> value;          ///< its outcome
    std::vector<Future> rest; ///< the others, in their order
};

namespace detail {

template <class Future>
concept any_future = requires {
    typename Future::value_type;
}
&&(std::same_as<Future, future<typename Future::value_type>> ||
   std::same_as<Future, shared_future<typename Future::value_type>>);

template <class Future> inline constexpr bool is_shared = false;
template <class T> inline constexpr bool is_shared<shared_future<T>> = true;

template <class Range> using future_of = std::ranges::range_value_t<std::remove_cvref_t<Range>>;
template <class Range> using value_of = typename future_of<Range>::value_type;

/// An rvalue range of futures, which are consumed, or any range of shared ones.
template <class Range>
concept future_range = std::ranges::input_range<Range> && any_future<future_of<Range>> &&
    (is_shared<future_of<Range>> ||
     (std::ranges::forward_range<Range> && !std::is_lvalue_reference_v<Range> &&
      std::same_as<std::ranges::range_reference_t<Range>, future_of<Range>&>));

/// The states of all futures of `range`; taken only when every one is valid.
template <future_range Range> std::vector<combined> states_of(Range&& range) {
    std::vector<combined> all;
    for (auto&& each : range)
        all.push_back({each.checked(), is_shared<future_of<Range>>});
    if constexpr (!is_shared<future_of<Range>>)
        for (auto& each : range)
            each = {};
    return all;
}

template <class Rule> future<typename Rule::value_type> combine(std::vector<combined> all) {
    auto state = make_intrusive<when_state<Rule>>(std::move(all));
    state->start();
    return future<typename Rule::value_type>(std::move(state));
}

template <class Rule, future_range Range> auto combine_range(Range&& range) {
    return combine<Rule>(states_of(std::forward<Range>(range)));
}

template <class Rule, future_range Range> auto combine_nonempty(Range&& range, const char* what) {
    auto all = states_of(std::forward<Range>(range));
    if (all.empty())
        throw usage_error(errc::no_state, what);
    return combine<Rule>(std::move(all));
}

template <class Rule, any_future... Futures> auto combine_pack(const Futures&... futures) {
    return combine<Rule>({combined{futures.checked(), is_shared<Futures>}...});
}

/// Futures of which one at the least is of another type than the first.
template <class First, class... More>
concept mixed_futures = any_future<First> &&(any_future<More>&&...) &&
                        !(std::same_as<First, More> && ...);

/// The futures of a pack, as a range.
template <class Future, std::same_as<Future>... More>
std::vector<Future> pack(Future first, More... more) {
    std::vector<Future> all;
    all.reserve(1 + sizeof...(more));
    all.push_back(std::move(first));
    (all.push_back(std::move(more)), ...);
    return all;
}

} // namespace detail

/// The outcome of every future of `range`, in its order. Never fails.
///
/// Cancelling this or one of the next three cancels all of its inputs, and it is ready when all
/// have let go.
///
/// For this and the next three: `range` is an rvalue range of `future<T>`, which are consumed, or
/// any range of `shared_future<T>`; several futures of one type as arguments do as well. Where they
/// belong to several executors, what comes of them belongs to the first that is still there.
/// @throws usage_error{errc::no_state} if one of them is empty; all are as they were then
/// @threading as `future::then`: on any thread
template <detail::future_range Range> auto when_all(Range&& range) {
    return detail::combine_range<detail::when_all_rule<detail::value_of<Range>>>(
        std::forward<Range>(range));
}

/// The values of all, in their order: `future<std::vector<T>>`, or `future<void>`. The first
/// failure fails it, at once, as asyncio's: the others run on, and what they use must outlive them.
template <detail::future_range Range> auto gather(Range&& range) {
    return detail::combine_range<detail::gather_rule<detail::value_of<Range>>>(
        std::forward<Range>(range));
}

/// The first to be ready, whichever way, and the others back: they run on.
/// @throws usage_error{errc::no_state} for an empty range
template <detail::future_range Range> auto when_any(Range&& range) {
    using T = detail::value_of<Range>;
    using any = any_result<T, detail::future_of<Range>>;
    return detail::combine_nonempty<detail::when_any_rule<T, any>>(std::forward<Range>(range),
                                                                   "when_any of nothing");
}

/// The outcome of the first to be ready, whichever way; the others are cancelled, and it is ready
/// when they have let go.
/// @throws usage_error{errc::no_state} for an empty range
template <detail::future_range Range> auto race(Range&& range) {
    return detail::combine_nonempty<detail::race_rule<detail::value_of<Range>>>(
        std::forward<Range>(range), "race of nothing");
}

template <detail::any_future Future, std::same_as<Future>... More>
auto when_all(Future first, More... more) {
    return when_all(detail::pack(std::move(first), std::move(more)...));
}
/// Of several types: a `std::tuple` of the results, in the order of the arguments.
template <class First, class... More>
    requires detail::mixed_futures<First, More...>
auto when_all(First first, More... more) {
    using rule = detail::when_each_rule<typename First::value_type, typename More::value_type...>;
    return detail::combine_pack<rule>(first, more...);
}
template <detail::any_future Future, std::same_as<Future>... More>
auto gather(Future first, More... more) {
    return gather(detail::pack(std::move(first), std::move(more)...));
}
template <detail::any_future Future, std::same_as<Future>... More>
auto when_any(Future first, More... more) {
    return when_any(detail::pack(std::move(first), std::move(more)...));
}
template <detail::any_future Future, std::same_as<Future>... More>
auto race(Future first, More... more) {
    return race(detail::pack(std::move(first), std::move(more)...));
}
/// Of several types: a `std::variant` of their values, whose index tells which argument was first;
/// `std::monostate` stands for the value of a `future<void>`.
template <class First, class... More>
    requires detail::mixed_futures<First, More...>
auto race(First first, More... more) {
    using rule = detail::race_each_rule<typename First::value_type, typename More::value_type...>;
    return detail::combine_pack<rule>(first, more...);
}

/// A future that is cancelled when it goes out of scope, or is assigned another. Moved into a plain
/// future, or consumed by `then` and its kin, it is not.
///
/// Off the executor's thread that waits until the producer has let go: what a transfer writes to
/// may end right after it. On the executor's thread nothing can be waited for: a transfer lets go
/// there and then, unless that is inside a callback of libcurl's; a task goes on until it has
/// ended.
template <class T> class [[nodiscard]] scoped_future : public future<T> {
public:
    explicit scoped_future(future<T> source) noexcept : future<T>(std::move(source)) {}
    scoped_future(scoped_future&&) noexcept = default;
    scoped_future& operator=(scoped_future&& other) noexcept {
        end();
        future<T>::operator=(std::move(other));
        return *this;
    }
    scoped_future(const scoped_future&) = delete;
    scoped_future& operator=(const scoped_future&) = delete;
    ~scoped_future() { end(); }

private:
    void end() noexcept {
        if (this->state_)
            this->state_->cancel_and_wait();
    }
};

/// `source`, to be cancelled at the end of the scope.
template <class T> scoped_future<T> scoped(future<T> source) {
    return scoped_future<T>(std::move(source));
}

} // namespace curlicue
