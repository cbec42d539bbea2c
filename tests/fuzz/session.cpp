// SPDX-License-Identifier: MIT
// The program, its loop and its end.
#include "fuzz/session.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace curlicue::fuzz {
namespace {

using namespace std::chrono_literals;

constexpr const char* urls[] = {"http://one/", "https://two/", "three:8080/x?y", ""};
constexpr hold holds[] = {hold::while_busy, hold::always, hold::never};

// Callables that go wrong now and then.
struct mishap : std::runtime_error {
    mishap() : std::runtime_error("a mishap") {}
};

} // namespace

session::session(bytes input) : input_(input) {
    require(uv_loop_init(&loop_) == 0);
    require(uv_timer_init(&loop_, &guard_) == 0);
    curl_.on_add = [this](test::fake_multi& multi, CURL*) {
        set_timer(multi, 0);
        script(multi);
    };
    curl_.on_remove = curl_.on_pause = [this](test::fake_multi& multi, CURL*) { script(multi); };
    curl_.on_action = [this](test::fake_multi& multi, curl_socket_t socket, int) {
        if (socket == CURL_SOCKET_TIMEOUT)
            timers_[&multi] = -1;
        script(multi);
    };
    curl_.on_cleanup = [this](test::fake_multi& multi) {
        script(multi);
        timers_.erase(&multi);
        connections_.cleaned_up(multi);
    };
    open_multi();
    make_easy();
}

void session::open_multi() {
    ++multis_;
    const auto flags = input_.next();
    async_multi_options options;
    beats_ = (flags & 1) != 0;
    options.heartbeat = beats_ ? 1ms : 500ms;
    options.close_handles = (flags & 2) != 0;
    options.sharding = (flags & 4) != 0   ? shards::automatic
                       : (flags & 8) != 0 ? shards::fixed(2)
                                          : shards::one;
    options.keep_loop = holds[(flags >> 4) % std::size(holds)];
    if ((flags & 64) != 0)
        options.on_unobserved_error = [this](const std::exception_ptr&) { act(); };
    multi_ = std::make_unique<async_multi>(&loop_, std::move(options));
}

// Another may be opened while it ends.
void session::end_multi() { const auto ending = std::move(multi_); }

void session::run() {
    while (!input_.empty())
        switch (input_.below(4)) {
        case 0:
            connections_.disturb(input_);
            break;
        case 1:
            turn(input_.below(8) == 0 ? UV_RUN_ONCE : UV_RUN_NOWAIT);
            break;
        default:
            act();
        }
    if (multi_ && beats_ && !multi().closed())
        let_all_finish();
}

// The loop is the program's, which keeps it alive; no wait is long.
void session::turn(uv_run_mode mode) {
    const std::uint64_t wait = mode == UV_RUN_ONCE ? 2 : 3'600'000;
    uv_timer_start(
        &guard_, [](uv_timer_t*) {}, wait, wait);
    uv_run(&loop_, mode);
    uv_timer_stop(&guard_);
    check_timer();
}

// Whatever else is due, the engine's timer is not later than what libcurl asked for last. What an
// engine was asked for in the turn of another comes with its own.
void session::check_timer() {
    if (multis_ != 1)
        return;
    std::optional<std::uint64_t> due;
    uv_walk(
        &loop_,
        [](uv_handle_t* handle, void* arg) {
            if (handle->type != UV_TIMER || uv_is_active(handle) == 0)
                return;
            auto& earliest = *static_cast<std::optional<std::uint64_t>*>(arg);
            const auto its = uv_timer_get_due_in(reinterpret_cast<uv_timer_t*>(handle));
            earliest = std::min(earliest.value_or(its), its);
        },
        &due);
    for (const auto& [multi, asked] : timers_)
        require(asked <= 0 || (due && *due <= static_cast<std::uint64_t>(asked)));
}

// libcurl ends its transfers whenever it is called, and heartbeats see to that, whatever it asked
// for before.
void session::let_all_finish() {
    curl_.on_action = [this](test::fake_multi& multi, curl_socket_t socket, int) {
        if (socket == CURL_SOCKET_TIMEOUT)
            timers_[&multi] = -1;
        for (CURL* const each : multi.easies)
            if (std::ranges::count(multi.messages, each, &CURLMsg::easy_handle) == 0)
                multi.complete(each);
    };
    const auto all_over = [this] {
        return std::ranges::all_of(started_, [](const auto& each) { return each.over.ready(); });
    };
    for (int turns = 0; !all_over(); ++turns) {
        require(turns < 2000);
        turn(UV_RUN_ONCE);
    }
}

session::~session() {
    promises_.clear();
    end_multi();
    easies_.clear();
    uv_close(reinterpret_cast<uv_handle_t*>(&guard_), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    require(uv_loop_close(&loop_) == 0);
    for (const auto& each : started_)
        require(each.over.ready() && *each.heard == 1);
    for (const auto& [closed, heard] : closes_)
        require(*heard == 1);
    started_.clear();
    for (CURL* const each : lent_)
        curl_easy_cleanup(each);
}

// One step of the program. ------------------------------------------------------------------------

// A refusal is an answer like any other.
void session::act() noexcept {
    if (input_.empty() || std::this_thread::get_id() != home_)
        return;
    try {
        const auto which = input_.below(8);
        if (which == 0 && multis_ < 3 && !multi_)
            open_multi();
        else if (which < 4)
            act_on_transfers();
        else if (which < 6)
            act_on_handles();
        else if (multi_ && which == 6)
            act_on_multi();
        else if (multi_)
            act_elsewhere();
    } catch (const usage_error&) {
    } catch (const std::system_error&) {
    }
}

void session::act_on_transfers() {
    const auto which = input_.below(8);
    auto* const one = some_transfer();
    if (which < 2 && multi_)
        start(some_easy());
    else if (which == 2 && multi_)
        start_many();
    else if (which == 3 && multi_)
        co_spawn(multi().executor(), fetch(*this, some_easy())).detach([](const auto&) {});
    else if (one != nullptr && which == 4)
        one->over.cancel();
    else if (one != nullptr && which == 5)
        combine();
    else if (one != nullptr)
        chain();
}

void session::start(const easy& handle) {
    auto over = multi().perform(handle).share();
    auto heard = std::make_shared<int>(0);
    static_cast<void>(over.finally([this, heard] {
        ++*heard;
        act();
    }));
    started_.push_back({std::move(over), std::move(heard)});
}

// More than one shard takes.
void session::start_many() {
    if (++many_ > 1)
        return;
    for (int i = 0; i != 40 && multi_; ++i)
        start(easy(urls[0]));
}

// clang 14 cannot count what is covered of a coroutine.
__attribute__((no_sanitize("coverage"))) task<> session::fetch(session& self, easy handle) {
    if (!self.multi_)
        co_return;
    co_await self.multi().perform(handle).timeout(std::chrono::milliseconds(self.input_.below(4)));
    self.act();
}

void session::chain() {
    const auto source = some_transfer()->over;
    switch (input_.below(6)) {
    case 0:
        source.then([this](const easy&) { act(); }).cancel();
        break;
    case 1:
        source.then([](const easy&) { throw mishap(); }).detach([this](const auto&) { act(); });
        break;
    case 2:
        static_cast<void>(source.catch_error([this](const auto& error) -> easy {
            act();
            std::rethrow_exception(error);
        }));
        break;
    case 3:
        source.then_result([](const auto&) {})
            .timeout(std::chrono::milliseconds(input_.below(4)))
            .detach([](const auto&) {});
        break;
    case 4: // what the transfer is followed by is another
        static_cast<void>(source.then([this](const easy& handle) -> future<easy> {
            if (!multi_)
                throw mishap();
            return multi().perform(handle);
        }));
        break;
    default:
        static_cast<void>(source.finally([] { throw mishap(); }));
    }
}

void session::combine() {
    std::vector<shared_future<easy>> some;
    for (auto count = 1 + input_.below(4); count != 0; --count)
        some.push_back(some_transfer()->over);
    switch (input_.below(4)) {
    case 0:
        when_all(some).then([this](const auto&) { act(); }).detach([](const auto&) {});
        break;
    case 1:
        gather(some).detach([this](const auto&) { act(); });
        break;
    case 2:
        static_cast<void>(when_any(some));
        break;
    default:
        race(some).detach([](const auto&) {});
    }
}

void session::make_easy() {
    if (easies_.size() > 6)
        easies_.erase(easies_.begin());
    const auto which = input_.below(8);
    if (which == 0) {
        lent_.push_back(curl_easy_init());
        easies_.push_back(easy::borrow(lent_.back()));
        return;
    }
    easies_.emplace_back();
    if (const std::string url = input_.one_of(urls); !url.empty())
        easies_.back().setopt<CURLOPT_URL>(url);
    if (which == 1) // stays added when it is over
        easies_.back().setopt<CURLOPT_CONNECT_ONLY>(true);
}

void session::act_on_handles() {
    const auto which = input_.below(8);
    auto handle = some_easy();
    switch (which) {
    case 0:
    case 1:
        return make_easy();
    case 2:
        return handle.pause(input_.flip() ? CURLPAUSE_ALL : CURLPAUSE_CONT);
    case 3:
        return handle.unpause();
    case 4:
        handle.close();
        return make_easy();
    case 5:
        handle.reset();
        return;
    default:
        if (multi_)
            multi().remove_handle(handle);
    }
}

void session::act_on_multi() {
    switch (input_.below(12)) {
    case 0:
        return listen(multi().close());
    case 1:
        return listen(multi().drain(std::chrono::milliseconds(input_.below(4))));
    case 2:
        return end_multi();
    case 3:
        return multi().setopt<CURLMOPT_MAXCONNECTS>(input_.below(4));
    case 4:
        return multi().setopt<CURLMOPT_PIPELINING>(input_.flip() ? CURLPIPE_MULTIPLEX
                                                                 : CURLPIPE_NOTHING);
    case 5:
        return multi().ref();
    case 6:
        return multi().unref();
    case 7:
        static_cast<void>(multi().post([this] { act(); }));
        return;
    case 8:
        static_cast<void>(multi().post([] { throw mishap(); }));
        return;
    case 9:
        promises_.emplace_back(multi().executor());
        promised_.push_back(promises_.back().get_future().then([this](int) {
            act();
            return 0;
        }));
        return;
    case 10:
        if (!promises_.empty() && input_.flip())
            promises_.back().set_value(1);
        else if (!promises_.empty())
            promises_.pop_back();
        return;
    default:
        require(multi().futures().size() <= multi().size());
        require(multi().stats().pending >= multi().futures().size());
    }
}

void session::listen(future<void> closed) {
    auto heard = std::make_shared<int>(0);
    auto told = std::move(closed).finally([this, heard] {
        ++*heard;
        act();
    });
    closes_.emplace_back(std::move(told), std::move(heard));
}

// The same from another thread, as far as it is allowed to.
void session::act_elsewhere() {
    const auto which = input_.below(4);
    auto* const one = some_transfer();
    auto& handle = some_easy();
    std::thread([&] {
        try {
            if (which == 0)
                start(handle);
            else if (which == 1 && one != nullptr)
                one->over.cancel();
            else if (which == 2)
                static_cast<void>(multi().post([this] { act(); }));
            else if (which == 3)
                listen(multi().close());
        } catch (const usage_error&) {
        } catch (const std::system_error&) {
        }
    }).join();
}

} // namespace curlicue::fuzz
