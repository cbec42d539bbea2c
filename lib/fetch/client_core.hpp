// SPDX-License-Identifier: MIT
#pragma once

#include "call.hpp"
#include "ongoing.hpp"
#include <curlicue/fetch.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

namespace curlicue::detail {

class engine;
class network;
class request_queue;

/// What all copies of a client share: its options, its steps, what it counts.
/// @threading thread-safe, but for what steps tell it, which is the loop's
class client_core final : public std::enable_shared_from_this<client_core> {
public:
    /// On an engine: the transport is a `network`.
    static std::shared_ptr<client_core> make(intrusive_ptr<engine> on, client_options options);
    static std::shared_ptr<client_core> make(std::shared_ptr<transport> below,
                                             client_options options);
    /// The same, with one more layer outside all others.
    std::shared_ptr<client_core> with(layer outermost) const;

    future<response> fetch(request what);
    client_stats stats() const;
    future<void> close();
    future<void> drain(std::chrono::milliseconds patience);
    void network_changed();

    const client_options& options() const noexcept { return *options_; }
    const intrusive_ptr<executor_link>& link() const noexcept { return link_; }
    curlicue::executor& executor() const noexcept { return below_->executor(); }

    // What steps tell.
    void started(const fetch_call& of) noexcept;
    void redirected(fetch_call& of, std::string_view url) noexcept;
    void retried(const fetch_call& of) noexcept;
    void refused() noexcept;
    void has_head(const fetch_call& of, const response& what) noexcept;
    /// The request is over. But for the first time nothing happens.
    void end(fetch_call& of, const std::exception_ptr& failure) noexcept;

private:
    struct counts {
        std::atomic<std::uint64_t> requests{0}, retried{0}, redirected{0}, refused{0}, next_id{1};
    };
    class attendance;

    client_core(std::shared_ptr<const client_options> options, std::shared_ptr<transport> below,
                std::shared_ptr<detail::ongoing> counted);
    void build();
    void complete(request& what);
    bool may_begin() const noexcept;
    future<response> within_total(future<response> head,
                                  const std::shared_ptr<fetch_call>& known) const;
    task<response> run(request what, attendance while_it_runs);
    template <class Tell> void tell(Tell call_it) noexcept;

    std::shared_ptr<const client_options> options_;
    std::shared_ptr<transport> below_;
    intrusive_ptr<executor_link> link_; // of its executor
    std::shared_ptr<network> network_;  // the same as `below_`, if it is one
    bool known_to_network_ = false;     // all responses are of its making, and have a URL
    std::shared_ptr<request_queue> queue_;
    std::shared_ptr<transport> first_; // of all steps
    std::shared_ptr<counts> counts_ = std::make_shared<counts>();
    std::shared_ptr<detail::ongoing> ongoing_;
};

/// Refuses what is malformed. @throws std::invalid_argument
void check(const request& what);
/// For one that may be relative.
void check_url_text(const std::string& url);
/// Whether `request::left_out` has the name.
bool is_left_out(const request& what, std::string_view name) noexcept;
bool is_idempotent(std::string_view method) noexcept;
/// Scheme, host and port, in one text; empty for what is no URL.
std::string origin_of(const std::string& url);
/// Where a redirect leads. @throws fetch_error in phase `url`
std::string redirected_to(const std::string& from, std::string_view location,
                          const redirect_policy& policy, unsigned attempts);
/// Without user and password.
std::string without_credentials(std::string url);

} // namespace curlicue::detail
