// SPDX-License-Identifier: MIT
// What a fetch makes of texts: lists of headers, heads, URLs, events, what a cache may keep.
#include "fetch/cache_rules.hpp"
#include "fetch/client_core.hpp"
#include "fetch/head_parser.hpp"
#include "fetch/header_access.hpp"
#include "fuzz/bytes.hpp"
#include <curlicue/cache.hpp>
#include <curlicue/fetch_error.hpp>
#include <curlicue/response.hpp>
#include <curlicue/url.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace curlicue;
using namespace curlicue::fuzz;

namespace {

using detail::same_token;
using fields = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view names[] = {"A", "a", "Content-Type", "content-type", "Host", "X-Y"};

std::string name(bytes& input) {
    return input.flip() ? std::string(input.one_of(names)) : input.text();
}

fields all_of(const header_list& list) {
    fields all;
    for (const auto field : list)
        all.emplace_back(field.name, field.value);
    return all;
}

// As a list of pairs would do it.
void set(fields& model, const std::string& name, const std::string& value) {
    const auto is_of_that_name = [&](auto& each) { return same_token(each.first, name); };
    const auto first = std::ranges::find_if(model, is_of_that_name);
    if (first == model.end()) {
        model.emplace_back(name, value);
        return;
    }
    *first = {name, value};
    model.erase(std::remove_if(first + 1, model.end(), is_of_that_name), model.end());
}

void change(header_list& list, fields& model, bytes& input) {
    const auto which = name(input), value = input.text();
    const bool good = detail::is_token(which) && detail::is_field_value(value);
    const bool adds = input.flip();
    try {
        if (adds)
            list.add(which, value);
        else
            list.set(which, value);
        require(good);
    } catch (const std::invalid_argument&) {
        require(!good);
        return;
    }
    if (adds)
        model.emplace_back(which, value);
    else
        set(model, which, value);
}

void use_headers(bytes& input) {
    header_list list;
    fields model;
    while (!input.empty()) {
        if (input.below(4) == 0) {
            const auto which = name(input);
            require(list.erase(which) == std::erase_if(model, [&](auto& each) {
                        return same_token(each.first, which);
                    }));
        } else {
            change(list, model, input);
        }
        require(all_of(list) == model);
    }
}

void parse_head(bytes& input) {
    detail::head_parser parser;
    while (!input.empty())
        parser.take(input.text());
    for (const header_list* list : {&std::as_const(parser.head().headers), &parser.trailers()})
        for (const auto field : *list)
            require(!field.name.empty() && field.value == detail::trimmed(field.value));
}

bool is_good(const request& what) {
    try {
        detail::check(what);
        return true;
    } catch (const std::invalid_argument&) {
        return false;
    }
}

// What is good may be asked for, and leads to what is.
void build_urls(bytes& input) {
    request what{.url = input.flip() ? "http://a.test/" + input.text() : input.text(),
                 .method = "GET"};
    const bool good = is_good(what);
    const auto name = input.text(), value = input.text();
    const auto fragment = std::min(what.url.find('#'), what.url.size());
    const auto before = what.url.substr(0, fragment), behind = what.url.substr(fragment);
    what.query({{name, value}});
    require(what.url.starts_with(before) && what.url.ends_with(behind));
    require(is_good(what) == good);
    if (!good)
        return;
    require(detail::origin_of(what.url) == detail::origin_of(before));
    require(detail::without_credentials(what.url).find('@') == std::string::npos ||
            !url(detail::without_credentials(what.url)).get(CURLUPART_USER));
    try {
        const request next{.url = detail::redirected_to(what.url, input.text(), {}, 1),
                           .method = "GET"};
        require(next.url.starts_with("http://") || next.url.starts_with("https://"));
    } catch (const fetch_error& error) {
        require(error.phase() == fetch_phase::url || error.code() == errc::redirect_refused);
    }
}

std::vector<std::string> events_of(const std::vector<std::string>& pieces) {
    auto left = std::make_shared<std::vector<std::string>>(pieces.rbegin(), pieces.rend());
    auto events = response::of(200, {{"Content-Type", "text/event-stream"}}, [left] {
                      std::string next;
                      if (!left->empty()) {
                          next = std::move(left->back());
                          left->pop_back();
                      }
                      return make_ready_future(std::move(next));
                  }).events();
    std::vector<std::string> all;
    while (const auto one = events.next().get())
        all.push_back(one->type + '\n' + one->data + '\n' + one->id);
    all.push_back(events.last_event_id());
    if (const auto retry = events.retry())
        all.push_back(std::to_string(retry->count()));
    return all;
}

// However they come.
void read_events(bytes& input) {
    std::vector<std::string> pieces;
    std::string whole;
    while (!input.empty()) {
        auto piece = input.text();
        whole += piece;
        if (!piece.empty()) // that would be the end
            pieces.push_back(std::move(piece));
    }
    const auto all = events_of(pieces);
    if (whole.empty())
        return;
    require(all == events_of({whole}));
    std::vector<std::string> bytes_of_it;
    for (const char each : whole)
        bytes_of_it.emplace_back(1, each);
    require(all == events_of(bytes_of_it));
}

header_list headers_for_cache(bytes& input) {
    static constexpr std::string_view known[] = {
        "Age",     "Authorization", "Cache-Control", "Connection", "Content-Length", "Date", "ETag",
        "Expires", "Last-Modified", "Location",      "Pragma",     "Set-Cookie",     "Vary", "X"};
    header_list list;
    for (auto left = input.below(6); left != 0; --left) {
        const auto name = std::string(input.one_of(known)), value = input.text();
        if (detail::is_field_value(value))
            list.add(name, value);
    }
    return list;
}

// What is kept for a request answers that one, and no other that it varies with.
void use_cache(bytes& input) {
    const request what{
        .url = "http://a.test/", .method = "GET", .headers = headers_for_cache(input)};
    const request other{.url = what.url, .method = "GET", .headers = headers_for_cache(input)};
    const auto one = response::of(200, headers_for_cache(input));
    const auto not_modified = response::of(304, headers_for_cache(input));
    const auto now = std::chrono::system_clock::now();
    static_cast<void>(detail::invalidated_by({.url = what.url, .method = "POST"}, one));
    if (!detail::may_be_kept(what, one))
        return;
    const auto kept = std::make_shared<const cached_response>(detail::kept_of(what, one, now, now));
    require(detail::chosen({kept}, what) == kept);
    require(detail::age_of(*kept, now) >= std::chrono::seconds(0));
    if (other.headers.get("Authorization") != what.headers.get("Authorization"))
        require(detail::chosen({kept}, other) == nullptr);
    const auto asked = detail::cache_control::of(other.headers);
    require(!asked.no_cache ||
            detail::use_of(*kept, asked, now) == detail::cache_use::to_be_validated);
    static_cast<void>(detail::may_hide_an_error(*kept, asked, now));
    if (!detail::is_confirmed_by(*kept, not_modified))
        return;
    const auto fresh = detail::freshened(*kept, what, not_modified, now, now);
    require(fresh.body == kept->body && fresh.status == kept->status);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    bytes input(data, size);
    switch (input.below(5)) {
    case 0:
        use_headers(input);
        break;
    case 1:
        parse_head(input);
        break;
    case 2:
        build_urls(input);
        break;
    case 3:
        use_cache(input);
        break;
    default:
        read_events(input);
    }
    return 0;
}
