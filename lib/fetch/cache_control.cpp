// SPDX-License-Identifier: MIT
#include "cache_control.hpp"

#include "header_access.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace curlicue::detail {
namespace {

constexpr std::chrono::seconds as_long_as_can_be{std::int64_t{1} << 31};

/// Takes the next element of a list off, which ends at a comma outside of quotes.
std::string_view next_of(std::string_view& list) noexcept {
    bool quoted = false;
    std::size_t end = 0;
    for (; end < list.size() && (quoted || list[end] != ','); ++end)
        if (list[end] == '"')
            quoted = !quoted;
        else if (quoted && list[end] == '\\')
            ++end;
    end = std::min(end, list.size());
    const auto element = trimmed(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    return element;
}

std::string_view without_quotes(std::string_view text) noexcept {
    return text.size() >= 2 && text.front() == '"' && text.back() == '"'
               ? text.substr(1, text.size() - 2)
               : text;
}

} // namespace

std::optional<std::chrono::seconds> delta_seconds(std::string_view text) noexcept {
    if (text.empty() || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }))
        return std::nullopt;
    std::int64_t count = 0;
    for (const char digit : text)
        count = std::min<std::int64_t>(10 * count + (digit - '0'), as_long_as_can_be.count());
    return std::chrono::seconds(count);
}

cache_control cache_control::of(const header_list& headers) {
    cache_control all;
    for (auto line : headers.all("Cache-Control"))
        while (!line.empty()) {
            const auto element = next_of(line);
            const auto equals = std::min(element.find('='), element.size());
            all.take(trimmed(element.substr(0, equals)),
                     trimmed(element.substr(std::min(equals + 1, element.size()))));
        }
    if (!headers.contains("Cache-Control"))
        for (auto line : headers.all("Pragma"))
            while (!line.empty())
                all.no_cache |= same_token(next_of(line), "no-cache");
    return all;
}

void cache_control::take(std::string_view name, std::string_view value) {
    const struct {
        const char* name;
        bool cache_control::*flag;
    } flags[] = {{"no-store", &cache_control::no_store},
                 {"no-cache", &cache_control::no_cache},
                 {"must-revalidate", &cache_control::must_revalidate},
                 {"public", &cache_control::is_public},
                 {"private", &cache_control::is_private},
                 {"only-if-cached", &cache_control::only_if_cached}};
    for (const auto& each : flags)
        if (same_token(name, each.name))
            this->*each.flag = true;
    const struct {
        const char* name;
        std::optional<seconds> cache_control::*time;
    } times[] = {{"max-age", &cache_control::max_age},
                 {"min-fresh", &cache_control::min_fresh},
                 {"max-stale", &cache_control::max_stale},
                 {"stale-while-revalidate", &cache_control::stale_while_revalidate},
                 {"stale-if-error", &cache_control::stale_if_error}};
    for (const auto& each : times) {
        auto& time = this->*each.time;
        if (!same_token(name, each.name) || time)
            continue;
        // "max-stale" alone is for any time; what is no number is as stale as can be (4.2.1).
        time = value.empty() && each.time == &cache_control::max_stale
                   ? as_long_as_can_be
                   : delta_seconds(without_quotes(value)).value_or(seconds(0));
    }
}

} // namespace curlicue::detail
