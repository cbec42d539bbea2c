// SPDX-License-Identifier: MIT
#include "placement.hpp"

#include "easy_core.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <utility>

namespace curlicue::detail {
namespace {

// A search through so many connections costs less than another multi handle does.
constexpr std::size_t full = 32;
// Likewise of what libcurl goes through without regard to servers. A server that has been there
// before finds room in it for as many again, since a new connection costs more.
constexpr std::size_t all_full = 64;
// At the end of each transfer libcurl looks at all addresses that are in its cache
// (Curl_hostcache_prune): so many servers have one in common.
constexpr std::size_t sharing_caches = 16;
// So many servers are known in any case, though nothing runs there.
constexpr std::size_t always_known = 1024;
// Of those known, how many are looked at for each that is new: at a second look at which nothing
// has run there since the first it is forgotten, so that at the most half of them are idle.
constexpr int looks = 4;

std::uint64_t next_number() noexcept {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

/// None before its head is there. Of the head of a proxy's answer to CONNECT libcurl tells by
/// others.
long http_version_of(CURL* handle) noexcept {
    long version = CURL_HTTP_VERSION_NONE;
    curl_easy_getinfo(handle, CURLINFO_HTTP_VERSION, &version);
    return version;
}

auto place_of(auto& parts, std::size_t shard) noexcept {
    auto found = parts.begin(); // nearly always of one or two
    while (found != parts.end() && found->shard < shard)
        ++found;
    return found;
}

} // namespace

std::size_t origin::running_in(std::size_t shard) const noexcept {
    // For checks, which ask of every transfer: of a server with a thousand there are thirty.
    const auto found = std::ranges::lower_bound(parts, shard, {}, &part::shard);
    return found != parts.end() && found->shard == shard ? found->running : 0;
}

placement::placement(shards sharding) : number_(next_number()), most_(sharding.most()) {}

origin& placement::origin_of(easy_core& handle, bool multiplexes) {
    auto* const known = static_cast<origin*>(handle.place().get());
    if (known != nullptr && known->placement == number_)
        return *known;
    const auto server = server_.of(handle);
    auto& found = look_up(server, multiplexes && may_multiplex(handle, server));
    // Else we do not hear when it names another.
    if (handle.owned() && !server.empty() && handle.address() == nullptr)
        handle.set_place(intrusive_ptr<origin>::share(&found));
    return found;
}

// Those that may share a connection with many others are others than those that do not.
[[gnu::noinline]] origin& placement::look_up(std::string_view server, bool negotiates) {
    key_.assign(negotiates ? "+" : "").append(server);
    if (const auto known = origins_.find(std::string_view(key_)); known != origins_.end())
        return **known;
    if (origins_.size() >= always_known)
        forget_some();
    if (round_.size() == round_.capacity())
        round_.reserve(2 * round_.size() + 16);
    const auto made = make_intrusive<origin>(number_, key_, server, negotiates);
    origins_.insert(made);
    round_.push_back(made.get());
    return *made;
}

void placement::forget_some() noexcept {
    for (int i = 0; i != looks && !round_.empty(); ++i) {
        if (next_ >= round_.size())
            next_ = 0;
        auto& each = *round_[next_];
        if (std::exchange(each.recent, false) || each.running != 0) {
            ++next_;
            continue;
        }
        round_[next_] = round_.back();
        round_.pop_back();
        origins_.erase(origins_.find(std::string_view(each.name)));
    }
}

void placement::start_over() noexcept {
    number_ = next_number(); // what easies remember counts no more
    round_.clear();
    std::erase_if(origins_, [](const auto& each) { return each->running == 0; });
    for (const auto& each : origins_)
        round_.push_back(each.get()); // no more than before
}

void placement::network_changed() noexcept {
    ++network_;
    newest_ = nullptr;
}

std::size_t placement::choose(origin& to) const noexcept {
    if (limited_)
        return 0;
    if (to.on_connection == origin::streams::unknown && to.first_one != nullptr)
        learn(to, to.first_one);
    if (to.on_connection != origin::streams::one && !to.parts.empty())
        return to.parts.front().shard;
    for (const auto& each : to.parts) // the first with room: that is where idle connections are
        if (each.running < full && loads_[each.shard] < 2 * all_full)
            return each.shard;
    return another(to);
}

// The first with room; where there is none, where the fewest of its transfers and of others are.
[[gnu::noinline]] std::size_t placement::another(const origin& to) const noexcept {
    std::size_t emptiest = 0, fewest = std::numeric_limits<std::size_t>::max();
    auto part = to.parts.begin();
    for (std::size_t shard = 0; shard != most_; ++shard) {
        const bool known = part != to.parts.end() && part->shard == shard;
        const std::size_t here = known ? (part++)->running : 0, all = running_in(shard);
        if (here < full && all < all_full)
            return shard;
        if (here + all < fewest) {
            fewest = here + all;
            emptiest = shard;
        }
    }
    return emptiest;
}

const intrusive_ptr<shared_caches>& placement::caches_of(origin& to) {
    if (!to.caches || to.cached_since != network_) {
        if (!newest_ || newest_shared_by_ == sharing_caches) {
            newest_ = make_intrusive<shared_caches>();
            newest_shared_by_ = 0;
        }
        to.known_until = 0; // there
        to.caches = newest_;
        to.cached_since = network_;
        ++newest_shared_by_;
    }
    return to.caches;
}

void placement::started(origin& to, std::size_t shard, CURL* handle) {
    if (shard >= loads_.size())
        loads_.resize(shard + 1);
    auto part = place_of(to.parts, shard);
    if (part == to.parts.end() || part->shard != shard)
        part = to.parts.insert(part, {static_cast<std::uint32_t>(shard), 0});
    ++part->running;
    ++loads_[shard];
    ++to.running;
    to.recent = true;
    // One that has a version still has it of an earlier transfer.
    if (to.on_connection == origin::streams::unknown && to.first_one == nullptr &&
        http_version_of(handle) == CURL_HTTP_VERSION_NONE)
        to.first_one = handle;
}

void placement::ended(origin& to, std::size_t shard, CURL* handle) noexcept {
    --place_of(to.parts, shard)->running;
    --loads_[shard];
    --to.running;
    if (to.first_one == handle)
        to.first_one = nullptr;
}

void placement::learn(origin& of, CURL* handle) noexcept {
    if (!of.negotiates || of.on_connection == origin::streams::many)
        return;
    const auto version = http_version_of(handle);
    if (version >= CURL_HTTP_VERSION_2_0)
        of.on_connection = origin::streams::many;
    else if (version != CURL_HTTP_VERSION_NONE)
        of.on_connection = origin::streams::one;
}

} // namespace curlicue::detail
