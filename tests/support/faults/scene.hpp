// SPDX-License-Identifier: MIT
#pragma once

#include "support/temporary_directory.hpp"
#include <curlicue/async_multi.hpp>
#include <curlicue/error.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <uv.h>

namespace curlicue::test {

/// A loop, a multi and some transfers, for something to go wrong with. Afterwards every future has
/// come out once, with a value or an error that says something; the multi transfers again; and it
/// leaves nothing on the loop.
class scene {
public:
    scene();
    scene(const scene&) = delete;
    scene& operator=(const scene&) = delete;
    ~scene();

    /// What can go wrong: called when a scenario has made what should not, and when it is over.
    std::function<void()> trouble_begins = [] {};
    std::function<void()> trouble_ends = [] {};

    async_multi& open(async_multi_options options = {});
    uv_loop_t* loop() noexcept { return &loop_; }
    /// A handle that is borrowed from here: it is there until the loop is done with it.
    CURL* handle();
    /// For files; it is there as long as this.
    const temporary_directory& directory() {
        return directory_ ? *directory_ : directory_.emplace();
    }
    /// Until nothing keeps the loop.
    void run();
    void run_to(const std::function<bool()>& reached);

    /// This one is to come out.
    template <class T> void expect(future<T>&& over);
    /// A complaint, unless `what` threw something that says what went wrong.
    void judge(const std::exception_ptr& what) noexcept;

    /// So says a scenario that has run to its end.
    void all_is_over();
    /// The end, also in the middle. What there is to complain about, if anything.
    std::string complaint();

private:
    void tell(const char* what) noexcept;
    void ask_again();

    uv_loop_t loop_{};
    std::optional<temporary_directory> directory_;
    std::unique_ptr<CURL, void (*)(CURL*)> handle_{nullptr, &curl_easy_cleanup};
    std::optional<async_multi> multi_;
    int expected_ = 0;
    int come_out_ = 0;
    const char* wrong_ = nullptr;
    bool closed_ = false;
};

template <class T> void scene::expect(future<T>&& over) {
    const auto observer = [this](result<T>&& outcome) {
        ++come_out_;
        if (!outcome)
            judge(outcome.exception());
    };
    auto observed = std::move(over).then_result(observer); // throws before anything is attached
    ++expected_;
    static_cast<void>(observed); // goes on by itself
}

struct scenario {
    std::string_view name;
    void (*play)(scene&);
    friend void PrintTo(const scenario& played, std::ostream* out) { *out << played.name; }
};

/// What a program does with transfers, each in a few lines.
const std::vector<scenario>& scenarios();
/// Those of them that use a client.
std::vector<scenario> fetch_scenarios();

/// Plays it, with trouble. @returns the complaint, empty for none
std::string play(const scenario& what, std::function<void()> trouble_begins,
                 std::function<void()> trouble_ends);

} // namespace curlicue::test
