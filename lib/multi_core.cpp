// SPDX-License-Identifier: MIT
#include "multi_core.hpp"

#include <curlicue/error.hpp>

#include <algorithm>
#include <chrono>
#include <span>
#include <string>
#include <system_error>
#include <utility>

namespace curlicue::detail {
namespace {

easy_core& core_of(const easy& handle) noexcept { return *easy_access::core_of(handle); }

} // namespace

/// Hears of close callbacks that throw when no transfer is left that they could end: libcurl closes
/// pooled connections when it likes.
class multi_core::close_failure final : public socket_observer {
public:
    void opened(curl_socket_t) noexcept override {}
    void closing(curl_socket_t) noexcept override {}
    void callback_failed(std::exception_ptr exception) noexcept override {
        if (!exception_)
            exception_ = std::move(exception);
    }
    std::exception_ptr take() noexcept { return std::exchange(exception_, nullptr); }

private:
    std::exception_ptr exception_;
};

/// While a callable of ours runs, which kind it is.
class multi_core::inside {
public:
    inside(callable& current, callable kind) noexcept
        : current_(current), before_(std::exchange(current, kind)) {}
    inside(const inside&) = delete;
    inside& operator=(const inside&) = delete;
    ~inside() { current_ = before_; }

private:
    callable& current_;
    callable before_;
};

multi_core::multi_core(multi_options options)
    : handle_(*this), close_failure_(make_intrusive<close_failure>()),
      close_handles_(options.close_handles) {}
multi_core::~multi_core() = default;

void multi_core::require_outside(const char* call) const {
    if (handle_.inside())
        throw usage_error(errc::inside_callback, call);
}

void multi_core::add(easy added) {
    require_outside("multi::add_handle");
    CURL* const curl = added.native_handle();
    if (curl == nullptr)
        throw usage_error(errc::closed, "multi::add_handle");
    easy_core& core = core_of(added);
    if (reports_.capacity() <= handles_.size())
        reports_.reserve(2 * handles_.size() + 1);
    const auto [place, inserted] = handles_.try_emplace(curl, entry{std::move(added)});
    if (!core.claim(*this, easy_core::used::anywhere)) {
        if (inserted)
            handles_.erase(place);
        throw usage_error(errc::already_added, "multi::add_handle");
    }
    try {
        core.enter_thread();
    } catch (...) {
        forget(curl);
        throw;
    }
    if (core.callbacks().has(CURLOPT_CLOSESOCKETFUNCTION))
        core.observe_sockets(close_failure_.get());

    adding_ = true;
    add_refused_ = false;
    run("curl_multi_add_handle", [&](multi_handle& multi) {
        CURLMcode code = multi.add(curl);
        if (code == CURLM_OK && (add_refused_ || exception_)) {
            multi.remove(curl);
            code = CURLM_ABORTED_BY_CALLBACK;
        }
        adding_ = false;
        if (code != CURLM_OK)
            forget(curl);
        return code;
    });
}

void multi_core::remove(CURL* curl) {
    require_outside("multi::remove_handle");
    const auto found = handles_.find(curl);
    if (found == handles_.end())
        throw usage_error(errc::not_added, "multi::remove_handle");
    if (!found->second.running)
        return forget(curl);
    run("curl_multi_remove_handle", [&](multi_handle& multi) {
        const CURLMcode code = multi.remove(curl);
        // The timer callable's -1 comes after the removal, whose own failures leave it undone.
        if (code == CURLM_OK || code == CURLM_ABORTED_BY_CALLBACK)
            forget(curl);
        return code;
    });
}

/// Lets go of a handle that libcurl has let go of.
void multi_core::forget(CURL* curl) noexcept {
    std::erase_if(reports_, [curl](const auto& report) { return report.handle == curl; });
    const auto node = handles_.extract(curl); // its easy may be the last copy: keep it to the end
    part_from(node.mapped().handle);
}

void multi_core::part_from(const easy& handle) noexcept {
    easy_core& core = core_of(handle);
    if (core.observer().get() == close_failure_.get())
        core.observe_sockets(nullptr);
    core.release_claim();
}

const easy* multi_core::find(CURL* curl) const noexcept {
    const auto found = handles_.find(curl);
    return found == handles_.end() ? nullptr : &found->second.handle;
}

bool multi_core::reported(CURL* curl) const noexcept {
    return std::ranges::find(reports_, curl, &finished_transfer::handle) != reports_.end();
}

/// Copies libcurl's messages, which die when their handles are removed.
void multi_core::collect_reports() noexcept {
    while (const auto finished = handle_.info_read())
        report(*finished);
}

void multi_core::report(finished_transfer finished) noexcept {
    const easy* const handle = find(finished.handle);
    if (handle == nullptr) // added by hand
        return;
    easy_core& core = core_of(*handle);
    if (finished.result == CURLE_OK && core.has_exception())
        finished.result = CURLE_ABORTED_BY_CALLBACK;
    core.set_result(finished.result);
    reports_.push_back(finished);
}

info_batch multi_core::info_read(std::size_t max) {
    if (current_ != callable::notify) {
        require_outside("multi::info_read");
        if (any_callback_failed_) // in a call that was not ours, such as easy::send
            run("curl_multi_remove_handle", [](multi_handle&) { return CURLM_OK; });
    }
    collect_reports();

    const std::span<const finished_transfer> told(reports_.data(), std::min(max, reports_.size()));
    info_batch batch;
    for (const auto& [curl, result] : told) {
        const easy& handle = handles_.at(curl).handle;
        if (result == CURLE_OK)
            batch.succeeded.push_back(handle);
        else
            batch.failed.push_back({handle, result, std::string(handle.error()), nullptr});
    }
    // From here on nothing can fail: what is told is told.
    for (auto& failed : batch.failed)
        failed.exception = core_of(failed.handle).take_exception();
    reports_.erase(reports_.begin(), reports_.begin() + static_cast<std::ptrdiff_t>(told.size()));
    batch.remaining = reports_.size();
    return batch;
}

void multi_core::listen(multi_socket_function function) {
    finish("CURLMOPT_SOCKETFUNCTION", handle_.listen_sockets(static_cast<bool>(function)));
    std::swap(socket_function_, function);
}

void multi_core::listen(multi_timer_function function) {
    finish("CURLMOPT_TIMERFUNCTION", handle_.listen_timer(static_cast<bool>(function)));
    std::swap(timer_function_, function);
}

void multi_core::listen(multi_notify_function function) {
    const CURLMcode code = handle_.listen_notify(static_cast<bool>(function));
    if (code == CURLM_UNKNOWN_OPTION)
        throw usage_error(errc::too_old, "CURLMOPT_NOTIFYFUNCTION (libcurl 8.17)");
    finish("CURLMOPT_NOTIFYFUNCTION", code);
    std::swap(notify_function_, function);
}

void multi_core::assign(curl_socket_t socket, void* socketp) {
    const bool cleaning_up = handle_.get() == nullptr && handle_.inside();
    if (cleaning_up) // for libcurls that announce sockets there: none of them is heard of again
        return;
    if (handle_.get() == nullptr)
        throw usage_error(errc::closed, "multi::assign");
    if (const CURLMcode code = handle_.assign(socket, socketp); code != CURLM_OK)
        throw multi_error(code, "curl_multi_assign");
}

/// Runs a callable inside libcurl, which no exception may cross. One that throws has not answered;
/// libcurl hears 0 then, since -1 breaks the transfers of everybody else.
template <class Function> int multi_core::call_out(callable kind, Function function) noexcept {
    if (silent_)
        return 0;
    const inside here(current_, kind);
    int answer = 0;
    try {
        answer = function();
    } catch (...) {
        if (!exception_)
            exception_ = std::current_exception();
    }
    // libcurl 7.88 takes a -1 inside curl_multi_add_handle for a handle that is neither added nor
    // not, and loses the others when that one is removed: the add is undone instead.
    if (answer == -1 && adding_) {
        add_refused_ = true;
        return 0;
    }
    return answer;
}

int multi_core::on_socket(CURL* curl, curl_socket_t socket, int what, void* socketp) noexcept {
    return call_out(callable::event,
                    [&] { return socket_function_(find(curl), socket, what, socketp); });
}

int multi_core::on_timer(long timeout_ms) noexcept {
    return call_out(callable::event, [&] {
        return timer_function_(
            timeout_ms < 0 ? std::nullopt : std::optional(std::chrono::milliseconds(timeout_ms)));
    });
}

void multi_core::on_notify(unsigned notification, CURL* curl) noexcept {
    call_out(callable::notify, [&] {
        notify_function_(notification, find(curl));
        return 0;
    });
}

void multi_core::remove(easy_core& core) { remove(core.handle()); }

void multi_core::pause(easy_core& core, int bitmask) {
    // libcurl's transfer is half changed there: a use after free before 8.22, which refuses it.
    if (current_ == callable::event)
        throw usage_error(errc::inside_callback, "easy::pause");
    CURLcode code = CURLE_OK;
    run("curl_easy_pause", [&](multi_handle& multi) {
        code = multi.pause(core.handle(), bitmask);
        // What was held back is delivered in there. A callable that throws has broken the transfer,
        // but libcurl says so to this call alone.
        if (code != CURLE_OK && core.has_exception())
            callback_failed(core);
        return CURLM_OK;
    });
    if (code != CURLE_OK && !core.has_exception())
        throw std::system_error(make_error_code(code), "curl_easy_pause");
}

void multi_core::callback_failed(easy_core& core) noexcept {
    if (const auto found = handles_.find(core.handle()); found != handles_.end()) {
        found->second.callback_failed = true;
        any_callback_failed_ = true;
    }
}

/// Ends the transfers of callables that threw where libcurl heeds no answer.
int multi_core::end_failed() noexcept {
    int ended = 0;
    while (std::exchange(any_callback_failed_, false)) { // a removal calls back too
        collect_reports();                               // who finished by itself has its result
        for (auto& [curl, each] : handles_)
            if (each.callback_failed && each.running && !reported(curl) &&
                handle_.remove(curl) == CURLM_OK) {
                each.running = false;
                report({curl, CURLE_ABORTED_BY_CALLBACK});
                ++ended;
            }
    }
    return ended;
}

int multi_core::settle() noexcept {
    const int ended = end_failed();
    if (silent_)
        shut_down(close_handles_);
    return ended;
}

void multi_core::finish(const char* name, CURLMcode code) {
    if (auto failure = close_failure_->take(); failure && !exception_)
        exception_ = std::move(failure);
    if (exception_)
        std::rethrow_exception(std::exchange(exception_, nullptr));
    if (code != CURLM_OK)
        throw multi_error(code, name);
}

CURLMcode multi_core::switch_notification(unsigned notification, bool on) noexcept {
    return on ? handle_.notify_enable(notification) : handle_.notify_disable(notification);
}

void multi_core::close() {
    require_outside("multi::close");
    const auto keep = intrusive_ptr<multi_core>::share(this);
    shut_down(close_handles_);
    finish("curl_multi_cleanup", CURLM_OK);
}

void multi_core::abandon() noexcept {
    silent_ = true;
    if (!handle_.inside())
        shut_down(close_handles_);
}

void multi_core::leave_libcurl() noexcept {
    const auto keep = intrusive_ptr<multi_core>::share(this);
    handle_.leave();
    if (!handle_.inside())
        settle();
}

void multi_core::shut_down(bool close_easies) noexcept {
    if (std::exchange(closed_, true))
        return;
    for (auto& [curl, each] : handles_)
        if (each.running)
            handle_.remove(curl); // where libcurl refuses, its cleanup takes it off
    handle_.cleanup();

    // What goes now may be somebody's last copy, with destructors of their own: first leave all in
    // order, then let go.
    reports_.clear();
    const auto handles = std::exchange(handles_, {});
    const auto sockets = std::exchange(socket_function_, nullptr);
    const auto timer = std::exchange(timer_function_, nullptr);
    const auto notify = std::exchange(notify_function_, nullptr);
    for (const auto& [curl, each] : handles) {
        if (each.callback_failed && each.running && !exception_) // in here
            exception_ = core_of(each.handle).take_exception();
        if (close_easies)
            core_of(each.handle).mark_closed();
        part_from(each.handle);
    }
}

} // namespace curlicue::detail
