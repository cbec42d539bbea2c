// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace curlicue::detail {

/// Bytes that wait: written at the one end, taken at the other.
class byte_queue {
public:
    std::size_t size() const noexcept { return data_.size() - begin_; }
    bool empty() const noexcept { return size() == 0; }
    std::string_view view() const noexcept { return std::string_view(data_).substr(begin_); }

    void reserve(std::size_t capacity) {
        make_room();
        data_.reserve(begin_ + capacity);
    }
    void append(std::string_view more) {
        make_room();
        data_.append(more);
    }
    void append(std::string&& more) {
        if (empty())
            clear(), data_ = std::move(more);
        else
            append(std::string_view(more));
    }
    std::string take(std::size_t most) {
        if (begin_ == 0 && most >= data_.size())
            return std::exchange(data_, {});
        std::string taken(view().substr(0, most));
        drop(taken.size());
        return taken;
    }
    void drop(std::size_t count) noexcept {
        begin_ += count;
        if (begin_ == data_.size()) {
            data_.clear();
            begin_ = 0;
        }
    }
    void clear() noexcept {
        data_ = {};
        begin_ = 0;
    }

private:
    void make_room() {
        if (begin_ > data_.size() / 2) {
            data_.erase(0, begin_);
            begin_ = 0;
        }
    }

    std::string data_;
    std::size_t begin_ = 0;
};

} // namespace curlicue::detail
