// SPDX-License-Identifier: MIT
#include "client_core.hpp"
#include "header_access.hpp"
#include "response_state.hpp"
#include "steps.hpp"
#include <curlicue/easy.hpp>
#include <curlicue/fetch_error.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace curlicue::detail {
namespace {

constexpr bool is_redirect(int status) noexcept {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// To another origin these go along, and nothing that may be a secret.
constexpr std::array harmless{"Accept", "Accept-Language", "Content-Type", "User-Agent"};

bool is_harmless(std::string_view name, const request& what) noexcept {
    if (what.body.empty() && same_token(name, "Content-Type"))
        return false;
    return std::ranges::any_of(harmless, [name](auto* each) { return same_token(name, each); });
}

[[noreturn]] void refuse(const request& what, const char* why, std::error_code cause = {}) {
    throw fetch_error(errc::redirect_refused, fetch_phase::headers, attempts_of(what.call),
                      std::nullopt, why, cause);
}

void drop_body(request& what) {
    what.method = "GET";
    what.body = {};
    header_list kept;
    for (const auto field : what.headers)
        if (!same_token(field.name.substr(0, 8), "Content-"))
            kept.add(field.name, field.value);
    what.headers = std::move(kept);
}

// As browsers do (Fetch, 4.4 HTTP-redirect fetch).
void turn_to(request& what, int status, std::string url) {
    const auto from = origin_of(what.url), to = origin_of(url);
    if (from.starts_with("https:") && !to.starts_with("https:"))
        refuse(what, "a redirect leads from https to http");
    const bool becomes_get = (status == 303 && what.method != "HEAD") ||
                             ((status == 301 || status == 302) && what.method == "POST");
    if (becomes_get)
        drop_body(what);
    else if (!what.body.replayable())
        refuse(what, "a redirect asks for a body again that can be read once");
    if (from != to) {
        header_list kept;
        for (const auto field : what.headers)
            if (is_harmless(field.name, what))
                kept.add(field.name, field.value);
        what.headers = std::move(kept);
        // For good, as the headers: the other server may lead back, and to where it likes.
        if (!what.tweak_all_hops)
            what.tweak = nullptr;
    }
    what.url = std::move(url);
}

class redirects final : public step {
public:
    using step::step;

    future<response> fetch(request what) override {
        const auto policy = what.redirects.value_or(redirect_policy());
        if (policy.mode == redirect_mode::manual)
            return next().fetch(std::move(what));
        return spawn_here(link(), follow(kept(*this), std::move(what), policy));
    }

private:
    // NOLINTNEXTLINE(*-unnecessary-value-param): a coroutine keeps what it is given
    static task<response> follow(std::shared_ptr<redirects> self, request what,
                                 redirect_policy policy) {
        for (unsigned followed = 0;; ++followed) {
            auto copy = what;
            auto answer = self->next().fetch(std::move(copy));
            response hop = co_await std::move(answer);
            const auto location = hop.headers().get("Location");
            auto& state = response_access::state(hop);
            if (state.url.empty())
                state.url = without_credentials(what.url);
            if (!is_redirect(hop.status()) || !location)
                co_return std::move(hop);
            if (policy.mode == redirect_mode::error)
                refuse(what, "a redirect, where redirect_mode::error is set");
            if (followed == policy.most)
                refuse(what, "more redirects than redirect_policy::most",
                       {CURLE_TOO_MANY_REDIRECTS, easy_category()});
            if (hop.url().starts_with("https:") && what.url.starts_with("http:"))
                what.url.insert(4, "s"); // by HSTS
            turn_to(what, hop.status(),
                    redirected_to(what.url, *location, policy, attempts_of(what.call)));
            if (what.call)
                what.call->client->redirected(*what.call, without_credentials(what.url));
        }
    }
};

} // namespace

std::shared_ptr<transport> redirect_step(std::shared_ptr<transport> next) {
    return std::make_shared<redirects>(std::move(next));
}

} // namespace curlicue::detail
