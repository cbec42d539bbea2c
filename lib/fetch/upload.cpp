// SPDX-License-Identifier: MIT
#include "upload.hpp"

#include "call.hpp"
#include <curlicue/detail/promise_state.hpp>
#include <curlicue/error.hpp>

#include <algorithm>
#include <utility>

namespace curlicue::detail {

std::size_t upload::on_read(char* buffer, std::size_t size, std::size_t count, void* self) {
    auto& here = *static_cast<upload*>(self);
    try {
        return here.give({buffer, size * count});
    } catch (...) {
        here.owner_.upload_failed(std::current_exception());
        return CURL_READFUNC_ABORT;
    }
}

// libcurl sends a request again where a kept connection has turned out to be dead.
int upload::on_seek(void* self, curl_off_t offset, int origin) {
    auto& here = *static_cast<upload*>(self);
    if (offset != 0 || origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    if (!here.begun_)
        return CURL_SEEKFUNC_OK;
    if (!here.may_repeat_)
        return CURL_SEEKFUNC_FAIL;
    ++here.round_;
    here.next_ = nullptr;
    here.piece_.clear();
    here.whole_ = nullptr;
    here.taken_ = here.given_ = here.came_ = 0;
    here.begun_ = here.asking_ = here.paused_ = here.ended_ = false;
    return CURL_SEEKFUNC_OK;
}

std::size_t upload::give(std::span<char> buffer) {
    if (!has_data() && !ended_) {
        if (!asking_ && !take_at_hand())
            ask();
        if (!has_data() && !ended_) {
            paused_ = true;
            return CURL_READFUNC_PAUSE;
        }
    }
    const auto given = std::min(buffer.size(), piece().size() - taken_);
    std::copy_n(piece().data() + taken_, given, buffer.data());
    taken_ += given;
    given_ += given;
    if (given_ == content_->size()) // then nobody asks for the end
        ended_ = true;
    owner_.upload_moves();
    return given;
}

// What has come meanwhile need not be asked for.
bool upload::take_at_hand() noexcept {
    if (!next_) // the first one is asked for, which opens it
        return false;
    auto piece = content_->at_hand();
    if (piece)
        came(std::move(*piece));
    return piece.has_value();
}

// libcurl is on the stack, and what brings the pieces may be the user's.
void upload::ask() {
    begun_ = true;
    if (const auto* const text = content_->text()) {
        ended_ = whole_ != nullptr || text->empty();
        whole_ = text;
        return;
    }
    asking_ = true;
    auto turn = make_intrusive<promise_state<void>>(link_);
    asked_ = future<void>(turn).then([this, kept = owner_.kept()] { ask_now(); });
    turn->keep_promise({});
}

void upload::ask_now() noexcept {
    if (stopped_)
        return;
    try {
        if (!next_)
            next_ = content_->open(link_);
        asked_ = next_().then_result(
            [this, round = round_, kept = owner_.kept()](result<std::string>&& piece) noexcept {
                if (round == round_)
                    came(std::move(piece));
            });
    } catch (...) {
        owner_.upload_failed(std::current_exception());
    }
}

void upload::came(result<std::string>&& piece) noexcept {
    asking_ = false;
    if (stopped_)
        return;
    if (!piece.has_value())
        return owner_.upload_failed(piece.exception());
    piece_ = std::move(piece).value();
    taken_ = 0;
    ended_ = piece_.empty();
    if (keeps_to_its_size(piece_.size()))
        go_on();
    else
        piece_.clear();
}

// A server would wait for what is missing, or take what is too much for another request.
bool upload::keeps_to_its_size(std::size_t more) noexcept {
    came_ += more;
    const auto size = content_->size();
    if (!size || (more == 0 ? came_ == *size : came_ <= *size))
        return true;
    owner_.upload_failed(fetch_failure(std::error_code(CURLE_READ_ERROR, easy_category()),
                                       fetch_phase::send, 1U, std::nullopt,
                                       "the request's body is not as long as it was said to be"));
    return false;
}

void upload::stop(const std::exception_ptr& why) noexcept {
    if (std::exchange(stopped_, true))
        return;
    if (asked_.valid())
        asked_.cancel();
    if (next_)
        content_->close(why);
}

} // namespace curlicue::detail
