// SPDX-License-Identifier: MIT
#pragma once

#include "byte_queue.hpp"
#include "call.hpp"
#include <curlicue/response.hpp>

#include <atomic>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace curlicue::detail {

/// Asks for a body once more, from somewhere on: what `to_file` goes on with.
class resumption_of_body {
public:
    virtual ~resumption_of_body() = default;
    /// After a pause the response to the same request; with `validator`, of the bytes from `offset`
    /// on. Fails with `why`, or as having tried often enough, where it may not be asked for again.
    virtual future<response> from(std::uint64_t offset, std::string validator,
                                  std::exception_ptr why) = 0;
};

/// The head of a response.
struct response_head {
    int status = 0;
    http_version version = http_version::http1;
    std::string reason;
    header_list headers;
};

constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();
// What a status_error holds of a body.
constexpr std::size_t most_of_error = 4096;

/// What a response, its streams and its futures share. The head is fixed before anybody else has
/// it; the body is the business of whoever brings it.
/// @threading any thread, one at a time
class response_state : public ref_counted {
public:
    response_head head;
    std::string url; ///< without user and password
    std::string remote_address;
    std::shared_ptr<fetch_call> of; ///< null for a response that no client has asked for
    std::size_t most_body = everything;
    std::shared_ptr<resumption_of_body> again; ///< how what broke off is asked for again, if at all

    /// Where what reads it goes on; null: at once, wherever that is.
    virtual intrusive_ptr<executor_link> link() const noexcept;

    /// The body is taken by this call. @throws usage_error{errc::already_retrieved}
    void take(const char* what);
    bool taken() const noexcept { return taken_; }

    /// These are for one at a time. @throws usage_error{errc::already_reading}
    future<std::string> read(std::size_t most);
    future<std::optional<std::string>> line();
    /// For what is read in other ways, begun and ended by these.
    void begin_reading();
    void end_reading() noexcept;

    /// A piece of no more than `most` bytes, empty at the end, of what is held back or comes. For
    /// who has begun to read.
    future<std::string> next_piece(std::size_t most);
    /// The same of at least so many bytes where as many come and there is room for them, for who
    /// reads all of it in this way.
    virtual future<std::string> next_block(std::size_t least);
    /// All that is left. Its futures own this.
    virtual future<std::string> gather();
    /// `sink` with each piece, where it is.
    virtual future<void> each_piece(unique_function<void(std::string_view)> sink);
    /// Its stream is gone, which ends the transfer, but for a read that is pending.
    void let_go() noexcept;
    /// Nobody will read it (any more). On any thread.
    virtual void drop() noexcept {}
    /// Nothing more is to come of it. On any thread.
    virtual void cancel() noexcept { refuse(failure(errc::cancelled).exception()); }
    /// More than `most_body` allows: nothing more comes of it.
    std::exception_ptr refuse_length() noexcept;

    /// Those behind the body; null before its end.
    virtual const header_list* trailers() const noexcept;
    /// What of the body is here.
    virtual std::string peek(std::size_t most) const;
    /// Kept until the body is over, or dropped.
    virtual void keep(std::shared_ptr<const void> what) { kept_.push_back(std::move(what)); }
    /// The caller has it: of the request there is no other hop or attempt.
    virtual void is_handed_out() noexcept { handed_out_ = true; }
    /// Nothing of the body comes any more; with `failure`, if that was why.
    virtual bool over(std::exception_ptr& failure) const;
    virtual timings times() const { return {}; }
    timings told_times; ///< for whom `response::times` has told them

protected:
    response_state() = default;

    /// A piece of no more than `most` bytes, empty at the end. One at a time.
    virtual future<std::string> read_some(std::size_t most) = 0;
    void let_go_of_kept() noexcept { kept_.clear(); }
    bool handed_out_ = false;

private:
    std::exception_ptr refuse(std::exception_ptr why) noexcept;
    std::optional<std::string> take_line();
    future<std::optional<std::optional<std::string>>> look_for_line();

    bool taken_ = false;
    std::atomic<unsigned> reading_{0}; // a read is pending, nobody else will read
    byte_queue read_ahead_;            // behind a line
    std::size_t searched_ = 0;         // of that, for the end of a line
    bool ended_ = false;               // likewise
    bool asks_for_line_ = false;       // for more of one: if nothing comes, that has failed
    std::exception_ptr broken_;
    std::vector<std::shared_ptr<const void>> kept_;
};

struct response_access {
    static response make(intrusive_ptr<response_state> state) noexcept {
        return response(std::move(state));
    }
    static response_state& state(response& of) noexcept { return *of.state_; }
    static const response_state& state(const response& of) noexcept { return *of.state_; }
    static intrusive_ptr<response_state> take(response&& of) noexcept {
        return std::exchange(of.state_, nullptr);
    }
};

} // namespace curlicue::detail
