// SPDX-License-Identifier: MIT
#include "pipe.hpp"

#include <curlicue/detail/promise_state.hpp>
#include <curlicue/error.hpp>

#include <algorithm>
#include <utility>

namespace curlicue {
namespace detail {
namespace {

// So many bytes wait before a writer has to.
constexpr std::uint64_t room = std::uint64_t{256} << 10;

} // namespace

/// That a piece has been taken. It belongs to the executor of the request, once there is one.
class pipe::word final : public state<void> {
public:
    explicit word(intrusive_ptr<executor_link> link) : state<void>(std::move(link)) {
        if (this->link() && !end_with_executor())
            throw usage_error(errc::closed, "body_writer::write");
    }
    void tell(result<void>&& outcome) noexcept { fulfil(std::move(outcome)); }

private:
    ~word() override = default;
};

pipe::pipe() = default;
pipe::~pipe() = default;

void pipe::require_open(const char* what) const {
    if (ended_)
        throw usage_error(errc::closed, what);
}

future<void> pipe::write(std::string piece) {
    std::unique_lock lock(mutex_);
    require_open("body_writer::write");
    if (over_)
        return make_failed_future<void>(refusal_.exception());
    if (piece.empty())
        return make_ready_future();
    const auto end = written_ + piece.size();
    writers waits; // first, what may fail
    if (end - taken_ > room)
        waits.push_back({end, make_intrusive<word>(link_)});
    auto taken = waits.empty() ? make_ready_future() : future<void>(waits.front().told);
    pieces_.push_back(std::move(piece));
    written_ = end;
    waiting_.splice(waiting_.end(), waits);
    hand_over(lock);
    return taken;
}

void pipe::end() {
    std::unique_lock lock(mutex_);
    require_open("body_writer::end");
    ended_ = true;
    hand_over(lock);
}

void pipe::fail(const std::exception_ptr& why) {
    {
        const std::lock_guard lock(mutex_);
        require_open("body_writer::fail");
    }
    end_with(why);
}

void pipe::abandon() noexcept { end_with(failure(errc::broken_promise).exception()); }

void pipe::end_with(const std::exception_ptr& why) noexcept {
    writers lost;
    std::unique_lock lock(mutex_);
    if (std::exchange(ended_, true))
        return;
    failure_ = why;
    pieces_.clear();
    lost.swap(waiting_);
    hand_over(lock);
    tell(lost, failure(why));
}

void pipe::bind(const intrusive_ptr<executor_link>& link) {
    const std::lock_guard lock(mutex_);
    if (link_)
        throw usage_error(errc::already_retrieved, "request_body::pipe");
    link_ = link;
}

bool pipe::bound() const noexcept {
    const std::lock_guard lock(mutex_);
    return link_ != nullptr;
}

future<std::string> pipe::next() {
    std::unique_lock lock(mutex_);
    auto asked = make_intrusive<reader>(link_);
    reading_ = asked;
    hand_over(lock);
    return future<std::string>(std::move(asked));
}

// What is told is told without the lock.
void pipe::hand_over(std::unique_lock<std::mutex>& lock) noexcept {
    if (!reading_ || (pieces_.empty() && !ended_)) {
        lock.unlock();
        return;
    }
    const auto reading = std::exchange(reading_, nullptr);
    if (pieces_.empty()) {
        const auto why = failure_;
        lock.unlock();
        reading->keep_promise(why ? result<std::string>(failure(why))
                                  : result<std::string>(std::string()));
        return;
    }
    reading->keep_promise(take_piece(lock));
}

std::optional<std::string> pipe::at_hand() noexcept {
    std::unique_lock lock(mutex_);
    if (!pieces_.empty())
        return take_piece(lock);
    return ended_ && !failure_ ? std::optional(std::string()) : std::nullopt;
}

/// The first; who may write again is told. Without the lock then.
std::string pipe::take_piece(std::unique_lock<std::mutex>& lock) noexcept {
    auto next = std::move(pieces_.front());
    pieces_.pop_front();
    taken_ += next.size();
    const auto still_wait =
        std::ranges::find_if(waiting_, [this](auto& each) { return each.end > taken_ + room; });
    writers heard;
    heard.splice(heard.end(), waiting_, waiting_.begin(), still_wait);
    lock.unlock();
    tell(heard, {});
    return next;
}

void pipe::tell(const writers& who, const result<void>& outcome) noexcept {
    for (const auto& each : who)
        each.told->tell(result<void>(outcome));
}

void pipe::close(const std::exception_ptr& why) noexcept {
    writers lost;
    intrusive_ptr<reader> reading;
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(over_, true))
            return;
        if (why)
            refusal_ = why;
        pieces_.clear();
        lost.swap(waiting_);
        reading = std::exchange(reading_, nullptr);
    }
    tell(lost, refusal_);
}

request_body::producer piped_content::open(const intrusive_ptr<executor_link>& link) {
    pipe_->bind(link);
    return [pipe = pipe_] { return pipe->next(); };
}

} // namespace detail

body_writer::body_writer(std::shared_ptr<detail::pipe> pipe) noexcept : pipe_(std::move(pipe)) {}
body_writer::body_writer(body_writer&&) noexcept = default;
body_writer& body_writer::operator=(body_writer&& other) noexcept {
    std::swap(pipe_, other.pipe_);
    return *this;
}
body_writer::~body_writer() {
    if (pipe_)
        pipe_->abandon();
}

namespace {
detail::pipe& checked(const std::shared_ptr<detail::pipe>& pipe) {
    if (!pipe)
        throw usage_error(errc::no_state, "body_writer");
    return *pipe;
}
} // namespace

future<void> body_writer::write(std::string piece) {
    return checked(pipe_).write(std::move(piece));
}
void body_writer::end() { checked(pipe_).end(); }
void body_writer::fail(const std::exception_ptr& why) { checked(pipe_).fail(why); }

} // namespace curlicue
