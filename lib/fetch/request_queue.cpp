// SPDX-License-Identifier: MIT
#include "request_queue.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace curlicue::detail {

bool request_queue::has_room(const origin_queue& of) const noexcept {
    return (limits_.total == 0 || running_ < limits_.total) &&
           (limits_.per_origin == 0 || of.running < limits_.per_origin);
}

struct request_queue::held {
    const std::string origin;
    std::shared_ptr<request_queue> from = nullptr; // once it counts

    explicit held(std::string whose) noexcept : origin(std::move(whose)) {}
    held(const held&) = delete;
    held& operator=(const held&) = delete;
    ~held() {
        if (from)
            from->give_back(origin);
    }
};

request_queue::slot request_queue::take(origin_queue& of, std::shared_ptr<held> given) noexcept {
    ++of.running;
    ++running_;
    given->from = shared_from_this();
    return given;
}

std::optional<future<request_queue::slot>> request_queue::acquire(const std::string& origin,
                                                                  int priority) {
    slot given;
    place where{priority, 0};
    auto asked = make_intrusive<promise>(link_);
    auto theirs = std::make_shared<held>(origin);
    {
        const std::lock_guard lock(mutex_);
        auto& here = origins_[origin];
        if (here.waiting.empty() && has_room(here)) {
            given = take(here, std::move(theirs));
        } else if (waiting_ >= limits_.queue) {
            forget_if_idle(origin);
            return std::nullopt;
        } else {
            where.number = ++came_;
            std::list<std::string> turn; // first, what may fail
            if (here.waiting.empty())
                turn.push_back(origin);
            here.waiting.emplace(where, waiter{asked, std::move(theirs)});
            turns_.splice(turns_.end(), turn);
            ++waiting_;
        }
    }
    if (given)
        asked->keep_promise(std::move(given));
    else
        asked->on_cancel([self = shared_from_this(), origin, where] { self->left(origin, where); });
    return future<slot>(std::move(asked));
}

void request_queue::forget_if_idle(const std::string& origin) noexcept {
    const auto found = origins_.find(origin);
    if (found != origins_.end() && found->second.running == 0 && found->second.waiting.empty())
        origins_.erase(found);
}

void request_queue::give_back(const std::string& origin) noexcept {
    {
        const std::lock_guard lock(mutex_);
        --running_;
        --origins_.find(origin)->second.running;
        forget_if_idle(origin);
    }
    let_in();
}

void request_queue::left(const std::string& origin, const place& where) noexcept {
    waiter who; // which ends without the mutex
    const std::lock_guard lock(mutex_);
    const auto found = origins_.find(origin);
    if (found == origins_.end())
        return;
    auto& waiting = found->second.waiting;
    const auto left = waiting.find(where);
    if (left == waiting.end())
        return;
    who = std::move(left->second);
    waiting.erase(left);
    --waiting_;
    if (waiting.empty())
        turns_.remove(origin);
    forget_if_idle(origin);
}

request_queue::waiter request_queue::next_of(origin_queue& of) noexcept {
    const auto first = of.waiting.begin();
    auto next = std::move(first->second);
    of.waiting.erase(first);
    --waiting_;
    return next;
}

// Whose turn it was goes to the end. Who was cancelled meanwhile gives the slot back at once, in
// here: that is seen by the next round, not by another of these.
void request_queue::let_in() noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(letting_in_, true))
            return;
    }
    for (;;) {
        waiter next;
        slot given;
        {
            const std::lock_guard lock(mutex_);
            const auto found = std::ranges::find_if(turns_, [this](const std::string& each) {
                return has_room(origins_.find(each)->second);
            });
            if (found == turns_.end()) {
                letting_in_ = false;
                return;
            }
            auto& origin = origins_.find(*found)->second;
            next = next_of(origin);
            given = take(origin, std::move(next.given));
            if (origin.waiting.empty())
                turns_.erase(found);
            else
                turns_.splice(turns_.end(), turns_, found);
        }
        next.told->keep_promise(std::move(given));
    }
}

std::size_t request_queue::waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_;
}

std::map<std::string, std::size_t> request_queue::waiting_by_origin() const {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::size_t> all;
    for (const auto& [origin, queue] : origins_)
        if (!queue.waiting.empty())
            all[origin] = queue.waiting.size();
    return all;
}

} // namespace curlicue::detail
