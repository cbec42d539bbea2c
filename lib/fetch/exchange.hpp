// SPDX-License-Identifier: MIT
#pragma once

#include "body_content.hpp"
#include "byte_queue.hpp"
#include "deadlines.hpp"
#include "head_parser.hpp"
#include "memory_budget.hpp"
#include "network.hpp"
#include "response_state.hpp"
#include "upload.hpp"
#include <curlicue/detail/promise_state.hpp>
#include <curlicue/detail/recycled.hpp>
#include <curlicue/easy.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace curlicue::detail {

/// One request of a client with libcurl, and what comes of it: a transfer, the state of its
/// response, and the body between both.
/// @threading `cancel` and what a `response_state` has as it says; all else is the loop's
class exchange final : public response_state,
                       public recycled,
                       public exchange_node,
                       private continuation,
                       private work,
                       private has_deadline,
                       private waits_for_memory,
                       private upload::owner {
public:
    exchange(std::shared_ptr<network> on, request what);

    /// Begins it. The future has the response once its head is there.
    future<response> start();
    /// Ends it, if it is not over.
    void cancel() noexcept override;

    future<std::string> next_block(std::size_t least) override;
    future<std::string> gather() override;
    future<void> each_piece(unique_function<void(std::string_view)> sink) override;
    void drop() noexcept override;
    const header_list* trailers() const noexcept override;
    std::string peek(std::size_t most) const override;
    void keep(std::shared_ptr<const void> what) override {
        if (stage_ != stage::over)
            response_state::keep(std::move(what));
    }
    bool over(std::exception_ptr& failure) const override;
    timings times() const override;
    intrusive_ptr<executor_link> link() const noexcept override { return network_->link(); }

private:
    using time = executor::clock::time_point;
    using piece = promise_state<std::string>;
    class head_state;
    class cancelling final : public work {
    public:
        explicit cancelling(exchange& whose) noexcept : whose_(whose) {}
        void run() noexcept override;
        std::atomic<bool> queued{false};

    private:
        exchange& whose_;
    };

    ~exchange() override;

    // exchange.cpp: the way of a transfer.
    void run() noexcept override; // a queued step
    void begin() noexcept;
    void add_to_engine();
    void source_ready() noexcept override;
    void end() noexcept;
    void cancel_here() noexcept;
    void fail(std::exception_ptr why) noexcept;
    /// Whoever tweaks the easy may have closed it.
    bool libcurl_has_it() const noexcept { return stage_ == stage::running && !handle_->closed(); }
    std::exception_ptr failure_of(const result<easy>& outcome);
    std::exception_ptr refusal(std::error_code code, fetch_phase phase) const noexcept;
    void settle() noexcept;
    fetch_phase phase_now(CURLcode failure) const noexcept;
    void unpause(easy::direction which) noexcept;

    // exchange_setup.cpp: what libcurl is told.
    bool is_plain() const;
    easy set_up();
    void set_up_more(easy& handle);
    void set_client(easy& handle);
    void set_head(easy& handle);
    void set_body(easy& handle);
    void set_connection(easy& handle);
    void set_progress(easy& handle);
    bool is_guarded() const noexcept;
    bool allows(const sockaddr& address) const;
    void ask_before_connecting(easy& handle);
    static int on_prereq(void* self, char* peer, char* local, int peer_port, int local_port);
    int about_to_send(const char* peer, std::uint16_t port);
    bool is_second_sending() const noexcept;

    // exchange_head.cpp: what comes first, for whoever waits for it.
    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
    std::size_t take_line(std::string_view line);
    std::exception_ptr too_long_a_head() const noexcept;
    bool expects_another_head() const;
    std::string sent_to();
    void publish();

    // exchange_body.cpp: what of the body waits.
    static std::size_t on_write(char* data, std::size_t size, std::size_t count, void* self);
    std::size_t take_data(std::string_view data);
    future<std::string> read_some(std::size_t most) override;
    future<std::string> ask(bool for_all, std::size_t most, std::size_t least = 1);
    future<std::string> rest_after_close();
    template <class Step> void on_loop(Step step);
    bool has_room(std::size_t more) const noexcept;
    std::size_t may_wait() const noexcept;
    bool has_enough() const noexcept;
    std::string take(std::size_t most);
    void forget_waiting() noexcept;
    void pour(const intrusive_ptr<promise_state<void>>& asked,
              unique_function<void(std::string_view)>&& sink) noexcept;
    bool somebody_reads() const noexcept {
        return reading_ || (gathering_ && !ended_well_) || poured_;
    }
    void serve() noexcept;
    void resume() noexcept;
    void memory_is_free() noexcept override { resume(); }
    void read_away() noexcept;

    // upload::owner
    void upload_has_more() noexcept override;
    void upload_moves() noexcept override;
    void upload_failed(std::exception_ptr why) noexcept override { fail(std::move(why)); }
    intrusive_ptr<ref_counted> kept() noexcept override {
        return intrusive_ptr<exchange>::share(this);
    }

    // exchange_time.cpp: how long it takes, and may.
    time now() const noexcept { return network_->link()->now(); }
    hop_timings measured() const noexcept;
    void tell_times() noexcept;
    time next_look() const noexcept override;
    void look(time now) noexcept override;
    void see_progress(time now) noexcept;
    void time_out(time_limit which) noexcept;
    time stalls_at() const noexcept;
    time first_byte_at() const noexcept;
    time end_of_sending_at() const noexcept;
    time total_at() const noexcept;
    bool sends() const noexcept;

    const std::shared_ptr<network> network_;
    request what_;
    std::optional<easy> handle_; // from its start to the end of its transfer
    intrusive_ptr<head_state> head_state_;
    intrusive_ptr<state<easy>> transfer_;
    cancelling cancelling_{*this};
    head_parser parser_;
    std::optional<upload> upload_;

    enum class stage : unsigned char { queued, running, over };
    std::atomic<stage> stage_{stage::queued};
    bool plain_ = false;
    bool published_ = false;
    bool body_began_ = false;
    bool paused_ = false;
    bool gathering_ = false;
    bool dropped_ = false;
    bool ended_well_ = false;
    bool cancelled_ = false;
    bool address_allowed_ = false, address_refused_ = false;
    std::exception_ptr failure_;

    byte_queue waiting_;
    std::size_t refused_ = 0; // by us, while it is paused: libcurl keeps as much
    mutable small_mutex beginning_mutex_;
    std::string beginning_; // of the body of an error
    std::uint64_t received_ = 0;
    std::uint64_t uploaded_ = 0; // as libcurl counts
    std::size_t most_asked_ = 0, least_asked_ = 0;
    std::size_t high_water_ = 0;
    intrusive_ptr<piece> reading_;
    intrusive_ptr<promise_state<void>> poured_; // while each piece goes to the sink
    unique_function<void(std::string_view)> sink_;

    // Each is written before somebody else may read it, and never again.
    std::vector<hop_timings> earlier_;
    hop_timings at_head_, at_end_;
    std::size_t place_ = 0; // among the hops of its call
    std::chrono::microseconds queued_{0};
    time last_byte_{};
    time sent_at_{time::max()}; // the last of the request, as far as we know
    time looked_at_{};          // how much has been sent
    time dropped_at_{};
};

// A little later, if libcurl is on the stack, or on another thread. Once the executor is closed
// nothing of it comes from there any more.
template <class Step> void exchange::on_loop(Step step) {
    auto& engine = network_->on();
    if (engine.may_call_libcurl() || (stage_ == stage::over && link()->gone()))
        step();
    else
        engine.executor().post(std::move(step));
}

} // namespace curlicue::detail
