// SPDX-License-Identifier: MIT
#pragma once

#include <curlicue/detail/export.hpp>
#include <curlicue/header_list.hpp>
#include <curlicue/transport.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace curlicue {

/// A response that is kept, and what it was the answer to.
struct cached_response {
    /// Of the headers that its Vary names, and of Authorization, what the request had: of several
    /// with one name all, joined by ", "; of those that it did not have nothing.
    header_list asked_with = {};
    int status = 0;
    std::string reason = {};
    http_version version = http_version::automatic;
    header_list headers = {};
    std::string body = {};
    /// How old it was when it came (RFC 9111 4.2.3), and when that was.
    std::chrono::seconds initial_age = std::chrono::seconds(0);
    std::chrono::system_clock::time_point received = {};
};

/// Where a cache keeps its responses. What it gives is looked at again: it may lose any at any
/// time, and what makes no sense is as if it were not there.
/// @threading its members are called on any thread, several at a time
class CURLICUE_EXPORT cache_store {
public:
    using entry = std::shared_ptr<const cached_response>;
    virtual ~cache_store();

    /// All for this URL, in any order.
    virtual std::vector<entry> find(std::string_view url) = 0;
    /// In place of the one with an equal `asked_with`, if there is one.
    virtual void put(std::string_view url, entry one) = 0;
    virtual void erase(std::string_view url) = 0;
};

/// In memory; what was used longest ago goes first.
/// @param most bytes in all; one that has more than a quarter of it is not kept
CURLICUE_EXPORT std::shared_ptr<cache_store> make_memory_store(std::size_t most);

/// A network layer that keeps responses to GETs, as RFC 9111 has it for the private cache of one
/// user, and RFC 5861 for what is stale: what is fresh is not asked for; what is not is validated
/// by its ETag or Last-Modified; stale-while-revalidate and stale-if-error are heeded. A request's
/// Cache-Control has its say. A hit has an Age.
///
/// Requests with a Range, a condition, a body, `tweak` or a password in their URL go past it. Not
/// kept are responses with `Vary: *`, and with Set-Cookie, unless they say `public`. What was asked
/// for with an Authorization answers no request with another, or with none; what varies with
/// cookies is not kept for a client whose `share` has them. Clients with one layer, or one store,
/// are one user's. A body is kept when it was read to its end.
/// @threading the layer is thread-safe
struct CURLICUE_EXPORT cache {
    std::size_t most = std::size_t{64} << 20;     ///< bytes in memory, if there is no `store`
    std::size_t most_body = std::size_t{4} << 20; ///< one that is longer is not kept
    std::shared_ptr<cache_store> store = {};

    operator layer() const; // NOLINT(*-explicit-*): a layer is what it is for
};

} // namespace curlicue
