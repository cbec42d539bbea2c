// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <utility>

namespace curlicue::detail {

/// Base of whatever counts its own owners. Starts with one, which `adopt` takes over.
/// @threading thread-safe
class ref_counted {
public:
    ref_counted(const ref_counted&) = delete;
    ref_counted& operator=(const ref_counted&) = delete;

    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }

    /// Takes a reference unless the last one is already gone: for weak look-ups.
    bool try_retain() noexcept {
        auto count = references_.load(std::memory_order_relaxed);
        while (count != 0)
            if (references_.compare_exchange_weak(count, count + 1, std::memory_order_relaxed))
                return true;
        return false;
    }

    void release() noexcept {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            last_reference_gone();
    }

    bool unique() const noexcept { return references_.load(std::memory_order_acquire) == 1; }

protected:
    ref_counted() = default;
    virtual ~ref_counted() = default;

private:
    virtual void last_reference_gone() noexcept { delete this; }

    std::atomic<std::size_t> references_{1};
};

/// Owns one reference to a `ref_counted`. As `shared_ptr`, without its second allocation.
template <class T> class intrusive_ptr {
public:
    intrusive_ptr() = default;
    intrusive_ptr(std::nullptr_t) noexcept {}
    intrusive_ptr(const intrusive_ptr& other) noexcept : intrusive_ptr(share(other.pointer_)) {}
    intrusive_ptr(intrusive_ptr&& other) noexcept
        : pointer_(std::exchange(other.pointer_, nullptr)) {}
    template <class U>
        requires std::convertible_to<U*, T*> intrusive_ptr(intrusive_ptr<U> other)
    noexcept : pointer_(other.detach()) {}
    intrusive_ptr& operator=(intrusive_ptr other) noexcept {
        std::swap(pointer_, other.pointer_);
        return *this;
    }
    ~intrusive_ptr() {
        if (pointer_ != nullptr)
            pointer_->release();
    }

    /// Takes over a reference that the caller holds.
    static intrusive_ptr adopt(T* pointer) noexcept {
        intrusive_ptr result;
        result.pointer_ = pointer;
        return result;
    }
    /// Adds a reference of its own.
    static intrusive_ptr share(T* pointer) noexcept {
        if (pointer != nullptr)
            pointer->retain();
        return adopt(pointer);
    }
    /// Hands the reference to the caller.
    T* detach() noexcept { return std::exchange(pointer_, nullptr); }

    T* get() const noexcept { return pointer_; }
    T* operator->() const noexcept { return &**this; }
    T& operator*() const noexcept {
        if (pointer_ == nullptr)
            __builtin_unreachable(); // g++ 12 otherwise warns of what a null would do (-O1)
        return *pointer_;
    }
    explicit operator bool() const noexcept { return pointer_ != nullptr; }
    friend bool operator==(const intrusive_ptr&, const intrusive_ptr&) = default;

private:
    T* pointer_ = nullptr;
};

template <class T, class... Args> intrusive_ptr<T> make_intrusive(Args&&... args) {
    return intrusive_ptr<T>::adopt(new T(std::forward<Args>(args)...));
}

} // namespace curlicue::detail
