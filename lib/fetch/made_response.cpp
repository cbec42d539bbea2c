// SPDX-License-Identifier: MIT
#include "made_response.hpp"

#include <curlicue/detail/clock.hpp>
#include <curlicue/error.hpp>
#include <curlicue/fetch_error.hpp>

#include <stdexcept>
#include <utility>

namespace curlicue::detail {
namespace {

/// A body that is there.
class given_response final : public response_state {
public:
    explicit given_response(std::string body) noexcept { body_.append(std::move(body)); }

    std::string peek(std::size_t most) const override {
        return std::string(body_.view().substr(0, most));
    }
    void drop() noexcept override {
        body_.clear();
        let_go_of_kept();
    }

private:
    ~given_response() override = default;

    future<std::string> read_some(std::size_t most) override {
        auto piece = body_.take(most);
        if (body_.empty())
            let_go_of_kept();
        return make_ready_future(std::move(piece));
    }

    byte_queue body_;
};

/// A body that somebody's function brings.
class sourced_response final : public response_state {
public:
    explicit sourced_response(body_source source) noexcept : source_(std::move(source)) {}
    /// Instead of that of `old`.
    sourced_response(intrusive_ptr<response_state> old, body_source source)
        : source_(std::move(source)), old_(std::move(old)) {
        head = old_->head;
        url = old_->url;
        remote_address = old_->remote_address;
        of = old_->of;
        most_body = old_->most_body;
    }

    void drop() noexcept override {
        source_ = nullptr;
        if (old_ && !old_->taken())
            old_->drop();
        let_go_of_kept();
    }
    void is_handed_out() noexcept override {
        if (old_)
            old_->is_handed_out();
    }
    const header_list* trailers() const noexcept override {
        if (!ended_)
            return nullptr;
        const auto* const known = old_ ? old_->trailers() : nullptr;
        return known != nullptr ? known
                                : response_state::trailers(); // none if nobody has read them
    }
    bool over(std::exception_ptr& failure) const override {
        return old_ ? old_->over(failure) : response_state::over(failure);
    }
    timings times() const override { return old_ ? old_->times() : timings(); }

private:
    ~sourced_response() override { drop(); }

    future<std::string> read_some(std::size_t most) override {
        if (!rest_.empty())
            return make_ready_future(rest_.take(most));
        if (failure_)
            return make_failed_future<std::string>(failure_);
        if (ended_)
            return make_ready_future(std::string());
        return ask().then_result(
            [kept = intrusive_ptr<sourced_response>::share(this),
             most](result<std::string>&& piece) { return kept->came(std::move(piece), most); });
    }
    future<std::string> ask() {
        try {
            if (!source_)
                throw cancelled();
            auto piece = source_();
            if (!of || of->deadline == fetch_call::clock::time_point::max())
                return piece;
            return std::move(piece).timeout(
                saturated<std::chrono::milliseconds>(of->deadline - link()->now()));
        } catch (...) {
            return make_failed_future<std::string>(std::current_exception());
        }
    }
    std::string came(result<std::string>&& piece, std::size_t most) {
        if (!piece.has_value()) {
            const bool too_late =
                piece.error() == errc::timed_out && of && of->deadline <= link()->now();
            failure_ = too_late
                           ? std::make_exception_ptr(fetch_error(errc::timed_out, fetch_phase::body,
                                                                 of->attempts, time_limit::total))
                           : piece.exception();
            drop();
            std::rethrow_exception(failure_);
        }
        rest_.append(std::move(piece).value());
        if (rest_.empty()) {
            ended_ = true;
            drop();
        }
        return rest_.take(most);
    }

    body_source source_;
    const intrusive_ptr<response_state> old_;
    byte_queue rest_;
    bool ended_ = false;
    std::exception_ptr failure_;
};

void set_head(response_state& state, int status, header_list headers) {
    if (status < 100 || status > 999)
        throw std::invalid_argument("response::of: a status has three digits");
    state.head.status = status;
    state.head.headers = std::move(headers);
}

} // namespace

intrusive_ptr<response_state> made_response(int status, header_list headers, std::string body) {
    auto made = make_intrusive<given_response>(std::move(body));
    set_head(*made, status, std::move(headers));
    return made;
}

intrusive_ptr<response_state> made_response(int status, header_list headers, body_source body) {
    auto made = make_intrusive<sourced_response>(std::move(body));
    set_head(*made, status, std::move(headers));
    return made;
}

intrusive_ptr<response_state> made_response(intrusive_ptr<response_state> old, body_source body) {
    return make_intrusive<sourced_response>(std::move(old), std::move(body));
}

} // namespace curlicue::detail
