// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/future.hpp>

namespace curlicue {

/// What `when_any` gives: which came first, its outcome, and the others in their order.
template <class T, class Future = future<T>> struct any_result {
    std::size_t index = 0;
    result<T> value;
    std::vector<Future> rest;
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
concept future_range = std::ranges::input_range<std::remove_cvref_t<Range>> &&
    any_future<future_of<Range>> &&
    (is_shared<future_of<Range>> || !std::is_lvalue_reference_v<Range>);

/// The states of all futures of `range`; taken only when every one is valid.
template <future_range Range> states<value_of<Range>> states_of(Range&& range) {
    states<value_of<Range>> all;
    for (auto& each : range)
        all.push_back(each.checked());
    if constexpr (!is_shared<future_of<Range>>)
        for (auto& each : range)
            each = {};
    return all;
}

template <class Rule, class T>
future<typename Rule::value_type> combine(states<T> sources, bool shared) {
    auto state =
        make_intrusive<when_state<T, typename Rule::value_type, Rule>>(std::move(sources), shared);
    state->start();
    return future<typename Rule::value_type>(std::move(state));
}

template <class Rule, future_range Range> auto combine_range(Range&& range) {
    return combine<Rule, value_of<Range>>(states_of(std::forward<Range>(range)),
                                          is_shared<future_of<Range>>);
}

template <class Rule, future_range Range> auto combine_nonempty(Range&& range, const char* what) {
    auto sources = states_of(std::forward<Range>(range));
    if (sources.empty())
        throw usage_error(errc::no_state, what);
    return combine<Rule, value_of<Range>>(std::move(sources), is_shared<future_of<Range>>);
}

/// The futures of a pack, as a range.
template <any_future First, std::same_as<First>... Rest>
std::vector<First> pack(First&& first, Rest&&... rest) {
    std::vector<First> all;
    all.reserve(1 + sizeof...(rest));
    all.push_back(std::move(first));
    (all.push_back(std::move(rest)), ...);
    return all;
}

} // namespace detail

/// The outcome of every future of `range`, in its order. Never fails; cancelling it cancels all.
/// `range` is an rvalue range of `future<T>`, which are consumed, or any range of
/// `shared_future<T>`; several futures of one kind as arguments do as well, here and below.
template <detail::future_range Range> auto when_all(Range&& range) {
    return detail::combine_range<detail::when_all_rule<detail::value_of<Range>>>(
        std::forward<Range>(range));
}

/// The values of all, in their order: `future<std::vector<T>>`, or `future<void>`. The first
/// failure fails it, the others run on.
template <detail::future_range Range> auto gather(Range&& range) {
    return detail::combine_range<detail::gather_rule<detail::value_of<Range>>>(
        std::forward<Range>(range));
}

/// The first to be ready, whichever way, and the others back.
/// @throws usage_error for an empty range
template <detail::future_range Range> auto when_any(Range&& range) {
    using T = detail::value_of<Range>;
    using any = any_result<T, detail::future_of<Range>>;
    return detail::combine_nonempty<detail::when_any_rule<T, any>>(std::forward<Range>(range),
                                                                   "when_any of nothing");
}

/// The outcome of the first to be ready; the others are cancelled.
/// @throws usage_error for an empty range
template <detail::future_range Range> auto race(Range&& range) {
    return detail::combine_nonempty<detail::race_rule<detail::value_of<Range>>>(
        std::forward<Range>(range), "race of nothing");
}

template <detail::any_future... Futures>
    requires(sizeof...(Futures) > 0)
auto when_all(Futures... futures) { return when_all(detail::pack(std::move(futures)...)); }
template <detail::any_future... Futures>
    requires(sizeof...(Futures) > 0)
auto gather(Futures... futures) { return gather(detail::pack(std::move(futures)...)); }
template <detail::any_future... Futures>
    requires(sizeof...(Futures) > 0)
auto when_any(Futures... futures) { return when_any(detail::pack(std::move(futures)...)); }
template <detail::any_future... Futures>
    requires(sizeof...(Futures) > 0)
auto race(Futures... futures) { return race(detail::pack(std::move(futures)...)); }

/// A future that is cancelled when it goes out of scope.
template <class T> class [[nodiscard]] scoped_future : public future<T> {
public:
    explicit scoped_future(future<T> source) noexcept : future<T>(std::move(source)) {}
    scoped_future(scoped_future&&) noexcept = default;
    scoped_future& operator=(scoped_future&& other) noexcept {
        this->cancel();
        future<T>::operator=(std::move(other));
        return *this;
    }
    scoped_future(const scoped_future&) = delete;
    scoped_future& operator=(const scoped_future&) = delete;
    ~scoped_future() { this->cancel(); }
};

template <class T> scoped_future<T> scoped(future<T> source) {
    return scoped_future<T>(std::move(source));
}

} // namespace curlicue
