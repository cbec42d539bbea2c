// SPDX-License-Identifier: MIT
#include "cache_rules.hpp"

#include "call.hpp"
#include "client_core.hpp"
#include "header_access.hpp"
#include <curlicue/fetch.hpp>
#include <curlicue/share.hpp>
#include <curlicue/url.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include <curl/curl.h>

namespace curlicue::detail {
namespace {

using seconds = std::chrono::seconds;

// RFC 9110 15.1, but for 206.
constexpr std::array heuristic{200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501};
// A fraction of the time since the last change, as 4.2.2 has it, and no more than that.
constexpr int tenth = 10;
constexpr seconds longest_heuristic = std::chrono::hours(24);

bool is_heuristic(int status) noexcept {
    return std::ranges::find(heuristic, status) != heuristic.end();
}

bool is_one_of(std::string_view name, std::initializer_list<const char*> names) noexcept {
    return std::ranges::any_of(names, [name](auto* each) { return same_token(name, each); });
}

/// All of that name, as one list. None if there is none.
std::optional<std::string> joined(const header_list& headers, std::string_view name) {
    std::optional<std::string> all;
    for (const auto value : headers.all(name))
        all = all ? *all + ", " + std::string(trimmed(value)) : std::string(trimmed(value));
    return all;
}

/// The names in a list of them.
std::vector<std::string> names_in(const header_list& headers, std::string_view list) {
    std::vector<std::string> names;
    for (auto line : headers.all(list))
        while (!line.empty()) {
            const auto end = std::min(line.find(','), line.size());
            if (const auto name = trimmed(line.substr(0, end)); !name.empty())
                names.emplace_back(name);
            line.remove_prefix(std::min(end + 1, line.size()));
        }
    return names;
}

std::optional<wall_clock::time_point> date_in(const header_list& headers, const char* name) {
    const auto text = headers.get(name);
    const auto time = text ? curl_getdate(std::string(*text).c_str(), nullptr) : -1;
    return time < 0 ? std::nullopt : std::optional(wall_clock::from_time_t(time));
}

/// The headers that a response of these varies with. Authorization is one of them.
std::vector<std::string> varying(const header_list& headers) {
    auto names = names_in(headers, "Vary");
    names.emplace_back("Authorization");
    return names;
}

const client_options* options_of(const request& what) noexcept {
    return what.call && what.call->client ? &what.call->client->options() : nullptr;
}

/// What it has under this name when it is sent; but cookies of a share are libcurl's to know.
std::optional<std::string> sent(const request& what, std::string_view name) {
    auto value = joined(what.headers, name);
    const auto* const options = options_of(what);
    if (!value && options != nullptr && same_token(name, "User-Agent"))
        value = options->user_agent;
    return value;
}

bool has_unseen_cookies(const request& what) {
    const auto* const options = options_of(what);
    return options != nullptr && options->share && options->share->shares(CURL_LOCK_DATA_COOKIE);
}

header_list asked_with(const request& what, const header_list& headers) {
    header_list asked;
    for (const auto& name : varying(headers))
        if (const auto value = sent(what, name); value && !asked.contains(name))
            asked.add(name, *value);
    return asked;
}

bool is_asked_for_by(const cached_response& one, const request& what) {
    const auto names = varying(one.headers);
    return std::ranges::none_of(names, [&](const std::string& name) {
        return name == "*" || (same_token(name, "Cookie") && has_unseen_cookies(what)) ||
               sent(what, name) != joined(one.asked_with, name);
    });
}

bool is_sound(const cached_response& one) noexcept {
    return one.status >= 200 && one.status <= 999 && one.initial_age >= seconds(0);
}

/// What says how long it is fresh (4.2.1): none if nothing does.
std::optional<seconds> explicit_lifetime(const header_list& headers, const cache_control& said,
                                         wall_clock::time_point received) {
    if (said.max_age)
        return said.max_age;
    if (!headers.contains("Expires"))
        return std::nullopt;
    const auto expires = date_in(headers, "Expires"); // "0" and the like: it has expired
    const auto date = date_in(headers, "Date").value_or(received);
    return expires ? std::max(seconds(0), std::chrono::duration_cast<seconds>(*expires - date))
                   : seconds(0);
}

seconds lifetime_of(const cached_response& one, const cache_control& said) {
    if (const auto told = explicit_lifetime(one.headers, said, one.received))
        return *told;
    const auto changed = date_in(one.headers, "Last-Modified");
    if (!changed || (!is_heuristic(one.status) && !said.is_public))
        return seconds(0);
    const auto date = date_in(one.headers, "Date").value_or(one.received);
    const auto since = std::chrono::duration_cast<seconds>(date - *changed);
    return std::clamp(since / tenth, seconds(0), longest_heuristic);
}

seconds initial_age(const header_list& headers, wall_clock::time_point asked,
                    wall_clock::time_point now) {
    const auto date = date_in(headers, "Date").value_or(now);
    const auto apparent = std::chrono::duration_cast<seconds>(now - date);
    const auto age = headers.get("Age");
    const auto told = age ? delta_seconds(trimmed(*age)).value_or(seconds(0)) : seconds(0);
    const auto delay = std::chrono::duration_cast<seconds>(now - asked);
    return std::max({seconds(0), apparent, told + std::max(seconds(0), delay)});
}

/// Those that are for one connection, or made anew, are not kept (3.1).
header_list without_connections(const header_list& headers) {
    const auto named = names_in(headers, "Connection");
    header_list kept;
    for (const auto field : headers)
        if (!is_one_of(field.name, {"Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer",
                                    "Transfer-Encoding", "Upgrade", "Proxy-Authenticate",
                                    "Proxy-Authentication-Info", "Age"}) &&
            std::ranges::none_of(named,
                                 [&](const auto& each) { return same_token(each, field.name); }))
            header_access::add(kept, field.name, field.value);
    return kept;
}

std::string_view without_weakness(std::string_view tag) noexcept {
    return tag.starts_with("W/") ? tag.substr(2) : tag;
}

} // namespace

std::string key_of(const std::string& url) { return url.substr(0, url.find('#')); }

bool is_for_cache(const request& what) {
    const auto& headers = what.headers;
    return what.method == "GET" && what.body.empty() && !what.tweak && what.decompress &&
           what.left_out.empty() && without_credentials(what.url) == what.url &&
           std::ranges::none_of(headers, [](const header_field& field) {
               return is_one_of(field.name, {"Range", "If-Match", "If-None-Match", "If-Range",
                                             "If-Modified-Since", "If-Unmodified-Since"});
           });
}

cache_store::entry chosen(const std::vector<cache_store::entry>& all, const request& what) {
    cache_store::entry best;
    for (const auto& each : all)
        if (each && is_sound(*each) && is_asked_for_by(*each, what) &&
            (!best || each->received > best->received))
            best = each;
    return best;
}

bool may_be_kept(const request& what, const response& one) {
    const auto& headers = one.headers();
    const auto said = cache_control::of(headers);
    if (one.status() < 200 || one.status() == 206 || one.status() == 304 || said.no_store ||
        cache_control::of(what.headers).no_store)
        return false;
    if (headers.contains("Set-Cookie") && !said.is_public)
        return false;
    const auto names = varying(headers);
    if (std::ranges::find(names, "*") != names.end() ||
        !std::ranges::all_of(names, [](const auto& name) { return is_token(name); }))
        return false;
    const bool can_be_validated = headers.contains("ETag") || headers.contains("Last-Modified");
    const bool has_a_time = said.max_age || headers.contains("Expires");
    return (is_heuristic(one.status()) || said.is_public || said.is_private || has_a_time) &&
           (has_a_time || can_be_validated);
}

cached_response kept_of(const request& what, const response& one, wall_clock::time_point asked,
                        wall_clock::time_point now) {
    cached_response kept{.status = one.status(),
                         .reason = std::string(one.reason()),
                         .version = one.version(),
                         .headers = without_connections(one.headers()),
                         .initial_age = initial_age(one.headers(), asked, now),
                         .received = now};
    kept.asked_with = asked_with(what, kept.headers);
    return kept;
}

seconds age_of(const cached_response& one, wall_clock::time_point now) noexcept {
    const auto resident = std::chrono::duration_cast<seconds>(now - one.received);
    return one.initial_age + std::max(seconds(0), resident);
}

cache_use use_of(const cached_response& one, const cache_control& asked,
                 wall_clock::time_point now) {
    const auto said = cache_control::of(one.headers);
    if (said.no_cache || asked.no_cache)
        return cache_use::to_be_validated;
    const auto age = age_of(one, now);
    if (asked.max_age && age > *asked.max_age)
        return cache_use::to_be_validated;
    const auto left = lifetime_of(one, said) - age;
    if (left > seconds(0))
        return left >= asked.min_fresh.value_or(seconds(0)) ? cache_use::fresh
                                                            : cache_use::to_be_validated;
    if (said.must_revalidate || asked.min_fresh)
        return cache_use::to_be_validated;
    if (asked.max_stale && -left <= *asked.max_stale)
        return cache_use::fresh;
    return said.stale_while_revalidate && -left <= *said.stale_while_revalidate && !asked.max_age
               ? cache_use::stale_while_revalidated
               : cache_use::to_be_validated;
}

bool may_hide_an_error(const cached_response& one, const cache_control& asked,
                       wall_clock::time_point now) {
    const auto said = cache_control::of(one.headers);
    if (said.must_revalidate || said.no_cache || asked.no_cache)
        return false;
    const auto most = asked.stale_if_error ? asked.stale_if_error : said.stale_if_error;
    return most && age_of(one, now) - lifetime_of(one, said) <= *most;
}

bool ask_whether_changed(request& what, const cached_response& one) {
    const auto tag = one.headers.get("ETag"), changed = one.headers.get("Last-Modified");
    if (tag)
        what.headers.set("If-None-Match", *tag);
    if (changed)
        what.headers.set("If-Modified-Since", *changed);
    return tag || changed;
}

bool is_confirmed_by(const cached_response& one, const response& not_modified) {
    const auto theirs = not_modified.headers().get("ETag"), ours = one.headers.get("ETag");
    if (!theirs)
        return true;
    return ours && (theirs->starts_with("W/") ? without_weakness(*theirs) == without_weakness(*ours)
                                              : *theirs == *ours);
}

cached_response freshened(const cached_response& one, const request& what,
                          const response& not_modified, wall_clock::time_point asked,
                          wall_clock::time_point now) {
    auto fresh = one;
    auto news = without_connections(not_modified.headers());
    for (const char* of_the_body :
         {"Content-Length", "Content-Encoding", "Content-Range", "Set-Cookie"})
        news.erase(of_the_body);
    for (const auto field : news)
        fresh.headers.erase(field.name);
    for (const auto field : news)
        header_access::add(fresh.headers, field.name, field.value);
    fresh.asked_with = asked_with(what, fresh.headers);
    fresh.initial_age = initial_age(not_modified.headers(), asked, now);
    fresh.received = now;
    return fresh;
}

std::vector<std::string> invalidated_by(const request& what, const response& one) {
    std::vector<std::string> urls;
    if (what.method == "GET" || what.method == "HEAD" || what.method == "OPTIONS" ||
        what.method == "TRACE" || one.status() < 200 || one.status() >= 400)
        return urls;
    urls.push_back(key_of(what.url));
    for (const char* name : {"Location", "Content-Location"})
        try {
            if (const auto there = one.headers().get(name)) {
                const auto whole = url(what.url).set(CURLUPART_URL, *there).to_string();
                if (origin_of(whole) == origin_of(what.url))
                    urls.push_back(key_of(whole));
            }
        } catch (const std::exception&) { // it is no URL
        }
    return urls;
}

} // namespace curlicue::detail
