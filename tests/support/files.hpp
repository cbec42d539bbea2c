// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace curlicue::test {

/// Bytes that look random and are always the same, so that a cut, doubled or swapped piece shows.
/// A shorter body is the beginning of a longer one.
std::string bytes(std::size_t size);

void write_file(const std::filesystem::path& path, std::string_view content);
std::string read_file(const std::filesystem::path& path);

/// How many descriptors this process has open.
std::size_t open_descriptors();

} // namespace curlicue::test
