// SPDX-License-Identifier: MIT
#pragma once

namespace curlicue::detail {

/// What an object needs to be in one list at a time, without an allocation.
/// @threading guarded by whoever owns the list
class list_node {
public:
    list_node() = default;
    list_node(const list_node&) = delete;
    list_node& operator=(const list_node&) = delete;

    bool linked() const noexcept { return next_ != this; }
    /// Takes it out of its list, if it is in one.
    void unlink() noexcept {
        previous_->next_ = next_;
        next_->previous_ = previous_;
        previous_ = next_ = this;
    }

protected:
    ~list_node() = default;

private:
    template <class> friend class intrusive_list;

    list_node* previous_ = this;
    list_node* next_ = this;
};

/// A first-in first-out list of objects that derive from `list_node`, and that it does not own.
template <class T> class intrusive_list {
public:
    bool empty() const noexcept { return !head_.linked(); }

    /// @param item is in no list
    void push_back(T& item) noexcept { insert(item, item); }
    /// The first, taken out; null if there is none.
    T* pop_front() noexcept {
        if (empty())
            return nullptr;
        T& first = static_cast<T&>(*head_.next_);
        first.unlink();
        return &first;
    }
    /// `look(item)` at each; it changes no list.
    template <class Look> void for_each(Look look) {
        for (auto* each = head_.next_; each != &head_; each = each->next_)
            look(static_cast<T&>(*each));
    }
    /// Moves all items of `other` to the end of this one.
    void splice(intrusive_list& other) noexcept {
        if (other.empty())
            return;
        auto& first = *other.head_.next_;
        auto& last = *other.head_.previous_;
        other.head_.next_ = other.head_.previous_ = &other.head_;
        insert(first, last);
    }

    /// Whether `is_such(T&)` of one.
    template <class F> bool any_of(F is_such) const {
        for (const auto* each = head_.next_; each != &head_; each = each->next_)
            if (is_such(static_cast<const T&>(*each)))
                return true;
        return false;
    }

private:
    struct head final : list_node {};

    // At the end, what is linked from `first` to `last`.
    void insert(list_node& first, list_node& last) noexcept {
        first.previous_ = head_.previous_;
        last.next_ = &head_;
        head_.previous_->next_ = &first;
        head_.previous_ = &last;
    }

    head head_;
};

} // namespace curlicue::detail
