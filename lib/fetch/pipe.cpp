// SPDX-License-Identifier: MIT
#include "pipe.hpp"

#include <curlicue/detail/promise_state.hpp>
#include <curlicue/error.hpp>

#include <utility>
#include <vector>

namespace curlicue {
namespace detail {
namespace {

// So many bytes wait before a writer has to.
constexpr std::size_t room = std::size_t{256} << 10;

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
        return make_failed_future<void>(refusal_);
    if (piece.empty())
        return make_ready_future();
    size_ += piece.size();
    pieces_.push_back({std::move(piece), nullptr});
    if (size_ <= room) {
        hand_over(lock);
        return make_ready_future();
    }
    auto taken = make_intrusive<word>(link_);
    pieces_.back().taken = taken;
    hand_over(lock);
    return future<void>(std::move(taken));
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

void pipe::abandon() noexcept {
    end_with(std::make_exception_ptr(future_error(errc::broken_promise)));
}

void pipe::end_with(const std::exception_ptr& why) noexcept {
    std::deque<written> lost;
    std::unique_lock lock(mutex_);
    if (std::exchange(ended_, true))
        return;
    failure_ = why;
    lost.swap(pieces_);
    hand_over(lock);
    for (const auto& each : lost)
        if (each.taken)
            each.taken->tell(failure(why));
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
    size_ -= next.piece.size();
    std::deque<intrusive_ptr<word>> heard{std::move(next.taken)};
    auto ahead = std::size_t{0};
    for (auto& each : pieces_) {
        ahead += each.piece.size();
        if (ahead > room)
            break;
        heard.push_back(std::exchange(each.taken, nullptr));
    }
    lock.unlock();
    for (const auto& each : heard)
        if (each)
            each->tell({});
    return std::move(next.piece);
}

void pipe::close(const std::exception_ptr& why) noexcept {
    std::deque<written> lost;
    intrusive_ptr<reader> reading;
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(over_, true))
            return;
        refusal_ =
            why ? why : std::make_exception_ptr(usage_error(errc::closed, "body_writer::write"));
        lost.swap(pieces_);
        reading = std::exchange(reading_, nullptr);
    }
    for (const auto& each : lost)
        if (each.taken)
            each.taken->tell(failure(refusal_));
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
