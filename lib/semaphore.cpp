// SPDX-License-Identifier: MIT
#include <curlicue/error.hpp>
#include <curlicue/semaphore.hpp>

#include <mutex>
#include <stdexcept>
#include <utility>

namespace curlicue {
namespace detail {

/// What a semaphore, its permits and those who wait for one share.
/// @threading thread-safe
class permits final : public ref_counted {
public:
    explicit permits(std::size_t count) noexcept : free_(count) {}

    future<permit> acquire(const intrusive_ptr<executor_link>& where);
    /// One has ended: it is the next one's.
    void give_back() noexcept;

private:
    class acquisition;
    // Its place in the queue, which holds a reference.
    struct place final : list_node {
        explicit place(acquisition& whose) noexcept : owner(whose) {}
        acquisition& owner;
    };

    bool enter(place& last) noexcept;
    bool leave(place& one) noexcept;
    intrusive_ptr<acquisition> next() noexcept;

    small_mutex mutex_; // guards what follows
    std::size_t free_;  // none while somebody waits
    intrusive_list<place> queue_;
};

class permits::acquisition final : public state<permit> {
public:
    acquisition(permits& from, const intrusive_ptr<executor_link>& where)
        : state<permit>(where), from_(intrusive_ptr<permits>::share(&from)), place_(*this) {
        if (where && !end_with_executor())
            throw usage_error(errc::closed, "semaphore::acquire");
    }

    place& in_queue() noexcept { return place_; }
    /// False if a cancel was first.
    bool grant() noexcept {
        if (!fix())
            return false;
        store(permit(from_));
        settle();
        return true;
    }

private:
    ~acquisition() override = default;

    intrusive_ptr<state_base> cancel_requested() noexcept override {
        const bool waited = from_->leave(place_);
        settle();
        if (waited)
            release();
        return nullptr;
    }

    const intrusive_ptr<permits> from_;
    place place_;
};

future<permit> permits::acquire(const intrusive_ptr<executor_link>& where) {
    const auto item = make_intrusive<acquisition>(*this, where);
    if (!enter(item->in_queue()) && !item->grant())
        give_back();
    return future<permit>(item);
}

// False: there is one at once.
bool permits::enter(place& last) noexcept {
    const std::lock_guard lock(mutex_);
    if (free_ != 0) {
        --free_;
        return false;
    }
    last.owner.retain();
    queue_.push_back(last);
    return true;
}

// Whether it was there still: its reference is the caller's then.
bool permits::leave(place& one) noexcept {
    const std::lock_guard lock(mutex_);
    const bool waited = one.linked();
    one.unlink();
    return waited;
}

intrusive_ptr<permits::acquisition> permits::next() noexcept {
    const std::lock_guard lock(mutex_);
    auto* const first = queue_.pop_front();
    if (first != nullptr)
        return intrusive_ptr<acquisition>::adopt(&first->owner);
    ++free_;
    return nullptr;
}

void permits::give_back() noexcept {
    while (const auto first = next())
        if (first->grant())
            return;
}

} // namespace detail

permit::permit() noexcept = default;
permit::permit(detail::intrusive_ptr<detail::permits> source) noexcept
    : source_(std::move(source)) {}
permit::permit(permit&& other) noexcept = default;

permit& permit::operator=(permit&& other) noexcept {
    permit taken(std::move(other));
    std::swap(source_, taken.source_);
    return *this;
}

permit::~permit() {
    if (source_)
        source_->give_back();
}

semaphore::semaphore(std::size_t count) : permits_(detail::make_intrusive<detail::permits>(count)) {
    if (count == 0)
        throw std::invalid_argument("semaphore: of no permits nobody would ever get one; ask for 1 "
                                    "at the least");
}

semaphore::~semaphore() = default;

future<permit> semaphore::acquire() { return permits_->acquire(nullptr); }

future<permit> semaphore::acquire(executor& where) {
    return permits_->acquire(detail::executor_link::of(where));
}

} // namespace curlicue
