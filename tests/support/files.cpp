// SPDX-License-Identifier: MIT
#include "support/files.hpp"

#include <fstream>
#include <iterator>
#include <random>

namespace curlicue::test {

std::string bytes(std::size_t size) {
    std::minstd_rand random;
    std::string result(size, '\0');
    for (char& byte : result)
        byte = static_cast<char>(random() >> 16);
    return result;
}

void write_file(const std::filesystem::path& path, std::string_view content) {
    std::ofstream file(path, std::ios::binary);
    file.exceptions(std::ios::failbit | std::ios::badbit);
    file << content << std::flush;
}

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator open("/proc/self/fd");
    // one of them is the iterator's
    return static_cast<std::size_t>(std::distance(begin(open), end(open))) - 1;
}

} // namespace curlicue::test
