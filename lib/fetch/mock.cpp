// SPDX-License-Identifier: MIT
#include "body_content.hpp"
#include "header_access.hpp"
#include "phase.hpp"
#include "repetition.hpp"
#include "standing_executor.hpp"
#include <curlicue/detail/executor_link.hpp>
#include <curlicue/error.hpp>
#include <curlicue/fetch_error.hpp>
#include <curlicue/mock.hpp>
#include <curlicue/sleep.hpp>
#include <curlicue/url.hpp>

#include <deque>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace curlicue {
namespace detail {

/// What was said of one kind of request.
class mock_rule {
public:
    using maker = unique_function<future<response>(const request&, executor&)>;

    mock_rule(std::string method, std::string url)
        : method(std::move(method)), url(std::move(url)) {}

    const std::string method, url;
    std::size_t left = std::numeric_limits<std::size_t>::max();
    std::chrono::milliseconds delay{0};
    bool takes_body = true; // one that fails has taken nothing, and it may be sent again
    std::shared_ptr<maker> make = std::make_shared<maker>(
        [](const request&, executor&) { return make_ready_future(response::of(200)); });
};

namespace {

std::string normalised(std::string_view url) {
    try {
        curlicue::url address(url);
        address.set(CURLUPART_HOST, in_lower_case(address.get(CURLUPART_HOST).value_or("")));
        return address.unset(CURLUPART_FRAGMENT).to_string(CURLU_NO_DEFAULT_PORT);
    } catch (const std::system_error&) {
        throw std::invalid_argument("mock::on: the URL cannot be parsed");
    }
}

/// All of a body that comes piece by piece.
future<std::string> taken(const std::shared_ptr<body_content>& content,
                          intrusive_ptr<executor_link> link) {
    auto next = content->open(link);
    return repeat<std::string>(std::move(link),
                               [content, next = std::move(next), all = std::string()]() mutable {
                                   const bool whole = all.size() == content->size();
                                   return (whole ? make_ready_future(std::string()) : next())
                                       .then([&content, &all](const std::string& piece) {
                                           if (!piece.empty())
                                               return all += piece, std::optional<std::string>();
                                           content->close(nullptr);
                                           return std::optional(std::move(all));
                                       });
                               })
        .finally([content]() noexcept { // if it has not come to its end
            content->close(failure(errc::cancelled).exception());
        });
}

} // namespace

class mock_core {
public:
    explicit mock_core(executor* where) : where_(where) {
        if (where_ == nullptr)
            where_ = &own_.emplace();
    }

    executor& where() noexcept { return *where_; }
    standing_executor& own() {
        if (!own_)
            throw std::logic_error("mock::advance: its executor is somebody's, and so is the time");
        return *own_;
    }

    std::mutex mutex;
    std::deque<mock::expectation> expectations;
    std::vector<mock_request> requests, unexpected;

private:
    std::optional<standing_executor> own_;
    executor* where_;
};

} // namespace detail

mock::mock() : core_(std::make_unique<detail::mock_core>(nullptr)) {}
mock::mock(curlicue::executor& where) : core_(std::make_unique<detail::mock_core>(&where)) {}
mock::~mock() = default;

curlicue::executor& mock::executor() { return core_->where(); }

mock::expectation& mock::on(std::string_view method, std::string_view url) {
    auto rule = std::make_shared<detail::mock_rule>(std::string(method), detail::normalised(url));
    const std::lock_guard lock(core_->mutex);
    core_->expectations.push_back(expectation(std::move(rule)));
    return core_->expectations.back(); // a deque moves nothing when it grows at its end
}

future<response> mock::fetch(request what) {
    const auto& content = detail::body_access::content(what.body);
    const auto* const text = content ? content->text() : nullptr;
    mock_request seen{what.method, detail::normalised(what.url), what.headers,
                      text != nullptr ? *text : std::string()};
    std::shared_ptr<detail::mock_rule> rule;
    std::size_t place = 0;
    {
        const std::lock_guard lock(core_->mutex);
        for (const auto& each : core_->expectations) {
            auto& known = *each.rule_;
            if (known.left == 0 || known.method != seen.method || known.url != seen.url)
                continue;
            --known.left;
            rule = each.rule_;
            break;
        }
        if (!rule)
            core_->unexpected.push_back(seen);
        place = core_->requests.size();
        core_->requests.push_back(std::move(seen));
    }
    if (!rule)
        return make_failed_future<response>(
            std::make_exception_ptr(fetch_error(errc::unexpected_request, fetch_phase::send)));
    if (!content || text != nullptr || content->parts() != nullptr || !rule->takes_body)
        return answer(*rule, std::move(what));
    return detail::taken(content, detail::executor_link::of(executor()))
        .then([this, place, rule, what = std::move(what)](std::string&& body) mutable {
            {
                const std::lock_guard lock(core_->mutex);
                core_->requests[place].body = std::move(body);
            }
            return answer(*rule, std::move(what));
        });
}

future<response> mock::answer(const detail::mock_rule& rule, request what) {
    auto& where = executor();
    if (rule.delay.count() <= 0)
        return (*rule.make)(what, where);
    return sleep_for(where, rule.delay).then([make = rule.make, what = std::move(what), &where] {
        return (*make)(what, where);
    });
}

void mock::advance(std::chrono::milliseconds time) { core_->own().advance(time); }

std::vector<mock_request> mock::requests() const {
    const std::lock_guard lock(core_->mutex);
    return core_->requests;
}

std::vector<mock_request> mock::unexpected() const {
    const std::lock_guard lock(core_->mutex);
    return core_->unexpected;
}

mock::expectation::expectation(std::shared_ptr<detail::mock_rule> rule) noexcept
    : rule_(std::move(rule)) {}

mock::expectation& mock::expectation::answer(maker make) {
    rule_->make = std::make_shared<maker>(std::move(make));
    rule_->takes_body = true;
    return *this;
}

mock::expectation& mock::expectation::reply(int status, header_list headers, std::string body) {
    return answer([status, headers = std::move(headers),
                   body = std::move(body)](const request&, curlicue::executor&) {
        return make_ready_future(response::of(status, headers, body));
    });
}

mock::expectation& mock::expectation::fail(int code) {
    answer([code](const request&, curlicue::executor&) {
        return make_failed_future<response>(std::make_exception_ptr(fetch_error(
            std::error_code(code, easy_category()),
            detail::usual_phase_of(static_cast<CURLcode>(code)).value_or(fetch_phase::headers))));
    });
    rule_->takes_body = false;
    return *this;
}

mock::expectation& mock::expectation::after(std::chrono::milliseconds delay) {
    rule_->delay = delay;
    return *this;
}

mock::expectation& mock::expectation::times(std::size_t count) {
    rule_->left = count;
    return *this;
}

} // namespace curlicue
