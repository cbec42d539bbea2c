// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/transport.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace curlicue {

namespace detail {
class mock_core;
class mock_rule;
} // namespace detail

/// A request as a mock has seen it.
struct mock_request {
    std::string method, url;
    header_list headers;
    /// What comes piece by piece is here once it has ended; what is multipart, or has not been
    /// taken, never.
    std::string body;
};

/// A transport without a network, for tests: `auto server = std::make_shared<mock>();
/// server->on("GET", "https://api.example/items").reply(200, {}, "[]"); client tested(server);`
///
/// What was not expected fails the request with `errc::unexpected_request`, and is listed. A
/// request that has no answer yet keeps its client and the mock: close the client at the end of a
/// test that leaves some.
/// @threading thread-safe
class CURLICUE_EXPORT mock final : public transport {
public:
    /// What comes of the requests of one kind: a `reply(200)`, unless it says otherwise. Its calls
    /// return it.
    class CURLICUE_EXPORT expectation {
    public:
        expectation& reply(int status, header_list headers = {}, std::string body = {});
        /// `make(const request&)` gives a `response`, or a future or task of one.
        template <std::invocable<const request&> Make> expectation& reply(Make make) {
            using R = std::invoke_result_t<Make&, const request&>;
            if constexpr (detail::makes_task<R>)
                return answer([make = std::move(make)](const request& what,
                                                       curlicue::executor& where) mutable {
                    return co_spawn(where, make(what));
                });
            else if constexpr (std::same_as<R, response>)
                return answer(
                    [make = std::move(make)](const request& what, curlicue::executor&) mutable {
                        return make_ready_future(make(what));
                    });
            else
                return answer(
                    [make = std::move(make)](const request& what,
                                             curlicue::executor&) mutable -> future<response> {
                        return make(what);
                    });
        }
        /// A `fetch_error` with this `CURLcode`.
        expectation& fail(int code);
        /// Not at once; it needs an executor with a timer, or `advance`.
        expectation& after(std::chrono::milliseconds delay);
        /// So often at the most; then the next of its kind has its turn.
        expectation& times(std::size_t count);

    private:
        friend class mock;
        using maker = unique_function<future<response>(const request&, curlicue::executor&)>;
        explicit expectation(std::shared_ptr<detail::mock_rule> rule) noexcept;
        expectation& answer(maker make);

        std::shared_ptr<detail::mock_rule> rule_;
    };

    /// On an executor of its own: what is ready goes on at once, in whoever makes it so, and time
    /// stands still but for `advance`.
    mock();
    explicit mock(curlicue::executor& where);
    ~mock() override;

    /// Of several for one kind of request the first that is not used up counts. URLs are compared
    /// as libcurl normalises them, with their query.
    /// @throws std::invalid_argument for a URL that cannot be parsed
    expectation& on(std::string_view method, std::string_view url);

    future<response> fetch(request what) override;
    curlicue::executor& executor() override;

    /// Moves the clock of a mock that has one, and runs what is due by then.
    /// @throws std::logic_error for one on somebody's executor
    void advance(std::chrono::milliseconds time);
    /// What has come, in its order.
    std::vector<mock_request> requests() const;
    std::vector<mock_request> unexpected() const;

private:
    future<response> answer(const detail::mock_rule& rule, request what);

    const std::unique_ptr<detail::mock_core> core_;
};

} // namespace curlicue
