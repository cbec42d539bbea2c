// SPDX-License-Identifier: MIT
#include "retry_budget.hpp"

#include <algorithm>
#include <iterator>

namespace curlicue::detail {
namespace {

constexpr std::chrono::seconds window(10);
constexpr double free_retries = 10;

} // namespace

void retry_budget::record::forget(time now) {
    for (auto* const each : {&requests, &retries})
        while (!each->empty() && now - each->front() > window)
            each->pop_front();
}

void retry_budget::count_request(const std::string& origin, time now) {
    if (records_.size() >= until_clean_up_) {
        for (auto each = records_.begin(); each != records_.end();) {
            each->second.forget(now);
            each = each->second.requests.empty() ? records_.erase(each) : std::next(each);
        }
        until_clean_up_ = std::max<std::size_t>(1024, 2 * records_.size());
    }
    auto& here = records_[origin];
    here.forget(now);
    here.requests.push_back(now);
}

bool retry_budget::take(const std::string& origin, double share, time now) {
    auto& here = records_[origin];
    here.forget(now);
    const auto most = free_retries + share * static_cast<double>(here.requests.size());
    if (static_cast<double>(here.retries.size()) + 1 > most)
        return false;
    here.retries.push_back(now);
    return true;
}

} // namespace curlicue::detail
