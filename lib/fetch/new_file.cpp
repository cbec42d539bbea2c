// SPDX-License-Identifier: MIT
#include "new_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <random>
#include <string>
#include <system_error>

namespace curlicue::detail {
namespace {

// So much at a time is written: for 256 KiB ext4 takes larger folios, which lasted three times as
// long (Linux 6, `dd bs=256k` and `bs=64k`).
constexpr std::size_t slice = std::size_t{64} << 10;

} // namespace

new_file::new_file(const std::filesystem::path& name) : name_(name) {
    std::random_device random;
    do {
        meanwhile_ = name_;
        meanwhile_ += "." + std::to_string(random()) + ".part";
        file_.reset(std::fopen(meanwhile_.c_str(), "wbx"));
    } while (!file_ && errno == EEXIST);
    require(file_ != nullptr);
}

new_file::~new_file() {
    if (!file_)
        return;
    file_.reset();
    std::error_code ignored;
    std::filesystem::remove(meanwhile_, ignored);
}

void new_file::write(std::string_view data) {
    for (; !data.empty(); data.remove_prefix(std::min(slice, data.size()))) {
        const auto size = std::min(slice, data.size());
        require(std::fwrite(data.data(), 1, size, file_.get()) == size);
        size_ += size;
    }
}

void new_file::start_anew() {
    file_.reset(std::freopen(meanwhile_.c_str(), "wb", file_.release()));
    require(file_ != nullptr);
    size_ = 0;
}

void new_file::finish() {
    require(std::fflush(file_.get()) == 0);
    std::filesystem::rename(meanwhile_, name_);
    file_.reset();
}

void new_file::require(bool ok) const {
    if (!ok)
        throw std::system_error(errno, std::generic_category(), "fetch: " + name_.string());
}

} // namespace curlicue::detail
