// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>

namespace curlicue::detail {

/// A file that is written under another name, in the same directory, until it is whole: what breaks
/// off leaves nothing behind, and of the old one nothing is lost.
/// @throws std::system_error
class new_file {
public:
    explicit new_file(const std::filesystem::path& name);
    new_file(const new_file&) = delete;
    new_file& operator=(const new_file&) = delete;
    ~new_file();

    void write(std::string_view data);
    void start_anew();
    std::uint64_t size() const noexcept { return size_; }
    /// From now on it has its name.
    void finish();

private:
    void require(bool ok) const;

    const std::filesystem::path name_;
    std::filesystem::path meanwhile_;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_{nullptr, &std::fclose};
    std::uint64_t size_ = 0;
};

} // namespace curlicue::detail
