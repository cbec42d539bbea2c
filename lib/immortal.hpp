// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

namespace curlicue::detail {

/// Something static that is never destroyed: what else is static may ask for it at its own end.
template <class T> union immortal {
    template <class... Args>
    explicit immortal(Args&&... args) : object(std::forward<Args>(args)...) {}
    immortal(const immortal&) = delete;
    immortal& operator=(const immortal&) = delete;
    ~immortal() {} // NOLINT(modernize-use-equals-default): not the object's

    T object;
};

} // namespace curlicue::detail
