// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <list>
#include <string>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

/// A bar for each running transfer and one for all, on a terminal; elsewhere only what is told.
/// Ours because neither Debian 12 nor Ubuntu 24.04 has a library for several live bars.
class progress_bars {
public:
    struct bar {
        std::string name;
        std::uint64_t now = 0;
        std::uint64_t size = 0; ///< 0: not known
    };
    using position = std::list<bar>::iterator;

    explicit progress_bars(std::size_t files) : files_(files) {}

    position start(std::string name) {
        return running_.insert(running_.end(), bar{std::move(name)});
    }
    void update(position at, std::uint64_t now, std::uint64_t size) {
        at->now = now;
        at->size = size;
        if (const auto time = clock::now(); time - drawn_ >= std::chrono::milliseconds(50)) {
            drawn_ = time;
            erase();
            draw();
        }
    }
    /// Replaces the bar by a line with its name and this.
    void finish(position at, const std::string& outcome) {
        erase();
        std::cout << at->name << ": " << outcome << '\n';
        bytes_ += at->now;
        ++finished_;
        running_.erase(at);
        draw();
    }

private:
    using clock = std::chrono::steady_clock;

    void erase() {
        if (lines_ != 0)
            std::cout << "\x1b[" << lines_ << "A\x1b[J";
        lines_ = 0;
    }
    void draw() {
        if (terminal_ && !running_.empty())
            draw_bars();
        std::cout.flush();
    }
    void draw_bars() {
        winsize window{};
        if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0)
            window = {24, 80, 0, 0};
        const int width = window.ws_col - 52;
        auto bytes = bytes_;
        auto files = static_cast<double>(finished_);
        for (const auto& [name, now, size] : running_) {
            const double part = size > 0 ? static_cast<double>(now) / static_cast<double>(size) : 0;
            bytes += now;
            files += part;
            if (now != 0 && lines_ + 2 < window.ws_row) // it has begun, and there is room
                draw_bar(name, part, now, width);
        }
        draw_bar(std::to_string(finished_) + " of " + std::to_string(files_),
                 files / static_cast<double>(files_), bytes, width);
    }
    void draw_bar(const std::string& name, double part, std::uint64_t bytes, int width) {
        if (width < 1)
            return;
        const auto full = static_cast<std::size_t>(std::clamp(part, 0., 1.) * width);
        const auto end = name.size() < 28 ? name : name.substr(name.size() - 28);
        std::cout << std::left << std::setw(28) << end << " [" << std::setw(width)
                  << std::string(full, '#') << "] " << std::right << std::setw(12) << bytes
                  << " bytes\n";
        ++lines_;
    }

    const bool terminal_ = ::isatty(STDOUT_FILENO) == 1;
    std::list<bar> running_;
    const std::size_t files_;
    std::size_t finished_ = 0;
    std::uint64_t bytes_ = 0; ///< of those finished
    unsigned lines_ = 0;      ///< drawn, and to be erased
    clock::time_point drawn_{};
};
