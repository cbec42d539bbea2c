// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/request.hpp>
#include <curlicue/response.hpp>

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace curlicue {

/// What brings a response to a request: libcurl, a mock, or all of a client's steps from one of
/// them on.
struct CURLICUE_EXPORT transport {
    virtual future<response> fetch(request what) = 0;
    /// Where its futures run their continuations.
    virtual curlicue::executor& executor() = 0;
    virtual ~transport();

protected:
    transport() = default;
    transport(const transport&) = default;
    transport& operator=(const transport&) = default;
};

/// A step between a client and its transport: `call(request, transport& next)` returns a
/// `future<response>` or a `task<response>`, and mostly calls `next.fetch`. It runs on the loop's
/// thread, never inside `fetch`; the callable and all of `next` live until what it returned is
/// ready, and the body has been read or dropped. Copies share the callable.
class layer {
public:
    template <class Callable>
        requires(!std::same_as<std::remove_cvref_t<Callable>, layer> &&
                 std::invocable<std::decay_t<Callable>&, request, transport&>)
    layer(Callable&& call) // NOLINT(*-forwarding-reference-overload)
        : call_(std::make_shared<model<std::decay_t<Callable>>>(std::forward<Callable>(call))) {}

    /// What the callable returns; a task is started on `next.executor()`.
    future<response> operator()(request what, transport& next) const {
        return call_->call(std::move(what), next);
    }

private:
    struct callable {
        virtual future<response> call(request what, transport& next) = 0;
        virtual ~callable() = default;
    };
    template <class Callable> struct model final : callable {
        template <class Source>
        explicit model(Source&& source) : call_(std::forward<Source>(source)) {}
        future<response> call(request what, transport& next) override {
            if constexpr (detail::makes_task<std::invoke_result_t<Callable&, request, transport&>>)
                return co_spawn(next.executor(), call_(std::move(what), next));
            else
                return call_(std::move(what), next);
        }
        Callable call_;
    };

    std::shared_ptr<callable> call_;
};

} // namespace curlicue
