// SPDX-License-Identifier: MIT
#include "to_file.hpp"

#include "client_core.hpp"
#include "file_worker.hpp"
#include "new_file.hpp"
#include <curlicue/error.hpp>
#include <curlicue/fetch_error.hpp>

#include <charconv>
#include <memory>
#include <utility>

namespace curlicue::detail {
namespace {

// So much is written at a time, and more where it comes faster than that.
constexpr std::size_t enough = std::size_t{256} << 10;

/// A strong ETag (RFC 9110 8.8.3), or empty: what tells that two bodies are the same byte by byte.
std::string_view validator_of(const response_head& head) noexcept {
    const auto tag = head.headers.get("ETag").value_or("");
    return tag.size() > 1 && tag.front() == '"' ? tag : std::string_view();
}

/// Offsets are those of the bytes as they come.
bool counts_in_bytes(const response_head& head) noexcept {
    return !head.headers.contains("Content-Encoding");
}

/// Whether it is the rest, from `offset` on, of what has this validator.
bool goes_on(const response_head& head, std::uint64_t offset, std::string_view validator) {
    const auto range = head.headers.get("Content-Range").value_or("");
    constexpr std::string_view unit = "bytes ";
    if (offset == 0 || head.status != 206 || !range.starts_with(unit) || !counts_in_bytes(head))
        return false;
    const auto tag = head.headers.get("ETag");
    if (tag && *tag != validator)
        return false;
    std::uint64_t first = 0, last = 0, size = 0;
    const auto* const end = range.data() + range.size();
    const auto dash = std::from_chars(range.data() + unit.size(), end, first);
    if (dash.ec != std::errc() || dash.ptr == end || *dash.ptr != '-' || first != offset)
        return false;
    const auto slash = std::from_chars(dash.ptr + 1, end, last);
    if (slash.ec != std::errc() || slash.ptr == end || *slash.ptr != '/' || last < first)
        return false;
    const auto whole = std::from_chars(slash.ptr + 1, end, size);
    return whole.ec == std::errc() && whole.ptr == end && size == last + 1;
}

class download {
public:
    download(intrusive_ptr<response_state> body, intrusive_ptr<executor_link> link,
             std::filesystem::path path)
        : body_(std::move(body)), again_(body_->again), link_(std::move(link)),
          path_(std::move(path)), validator_(validator_of(body_->head)) {
        if (body_->head.status != 200 || !counts_in_bytes(body_->head))
            again_ = nullptr;
    }

    download(const download&) = delete;
    download& operator=(const download&) = delete;
    ~download() { body_->drop(); } // of which nothing is left, unless a file could not be written

    task<std::uint64_t> run() {
        auto opened =
            with_files(link_, [path = path_] { return std::make_shared<new_file>(path); });
        file_ = co_await std::move(opened);
        for (std::exception_ptr why;; why = nullptr) {
            try {
                auto copied = copy();
                co_await std::move(copied);
                break;
            } catch (const fetch_error&) {
                why = std::current_exception();
            }
            if (!again_)
                std::rethrow_exception(why);
            auto resumed = go_on(std::move(why));
            co_await std::move(resumed);
        }
        auto finished = with_files(link_, [file = file_] { return file->finish(), file->size(); });
        co_return co_await std::move(finished);
    }

private:
    /// Until the body ends, or breaks off: with that failure, when all that came is written. A
    /// block is written while the next one comes.
    task<> copy() {
        auto written = make_ready_future();
        std::exception_ptr why;
        for (;;) {
            std::string block;
            try {
                auto asked = body_->next_block(enough);
                block = co_await std::move(asked);
            } catch (const fetch_error&) {
                why = std::current_exception();
            }
            co_await std::move(written);
            if (block.empty())
                break;
            written =
                with_files(link_, [file = file_, data = std::move(block)] { file->write(data); });
        }
        if (why)
            std::rethrow_exception(why);
    }

    /// The rest comes next, or all of it anew.
    task<> go_on(std::exception_ptr why) {
        auto offset = validator_.empty() ? 0 : file_->size();
        for (;; offset = 0) {
            auto asked = again_->from(offset, validator_, why);
            response next = co_await std::move(asked);
            auto state = response_access::take(std::move(next));
            state->take("response::to_file");
            body_ = std::move(state);
            if (goes_on(body_->head, offset, validator_))
                co_return;
            if (body_->head.status == 200 && counts_in_bytes(body_->head))
                break;
            body_->drop();
            if (offset == 0) // it has become something else
                std::rethrow_exception(why);
        }
        validator_ = validator_of(body_->head);
        auto anew = with_files(link_, [file = file_] { file->start_anew(); });
        co_await std::move(anew);
    }

    intrusive_ptr<response_state> body_;
    std::shared_ptr<resumption_of_body> again_;
    const intrusive_ptr<executor_link> link_;
    const std::filesystem::path path_;
    std::string validator_;
    std::shared_ptr<new_file> file_;
};

task<std::uint64_t> run_kept(std::unique_ptr<download> kept) {
    auto running = kept->run();
    co_return co_await std::move(running);
}

} // namespace

future<std::uint64_t> to_file(const intrusive_ptr<response_state>& body,
                              std::filesystem::path path) {
    const auto link = with_timer(body->link());
    return spawn_at(link, run_kept(std::make_unique<download>(body, link, std::move(path))));
}

} // namespace curlicue::detail
