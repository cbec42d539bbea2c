// SPDX-License-Identifier: MIT
#include <curlicue/cache.hpp>

#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace curlicue {
namespace {

std::size_t size_of(const header_list& headers) noexcept {
    std::size_t size = 0;
    for (const auto field : headers)
        size += field.name.size() + field.value.size() + 12;
    return size;
}

/// @threading thread-safe
class memory_store final : public cache_store {
public:
    explicit memory_store(std::size_t most) noexcept : most_(most) {}

    std::vector<entry> find(std::string_view url) override {
        const std::lock_guard lock(mutex_);
        std::vector<entry> all;
        const auto [begin, end] = by_url_.equal_range(url);
        for (auto each = begin; each != end; ++each) {
            all.push_back(each->second->what);
            used_.splice(used_.end(), used_, each->second);
        }
        return all;
    }
    void put(std::string_view url, entry one) override {
        if (!one)
            return;
        const auto size = sizeof(cached_response) + url.size() + one->body.size() +
                          one->reason.size() + size_of(one->headers) + size_of(one->asked_with);
        const std::lock_guard lock(mutex_);
        const auto [begin, end] = by_url_.equal_range(url);
        for (auto each = begin; each != end; ++each)
            if (each->second->what->asked_with == one->asked_with) {
                forget(each);
                break;
            }
        if (size > most_ / 4)
            return;
        while (held_ + size > most_)
            forget(used_.front().place);
        items newest;
        newest.push_back({std::move(one), size, {}});
        newest.front().place = by_url_.emplace(url, newest.begin());
        used_.splice(used_.end(), newest);
        held_ += size;
    }
    void erase(std::string_view url) override {
        const std::lock_guard lock(mutex_);
        for (auto each = by_url_.find(url); each != by_url_.end(); each = by_url_.find(url))
            forget(each);
    }

private:
    struct item;
    using items = std::list<item>; // the last was used last
    using places = std::multimap<std::string, items::iterator, std::less<>>;
    struct item {
        entry what;
        std::size_t size;
        places::iterator place;
    };

    void forget(places::iterator place) noexcept {
        held_ -= place->second->size;
        used_.erase(place->second);
        by_url_.erase(place);
    }

    const std::size_t most_;
    std::mutex mutex_; // guards what follows
    std::size_t held_ = 0;
    items used_;
    places by_url_;
};

} // namespace

cache_store::~cache_store() = default;

std::shared_ptr<cache_store> make_memory_store(std::size_t most) {
    return std::make_shared<memory_store>(most);
}

} // namespace curlicue
