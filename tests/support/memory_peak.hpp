// SPDX-License-Identifier: MIT
#pragma once

#include "support/files.hpp"

#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>

namespace curlicue::test {

/// How far the memory of this process has gone up since this object was made, at the most.
class memory_peak {
public:
    memory_peak() {
        write_file("/proc/self/clear_refs", "5"); // the peak starts again from here
        before_ = status("VmRSS:");
    }

    /// In bytes.
    std::size_t growth() const {
        const std::size_t peak = status("VmHWM:");
        return peak > before_ ? peak - before_ : 0;
    }

private:
    static std::size_t status(std::string_view name) {
        const std::string all = read_file("/proc/self/status");
        return std::strtoull(all.c_str() + all.find(name) + name.size(), nullptr, 10) * 1024;
    }

    std::size_t before_ = 0;
};

} // namespace curlicue::test
